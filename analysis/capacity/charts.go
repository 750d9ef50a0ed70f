package capacity

import (
	"maps"
	"math"
	"slices"

	"windtunnel/analysis/chart"
	"windtunnel/analysis/stats"
	"windtunnel/results"
)

// Charts are the figures of a search; those that it has no data for are left out.
func (r Report) Charts() []chart.Chart {
	var all []chart.Chart
	if c, ok := r.overLevel("capacity-latency", "Latency over load", "latency of requests (p99)", chart.Seconds, true,
		func(p Point) (float64, bool) { return p.Traffic.P99, answered(p) }); ok {
		c.Y.Log = true
		c.Note = "Each point is one run: the 99th percentile of the latency of all requests, from the planned instant. The line is the nearest that never falls (isotonic regression over the runs that passed or failed)."
		all = append(all, c)
	}
	if c, ok := r.overLevel("capacity-startup", "Pod start-up over load", "pod start-up (p99)", chart.Seconds, true,
		func(p Point) (float64, bool) {
			if p.Startup == nil {
				return 0, false
			}
			return p.Startup.Value, true
		}); ok {
		c.Note = "Each point is one run. The line is the nearest that never falls."
		c.References = []chart.Reference{{Name: "SLO", Value: 5}}
		all = append(all, c)
	}
	if c, ok := r.overLevel("capacity-throughput", "Throughput over load", "answers", "req/s", false, // which may fall
		func(p Point) (float64, bool) { return p.Traffic.Throughput, answered(p) }); ok {
		c.Note = "Each point is one run."
		all = append(all, c)
	}
	if r.Law != nil {
		all = append(all, r.lawChart(), r.latencyOfLaw())
	}
	if c, ok := r.cpuChart(); ok {
		all = append(all, c)
	}
	return all
}

// overLevel is a chart of one figure of each run over its level, by verdict, with a line that never falls where that is asked for.
func (r Report) overLevel(name, title, label string, unit chart.Unit, monotone bool, value func(Point) (float64, bool)) (chart.Chart, bool) {
	c := chart.Chart{Name: name, Title: title, X: chart.Axis{Label: r.Axis, Unit: chart.Unit(r.Unit)}, Y: chart.Axis{Label: label, Unit: unit}}
	verdicts := []results.Verdict{results.Pass, results.Fail, results.NoData, results.Invalid}
	byLevel := map[float64][]float64{}
	for slot, verdict := range verdicts {
		var points []chart.Point
		for _, p := range r.Runs {
			v, ok := value(p)
			if !ok || p.Verdict != verdict {
				continue
			}
			points = append(points, chart.Point{X: p.Level, Y: v})
			if slot < 2 {
				byLevel[p.Level] = append(byLevel[p.Level], v)
			}
		}
		if len(points) > 0 {
			colour := []int{3, 2, 7, 5}[slot] // green, red, grey, yellow
			c.Layers = append(c.Layers, chart.Points{Series: chart.Series{Name: string(verdict), N: int64(len(points)), Slot: colour}, Points: points})
		}
	}
	levels := slices.Sorted(maps.Keys(byLevel))
	var means, weights []float64
	for _, level := range levels {
		sum := 0.0
		for _, v := range byLevel[level] {
			sum += v
		}
		n := float64(len(byLevel[level]))
		means, weights = append(means, sum/n), append(weights, n)
	}
	var line []chart.Point
	for i, v := range stats.Isotonic(means, weights) {
		line = append(line, chart.Point{X: levels[i], Y: v})
	}
	points := len(c.Layers) > 0
	if monotone && len(line) > 1 {
		c.Layers = slices.Insert(c.Layers, 0, chart.Layer(chart.Line{Series: chart.Series{Name: "never falling", Slot: 1}, Points: line})) // under the points
	}
	if a := r.Answer; a.Inside != nil {
		c.Marks = append(c.Marks, chart.Mark{Name: "inside", At: *a.Inside})
	}
	if a := r.Answer; a.Outside != nil {
		c.Marks = append(c.Marks, chart.Mark{Name: "outside", At: *a.Outside})
	}
	return c, points
}

// curvePoints is how many points a fitted curve is drawn through.
const curvePoints = 100

// lawChart is throughput over the requests under way with the fitted law.
func (r Report) lawChart() chart.Chart {
	l := r.Law
	c := chart.Chart{Name: "capacity-usl", Title: "Universal Scalability Law", X: chart.Axis{Label: "requests under way", Log: true}, Y: chart.Axis{Label: "answers", Unit: "req/s"},
		Note: "Each point is one run. Both are measured: the requests under way are the sum of all latencies over the time. The line is drawn over the measured range."}
	var points, line []chart.Point
	for _, p := range r.Runs {
		if p.Verdict != results.Invalid && answered(p) {
			points = append(points, chart.Point{X: p.Traffic.InFlight, Y: p.Traffic.Throughput})
		}
	}
	for i := range curvePoints + 1 {
		n := l.From * math.Pow(l.To/l.From, float64(i)/curvePoints)
		line = append(line, chart.Point{X: n, Y: l.Throughput(n)})
	}
	c.Layers = []chart.Layer{chart.Line{Series: chart.Series{Name: "law", Slot: 1}, Points: line}, chart.Points{Series: chart.Series{Name: "runs", N: int64(len(points)), Slot: 2}, Points: points}}
	if l.Knee != nil && *l.Knee <= l.To {
		c.Marks = []chart.Mark{{Name: "knee", At: *l.Knee}}
	}
	return c
}

// latencyOfLaw is mean latency over throughput, with what the law expects by Little's law.
func (r Report) latencyOfLaw() chart.Chart {
	l := r.Law
	c := chart.Chart{Name: "capacity-latency-law", Title: "Mean latency over throughput", X: chart.Axis{Label: "answers", Unit: "req/s"}, Y: chart.Axis{Label: "mean latency", Unit: chart.Seconds, Log: true},
		Note: "Each point is one run. The line is what the law expects: R = N/X. It turns back where throughput falls."}
	var points, line []chart.Point
	for _, p := range r.Runs {
		if p.Verdict != results.Invalid && answered(p) {
			points = append(points, chart.Point{X: p.Traffic.Throughput, Y: p.Traffic.InFlight / p.Traffic.Throughput})
		}
	}
	for i := range curvePoints + 1 {
		n := l.From * math.Pow(l.To/l.From, float64(i)/curvePoints)
		line = append(line, chart.Point{X: l.Throughput(n), Y: l.Latency(n)})
	}
	c.Layers = []chart.Layer{chart.Line{Series: chart.Series{Name: "law", Slot: 1}, Points: line}, chart.Points{Series: chart.Series{Name: "runs", N: int64(len(points)), Slot: 2}, Points: points}}
	return c
}

// cpuChart is the CPU of each component at each level, means over the runs of the level.
func (r Report) cpuChart() (chart.Chart, bool) {
	c := chart.Chart{Name: "capacity-cpu", Title: "CPU over load", X: chart.Axis{Label: r.Axis, Unit: chart.Unit(r.Unit)}, Y: chart.Axis{Label: "CPU", Unit: "cores"},
		Note: "Mean CPU time a second in the measured phases, by component, over all runs of a level. Hollow nodes share the machine with the system under test."}
	sums, runs := map[string][]float64{}, make([]int, len(r.Levels))
	for i, l := range r.Levels {
		c.X.Categories = append(c.X.Categories, plain(l.Level))
		for _, p := range r.Runs {
			if p.Level != l.Level || len(p.Cores) == 0 {
				continue
			}
			runs[i]++
			for name, cores := range p.Cores {
				if sums[name] == nil {
					sums[name] = make([]float64, len(r.Levels))
				}
				sums[name][i] += cores
			}
		}
	}
	for _, l := range r.Levels {
		if l.Cores.Most > float64(r.Machine.Cores)/2 { // else it is far away
			c.References = []chart.Reference{{Name: "machine", Value: float64(r.Machine.Cores)}}
		}
	}
	bars := chart.Bars{Stacked: true, Sums: true}
	for _, name := range slices.Sorted(maps.Keys(sums)) {
		for i := range sums[name] {
			if sums[name][i] /= float64(runs[i]); runs[i] == 0 {
				sums[name][i] = math.NaN()
			}
		}
		bars.Groups = append(bars.Groups, chart.BarSeries{Series: chart.Series{Name: name}, Values: sums[name]})
	}
	c.Layers = []chart.Layer{bars}
	return c, len(sums) > 0
}
