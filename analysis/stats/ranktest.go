package stats

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/combin"
	"gonum.org/v1/gonum/stat/distuv"
)

// How the p of a rank test was worked out.
const (
	Exact  = "exact"  // from all relabelings of the values
	Normal = "normal" // approximation with corrections for ties and continuity
)

// Samples up to these sizes get the exact distribution, as in go-moremath; beyond them the normal approximation is good to
// more digits than anybody reads.
const (
	exactLimit     = 50
	exactTiesLimit = 25
)

// RankTest is the outcome of a two-sided Mann–Whitney U test: could the labels x and y have been given to the values by chance?
type RankTest struct {
	// U is the number of pairs (x, y) with y > x, a tie counting one half: from 0, all y below all x, to len(x)·len(y).
	U float64
	// P is the probability, over all ways to label the values, of a U at least as far from its mean as this one.
	P float64
	// Least is the smallest P that values with these ties in samples of these sizes can give. Where it is above the level of
	// the test, the test could not have shown anything.
	Least float64
	// Method says how P was worked out: Exact or Normal.
	Method string
}

// MannWhitney tests whether the values of one sample tend to be larger than those of the other (Mann and Whitney, 1947). Ties
// get the mean of their ranks and the exact distribution is conditional on them (Klotz, 1966). Values must not be NaN. With an
// empty sample or with all values equal nothing can be shown: P and Least are 1.
func MannWhitney(x, y []float64) RankTest {
	n, m := len(x), len(y)
	ranks, ofY, tied := doubledRanks(x, y)
	smallest := float64(m * (m + 1)) // of the doubled rank sum of y
	t := RankTest{U: (float64(ofY) - smallest) / 2, P: 1, Least: 1, Method: Exact}
	if n == 0 || m == 0 || ranks[0] == ranks[n+m-1] {
		return t
	}
	limit := exactLimit
	if tied {
		limit = exactTiesLimit
	}
	distribution := exactTails
	if n > limit || m > limit {
		t.Method, distribution = Normal, normalTails
	}
	tails := distribution(ranks, m)
	t.P, t.Least = tails(ofY), tails(extreme(ranks, m))
	return t
}

// doubledRanks are the ranks of all values in ascending order, doubled so that the mean rank of ties is a whole number, with
// the sum of those of y and whether there are ties.
func doubledRanks(x, y []float64) (ranks []int, ofY int, tied bool) {
	type labeled struct {
		v   float64
		isY bool
	}
	all := make([]labeled, 0, len(x)+len(y))
	for _, v := range x {
		all = append(all, labeled{v, false})
	}
	for _, v := range y {
		all = append(all, labeled{v, true})
	}
	slices.SortFunc(all, func(a, b labeled) int { return cmp.Compare(a.v, b.v) })
	ranks = make([]int, len(all))
	for i := 0; i < len(all); {
		j := i
		for j < len(all) && all[j].v == all[i].v {
			j++
		}
		tied = tied || j-i > 1
		for k := i; k < j; k++ {
			ranks[k] = i + 1 + j // twice the mean of i+1 … j
			if all[k].isY {
				ofY += ranks[k]
			}
		}
		i = j
	}
	return ranks, ofY, tied
}

// extreme is the sum of m of the ascending ranks that is farthest from the mean sum.
func extreme(ranks []int, m int) int {
	low, high, all := 0, 0, 0
	for i, r := range ranks {
		all += r
		if i < m {
			low += r
		}
		if i >= len(ranks)-m {
			high += r
		}
	}
	// Distances are compared times len(ranks), in whole numbers.
	if mean := all * m; mean-low*len(ranks) > high*len(ranks)-mean {
		return low
	}
	return high
}

// exactTails gives P(|S − mean| ≥ |s − mean|) of the sum S of m of the doubled ranks, all choices being equally likely.
func exactTails(ranks []int, m int) func(s int) float64 {
	ways := rankSums(ranks, m)
	all := 0
	for _, r := range ranks {
		all += r
	}
	distance := func(s int) int { return abs(s*len(ranks) - all*m) }
	total := combin.GeneralizedBinomial(float64(len(ranks)), float64(m))
	return func(s int) float64 {
		far := 0.0
		for sum, w := range ways {
			if w > 0 && distance(sum) >= distance(s) {
				far += w
			}
		}
		return min(far/total, 1)
	}
}

// rankSums counts by their sum the ways to choose m of the ascending ranks.
func rankSums(ranks []int, m int) []float64 {
	until := make([]int, len(ranks)+1) // sums of the ranks before each
	for i, r := range ranks {
		until[i+1] = until[i] + r
	}
	largest := until[len(ranks)] - until[len(ranks)-m]
	ways := make([][]float64, m+1) // by how many were chosen, and their sum
	for k := range ways {
		ways[k] = make([]float64, largest+1)
	}
	ways[0][0] = 1
	for i, r := range ranks {
		for k := min(i+1, m); k >= 1; k-- {
			with, without := ways[k], ways[k-1]
			// With r, k ranks of the first i+1 sum up to at least the k−1 least and r, to at most the k largest.
			for s := until[i+1] - until[i+1-k]; s >= until[k-1]+r; s-- {
				with[s] += without[s-r]
			}
		}
	}
	return ways[m]
}

// normalTails approximates exactTails by a normal distribution of the same mean and variance, half a rank less far out.
func normalTails(ranks []int, m int) func(s int) float64 {
	total, n := float64(len(ranks)), float64(len(ranks)-m)
	var sum, squares float64
	for _, r := range ranks {
		sum += float64(r) / 2
		squares += float64(r*r) / 4
	}
	mean := sum / total
	// The variance of the sum of m of the ranks drawn without replacement; in it, the ties are corrected for.
	deviation := math.Sqrt(float64(m) * n / (total - 1) * (squares/total - mean*mean))
	return func(s int) float64 {
		z := max(0, math.Abs(float64(s)/2-mean*float64(m))-0.5) / deviation
		return min(2*distuv.UnitNormal.Survival(z), 1)
	}
}

// LeastRankP is the smallest two-sided p of a rank test of n values against m when no two are equal, 2/C(n+m, n); 1 when one
// of them is 0.
func LeastRankP(n, m int) float64 {
	if n == 0 || m == 0 {
		return 1
	}
	return min(1, 2/combin.GeneralizedBinomial(float64(n+m), float64(n)))
}

func abs(v int) int { return max(v, -v) }
