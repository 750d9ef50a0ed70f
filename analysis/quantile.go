package analysis

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"

	"windtunnel/results"
)

// confidence is the level of every interval.
const confidence = 0.95

// Quantile returns the q-quantile of an ascending sample by nearest rank, sorted[⌈n·q⌉−1], as ClusterLoader2's latency
// summaries do: always a value that was measured, and the largest for q = 1. The sample must not be empty.
func Quantile(sorted []float64, q float64) float64 {
	return sorted[nearestRank(len(sorted), q)-1]
}

// nearestRank is ⌈n·q⌉ within 1 … n.
func nearestRank(n int, q float64) int {
	// n·q of a q such as 0.99 is a hair beside the whole number that it should be, and ⌈⌉ would make that one rank.
	return min(max(int(math.Ceil(float64(n)*q-1e-9)), 1), n)
}

// QuantileInterval returns the ranks, from 1, of the order statistics that enclose the q-quantile of the population with
// at least 95 % confidence, whatever its distribution; 0 for a bound that a sample of n cannot give. With B the number of
// values below the quantile, binomial with n and q, low is the largest rank with P(B < low) ≤ 2.5 % and high the smallest
// with P(B ≥ high) ≤ 2.5 %: the interval is two-sided and has equal tails (David and Nagaraja, Order Statistics, §7.1).
// For the 99th percentile both bounds exist from n = 368 on.
func QuantileInterval(n int, q float64) (low, high int) {
	if n == 0 || q <= 0 || q >= 1 {
		return 0, 0
	}
	const tail = (1 - confidence) / 2
	b := distuv.Binomial{N: float64(n), P: q}
	below := func(k int) float64 { return b.CDF(float64(k - 1)) } // P(B < k)
	// Both conditions are monotonous in the rank.
	low = rankWhere(n, func(k int) bool { return below(k) > tail }) - 1
	high = rankWhere(n, func(k int) bool { return 1-below(k) <= tail })
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

// QuantileBounds returns the q-quantile of an ascending sample with its interval; the sample must not be empty.
func QuantileBounds(sorted []float64, q float64) results.Bounds {
	b := results.Bounds{Value: Quantile(sorted, q)}
	low, high := QuantileInterval(len(sorted), q)
	if low > 0 {
		b.Low = &sorted[low-1]
	}
	if high > 0 {
		b.High = &sorted[high-1]
	}
	return b
}

// ProportionInterval returns the exact 95 % interval of a proportion of which k in n were seen (Clopper and Pearson,
// 1934). It is [0, 1] for n = 0.
func ProportionInterval(k, n int64) (low, high float64) {
	const tail = (1 - confidence) / 2
	low, high = 0, 1
	if k > 0 {
		low = distuv.Beta{Alpha: float64(k), Beta: float64(n - k + 1)}.Quantile(tail)
	}
	if k < n {
		high = distuv.Beta{Alpha: float64(k + 1), Beta: float64(n - k)}.Quantile(1 - tail)
	}
	return low, high
}

// stageQuantiles sums up a sample of seconds in any order, which it sorts; the zero value for an empty one.
func stageQuantiles(seconds []float64) results.StageQuantiles {
	s := results.StageQuantiles{N: int64(len(seconds))}
	if len(seconds) == 0 {
		return s
	}
	slices.Sort(seconds)
	negative, _ := slices.BinarySearch(seconds, 0)
	s.Negative = int64(negative)
	s.P50 = QuantileBounds(seconds, 0.50)
	s.P90 = QuantileBounds(seconds, 0.90)
	s.P99 = QuantileBounds(seconds, 0.99)
	s.P100 = results.Bounds{Value: seconds[len(seconds)-1]}
	return s
}

// seconds of a duration between instants.
func seconds(ns int64) float64 { return float64(ns) / 1e9 }
