package report

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"windtunnel/analysis"
	"windtunnel/analysis/chart"
)

// rowsShown is how many kinds of requests are drawn over time.
const rowsShown = 6

func trafficCharts(s analysis.Study) []chart.Chart {
	t := s.Traffic
	charts := overTime(s, "traffic", "Requests offered and achieved", "Requests a second: planned, sent, and answered without an error. Where sent falls behind planned, the generator was late; where answered falls behind sent, requests pile up in the system."+
		split(s),
		chart.Axis{Label: "requests", Unit: "req/s"}, known(t.Planned, t.Sent, t.Answered, t.Following, t.Failed)...)
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
	note := "By the instant that requests were planned for. A point takes in as much time as 100 requests need, and stands in its middle; none mixes phases. Read off a grid, within 4 %."
	if more := len(t.Rows) - len(curves); more > 0 {
		note += fmt.Sprintf(" The %d most frequent types are drawn, %d more are not.", len(curves), more)
	}
	return append(charts, pointed(overTime(s, "latency-by-kind", "p99 latency over time, by request type", note, chart.Axis{Label: "p99 latency", Unit: chart.Seconds, Log: true}, curves...))...)
}

// split says which requests the curves count, and how many of them the checks and tables of the page do.
func split(s analysis.Study) string {
	t, measured := s.Traffic, int64(0)
	for _, r := range s.Summary.Requests {
		measured += r.N
	}
	note := fmt.Sprintf(" The %d planned have an instant of their own, %d of them in the measured phases, which the checks of the run count.", t.Planned.N, t.Judged)
	if t.Following.N == 0 {
		return note
	}
	var parts []string
	for _, p := range []struct {
		n    int64
		what string
	}{{t.FollowingBy.Parts, "writes after their GET and further pages"}, {t.FollowingBy.Attempts, "further attempts"}, {t.FollowingBy.Targets, "looks of the generator for targets"}, {t.FollowingBy.Watches, "watches"}} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", p.n, p.what))
		}
	}
	return note + fmt.Sprintf(" The %d follow-ups come at once after another request, and not by the plan: %s. Failures are those of both. The tables of latency count both in the measured phases, %d in all.", t.Following.N, strings.Join(parts, ", "), measured)
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
	c := chart.Chart{Name: "latency", Title: "Latency over time", X: runTime(), Y: chart.Axis{Label: "latency", Unit: chart.Seconds, Log: true}, Marks: marked(s),
		Note:   fmt.Sprintf("Every answered request but watches and the generator's own looks for targets counts in the cell of the time that it was planned for and of its latency from then on; the ladder of shades is logarithmic. A column is %.3g s. A point of the p99 takes in as much time as 100 requests of a phase need; both lines are read off a grid, within 4 %%.", width(g.Time)) + resolution(s),
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
	return append(cpu, overTime(s, "memory", "Memory by component", "Proportional set size where it was read, otherwise resident set size, at the samples that read it.", chart.Axis{Label: "memory", Unit: chart.Bytes}, ordered(s.Memory, s.CPU)...)...)
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
const looked = " A marker is a scrape of the component: what came and went between two is not in it."

// scraped is a chart of figures of the components' own metrics: each of their points has a marker.
func scraped(s analysis.Study, name, title, note string, y chart.Axis, curves ...analysis.Curve) []chart.Chart {
	return pointed(overTime(s, name, title, note+looked, y, curves...))
}

// pointed puts a marker on every point of the curves.
func pointed(charts []chart.Chart) []chart.Chart {
	for _, c := range charts {
		for i, l := range c.Layers {
			if line, ok := l.(chart.Line); ok {
				line.Sampled = true
				c.Layers[i] = line
			}
		}
	}
	return charts
}

func fairnessCharts(s analysis.Study) []chart.Chart {
	charts := seatCharts(s)
	queued, more := first(byPeak(s.Server.Queued), 8)
	charts = append(charts, scraped(s, "queued", "Priority and fairness: requests in queues", "Requests that wait for a seat, by priority level."+more, chart.Axis{Label: "requests", Whole: true}, queued...)...)
	rejected, more := first(byPeak(s.Server.Rejected), 8)
	charts = append(charts, overTime(s, "rejected", "Priority and fairness: rejections", "Requests that were answered with 429, by priority level: means between two scrapes."+more, chart.Axis{Label: "rejections", Unit: "req/s"}, rejected...)...)
	return append(charts, scraped(s, "inflight", "In-flight requests of the API server", "The most in the second before each scrape, reading and mutating.", chart.Axis{Label: "requests", Whole: true}, s.Server.Inflight...)...)
}

// seatCharts are the seats in use as shares of what each priority level has; those of levels without a limit, such as exempt, as
// they are.
func seatCharts(s analysis.Study) []chart.Chart {
	var shares, free []analysis.Curve
	for _, c := range s.Server.Seats {
		nominal := math.NaN()
		for _, l := range s.Server.Nominal {
			if l.Name == c.Name {
				nominal = peak(l)
			}
		}
		if !(nominal > 0) {
			free = append(free, c)
			continue
		}
		share := analysis.Curve{Name: fmt.Sprintf("%s, of %g", c.Name, nominal), At: c.At, N: c.N}
		for _, v := range c.Value {
			share.Value = append(share.Value, v/nominal)
		}
		shares = append(shares, share)
	}
	drawn, more := first(byPeak(shares), 8)
	charts := scraped(s, "seats", "Priority and fairness: share of nominal seats in use", "Seats that requests occupy, as a share of the nominal limit of their priority level, which the legend names. A level may borrow seats from others; requests wait when it can get no more."+more, chart.Axis{Label: "seats in use", Unit: chart.Fraction}, drawn...)
	for i := range charts {
		charts[i].References = []chart.Reference{{Name: "nominal limit", Value: 1}}
	}
	drawn, more = first(byPeak(free), 8)
	return append(charts, scraped(s, "seats-unlimited", "Priority and fairness: seats in use of levels without a nominal limit", "Seats that requests occupy, of priority levels whose limit is 0 or not known."+more, chart.Axis{Label: "seats", Whole: true}, drawn...)...)
}

func etcdCharts(s analysis.Study) []chart.Chart {
	charts := overTime(s, "etcd-time", "etcd: WAL fsync and backend commit duration", "Means between two scrapes. The fsync of the write-ahead log is part of every write; the commit to the backend is not, but holds up the next.", chart.Axis{Label: "mean duration", Unit: chart.Seconds, Log: true}, s.Server.EtcdTime...)
	return append(charts, scraped(s, "etcd-size", "etcd: database size", "With what is free in it.", chart.Axis{Label: "size", Unit: chart.Bytes}, s.Server.EtcdSize...)...)
}

func queueCharts(s analysis.Study) []chart.Chart {
	queues, more := first(s.Server.Queues, 8)
	charts := scraped(s, "work-queues", "Work queues of controllers", "Items that wait for a controller's workers."+more, chart.Axis{Label: "items", Whole: true}, queues...)
	return append(charts, scraped(s, "scheduler-pending", "Pods that wait for the scheduler", "By the scheduler's queue: active are next, backoff and unschedulable were tried.", chart.Axis{Label: "pods", Whole: true}, s.Server.Pending...)...)
}

// timelineCharts show the phases, events, the lives of all processes and the readiness of nodes.
func timelineCharts(s analysis.Study) []chart.Chart {
	c := chart.Chart{Name: "timeline", Title: "Phases, events and processes", X: runTime(),
		Note: "When each phase ran and what happened, and when each process was seen, from its first sample to its last. A component that was restarted has more than one bar.",
		Y:    chart.Axis{Label: "row"}}
	row := func(name string) int {
		if i := slices.Index(c.Y.Categories, name); i >= 0 {
			return i
		}
		c.Y.Categories = append(c.Y.Categories, name)
		return len(c.Y.Categories) - 1
	}
	var measured, other, happened, lost, processes []chart.Span
	for _, m := range phases(s) {
		span := chart.Span{Row: row("phase " + m.Name), From: m.At, To: m.Until, Text: m.Name}
		if m.Measured {
			measured = append(measured, span)
		} else {
			other = append(other, span)
		}
	}
	for _, e := range events(s) {
		happened = append(happened, chart.Span{Row: row("events"), From: float64(e.At) / 1e9, To: float64(e.At) / 1e9, Text: brief(e.Text)})
	}
	for _, o := range s.NotReady {
		lost = append(lost, chart.Span{Row: row("nodes NotReady"), From: o.From, To: o.Until, Text: fmt.Sprintf("up to %d", o.Nodes)})
	}
	for _, l := range s.Lives {
		processes = append(processes, chart.Span{Row: row(l.Component), From: l.From, To: l.Until, Text: fmt.Sprintf("process %d", l.PID)})
	}
	for i, layer := range []chart.Spans{{Series: chart.Series{Name: "phase"}, Items: other}, {Series: chart.Series{Name: "measured phase"}, Items: measured}, {Series: chart.Series{Name: "process"}, Items: processes},
		{Series: chart.Series{Name: "event"}, Items: happened}, {Series: chart.Series{Name: "NotReady"}, Items: lost}} {
		if len(layer.Items) > 0 {
			layer.Slot = []int{1, 2, 3, 7, 5}[i]
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

// brief is an event without the list of what it befell, which the notes of the page have.
func brief(text string) string {
	text, _, _ = strings.Cut(text, ": [")
	return text
}
