package paper

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"windtunnel/analysis/chart"
	"windtunnel/analysis/stats"
	"windtunnel/results"
)

// startupFigure is figure 3 of a density run: two stacks at each share of the pods, and the total's quantile beside both.
func startupFigure(no string, e *Experiment, bars []StartupBar) Figure {
	var categories []string
	var stacks [3][]float64
	var points []chart.Point
	var low, high []float64
	for _, b := range bars {
		share := fmt.Sprintf("%g %%", b.Quantile*100)
		categories = append(categories, share+": stages", share+": pods")
		for _, heights := range [][3]float64{b.Stage, b.Around} {
			points = append(points, chart.Point{X: float64(len(points)) + 0.38, Y: b.Total.Value})
			low, high = append(low, orNaN(b.Total.Low)), append(high, orNaN(b.Total.High))
			for j, h := range heights {
				stacks[j] = append(stacks[j], h)
			}
		}
	}
	groups := make([]chart.BarSeries, len(stacks))
	for j, name := range stageNames() {
		groups[j] = chart.BarSeries{Series: chart.Series{Name: name, Slot: j + 1}, Values: stacks[j]}
	}
	return Figure{Number: no,
		Caption: para("Time of pods to start in ", e.Name, " at 50, 90, 99 and 100 % of the pods, stacked by stage. Left of each pair, as in the source: each stage's own quantile. These are of different pods, so that their sum is not the quantile of the total. Right: the mean stages of the pods that stand around the total's quantile (between the ranks of its binomial 95 % interval; ", table("D3"), " says how many), which do add up. The points are the exact quantiles of the total with their 95 % intervals, which allow for the dependence of pods that start together; n = ", len(e.Pods), "."),
		Chart: chart.Chart{Name: "figure-" + no, Title: "Start-up of pods by stage: " + e.Name,
			Note:  "Stages of the start-up, stacked, at 50, 90, 99 and 100 % of the pods, with the quantile of the total; table D3 has the values.",
			Width: 680, Height: 360,
			X: chart.Axis{Categories: categories}, Y: chart.Axis{Label: "time since the creation", Unit: chart.Seconds},
			Layers: []chart.Layer{chart.Bars{Groups: groups, Stacked: true},
				chart.Points{Series: chart.Series{Name: "quantile of the total", N: int64(len(e.Pods)), Slot: 7}, Points: points, Low: low, High: high}}}}
}

func orNaN(v *float64) float64 {
	if v == nil {
		return math.NaN()
	}
	return *v
}

// latencyFigure draws p50, p90 and p99 of some calls, each with its interval, and the bucket of the server's own p99.
func latencyFigure(no string, e *Experiment, what string, calls []Call, name func(Call) string) Figure {
	var categories []string
	for _, c := range calls {
		categories = append(categories, name(c))
	}
	f := Figure{Number: no,
		Caption: para("Latency of ", what, " in ", e.Name, "; ", table(dataNumber(no)), " has the values and n."),
		Chart: chart.Chart{Name: "figure-" + no, Title: "Latency of " + what + ": " + e.Name,
			Note:  "p50, p90 and p99 of " + what + ", with intervals; table " + dataNumber(no) + " has the values.",
			Width: 680, Height: 340, X: chart.Axis{Categories: categories}, Y: chart.Axis{Label: "latency", Unit: chart.Seconds, Log: true}}}
	if len(calls) > 14 {
		f.Chart.Width, f.Chart.Height = 900, 430
	}
	for i, q := range quantiles() {
		at := float64(i-1)*0.18 - 0.09
		f.Chart.Layers = append(f.Chart.Layers, quantilePoints(e, calls, q, at, i+1))
	}
	f.Chart.Layers = append(f.Chart.Layers, serverPoints(e, calls, 0.27))
	return f
}

// quantilePoints are the q-quantiles of calls at a distance from the middle of their categories.
func quantilePoints(e *Experiment, calls []Call, q, shift float64, slot int) chart.Points {
	ps := chart.Points{Series: chart.Series{Name: fmt.Sprintf("users, p%g", q*100), Slot: slot}}
	for i, c := range calls {
		if b := e.bounds(c, q); b != nil {
			add(&ps, float64(i)+shift, *b)
		}
	}
	return ps
}

// add adds a value with its interval.
func add(ps *chart.Points, x float64, b results.Bounds) {
	ps.Points = append(ps.Points, chart.Point{X: x, Y: b.Value})
	ps.Low, ps.High = append(ps.Low, orNaN(b.Low)), append(ps.High, orNaN(b.High))
}

// serverPoints are the upper edges of the buckets of the server's p99, with the lower edges as their intervals. Rows with too
// few calls, and those beyond the last edge, have none.
func serverPoints(e *Experiment, calls []Call, shift float64) chart.Points {
	ps := chart.Points{Series: chart.Series{Name: "server, p99: its bucket", Slot: 7}}
	for i, c := range calls {
		s := e.server(c)
		if s == nil || s.P99 == nil || s.P99.High == nil || s.P99.Low == nil || s.N < int64(stats.LeastFor(0.99)) {
			continue
		}
		ps.Points = append(ps.Points, chart.Point{X: float64(i) + shift, Y: *s.P99.High})
		ps.Low, ps.High = append(ps.Low, *s.P99.Low), append(ps.High, *s.P99.High)
	}
	return ps
}

// dataNumber is the number of the table that has the data of a figure.
func dataNumber(figure string) string { return "D" + figure }

// drawable tells whether there is anything to draw of some calls: one quantile at least.
func (e *Experiment) drawable(calls []Call) bool {
	for _, c := range calls {
		if e.bounds(c, 0.5) != nil {
			return true
		}
	}
	return false
}

// latencyFigures is a figure of latencies with the table of its data, or the reason why it is left out.
func latencyFigures(no string, e *Experiment, what string, keep func(Call) bool, name func(Call) string) []Block {
	calls := e.calls(keep)
	if !e.drawable(calls) {
		why := "has no request of this type in its measured phases"
		if len(calls) > 0 {
			why = "has too few responses of this type in its measured phases"
		}
		return []Block{para("Figure ", no, " (", what, ") is left out: ", e.Name, " ", why, ".")}
	}
	f := latencyFigure(no, e, what, calls, name)
	caption := para("The data of ", figure(no), " in ms: quantiles with 95 % intervals (–: open, or not shown, since the sample is too small), and the buckets that the server's own lie in.")
	t := latencyTable(dataNumber(no), caption, e, calls, name)
	t.Note = e.formsNote(calls)
	return []Block{f, t}
}

// formsNote says which forms of the verbs are counted together.
func (e *Experiment) formsNote(calls []Call) Paragraph {
	forms := map[string]int64{}
	for _, c := range calls {
		for form, n := range e.Calls[c].Forms {
			forms[form] += n
		}
	}
	var words []string
	for _, form := range sortedKeys(forms) {
		if form != "" {
			words = append(words, fmt.Sprintf("%s (%d)", form, forms[form]))
		}
	}
	if len(words) == 0 {
		return nil
	}
	return para("Beside the usual form of the verbs these are in it: ", strings.Join(words, ", "), "; rmw is the GET before a PUT.")
}

// overDensity is the start-up over the number of pods a node, when there are several density runs.
func overDensity(no string, es []*Experiment) Figure {
	es = slices.SortedStableFunc(slices.Values(es), func(a, b *Experiment) int { return cmp.Compare(a.podsPerNode(), b.podsPerNode()) })
	var categories []string
	for _, e := range es {
		categories = append(categories, fmt.Sprintf("%s (%s)", short(e.podsPerNode()), e.Name))
	}
	f := Figure{Number: no, Caption: para("Time of pods to start over the mean number of pods per node, one run each: exact quantiles with 95 % intervals, on a logarithmic axis. The dashed line is the objective of 5 s."),
		Chart: chart.Chart{Name: "figure-" + no, Title: "Start-up over pods per node", Note: "Quantiles of the start-up over the number of pods per node; table 4 has the values.", Width: 680, Height: 340,
			X: chart.Axis{Label: "pods per node", Categories: categories}, Y: chart.Axis{Label: "time since the creation", Unit: chart.Seconds, Log: true},
			References: []chart.Reference{{Name: "objective", Value: 5}}}}
	for i, q := range quantiles() {
		ps := chart.Points{Series: chart.Series{Name: fmt.Sprintf("p%g", q*100), Slot: i + 1}}
		for j, e := range es {
			if b := e.startup(q); b != nil {
				add(&ps, float64(j)+float64(i-1)*0.15, *b)
			}
		}
		f.Chart.Layers = append(f.Chart.Layers, ps)
	}
	return f
}

// densityTable is the comparison of several density runs, by pods a node.
func densityTable(no string, es []*Experiment) Table {
	t := Table{Number: no, Caption: para("Density at different mean numbers of pods per node: start-up of the pods in s with 95 % intervals, and the verdict of the whole run."),
		Header: []string{"run", "pods per node", "n", "p50", "p90", "p99", "verdict"}, Left: []int{0, 6}}
	for _, e := range es {
		row := []string{e.Name, short(e.podsPerNode()), count(int64(len(e.Pods)))}
		for _, q := range quantiles() {
			row = append(row, withInterval(e.startup(q), number))
		}
		t.Rows = append(t.Rows, append(row, string(e.Summary.Verdict)))
	}
	return t
}
