package report

import (
	"fmt"
	"math"

	"windtunnel/analysis"
	"windtunnel/analysis/chart"
	"windtunnel/results"
)

// podSLO is the threshold of pod start-up in seconds (sig-scalability, pod_startup_latency.md).
const podSLO = 5

// stageNames are the stages of pod start-up in their order, with the names that readers know them by.
func stageNames() [][2]string {
	return [][2]string{{"create_to_schedule", "create → schedule"}, {"schedule_to_run", "schedule → run"}, {"run_to_observe", "run → observed"}}
}

func startupCharts(s analysis.Study) []chart.Chart {
	var charts []chart.Chart
	if c, ok := startupStages(s.Summary.PodStartup); ok {
		charts = append(charts, c)
	}
	if len(s.Startup) > 0 {
		charts = append(charts, startupDistribution(s.Startup))
	}
	return append(charts, overTime(s, "pods", "Pods by state", "Pods of templates at each point in time. Where waiting or starting grows, the scheduler or the nodes do not keep up with what is created.",
		chart.Axis{Label: "pods", Whole: true}, s.Pods...)...)
}

// startupStages stacks the stages at each quantile and marks the total's own quantile: quantiles of stages do not add up to it.
func startupStages(stages map[string]results.StageQuantiles) (chart.Chart, bool) {
	c := chart.Chart{Name: "pod-startup", Title: "Pod start-up by stage",
		Note: "The diamond is the quantile of the total with its 95 % interval (an arrow: open for want of samples); the SLO judges that of 99 %. Each bar stacks the stages' own quantiles. They are of different pods, so that the height of a bar need be neither the time of any pod nor the total's quantile.",
		X:    chart.Axis{Label: "share of pods that took no longer", Categories: []string{"50 %", "90 %", "99 %", "100 %"}}, Y: chart.Axis{Label: "time", Unit: chart.Seconds}}
	judged := 2 // the category of 99 %
	c.References = []chart.Reference{{Name: "SLO of 99 %:", Value: podSLO, Over: &judged}}
	quantiles := func(q results.StageQuantiles) [4]results.Bounds {
		return [4]results.Bounds{q.P50, q.P90, q.P99, q.P100}
	}
	bars := chart.Bars{Stacked: true}
	for _, stage := range stageNames() {
		q := stages[stage[0]]
		if q.N == 0 {
			continue
		}
		g := chart.BarSeries{Series: chart.Series{Name: stage[1], N: q.N}}
		for _, b := range quantiles(q) {
			g.Values = append(g.Values, estimate(b))
		}
		bars.Groups = append(bars.Groups, g)
	}
	total := stages["total"]
	if len(bars.Groups) == 0 || total.N == 0 {
		return c, false
	}
	points := chart.Points{Series: chart.Series{Name: "total", N: total.N, Slot: 7}, Beside: 41, Labelled: true}
	for i, b := range quantiles(total) {
		points.Points = append(points.Points, chart.Point{X: float64(i), Y: estimate(b)})
		points.Low, points.High = append(points.Low, bound(b.Low)), append(points.High, bound(b.High))
	}
	c.Layers = []chart.Layer{bars, points}
	return c, true
}

// estimate is a quantile's value, NaN where the sample is too small for it.
func estimate(b results.Bounds) float64 {
	if b.Least > 0 {
		return math.NaN()
	}
	return b.Value
}

// bound is an end of an interval, NaN where it is open.
func bound(v *float64) float64 {
	if v == nil {
		return math.NaN()
	}
	return *v
}

func startupDistribution(all []analysis.Distribution) chart.Chart {
	c := chart.Chart{Name: "pod-startup-distribution", Title: "Distribution of pod start-up",
		Note: "The height of a line is the share of pods that took no longer than the time below it.",
		X:    chart.Axis{Label: "time", Unit: chart.Seconds, Log: true}, Y: chart.Axis{Label: "share of pods", Unit: chart.Fraction}}
	names := map[string]string{"total": "total"}
	for _, stage := range stageNames() {
		names[stage[0]] = stage[1]
	}
	for _, d := range all {
		points := make([]chart.Point, len(d.Value))
		below := 0
		for i := range d.Value {
			points[i] = chart.Point{X: d.Value[i], Y: d.Share[i]}
			if d.Value[i] <= 0 {
				below++
			}
		}
		if below > 0 {
			c.Note += fmt.Sprintf(" Times of %s at or below 0, whose two ends were seen by different observers, have no place on this axis.", names[d.Name])
		}
		c.Layers = append(c.Layers, chart.Steps{Series: chart.Series{Name: names[d.Name], N: d.N}, Points: points})
	}
	return c
}
