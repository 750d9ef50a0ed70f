package render

import (
	"encoding/csv"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"windtunnel/results"
)

// CSV writes every number of the summary in long format, one a line: section, row, metric, value, unit, n, low and high.
// Values are in base units (seconds, bytes, fractions); a number that is not known is an empty field. Verdicts are lines
// whose value is the word.
func CSV(w io.Writer, s results.Summary) error {
	c := longTable{csv.NewWriter(w)}
	c.line("section", "row", "metric", "value", "unit", "n", "low", "high")
	c.line("run", s.Run.ID, "verdict", string(s.Verdict), "", "", "", "")
	c.number("run", s.Run.ID, "duration", s.Run.Seconds, "s", 1)
	c.number("run", s.Run.ID, "nodes", float64(s.Run.Nodes), "nodes", 1)
	c.number("run", s.Run.ID, "pods", float64(s.Run.Pods), "pods", 1)
	for _, p := range s.Phases {
		c.number("phase", p.Name, "duration", float64(p.End-p.Begin)/1e9, "s", 1)
	}
	c.judgement(s)
	c.test(s)
	c.pods(s)
	c.nodeFaults(s)
	c.requests(s)
	c.serverSide(s)
	c.others(s)
	c.components(s)
	c.w.Flush()
	if err := c.w.Error(); err != nil {
		return fmt.Errorf("write summary: %w", err)
	}
	return nil
}

// longTable writes lines; csv.Writer keeps the first error.
type longTable struct{ w *csv.Writer }

func (t longTable) line(fields ...string) { _ = t.w.Write(fields) }

func (t longTable) number(section, row, metric string, v float64, unit string, n int64) {
	t.line(section, row, metric, full(&v), unit, count(n), "", "")
}

func (t longTable) quantile(section, row, metric string, b *results.Bounds, n int64) {
	if b == nil || b.Least > 0 {
		t.line(section, row, metric, "", "s", count(n), "", "")
		return
	}
	t.line(section, row, metric, full(&b.Value), "s", count(n), full(b.Low), full(b.High))
}

// full is a number with all its digits, "" when it is not known.
func full(v *float64) string {
	if v == nil {
		return ""
	}
	return strconv.FormatFloat(*v, 'g', -1, 64)
}

func (t longTable) nodeFaults(s results.Summary) {
	for _, r := range s.NodeFaults {
		t.number("nodeFaults", r.Kind, "faults", float64(r.Faults), "faults", r.Faults)
		t.number("nodeFaults", r.Kind, "pods", float64(r.Pods), "pods", r.Pods)
		t.number("nodeFaults", r.Kind, "evicted", float64(r.Evicted), "pods", r.Pods)
		t.number("nodeFaults", r.Kind, "replaced", float64(r.Replaced), "pods", r.Evicted)
		for _, name := range slices.Sorted(maps.Keys(r.Times)) {
			q := r.Times[name]
			t.quantile("nodeFaults", r.Kind, name+" p50", &q.P50, q.N)
			t.quantile("nodeFaults", r.Kind, name+" p90", &q.P90, q.N)
			t.quantile("nodeFaults", r.Kind, name+" p99", &q.P99, q.N)
			t.quantile("nodeFaults", r.Kind, name+" p100", &q.P100, q.N)
		}
	}
}

func (t longTable) judgement(s results.Summary) {
	for _, r := range s.SLOs {
		low, high := "", ""
		if len(r.Interval) == 2 {
			low, high = full(&r.Interval[0]), full(&r.Interval[1])
		}
		t.line("slo", r.Expression, "verdict", string(r.Verdict), "", count(r.N), "", "")
		t.line("slo", r.Expression, "required", strconv.FormatBool(r.Required), "", "", "", "")
		t.line("slo", r.Expression, "within", full(r.Measured), "fraction", count(r.N), low, high)
		t.line("slo", r.Expression, "margin", full(r.Margin), "fraction", count(r.N), "", "")
		t.quantile("slo", r.Expression, "p99", r.Quantile, r.N)
	}
	for _, c := range s.Validity.Checks {
		t.line("validity", c.Name, "verdict", string(c.Verdict), "", count(c.N), "", "")
		t.number("validity", c.Name, "measured", c.Measured, c.Unit, c.N)
		t.number("validity", c.Name, "limit", c.Limit, c.Unit, c.N)
	}
	for _, c := range s.Conditions {
		t.line("condition", c.Name, "holds", strconv.FormatBool(c.Holds), "", "", "", "")
		t.number("condition", c.Name, "measured", c.Measured, c.Unit, 1)
		t.number("condition", c.Name, "limit", c.Limit, c.Unit, 1)
	}
}

func (t longTable) pods(s results.Summary) {
	t.startup("", s.PodStartup)
	for _, p := range s.Phases {
		t.startup(" in "+p.Name, s.PodStartupByPhase[p.Name])
	}
	for _, name := range slices.Sorted(maps.Keys(s.Throughput)) {
		f := s.Throughput[name]
		t.number("throughput", name, "value", f.Value, f.Unit, f.N)
	}
}

func (t longTable) startup(suffix string, by map[string]results.StageQuantiles) {
	for _, stage := range stages(by) {
		q, name := by[stage], stage+suffix
		if q.N == 0 {
			continue
		}
		t.quantile("pod_startup", name, "p50", &q.P50, q.N)
		t.quantile("pod_startup", name, "p90", &q.P90, q.N)
		t.quantile("pod_startup", name, "p99", &q.P99, q.N)
		t.quantile("pod_startup", name, "p100", &q.P100, q.N)
		t.number("pod_startup", name, "negative", float64(q.Negative), "pods", q.N)
	}
}

func (t longTable) requests(s results.Summary) {
	for _, r := range slices.Concat(s.Requests, s.RequestsByPhase) {
		name := rowName(r.Verb, results.ResourcePath(r.Group, r.Resource, r.Subresource), r.Scope, r.Variant)
		if r.Phase != "" {
			name += " in " + r.Phase
		}
		if r.ClosedLoop {
			name += " (closed loop)"
		}
		t.quantile("client", name, "p50", r.P50, r.Answered)
		t.quantile("client", name, "p90", r.P90, r.Answered)
		t.quantile("client", name, "p99", r.P99, r.Answered)
		t.line("client", name, "max", full(r.Max), "s", count(r.Answered), "", "")
		t.number("client", name, "errors", float64(r.Errors), "requests", r.N)
		for _, class := range slices.Sorted(maps.Keys(r.ErrorsBy)) {
			t.number("client", name, "errors "+class, float64(r.ErrorsBy[class]), "requests", r.N)
		}
	}
	for _, r := range s.Server {
		name := rowName(r.Verb, results.ResourcePath(r.Group, r.Resource, r.Subresource), r.Scope, "")
		t.quantile("server", name, "p50", r.P50, r.N)
		t.quantile("server", name, "p90", r.P90, r.N)
		t.quantile("server", name, "p99", r.P99, r.N)
		t.number("server", name, "within", r.Within, "fraction", r.N)
		t.number("server", name, "threshold", r.Threshold, "s", r.N)
	}
}

// rowName is the name of a row of requests.
func rowName(parts ...string) string {
	return strings.TrimRight(strings.Join(parts, " "), " ")
}

func (t longTable) components(s results.Summary) {
	for _, c := range s.Components {
		t.number("component", c.Name, "cpu_measured", c.CPUSeconds, "s", c.Samples)
		t.number("component", c.Name, "cpu_total", c.CPUTotal, "s", c.Samples)
		for _, phase := range slices.Sorted(maps.Keys(c.CPUByPhase)) {
			t.number("component", c.Name, "cpu in "+phase, c.CPUByPhase[phase], "s", c.Samples)
		}
		t.number("component", c.Name, c.Memory+"_peak", float64(c.PeakBytes), "bytes", c.Samples)
		t.number("component", c.Name, c.Memory+"_mean", c.MeanBytes, "bytes", c.Samples)
	}
}
