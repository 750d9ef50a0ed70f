package report

import (
	"fmt"
	"math"

	"windtunnel/analysis"
	"windtunnel/analysis/chart"
)

// rowsShown is how many kinds of requests are drawn over time.
const rowsShown = 6

func trafficCharts(s analysis.Study) []chart.Chart {
	t := s.Traffic
	charts := overTime(s, "traffic", "Requests offered and achieved", "Requests a second by the plan, sent, and answered without an error. Where sent falls behind planned, the generator was late; where answered falls behind sent, requests pile up in the system.",
		chart.Axis{Label: "requests", Unit: "req/s"}, known(t.Planned, t.Sent, t.Answered, t.Failed)...)
	if len(t.Errors) > 1 {
		curves, more := first(byPeak(t.Errors), 8)
		charts = append(charts, overTime(s, "errors", "Failures by class", "Requests a second that failed, at the instant that they failed at."+more, chart.Axis{Label: "failures", Unit: "req/s"}, curves...)...)
	}
	if t.Latency.N == 0 {
		return charts
	}
	charts = append(charts, heatMap(s))
	var curves []analysis.Curve
	for _, row := range t.Rows[:min(len(t.Rows), rowsShown)] {
		curve := row.P99
		curve.Name = fmt.Sprintf("%s %s (%s)", row.Verb, row.Path, row.Scope)
		curves = append(curves, curve)
	}
	note := "By the instant that requests were planned for. A point takes in as much time as 100 requests need, and stands in its middle. Read off a grid, within 4 %."
	if more := len(t.Rows) - len(curves); more > 0 {
		note += fmt.Sprintf(" The %d most frequent kinds are drawn, %d more are not.", len(curves), more)
	}
	return append(charts, overTime(s, "latency-by-kind", "p99 latency over time, by kind of request", note, chart.Axis{Label: "p99 latency", Unit: chart.Seconds, Log: true}, curves...)...)
}

// known are the curves that count anything.
func known(curves ...analysis.Curve) []analysis.Curve {
	var some []analysis.Curve
	for _, c := range curves {
		if c.N > 0 {
			some = append(some, c)
		}
	}
	return some
}

func heatMap(s analysis.Study) chart.Chart {
	g := s.Traffic.Latency
	heat := chart.Heat{Of: "requests", X: g.Time, Y: g.Edge, Count: g.Count}
	c := chart.Chart{Name: "latency", Title: "Latency over time", X: runTime(), Y: chart.Axis{Label: "latency", Unit: chart.Seconds, Log: true}, Marks: phases(s),
		Note:   fmt.Sprintf("Every answered request counts in the cell of the time that it was planned for and of its latency from then on; the ladder of shades is logarithmic. A column is %.3g s. A point of the p99 takes in as much time as 100 requests need; both lines are read off a grid, within 4 %%.", width(g.Time)) + resolution(s),
		Layers: []chart.Layer{heat}}
	for _, curve := range []analysis.Curve{s.Traffic.P50, s.Traffic.P99} {
		if len(curve.At) == 0 {
			continue
		}
		c.Layers = append(c.Layers, chart.Line{Series: chart.Series{Name: curve.Name, Slot: map[string]int{"p50": 5, "p99": 2}[curve.Name]}, Points: pointsOf(curve)})
	}
	if n := s.Traffic.Outside; n > 0 {
		c.Note += fmt.Sprintf(" %d requests lie outside of the run and are not drawn.", n)
	}
	return c
}

// width of the first column of a grid.
func width(edges []float64) float64 {
	if len(edges) < 2 {
		return math.NaN()
	}
	return edges[1] - edges[0]
}

func componentCharts(s analysis.Study) []chart.Chart {
	cpu := overTime(s, "cpu", "CPU by component", fmt.Sprintf("Cores in use; the machine has %d. All parts of a run share them, so that what one takes the others lack.", s.Run.Machine.Cores), chart.Axis{Label: "CPU", Unit: "cores"}, s.CPU...)
	for i := range cpu {
		cpu[i].References = []chart.Reference{{Name: "machine", Value: float64(s.Run.Machine.Cores)}}
	}
	return append(cpu, overTime(s, "memory", "Memory by component", "Proportional set size where it was read, otherwise resident set size, at the looks that read it.", chart.Axis{Label: "memory", Unit: chart.Bytes}, ordered(s.Memory, s.CPU)...)...)
}

// ordered puts curves into the order of others with the same names, so that one component has one colour.
func ordered(curves, like []analysis.Curve) []analysis.Curve {
	var out []analysis.Curve
	for _, l := range like {
		for _, c := range curves {
			if c.Name == l.Name {
				out = append(out, c)
			}
		}
	}
	return out
}

// looked is the part of a note that all figures of the components' own metrics share.
const looked = " Read from the component now and then: what came and went between two looks is not in it."

func fairnessCharts(s analysis.Study) []chart.Chart {
	seats, more := first(byPeak(s.Server.Seats), 8)
	charts := overTime(s, "seats", "Priority and fairness: seats in use", "Seats that requests occupy, by priority level; a level that has used up its seats makes requests wait."+more+looked, chart.Axis{Label: "seats", Whole: true}, seats...)
	queued, more := first(byPeak(s.Server.Queued), 8)
	charts = append(charts, overTime(s, "queued", "Priority and fairness: requests in queues", "Requests that wait for a seat, by priority level."+more+looked, chart.Axis{Label: "requests", Whole: true}, queued...)...)
	rejected, more := first(byPeak(s.Server.Rejected), 8)
	charts = append(charts, overTime(s, "rejected", "Priority and fairness: rejections", "Requests that were answered with 429, by priority level."+more, chart.Axis{Label: "rejections", Unit: "req/s"}, rejected...)...)
	return append(charts, overTime(s, "inflight", "Requests under way in the API server", "The most in the second before each look, by kind."+looked, chart.Axis{Label: "requests", Whole: true}, s.Server.Inflight...)...)
}

func etcdCharts(s analysis.Study) []chart.Chart {
	charts := overTime(s, "etcd-time", "etcd: time to flush and to commit", "Means between two looks. The flush of the log to the disk is part of every write; the commit to the store is not, but holds up the next.", chart.Axis{Label: "mean time", Unit: chart.Seconds, Log: true}, s.Server.EtcdTime...)
	return append(charts, overTime(s, "etcd-size", "etcd: size of its store", "With what is free in it.", chart.Axis{Label: "size", Unit: chart.Bytes}, s.Server.EtcdSize...)...)
}

func queueCharts(s analysis.Study) []chart.Chart {
	queues, more := first(s.Server.Queues, 8)
	charts := overTime(s, "work-queues", "Work queues of controllers", "Items that wait for a controller's workers."+more+looked, chart.Axis{Label: "items", Whole: true}, queues...)
	return append(charts, overTime(s, "scheduler-pending", "Pods that wait for the scheduler", "By the scheduler's queue: active are next, backoff and unschedulable were tried."+looked, chart.Axis{Label: "pods", Whole: true}, s.Server.Pending...)...)
}

// timelineCharts show the phases, the lives of all processes and the readiness of nodes.
func timelineCharts(s analysis.Study) []chart.Chart {
	c := chart.Chart{Name: "timeline", Title: "Phases and processes", X: runTime(),
		Note: "When each phase ran, and when each process was seen, from its first sample to its last. A component that was restarted has more than one bar.",
		Y:    chart.Axis{Label: "row"}}
	row := func(name string) int {
		for i, have := range c.Y.Categories {
			if have == name {
				return i
			}
		}
		c.Y.Categories = append(c.Y.Categories, name)
		return len(c.Y.Categories) - 1
	}
	var measured, other, processes []chart.Span
	for _, m := range phases(s) {
		span := chart.Span{Row: row("phases"), From: m.At, To: m.Until, Text: m.Name}
		if m.Measured {
			measured = append(measured, span)
		} else {
			other = append(other, span)
		}
	}
	for _, l := range s.Lives {
		processes = append(processes, chart.Span{Row: row(l.Component), From: l.From, To: l.Until, Text: fmt.Sprintf("process %d", l.PID)})
	}
	for _, layer := range []chart.Spans{{Series: chart.Series{Name: "phase"}, Items: other}, {Series: chart.Series{Name: "measured phase"}, Items: measured}, {Series: chart.Series{Name: "process"}, Items: processes}} {
		if len(layer.Items) > 0 {
			c.Layers = append(c.Layers, layer)
		}
	}
	c.Height = math.Max(160, 110+26*float64(len(c.Y.Categories)))
	if len(c.Layers) == 0 {
		return nil
	}
	c.Y.Label = ""
	return append([]chart.Chart{c}, overTime(s, "nodes-ready", "Hollow nodes that are ready", "At each point in time.", chart.Axis{Label: "nodes", Whole: true}, s.Nodes...)...)
}
