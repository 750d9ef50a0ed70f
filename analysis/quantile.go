package analysis

import (
	"cmp"
	"math"
	"slices"

	"windtunnel/analysis/stats"
	"windtunnel/results"
)

// timed is one measured time and when it began: what is kept of every request, 16 bytes.
type timed struct {
	at      results.Instant
	seconds float64
}

// timedSample is measured times in any order.
type timedSample []timed

// ordered gives the seconds in order of time, by which their dependence is judged, and ascending. What began at the same
// instant goes by its length, so that the order in which records are read changes nothing. It sorts the sample.
func (s timedSample) ordered() (inTime, ascending []float64) {
	earlier := func(a, b timed) int {
		if a.at != b.at {
			return cmp.Compare(a.at, b.at)
		}
		return cmp.Compare(a.seconds, b.seconds)
	}
	if !slices.IsSortedFunc(s, earlier) {
		slices.SortFunc(s, earlier)
	}
	inTime = make([]float64, len(s))
	for i, t := range s {
		inTime[i] = t.seconds
	}
	ascending = slices.Clone(inTime)
	slices.Sort(ascending)
	return inTime, ascending
}

// QuantileBounds returns the q-quantile of a sample that is not empty, given in order of time and ascending, with the interval that
// holds it in spite of the sample's dependence. Where n is less than stats.LeastFor(q), Least says so.
func QuantileBounds(inTime, ascending []float64, q float64) results.Bounds {
	n := len(ascending)
	b := results.Bounds{Value: stats.Quantile(ascending, q)}
	if least := stats.LeastFor(q); n < least {
		b.Least = int64(least)
		return b
	}
	d := stats.DependenceAt(inTime, b.Value)
	b.Effective, b.PlainCoverage = d.Effective, d.PlainCoverage()
	low, high := stats.EffectiveInterval(n, d.Effective, q)
	b.Low, b.High = atRank(ascending, low), atRank(ascending, high)
	return b
}

// atRank is the value of a rank, from 1; nil for rank 0 and for a value without end.
func atRank(ascending []float64, rank int) *float64 {
	if rank == 0 || math.IsInf(ascending[rank-1], 0) {
		return nil
	}
	v := ascending[rank-1]
	return &v
}

// latencyOf gives what a row says of a sample, which it sorts: a quantile is nil when there are too few values for it.
func latencyOf(sample timedSample) (p50, p90, p99 *results.Bounds, most *float64) {
	if len(sample) == 0 {
		return nil, nil, nil, nil
	}
	inTime, ascending := sample.ordered()
	at := func(q float64) *results.Bounds {
		if b := QuantileBounds(inTime, ascending, q); b.Least == 0 {
			return &b
		}
		return nil
	}
	return at(0.50), at(0.90), at(0.99), atRank(ascending, len(ascending))
}

// stageQuantiles sums up a sample, which it sorts; the zero value for an empty one.
func stageQuantiles(sample timedSample) results.StageQuantiles {
	s := results.StageQuantiles{N: int64(len(sample))}
	if len(sample) == 0 {
		return s
	}
	inTime, ascending := sample.ordered()
	negative, _ := slices.BinarySearch(ascending, 0)
	s.Negative = int64(negative)
	s.P50 = QuantileBounds(inTime, ascending, 0.50)
	s.P90 = QuantileBounds(inTime, ascending, 0.90)
	s.P99 = QuantileBounds(inTime, ascending, 0.99)
	s.P100 = results.Bounds{Value: ascending[len(ascending)-1]}
	return s
}

// seconds of a duration between instants.
func seconds(ns int64) float64 { return float64(ns) / 1e9 }
