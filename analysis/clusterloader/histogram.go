package clusterloader

import (
	"math"
	"strconv"

	"windtunnel/analysis/promql"
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

// quantile is Prometheus' histogram_quantile.
func (h histogram) quantile(q float64) float64 {
	return promql.HistogramQuantile(q, func(yield func(le, count float64)) {
		for le, n := range h {
			yield(le, n)
		}
	})
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
