package fidelity

import (
	"fmt"
	"slices"

	"windtunnel/results"
)

// The rule by which Kubernetes' perf-tests tell whether a simulated cluster is as fast as another (benchmark/docs/design.md and
// pkg/comparer/schemes/avgtest.go): a metric matches when the ratio of the averages is within these bounds, after values below
// the floor of their group were raised to it, for they are noise; the whole matches when so large a share of metrics does.
const (
	leastRatio   = 0.66
	largestRatio = 1.50
	leastShare   = 0.9
	apiFloor     = 0.05 // seconds
	startupFloor = 1.0  // seconds
)

// LatencyRow is one metric on both sides, in seconds.
type LatencyRow struct {
	Group   string          `json:"group"`
	Name    string          `json:"name"`
	A       float64         `json:"a"`
	B       float64         `json:"b"`
	NA      int64           `json:"nA"`
	NB      int64           `json:"nB"`
	Ratio   float64         `json:"ratio"` // of B to A, both raised to the floor
	Verdict results.Verdict `json:"verdict"`
}

func (c *Comparison) latencies(a, b []Metric) {
	alone := 0
	for _, m := range a {
		i := slices.IndexFunc(b, func(n Metric) bool { return n.Group == m.Group && n.Name == m.Name })
		if i < 0 {
			alone++
			continue
		}
		n := b[i]
		floor := apiFloor
		if m.Group == Startup {
			floor = startupFloor
		}
		ratio := max(n.Seconds, floor) / max(m.Seconds, floor)
		c.Latencies = append(c.Latencies, LatencyRow{Group: m.Group, Name: m.Name, A: m.Seconds, B: n.Seconds, NA: m.N, NB: n.N, Ratio: ratio,
			Verdict: verdict(ratio >= leastRatio && ratio <= largestRatio)})
	}
	if alone += len(b) - len(c.Latencies); alone > 0 {
		c.Notes = append(c.Notes, fmt.Sprintf("%d latencies are known, or of enough requests, on one side only and are not compared", alone))
	}
}

func (c *Comparison) latencyPart() Part {
	p := Part{Name: PartLatencies, Rows: len(c.Latencies)}
	for _, r := range c.Latencies {
		if r.Verdict == results.Pass {
			p.Matched++
		}
	}
	if p.Rows == 0 {
		p.Verdict, p.Text = results.NoData, "no latency was measured on both sides"
		return p
	}
	p.Verdict = verdict(float64(p.Matched) >= leastShare*float64(p.Rows)-1e-9)
	p.Text = fmt.Sprintf("%d of %d metrics have a ratio within %.2f–%.2f; %.0f %% are needed", p.Matched, p.Rows, leastRatio, largestRatio, leastShare*100)
	return p
}

func (c *Comparison) callPart() Part {
	return rowsPart(PartCalls, c.Calls, func(r CallRow) (results.Verdict, string) { return r.Verdict, r.Gap }, "counts")
}

func (c *Comparison) bodyPart() Part {
	return rowsPart(PartBodies, c.Calls, func(r CallRow) (results.Verdict, string) { return r.Bodies, r.BodiesGap }, "sizes of bodies")
}

func (c *Comparison) watchPart() Part {
	return rowsPart(PartWatches, c.Watches, func(r CallRow) (results.Verdict, string) { return r.Verdict, r.Gap }, "counts of open watches")
}

// rowsPart is a part in which every row must match that has no known gap.
func rowsPart(name string, rows []CallRow, of func(CallRow) (verdict results.Verdict, gap string), what string) Part {
	p := Part{Name: name}
	known := 0
	for _, r := range rows {
		switch v, gap := of(r); {
		case v == results.Pass:
			p.Matched++
			p.Rows++
		case v == results.Fail && gap != "":
			known++
		case v == results.Fail:
			p.Rows++
		}
	}
	if p.Rows == 0 {
		p.Verdict, p.Text = results.NoData, "no "+what+" were recorded on both sides"
		return p
	}
	p.Verdict = verdict(p.Matched == p.Rows)
	p.Text = fmt.Sprintf("%d of %d %s match", p.Matched, p.Rows, what)
	if known > 0 {
		p.Text += fmt.Sprintf("; %d more differ as is known", known)
	}
	return p
}
