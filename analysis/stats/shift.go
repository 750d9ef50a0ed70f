package stats

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/combin"
	"gonum.org/v1/gonum/stat/distuv"
)

// Estimate is a number with its 95 % interval. Where the data cannot give a bound, Low is −∞ (of a ratio 0) or High +∞.
type Estimate struct{ Value, Low, High float64 }

// Bounded tells whether both bounds are numbers.
func (e Estimate) Bounded() bool { return !math.IsInf(e.Low, 0) && !math.IsInf(e.High, 0) }

// Shift estimates by how much y lies above x, by the median of all differences y−x (Hodges and Lehmann, 1963). Its interval holds
// the shifts that a rank test of x+shift against y does not reject at 5 %, so that it assumes nothing but that both
// samples have one shape; with ties it is somewhat too wide. It needs at least 4 values a side. Both samples must have
// values, none NaN.
func Shift(x, y []float64) Estimate {
	differences := make([]float64, 0, len(x)*len(y))
	for _, a := range x {
		for _, b := range y {
			differences = append(differences, b-a)
		}
	}
	slices.Sort(differences)
	e := Estimate{Value: middle(differences), Low: math.Inf(-1), High: math.Inf(1)}
	if k := rankMargin(len(x), len(y), 1-Confidence); k > 0 {
		e.Low, e.High = differences[k-1], differences[len(differences)-k]
	}
	return e
}

// Ratio estimates how many times x y is: Shift on logarithms. ok is false unless all values are above 0. Where the data cannot
// give a bound, Low is 0 and High +∞.
func Ratio(x, y []float64) (ratio Estimate, ok bool) {
	logs := func(values []float64) []float64 {
		out := make([]float64, len(values))
		for i, v := range values {
			out[i] = math.Log(v)
		}
		return out
	}
	if slices.ContainsFunc(slices.Concat(x, y), func(v float64) bool { return !(v > 0) }) {
		return Estimate{}, false
	}
	e := Shift(logs(x), logs(y))
	return Estimate{math.Exp(e.Value), math.Exp(e.Low), math.Exp(e.High)}, true
}

// rankMargin is the largest k with 2·P(U < k) ≤ level for samples of n and m without ties, 0 when there is none.
func rankMargin(n, m int, level float64) int {
	if n > exactLimit || m > exactLimit {
		deviation := math.Sqrt(float64(n*m*(n+m+1)) / 12)
		z := distuv.UnitNormal.Quantile(1 - level/2)
		return max(0, int(math.Floor(float64(n*m)/2+0.5-z*deviation)))
	}
	ranks := make([]int, n+m)
	for i := range ranks {
		ranks[i] = i + 1
	}
	ways := rankSums(ranks, m)
	total := combin.GeneralizedBinomial(float64(n+m), float64(m))
	k, below := 0, 0.0
	for sum := m * (m + 1) / 2; sum < len(ways); sum++ { // from U = 0 on
		below += ways[sum]
		if 2*below/total > level {
			break
		}
		k++
	}
	return k
}

// Median estimates the median of the population, by the sample's, with the order statistics that enclose it (QuantileInterval),
// which needs at least 6 values. There must be a value, and none NaN.
func Median(values []float64) Estimate {
	sorted := slices.Sorted(slices.Values(values))
	e := Estimate{Value: middle(sorted), Low: math.Inf(-1), High: math.Inf(1)}
	low, high := QuantileInterval(len(sorted), 0.5)
	if low > 0 && high > 0 {
		e.Low, e.High = sorted[low-1], sorted[high-1]
	}
	return e
}

// middle is the median of ascending values, of an even number the mean of the two in the middle.
func middle(sorted []float64) float64 {
	n := len(sorted)
	if n%2 == 1 {
		return sorted[n/2]
	}
	return sorted[n/2-1]/2 + sorted[n/2]/2 // halved first, so that it cannot overflow
}
