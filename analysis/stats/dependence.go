package stats

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// Dependence says how much less a sample in time order tells than as many independent values would.
type Dependence struct {
	N         int     // values
	Design    float64 // the design effect, at least 1: by how much the variance of a share is larger than if values were independent
	Effective float64 // N / Design: as many independent values tell the same
}

// IndependentOf is the dependence of n values that are taken to be independent of each other.
func IndependentOf(n int) Dependence {
	return Dependence{N: n, Design: 1, Effective: float64(n)}
}

// DependenceAt estimates how values in time order depend on each other at a limit: the design effect of the share of values
// at or below it.
//
// The answers of a server that is busy are slow together, so the plain interval of a quantile, which takes them as
// independent, is too narrow. What counts for a quantile is only on which side of it a value lies. So this looks at the
// indicator 1{x ≤ limit}: with ρ(k) its autocorrelation at a distance of k values, the variance of its mean is 1 + 2·Σρ(k)
// times that of independent values. The sum is taken by Geyer's initial monotone sequence (Statistical Science 7, 1992): as
// long as the sums of neighbouring pairs ρ(2j) + ρ(2j+1) are positive, none counted as larger than the one before. Vehtari
// et al. (Bayesian Analysis 16, 2021, §4) find the effective sample size of quantiles this way. Negative dependence is
// never used to narrow an interval: the result is at least 1.
//
// Long samples are first counted in blocks, of which there are at most mostBlocks: the sum over the blocks' own
// autocorrelation is the same quantity.
//
// A trend counts as dependence, too: values that drift tell less of a stable quantile. The estimate is itself uncertain, the
// more so the fewer values lie beyond the limit, and dependence over times as long as the sample cannot be seen in it. How
// well the intervals then cover is measured by TestCoverageUnderDependence and stated in docs/slo.md. Where all values are
// on one side of the limit nothing can be estimated, and they are taken as independent.
func DependenceAt(inTime []float64, limit float64) Dependence {
	n := len(inTime)
	d := IndependentOf(n)
	counts, size := blockCounts(inTime, limit)
	total := 0.0
	for _, c := range counts {
		total += c
	}
	share := total / float64(size*len(counts))
	independent := float64(size) * share * (1 - share) // variance of a block's count
	if len(counts) < 2 || independent <= 0 {
		return d
	}
	d.Design = min(max(longRunVariance(counts)/independent, 1), float64(n))
	d.Effective = float64(n) / d.Design
	return d
}

const mostBlocks = 8192

// blockCounts counts the values at or below a limit in blocks of consecutive ones, all of one size; a rest of less than a
// block is left out.
func blockCounts(inTime []float64, limit float64) (counts []float64, size int) {
	size = max(1, (len(inTime)+mostBlocks-1)/mostBlocks)
	counts = make([]float64, len(inTime)/size)
	for i := range counts {
		for _, x := range inTime[i*size : (i+1)*size] {
			if x <= limit {
				counts[i]++
			}
		}
	}
	return counts, size
}

// longRunVariance is the variance of the sum of a stationary series per value of it, γ(0) + 2·Σγ(k), by Geyer's initial
// monotone sequence. The series must not be empty.
func longRunVariance(series []float64) float64 {
	centred := make([]float64, len(series))
	mean := 0.0
	for _, x := range series {
		mean += x / float64(len(series))
	}
	for i, x := range series {
		centred[i] = x - mean
	}
	covariance := func(lag int) float64 {
		sum := 0.0
		for i, x := range centred[lag:] {
			sum += x * centred[i]
		}
		return sum / float64(len(series)) // biased, as Geyer's sequence wants it
	}
	own := covariance(0)
	sum, former := 0.0, math.Inf(1)
	for lag := 0; lag+1 < len(series); lag += 2 {
		pair := covariance(lag) + covariance(lag+1)
		if pair <= 0 {
			break
		}
		former = min(former, pair)
		sum += former
	}
	return 2*sum - own
}

// PlainCoverage is about what part of the time a 95 % interval that takes the values as independent holds the quantile or
// share: an interval of ±1.96 standard errors that are too small by the root of the design effect.
func (d Dependence) PlainCoverage() float64 {
	if d.Design <= 1 {
		return Confidence
	}
	z := distuv.UnitNormal.Quantile(1 - tail)
	return 1 - 2*distuv.UnitNormal.CDF(-z/math.Sqrt(d.Design))
}
