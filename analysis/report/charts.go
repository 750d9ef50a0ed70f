package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"windtunnel/analysis"
	"windtunnel/analysis/chart"
	"windtunnel/results"
)

// Charts are the figures of a run, by the section of the page that they belong to; those without data are left out.
func Charts(s analysis.Study) []chart.Chart {
	var all []chart.Chart
	for _, charts := range [][]chart.Chart{startupCharts(s), latencyCharts(s), trafficCharts(s), componentCharts(s), fairnessCharts(s), etcdCharts(s), queueCharts(s), timelineCharts(s)} {
		all = append(all, charts...)
	}
	return all
}

// runTime is the X axis of everything over time.
func runTime() chart.Axis {
	start := 0.0
	return chart.Axis{Label: "time since the start of the run", Unit: chart.Elapsed, Min: &start}
}

// phases are the marks of everything over time.
func phases(s analysis.Study) []chart.Mark {
	var marks []chart.Mark
	for _, p := range s.Run.Phases {
		end := p.End
		if end == 0 {
			end = int64(s.End * 1e9)
		}
		marks = append(marks, chart.Mark{Name: p.Name, At: float64(p.Begin) / 1e9, Until: float64(end) / 1e9, Measured: p.Measured})
	}
	return marks
}

// events are what happened to the system: as the run noted it; of a run of an older version, which noted no instants, the ends and
// starts of components that had more than one process.
func events(s analysis.Study) []results.Event {
	if len(s.Run.Events) > 0 {
		return s.Run.Events
	}
	var all []results.Event
	for i := 1; i < len(s.Lives); i++ {
		if before, now := s.Lives[i-1], s.Lives[i]; before.Component == now.Component && before.Until <= now.From {
			all = append(all, results.Event{At: int64(before.Until * 1e9), Text: before.Component + " ended"},
				results.Event{At: int64(now.From * 1e9), Text: now.Component + " is started again"})
		}
	}
	slices.SortStableFunc(all, func(a, b results.Event) int { return cmp.Compare(a.At, b.At) })
	return all
}

// marked are the marks of curves over time: the phases and, without their names, the events.
func marked(s analysis.Study) []chart.Mark {
	marks := phases(s)
	for _, e := range events(s) {
		marks = append(marks, chart.Mark{At: float64(e.At) / 1e9})
	}
	return marks
}

// eventNote says what the marks of events are, where there are any.
func eventNote(s analysis.Study) string {
	if len(events(s)) == 0 {
		return ""
	}
	return " The triangles at the top are events, which the timeline names."
}

// overTime is a chart of curves; nothing when none of them has a value that is known.
func overTime(s analysis.Study, name, title, note string, y chart.Axis, curves ...analysis.Curve) []chart.Chart {
	c := chart.Chart{Name: name, Title: title, Note: note + resolution(s) + eventNote(s), X: runTime(), Y: y, Marks: marked(s)}
	for _, curve := range curves {
		if points := pointsOf(curve); len(points) > 0 {
			c.Layers = append(c.Layers, chart.Line{Series: chart.Series{Name: curve.Name, N: curve.N}, Points: points})
		}
	}
	if len(c.Layers) == 0 {
		return nil
	}
	return []chart.Chart{c}
}

// resolution says how long a place of the curves is, where it is not the second that a reader expects.
func resolution(s analysis.Study) string {
	if s.Step <= 1 {
		return ""
	}
	return fmt.Sprintf(" Each point in time stands for %g s.", s.Step)
}

// pointsOf are the points of a curve, nil when it has no value that is known.
func pointsOf(c analysis.Curve) []chart.Point {
	points := make([]chart.Point, len(c.At))
	known := false
	for i := range c.At {
		points[i] = chart.Point{X: c.At[i], Y: c.Value[i]}
		known = known || !math.IsNaN(c.Value[i])
	}
	if !known {
		return nil
	}
	return points
}

// first are the first curves and how many are left.
func first(curves []analysis.Curve, n int) ([]analysis.Curve, string) {
	if len(curves) <= n {
		return curves, ""
	}
	return curves[:n], fmt.Sprintf(" The %d with the largest values are drawn; %d more are not.", n, len(curves)-n)
}

// byPeak orders curves by their largest value.
func byPeak(curves []analysis.Curve) []analysis.Curve {
	sorted := slices.Clone(curves)
	slices.SortStableFunc(sorted, func(a, b analysis.Curve) int {
		switch pa, pb := peak(a), peak(b); {
		case pa > pb:
			return -1
		case pa < pb:
			return 1
		}
		return 0
	})
	return sorted
}

func peak(c analysis.Curve) float64 {
	most := math.Inf(-1)
	for _, v := range c.Value {
		if v > most {
			most = v
		}
	}
	return most
}
