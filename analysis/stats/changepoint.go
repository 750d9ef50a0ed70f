package stats

import (
	"math"
	"math/rand/v2"
)

// ChangePoint is an index of a series from which on its values lie elsewhere than before.
type ChangePoint struct {
	At int     // index of the first value after the change
	P  float64 // that the change in its part of the series came by chance, of all places where one might have been
}

// The limits of ChangePoints.
const (
	// LeastSegment is how many values must lie on each side of a change: fewer are outliers.
	LeastSegment = 3
	// changeSeed makes the permutations the same every time.
	changeSeed = 20130217
)

// ChangePoints finds where a series shifts, in ascending order: at the split with the largest Mann–Whitney statistic over all
// splits, in units of its own deviation (Pettitt, 1979; Lausen and Schumacher, 1992). Its p is the share of shuffled series, and of
// the series itself, whose best split is at least as good. While that is at or below the level, both parts are searched again, so a
// series in which nothing changed gives a change point with at most that probability. Values must not be NaN.
//
// It is the recursion of E-divisive (Matteson and James, 2014), with ranks in place of distances between values: histories of runs
// have outliers, and a shift is what is asked for. Its permutations come from a fixed seed: the same series gives the same points.
// pgregory.net/changepoint (ED-PELT) was not taken because its penalty states no probability of a false alarm, which is what
// has to be divided among the metrics of a run.
func ChangePoints(series []float64, level float64) []ChangePoint {
	// Enough that the smallest p there can be, 1/(shuffles+1), is a tenth of the level.
	shuffles := max(999, int(math.Ceil(10/level))-1)
	return changePoints(series, 0, level, shuffles)
}

// changePoints searches a part of the series that begins at an offset.
func changePoints(series []float64, offset int, level float64, shuffles int) []ChangePoint {
	if len(series) < 2*LeastSegment {
		return nil
	}
	ranks := centredRanks(series)
	at, best := bestSplit(ranks)
	if best == 0 {
		return nil
	}
	random := rand.New(rand.NewPCG(changeSeed, uint64(len(series))))
	asGood, tolerable := 0, int(level*float64(shuffles+1)+1e-9) // with the series itself
	for range shuffles {
		random.Shuffle(len(ranks), func(i, j int) { ranks[i], ranks[j] = ranks[j], ranks[i] })
		if _, s := bestSplit(ranks); s >= best*(1-1e-12) {
			if asGood++; asGood+1 > tolerable {
				return nil
			}
		}
	}
	point := ChangePoint{At: offset + at, P: float64(asGood+1) / float64(shuffles+1)}
	before := changePoints(series[:at], offset, level, shuffles)
	after := changePoints(series[at:], offset+at, level, shuffles)
	return append(append(before, point), after...)
}

// centredRanks are the ranks of a series, ties with the mean of theirs, less the mean rank.
func centredRanks(series []float64) []float64 {
	ranks := make([]float64, len(series))
	for i, v := range series {
		for _, w := range series {
			switch {
			case w < v:
				ranks[i]++
			case w > v:
				ranks[i]--
			}
		}
		ranks[i] /= 2
	}
	return ranks
}

// bestSplit is the split into a left and a right part at which the sum of the left ranks is farthest from its mean, 0, in units of
// its deviation (without the factor that all splits share).
func bestSplit(ranks []float64) (at int, statistic float64) {
	sum := 0.0
	for i, r := range ranks[:len(ranks)-LeastSegment] {
		sum += r
		left := i + 1
		if left < LeastSegment {
			continue
		}
		if s := math.Abs(sum) / math.Sqrt(float64(left*(len(ranks)-left))); s > statistic {
			at, statistic = left, s
		}
	}
	return at, statistic
}
