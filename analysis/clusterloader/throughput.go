package clusterloader

import (
	"slices"
	"time"

	"windtunnel/analysis/stats"
	"windtunnel/results"
)

// throughputInterval is the default of measurmentInterval, which is spelt so in the original.
const throughputInterval = 5 * time.Second

// throughputSummary is the file's shape, in pods a second.
type throughputSummary struct {
	Perc50 float64 `json:"perc50"`
	Perc90 float64 `json:"perc90"`
	Perc99 float64 `json:"perc99"`
	Max    float64 `json:"max"`
}

// schedulingThroughput are the pods that were seen with a node for the first time in each whole interval since the start. Pods that go
// do not count against it.
func schedulingThroughput(e *evidence, w window) finding {
	picks, err1 := readSelector(w.start.params)
	interval, err2 := w.start.params.duration("measurmentInterval", throughputInterval)
	threshold, err3 := w.gather.params.number("threshold", 0)
	enforced, err4 := w.gather.params.boolean("enableViolations", true)
	for _, err := range []error{err1, err2, err3, err4} {
		if err != nil {
			return failed(err)
		}
	}
	f := finding{decides: threshold > 0, notEnforced: !enforced}
	begin := w.start.returned()
	n := (w.gather.At - begin) / max(results.Instant(interval), 1)
	if n < 1 || n > 1e7 {
		f.empty = true
		f.note("it was gathered before an interval of %v was over", interval)
		return f
	}
	rates, scheduled := make([]float64, n), 0
	for _, p := range e.pods {
		if p.scheduled == never || p.scheduled < begin || !picks.matches(p) {
			continue
		}
		if i := (p.scheduled - begin) / results.Instant(interval); i < n {
			rates[i]++
			scheduled++
		}
	}
	for i := range rates {
		rates[i] /= interval.Seconds()
	}
	slices.Sort(rates)
	s := throughputSummary{stats.Quantile(rates, 0.50), stats.Quantile(rates, 0.90), stats.Quantile(rates, 0.99), rates[n-1]}
	f.summaries = append(f.summaries, summary{"SchedulingThroughput", s})
	f.show("p50 of its intervals", s.Perc50, "pods/s", int(n))
	if threshold <= 0 {
		f.show("max", s.Max, "pods/s", scheduled)
		return f
	}
	f.judge("max", s.Max, "pods/s", threshold, true, scheduled)
	if s.Max < threshold {
		f.violate("the most in an interval of %v was %.2f pods a second, less than %g", interval, s.Max, threshold)
	}
	return f
}
