package paper

import (
	"cmp"
	"slices"

	"windtunnel/analysis"
	"windtunnel/analysis/stats"
	"windtunnel/results"
)

// StartupBar is a bar of figure 3: the start-up at one share of the pods.
type StartupBar struct {
	Quantile float64        // 0.5, 0.9, 0.99 or 1
	Total    results.Bounds // seconds; of the total itself, exact, with its interval
	// Stage is each stage's own quantile in seconds, create→schedule, schedule→run and run→observe: the source's definition. They
	// are of different pods, so that their sum is not the quantile of the total.
	Stage [3]float64
	// Around are the mean stages, in seconds, of the N pods that stand around the total's quantile: what the start-up of such
	// pods is made of. Their sum is those pods' mean total.
	Around [3]float64
	N      int
}

// stageNames are the stages of StartupBar as they are printed.
func stageNames() [3]string {
	return [3]string{"create → schedule", "schedule → run", "run → observe"}
}

// stages are the stages of a pod in the order of stageNames.
func stages(p analysis.PodStartup) [3]float64 {
	return [3]float64{p.CreateToSchedule, p.ScheduleToRun, p.RunToObserve}
}

// startupBars are the bars of figure 3, without those that the pods are too few for.
func (e *Experiment) startupBars() []StartupBar {
	var own [3][]float64
	for _, p := range e.Pods {
		for j, s := range stages(p) {
			own[j] = append(own[j], s)
		}
	}
	for j := range own {
		slices.Sort(own[j])
	}
	var bars []StartupBar
	for _, q := range []float64{0.5, 0.9, 0.99, 1} {
		total := e.startup(q)
		if total == nil {
			continue
		}
		if q == 1 { // the largest of a sample is what it is
			total = &results.Bounds{Value: total.Value}
		}
		bar := StartupBar{Quantile: q, Total: *total}
		for j := range own {
			bar.Stage[j] = stats.Quantile(own[j], q)
		}
		bar.Around, bar.N = around(e.Pods, q)
		bars = append(bars, bar)
	}
	return bars
}

// around takes the mean of each stage over the pods that stand around a quantile when they are in order of their totals:
// between the ranks of its plain binomial interval; at q = 1 the last alone.
func around(pods []analysis.PodStartup, q float64) (mean [3]float64, n int) {
	pods = slices.SortedFunc(slices.Values(pods), func(a, b analysis.PodStartup) int {
		return cmp.Or(cmp.Compare(a.Total, b.Total), cmp.Compare(a.Created, b.Created))
	})
	low, high := stats.QuantileInterval(len(pods), q)
	if q == 1 {
		low, high = len(pods), len(pods)
	}
	if high == 0 {
		high = len(pods)
	}
	chosen := pods[max(low, 1)-1 : high]
	for _, p := range chosen {
		for j, s := range stages(p) {
			mean[j] += s / float64(len(chosen))
		}
	}
	return mean, len(chosen)
}

// bar is the bar of a quantile; false when there is none.
func bar(bars []StartupBar, q float64) (StartupBar, bool) {
	for _, b := range bars {
		if b.Quantile == q {
			return b, true
		}
	}
	return StartupBar{}, false
}
