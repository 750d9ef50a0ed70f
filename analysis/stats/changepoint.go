package stats

import (
	"math"
	"math/rand/v2"
	"slices"
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

// ChangePoints finds where a series shifts, in ascending order. Two tests ask whether it does, each at half of the level: is there a
// split with a large Mann–Whitney statistic, in units of its own deviation (Pettitt, 1979; Lausen and Schumacher, 1992), or else a
// stretch that differs from all around it, as when a change was undone (Olshen et al., circular binary segmentation, 2004)? Their p is
// the share of shuffled series, and of the series itself, whose best split or stretch is at least as good. Where one is found the
// series is parted so that the absolute deviations from the medians of the parts are least, which finds the place of a large shift
// better than ranks do, and the parts are searched again. So a series in which nothing changed gives a change point with at most the
// probability of the level. Values must not be NaN.
//
// It is the recursion of E-divisive (Matteson and James, 2014), with ranks in place of distances between values: histories of runs
// have outliers, and a shift is what is asked for. Its permutations come from a fixed seed: the same series gives the same points.
// pgregory.net/changepoint (ED-PELT) was not taken because its penalty states no probability of a false alarm, which is what
// has to be divided among the metrics of a run.
func ChangePoints(series []float64, level float64) []ChangePoint {
	return changePoints(series, 0, level)
}

// changePoints searches a part of the series that begins at an offset.
func changePoints(series []float64, offset int, level float64) []ChangePoint {
	if len(series) < 2*LeastSegment {
		return nil
	}
	ranks := centredRanks(series)
	var edges []int
	p, shown := byChance(ranks, bestSplit, level/2)
	if shown {
		edges = []int{place(series)}
	} else if p, shown = byChance(ranks, bestStretch, level/2); shown {
		edges = stretch(series, ranks)
	}
	var points []ChangePoint
	from := 0
	for _, at := range edges {
		points = append(points, changePoints(series[from:at], offset+from, level)...)
		points = append(points, ChangePoint{At: offset + at, P: min(1, 2*p)})
		from = at
	}
	if edges == nil {
		return nil
	}
	return append(points, changePoints(series[from:], offset+from, level)...)
}

// byChance is the probability that shuffled ranks have a statistic at least as large as these, and whether it is at or below the level.
// It stops as soon as it cannot be.
func byChance(ranks []float64, statistic func([]float64) float64, level float64) (p float64, shown bool) {
	best := statistic(ranks)
	if best == 0 {
		return 1, false
	}
	// Enough that the smallest p there can be, 1/(shuffles+1), is a tenth of the level.
	shuffles := max(999, int(math.Ceil(10/level))-1)
	random := rand.New(rand.NewPCG(changeSeed, uint64(len(ranks))))
	shuffled := slices.Clone(ranks)
	asGood, tolerable := 1, int(level*float64(shuffles+1)+1e-9) // the series itself is one
	for range shuffles {
		random.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		if statistic(shuffled) >= best*(1-1e-12) {
			if asGood++; asGood > tolerable {
				return 1, false
			}
		}
	}
	return float64(asGood) / float64(shuffles+1), true
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

// bestSplit is how far from its mean, 0, the sum of the left ranks is at the split where it is farthest, in units of its deviation
// (without the factor that all splits share).
func bestSplit(ranks []float64) float64 {
	sum, best := 0.0, 0.0
	for i, r := range ranks[:len(ranks)-LeastSegment] {
		sum += r
		if left := i + 1; left >= LeastSegment {
			best = max(best, math.Abs(sum)/math.Sqrt(float64(left*(len(ranks)-left))))
		}
	}
	return best
}

// bestStretch is bestSplit's for the sum of a stretch within the series, with at least LeastSegment ranks in it and on both sides.
func bestStretch(ranks []float64) float64 {
	best := 0.0
	eachStretch(ranks, func(_, _ int, s float64) { best = max(best, s) })
	return best
}

// eachStretch gives every stretch ranks[from:to] that bestStretch looks at with its statistic.
func eachStretch(ranks []float64, visit func(from, to int, statistic float64)) {
	n := len(ranks)
	for from := LeastSegment; from <= n-2*LeastSegment; from++ {
		sum := 0.0
		for to := from + 1; to <= n-LeastSegment; to++ {
			sum += ranks[to-1]
			if length := to - from; length >= LeastSegment {
				visit(from, to, math.Abs(sum)/math.Sqrt(float64(length*(n-length))))
			}
		}
	}
}

// stretch is where the stretch begins and ends that differs most from all around it.
func stretch(series, ranks []float64) []int {
	best, end := 0.0, 0
	eachStretch(ranks, func(_, to int, s float64) {
		if s > best {
			best, end = s, to
		}
	})
	begin := place(series[:end])
	return []int{begin, begin + place(series[begin:])}
}

// place is the split at which the absolute deviations of both parts from their medians are least; of equals the first.
func place(series []float64) int {
	deviations := func(part []float64) float64 {
		m, sum := middle(slices.Sorted(slices.Values(part))), 0.0
		for _, v := range part {
			sum += math.Abs(v - m)
		}
		return sum
	}
	at, least := 0, math.Inf(1)
	for i := LeastSegment; i <= len(series)-LeastSegment; i++ {
		if d := deviations(series[:i]) + deviations(series[i:]); d < least {
			at, least = i, d
		}
	}
	return at
}
