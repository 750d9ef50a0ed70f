package stats

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// ProportionInterval returns the exact 95 % interval of a proportion of which k in n were seen (Clopper and Pearson,
// 1934). It is [0, 1] for n = 0.
func ProportionInterval(k, n int64) (low, high float64) {
	return EffectiveProportion(k, n, float64(n))
}

// EffectiveProportion is ProportionInterval for n observations that tell as much as effective independent ones,
// 0 < effective ≤ n: k and n are scaled down together (Korn and Graubard, Survey Methodology 24, 1998).
func EffectiveProportion(k, n int64, effective float64) (low, high float64) {
	low, high = 0, 1
	if n == 0 {
		return low, high
	}
	x := float64(k) * effective / float64(n)
	if k > 0 {
		low = distuv.Beta{Alpha: x, Beta: effective - x + 1}.Quantile(tail)
	}
	if k < n {
		high = distuv.Beta{Alpha: x + 1, Beta: effective - x}.Quantile(1 - tail)
	}
	return low, high
}

// LeastToShow is the least n at which seeing nothing but successes shows, one-sided with 95 % confidence, that their share is
// at least the given one: the smallest n with shareⁿ ≤ 5 %, 299 for 99 %. 0 for a share that no n can show.
func LeastToShow(share float64) int {
	if share <= 0 {
		return 1
	}
	if share >= 1 {
		return 0
	}
	return int(math.Ceil(math.Log(1-Confidence)/math.Log(share) - 1e-9))
}
