package capacity

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"windtunnel/analysis/stats"
	"windtunnel/results"
)

// Point is what one run measured at its level. Times are seconds.
type Point struct {
	Outcome
	Run  string `json:"run"` // id of the run, the name of its directory
	Seed uint64 `json:"seed"`
	// Why are the required SLO rows that did not pass, and of an invalid run the checks that failed.
	Why []string `json:"why,omitempty"`
	// Seconds is the length of the measured phases.
	Seconds float64 `json:"seconds"`
	Traffic Traffic `json:"traffic"`
	// Tightest is the required row with the smallest margin; null when no required row has data.
	Tightest *Row `json:"tightest"`
	// Startup is the 99th percentile of pod start-up (stage total), of StartupN pods; null when they are too few for it.
	Startup  *results.Bounds `json:"startup"`
	StartupN int64           `json:"startupN"`
	// PodsPerSecond is how fast pods were scheduled, from the first to the last; 0 without pods.
	PodsPerSecond float64 `json:"podsPerSecond"`
	// MostPodsOnNode is the largest number of pods that one node held at one time: pods are not spread evenly.
	MostPodsOnNode float64 `json:"mostPodsOnNode"`
	// Cores is the CPU time a second by component in the measured phases; MachineCores is how many there are.
	Cores        map[string]float64 `json:"cores"`
	MachineCores int                `json:"machineCores"`
}

// Row is one judged row of the SLO.
type Row struct {
	Expression string          `json:"expression"`
	Within     float64         `json:"within"` // share of answers within the threshold
	Margin     float64         `json:"margin"`
	N          int64           `json:"n"`
	P99        *results.Bounds `json:"p99"`
	Threshold  float64         `json:"threshold"`
}

// Traffic is what the requests of the harness were together, in the measured phases.
type Traffic struct {
	Answers    int64   `json:"answers"`    // with a 2xx code; below LeastAnswers the other figures are shown nowhere
	Throughput float64 `json:"throughput"` // of those, a second
	// InFlight is the mean number of requests under way, queues of the harness included: the sum of all latencies over the
	// time, which is Little's law.
	InFlight float64 `json:"inFlight"`
	Mean     float64 `json:"mean"` // latency of the answers, from the planned instant
	P50      float64 `json:"p50"`
	P99      float64 `json:"p99"`
}

// LeastAnswers is how many answers a run needs for its figures of traffic to be shown: those that its 99th percentile needs,
// which with fewer would just be the largest.
const LeastAnswers = 100

// answered says that a run has enough answers.
func answered(p Point) bool { return p.Traffic.Answers >= LeastAnswers }

// Used is the CPU time a second of all components together, in cores.
func (p Point) Used() float64 {
	sum := 0.0
	for _, v := range p.Cores {
		sum += v
	}
	return sum
}

// Measure makes the point of a run from its summary and its records.
func Measure(dir *results.Dir, s results.Summary, level float64, stage Stage) (Point, error) {
	p := Point{Outcome: Outcome{Level: level, Stage: stage, Verdict: s.Verdict}, Run: s.Run.ID, Seed: s.Run.Seed,
		Cores: map[string]float64{}, MachineCores: s.Run.Machine.Cores, Why: reasons(s)}
	p.Seconds = results.MeasuredSeconds(s.Phases)
	measured := map[string]bool{}
	for _, phase := range s.Phases {
		if phase.Measured && phase.End > phase.Begin {
			measured[phase.Name] = true
		}
	}
	for _, row := range s.SLOs {
		if row.Required && row.Measured != nil && row.Margin != nil && (p.Tightest == nil || tighter(row, *p.Tightest)) {
			p.Tightest = &Row{Expression: row.Expression, Within: *row.Measured, Margin: *row.Margin, N: row.N, P99: row.Quantile, Threshold: row.Threshold}
		}
	}
	if total := s.PodStartup["total"]; total.N > 0 && total.P99.Least == 0 {
		p.Startup, p.StartupN = &total.P99, total.N
	}
	p.PodsPerSecond = s.Throughput["scheduled_mean"].Value
	for _, c := range s.Conditions {
		if c.Name == "pods_per_node" {
			p.MostPodsOnNode = c.Measured
		}
	}
	if p.Seconds == 0 {
		return p, nil
	}
	for _, c := range s.Components {
		p.Cores[c.Name] = c.CPUSeconds / p.Seconds
	}
	var err error
	p.Traffic, err = traffic(dir.Path(results.RequestsFile), measured, p.Seconds)
	return p, err
}

// tighter says that a row leaves less room than another: a smaller margin, and among equal ones a p99 nearer its threshold.
func tighter(a results.SLOResult, b Row) bool {
	if *a.Margin != b.Margin {
		return *a.Margin < b.Margin
	}
	return fill(a.Quantile, a.Threshold) > fill(b.P99, b.Threshold)
}

// fill is how much of a threshold a quantile uses.
func fill(b *results.Bounds, threshold float64) float64 {
	if b == nil || threshold == 0 {
		return 0
	}
	return b.Value / threshold
}

// reasons are why a run did not pass.
func reasons(s results.Summary) []string {
	var why []string
	for _, c := range s.Validity.Checks {
		if c.Verdict != results.Pass {
			why = append(why, c.Name+": "+c.Text)
		}
	}
	if len(why) > 0 {
		return why
	}
	for _, row := range s.SLOs {
		if !row.Required || row.Verdict == results.Pass {
			continue
		}
		text := fmt.Sprintf("%s: %s, n %d", row.Expression, row.Verdict, row.N)
		if row.Measured != nil {
			text = fmt.Sprintf("%s: %s, %.2f %% within, n %d", row.Expression, row.Verdict, *row.Measured*100, row.N)
		}
		if row.Note != "" {
			text += " (" + row.Note + ")"
		}
		why = append(why, text)
	}
	return why
}

// traffic reads the requests of the measured phases. What is damaged was named by the summary and is passed over here.
func traffic(path string, measured map[string]bool, length float64) (Traffic, error) {
	var t Traffic
	var latencies []float64
	underWay := 0.0
	for r, err := range results.Read[results.Request](path) {
		var damage *results.Damage
		switch {
		case errors.As(err, &damage), errors.Is(err, fs.ErrNotExist):
			continue
		case err != nil:
			return t, fmt.Errorf("read the requests of a level: %w", err)
		case !measured[r.Phase], r.Verb == "WATCH", r.Done == 0:
			continue // a watch is open, not under way
		}
		took := float64(r.Done-r.Planned) / 1e9
		underWay += took
		if r.Error == "" && r.Code >= 200 && r.Code < 300 {
			latencies = append(latencies, took)
			t.Mean += took
		}
	}
	slices.Sort(latencies)
	t.Answers = int64(len(latencies))
	t.Throughput, t.InFlight = float64(t.Answers)/length, underWay/length
	if t.Answers > 0 {
		t.Mean /= float64(t.Answers)
		t.P50, t.P99 = stats.Quantile(latencies, 0.5), stats.Quantile(latencies, 0.99)
	}
	return t, nil
}
