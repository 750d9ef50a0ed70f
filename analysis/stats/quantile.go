package stats

import (
	"math"

	"gonum.org/v1/gonum/mathext"
)

// Confidence is the level of every interval.
const Confidence = 0.95

// tail is the probability on either side of a two-sided interval.
const tail = (1 - Confidence) / 2

// Quantile returns the q-quantile of an ascending sample by nearest rank, sorted[⌈n·q⌉−1], as ClusterLoader2's latency
// summaries do: always a value that was measured, and the largest for q = 1. The sample must not be empty.
func Quantile(sorted []float64, q float64) float64 {
	return sorted[NearestRank(len(sorted), q)-1]
}

// NearestRank is the rank, from 1, of the q-quantile of a sample of n: ⌈n·q⌉ within 1 … n.
func NearestRank(n int, q float64) int {
	// n·q of a q such as 0.99 is a hair beside the whole number that it should be, and ⌈⌉ would make that one rank.
	return min(max(int(math.Ceil(float64(n)*q-1e-9)), 1), n)
}

// LeastFor is the least n for which the q-quantile of a sample means anything: one value is to be expected beyond it, on
// either side. That is 100 for the 99th percentile and 10 for the 90th; below, nearest rank gives just the largest value,
// which does not estimate the quantile but depends on n. An interval with both bounds needs more (see QuantileInterval).
func LeastFor(q float64) int {
	beyond := min(q, 1-q)
	if beyond <= 0 {
		return 1 // the extremes are what they are
	}
	return int(math.Ceil(1/beyond - 1e-9))
}

// QuantileInterval returns the ranks, from 1, of the order statistics that enclose the q-quantile of the population with
// at least 95 % confidence, whatever its distribution; 0 for a bound that a sample of n cannot give. With B the number of
// values below the quantile, binomial with n and q, low is the largest rank with P(B < low) ≤ 2.5 % and high the smallest
// with P(B ≥ high) ≤ 2.5 %: the interval is two-sided and has equal tails (David and Nagaraja, Order Statistics, §7.1).
// For the 99th percentile both bounds exist from n = 368 on. The values must be independent of each other; for those that
// are not see EffectiveInterval.
func QuantileInterval(n int, q float64) (low, high int) {
	return EffectiveInterval(n, float64(n), q)
}

// EffectiveInterval is QuantileInterval for n values that tell as much as effective independent ones, 0 < effective ≤ n:
// the share of values below the quantile is taken to be that of a binomial with effective trials, as Korn and Graubard
// (Survey Methodology 24, 1998) do for proportions and Vehtari et al. (Bayesian Analysis 16, 2021, §4) for quantiles of
// Markov chains. A number of trials that is not whole is interpolated by the incomplete beta function, which is the
// binomial's own tail where it is whole.
func EffectiveInterval(n int, effective, q float64) (low, high int) {
	if n == 0 || q <= 0 || q >= 1 {
		return 0, 0
	}
	scale := effective / float64(n)
	// P(B ≤ k−1) and P(B ≥ k) of counts out of n; each is monotonous in the rank.
	below := func(k int) float64 {
		x := float64(k-1) * scale
		return mathext.RegIncBeta(effective-x, x+1, 1-q)
	}
	above := func(k int) float64 {
		x := float64(k) * scale
		return mathext.RegIncBeta(x, effective-x+1, q)
	}
	low = rankWhere(n, func(k int) bool { return below(k) > tail }) - 1
	high = rankWhere(n, func(k int) bool { return above(k) <= tail })
	if high > n {
		high = 0
	}
	return low, high
}

// rankWhere is the least rank in 1 … n for which ok holds, n+1 when it never does; ok must be monotonous.
func rankWhere(n int, ok func(int) bool) int {
	low, high := 1, n+1
	for low < high {
		if mid := (low + high) / 2; ok(mid) {
			high = mid
		} else {
			low = mid + 1
		}
	}
	return low
}
