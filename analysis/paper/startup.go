package paper

import (
	"slices"

	"windtunnel/analysis"
	"windtunnel/results"
)

// StartupBar is a bar of figure 3: the start-up at one share of the pods.
type StartupBar struct {
	Quantile float64        // 0.5, 0.9, 0.99 or 1
	Total    results.Bounds // seconds; of the total itself, exact, with its interval
	// Stage is each stage's own quantile in seconds, create→schedule, schedule→run and run→observe: the source's definition. They
	// are of different pods, so that their sum is not the quantile of the total.
	Stage [3]float64
	// Around are the mean stages, in seconds, of the pods whose total lies in the interval of the total's quantile, of N pods: what the
	// start-up of such pods is made of. Their sum is those pods' mean total.
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

// startupBars are the bars of figure 3, none without pods. The pods must be in order of their totals.
func startupBars(pods []analysis.PodStartup) []StartupBar {
	if len(pods) == 0 {
		return nil
	}
	totals := make([]float64, len(pods))
	var own [3][]float64
	for i, p := range pods {
		totals[i] = p.Total
		for j, s := range stages(p) {
			own[j] = append(own[j], s)
		}
	}
	for j := range own {
		slices.Sort(own[j])
	}
	var bars []StartupBar
	for _, q := range []float64{0.5, 0.9, 0.99, 1} {
		bar := StartupBar{Quantile: q, Total: analysis.QuantileBounds(totals, q)}
		for j := range own {
			bar.Stage[j] = analysis.Quantile(own[j], q)
		}
		bar.Around, bar.N = around(pods, q)
		bars = append(bars, bar)
	}
	return bars
}

// around takes the mean of each stage over the pods between the ranks of the quantile's interval; where the sample is too small
// for a rank, up to its end; of the last pod alone for q = 1.
func around(pods []analysis.PodStartup, q float64) (mean [3]float64, n int) {
	low, high := analysis.QuantileInterval(len(pods), q)
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
