package clusterloader

import (
	"math"
	"slices"
	"strconv"
)

// histogram counts observations at or below each upper bound.
type histogram map[float64]float64

// bound reads the label le.
func bound(labels map[string]string) (float64, bool) {
	le, err := strconv.ParseFloat(labels["le"], 64)
	return le, err == nil
}

// count is the number of all observations.
func (h histogram) count() float64 { return h[math.Inf(1)] }

// quantile is Prometheus' histogram_quantile: linear within the bucket that the rank falls into, from 0 in the first one; beyond the last
// finite bound it is that bound. NaN without observations or with fewer than two buckets.
func (h histogram) quantile(q float64) float64 {
	bounds := make([]float64, 0, len(h))
	for le := range h {
		bounds = append(bounds, le)
	}
	slices.Sort(bounds)
	switch {
	case len(bounds) < 2 || !math.IsInf(bounds[len(bounds)-1], 1) || math.IsNaN(q) || h.count() == 0:
		return math.NaN()
	case q < 0:
		return math.Inf(-1)
	case q > 1:
		return math.Inf(1)
	}
	counts := make([]float64, len(bounds))
	for i, le := range bounds { // differences of rates can go down a little from one bucket to the next
		counts[i] = h[le]
		if i > 0 {
			counts[i] = max(counts[i], counts[i-1])
		}
	}
	rank := q * counts[len(counts)-1]
	i, _ := slices.BinarySearch(counts[:len(counts)-1], rank)
	if i == len(bounds)-1 {
		return bounds[i-1]
	}
	if i == 0 && bounds[0] <= 0 {
		return bounds[0]
	}
	begin, before := 0.0, 0.0
	if i > 0 {
		begin, before = bounds[i-1], counts[i-1]
	}
	return begin + (bounds[i]-begin)*(rank-before)/(counts[i]-before)
}

// latency are the quantiles of a histogram of seconds; zeros where there are none.
func (h histogram) latency() latency {
	at := func(q float64) float64 {
		if v := h.quantile(q); !math.IsNaN(v) {
			return v
		}
		return 0
	}
	return latency{durationOf(at(0.50)), durationOf(at(0.90)), durationOf(at(0.99))}
}
