package analysis

import (
	"slices"

	"windtunnel/analysis/stats"
	"windtunnel/results"
)

// QuantileBounds returns the q-quantile of an ascending sample with its interval; the sample must not be empty.
func QuantileBounds(sorted []float64, q float64) results.Bounds {
	b := results.Bounds{Value: stats.Quantile(sorted, q)}
	low, high := stats.QuantileInterval(len(sorted), q)
	if low > 0 {
		b.Low = &sorted[low-1]
	}
	if high > 0 {
		b.High = &sorted[high-1]
	}
	return b
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
