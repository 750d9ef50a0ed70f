package clusterloader

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"time"

	"windtunnel/analysis/stats"
)

// PerfData is the format of most of ClusterLoader2's summaries, which perfdash and others read.
type PerfData struct {
	Version   string            `json:"version"`
	DataItems []DataItem        `json:"dataItems"`
	Labels    map[string]string `json:"labels,omitempty"`
}

// DataItem is one figure of a PerfData: values under names such as Perc50, which have one unit.
type DataItem struct {
	Data   map[string]float64 `json:"data"`
	Unit   string             `json:"unit"`
	Labels map[string]string  `json:"labels,omitempty"`
}

// latency are the three quantiles that the original gives of anything that takes time. As JSON they are nanoseconds, as there.
type latency struct {
	Perc50, Perc90, Perc99 time.Duration
}

// latencyOf are the quantiles of an ascending sample of seconds, by nearest rank; zeros for an empty one, as in the original, which
// nobody must take for a figure.
func latencyOf(ascending []float64) latency {
	if len(ascending) == 0 {
		return latency{}
	}
	at := func(q float64) time.Duration { return durationOf(stats.Quantile(ascending, q)) }
	return latency{at(0.50), at(0.90), at(0.99)}
}

// durationOf is a number of seconds to the nanosecond.
func durationOf(seconds float64) time.Duration { return time.Duration(math.Round(seconds * 1e9)) }

// item is the latency in milliseconds, as PerfData has it.
func (l latency) item(labels map[string]string) DataItem {
	ms := func(d time.Duration) float64 { return float64(d) / 1e6 }
	return DataItem{Data: map[string]float64{"Perc50": ms(l.Perc50), "Perc90": ms(l.Perc90), "Perc99": ms(l.Perc99)}, Unit: "ms", Labels: labels}
}

// quantile is one of the three with the name that people give it.
type quantile struct {
	name  string
	value time.Duration
}

func (l latency) quantiles() []quantile {
	return []quantile{{"p50", l.Perc50}, {"p90", l.Perc90}, {"p99", l.Perc99}}
}

// over names the first of the quantiles that is beyond its threshold; empty when none is.
func (l latency) over(p50, p90, p99 time.Duration) string {
	for i, limit := range []time.Duration{p50, p90, p99} {
		if q := l.quantiles()[i]; q.value > limit {
			return fmt.Sprintf("%s is %v, more than %v", q.name, q.value, limit)
		}
	}
	return ""
}

// render writes a summary as the original does.
func render(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil { // a number without end, which JSON does not have
		return fmt.Appendf(nil, "{\"error\": %q}\n", err)
	}
	return b.Bytes()
}
