package clusterloader

import (
	"slices"

	"windtunnel/results"
)

// The form of the API latency that is not simple goes by quantiles of one minute each, as the original's recording rules make them, and
// leaves out the first five minutes, but looks at one minute at least. Looks that are close together are one.
const (
	ruleWindow   = results.Instant(60e9)
	latencyFirst = results.Instant(300e9)
)

// inWindows replaces the latencies of rows by the 99th percentile over time of what they were in each minute, at every look. Minutes
// without a call are left out; where there is none left, because the row was only called before, the row is, too.
func (e *evidence) inWindows(rows []apiRow, looks span) []apiRow {
	rows = slices.DeleteFunc(rows, func(r apiRow) bool { return r.call.verb == "WATCHLIST" })
	length := max(looks.to-looks.from-latencyFirst, ruleWindow)
	samples := map[apiCall]*[3][]float64{}
	for _, at := range e.db.spaced(apiServer, looks) {
		if at <= looks.to-length || at > looks.to {
			continue
		}
		for c, h := range e.apiHistograms(span{e.db.lookSince(apiServer, at-ruleWindow), at}) {
			if samples[c] == nil {
				samples[c] = &[3][]float64{}
			}
			for i, q := range []float64{0.50, 0.90, 0.99} {
				samples[c][i] = append(samples[c][i], h.quantile(q))
			}
		}
	}
	kept := []apiRow{}
	for _, r := range rows {
		if s := samples[r.call]; s != nil {
			r.latency = latency{durationOf(overTime(0.99, s[0])), durationOf(overTime(0.99, s[1])), durationOf(overTime(0.99, s[2]))}
			kept = append(kept, r)
		}
	}
	return kept
}

// lookSince is the first look at a component at or after an instant, as a range of Prometheus begins with.
func (d *database) lookSince(component string, at results.Instant) results.Instant {
	looks := d.looks[component]
	i, _ := slices.BinarySearch(looks, at)
	return looks[min(i, len(looks)-1)]
}

// overTime is Prometheus' quantile_over_time: linear between the two ranks beside it. The values must not be none.
func overTime(q float64, values []float64) float64 {
	slices.Sort(values)
	rank := q * float64(len(values)-1)
	low := int(rank)
	high := min(low+1, len(values)-1)
	weight := rank - float64(low)
	return values[low]*(1-weight) + values[high]*weight
}
