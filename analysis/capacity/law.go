package capacity

import (
	"fmt"
	"math"

	"windtunnel/analysis/stats"
	"windtunnel/results"
)

// Law is the Universal Scalability Law of the requests of the harness: X(N), the answers a second when N requests are under way.
//
// Both are measured, whatever the axis: X counts answers, and N is the sum of the latencies over the time (Little's law). So
// the law means the same for closed loops, where users fix N, and for open ones, where the plan fixes X and N follows.
type Law struct {
	stats.USL
	LambdaInterval [2]float64 `json:"lambdaInterval"`
	SigmaInterval  [2]float64 `json:"sigmaInterval"`
	KappaInterval  [2]float64 `json:"kappaInterval"`
	// Knee is the number of requests under way beyond which throughput falls; null when there is none.
	Knee     *float64    `json:"knee"`
	KneeEnds [2]*float64 `json:"kneeInterval"` // null: without bound
	// Peak is the largest throughput, at the knee or as the asymptote λ/σ; null when the law has none.
	Peak          *float64    `json:"peak"`
	PeakEnds      [2]*float64 `json:"peakInterval"`
	Confidence    float64     `json:"confidence"`
	N             int         `json:"n"` // runs
	From          float64     `json:"from"`
	To            float64     `json:"to"` // the requests under way that were measured
	R2            float64     `json:"r2"`
	RelativeError float64     `json:"relativeError"`
	Warnings      []string    `json:"warnings,omitempty"`
}

// leastSpread is the ratio of the largest to the smallest throughput below which the axis is not one of request load.
const leastSpread = 1.5

// fitLaw fits the law to the runs that can be trusted, or says why it cannot. Errors are taken as relative to the throughput.
func fitLaw(points []Point, seed uint64, confidence float64) (*Law, string) {
	var loads []stats.LoadPoint
	levels := map[float64]bool{}
	least, most := math.Inf(1), 0.0
	for _, p := range points {
		x := p.Traffic.Throughput
		if p.Verdict == results.Invalid || !answered(p) || x <= 0 || p.Traffic.InFlight <= 0 {
			continue
		}
		loads = append(loads, stats.LoadPoint{Load: p.Traffic.InFlight, Throughput: x, Weight: 1 / (x * x)})
		levels[p.Level] = true
		least, most = min(least, x), max(most, x)
	}
	switch {
	case len(loads) == 0:
		return nil, fmt.Sprintf("no run that can be trusted has %d answers", LeastAnswers)
	case len(levels) < 6:
		return nil, fmt.Sprintf("%s with runs that can be trusted; a scalability law needs 6 or more", count(len(levels), "level"))
	case most < leastSpread*least:
		return nil, fmt.Sprintf("throughput is much the same at every level (%.4g to %.4g answers/s): this axis does not load the system by requests", least, most)
	}
	f, err := stats.FitUSL(loads, stats.USLOptions{Seed: seed, Confidence: confidence})
	if err != nil {
		return nil, err.Error()
	}
	law := &Law{USL: f.USL, LambdaInterval: f.LambdaInterval, SigmaInterval: f.SigmaInterval, KappaInterval: f.KappaInterval, Confidence: f.Confidence,
		N: f.N, From: f.From, To: f.To, R2: f.R2, RelativeError: f.RelativeError, Warnings: f.Warnings}
	knee, _ := f.Knee()
	law.Knee, law.Peak = finite(knee), finite(f.Peak())
	law.KneeEnds = [2]*float64{finite(f.KneeInterval[0]), finite(f.KneeInterval[1])}
	law.PeakEnds = [2]*float64{finite(f.PeakInterval[0]), finite(f.PeakInterval[1])}
	return law, ""
}

// finite is a number, null when it is none that JSON knows.
func finite(v float64) *float64 {
	if math.IsInf(v, 0) || math.IsNaN(v) {
		return nil
	}
	return &v
}
