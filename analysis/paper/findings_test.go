package paper

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"windtunnel/analysis/stats"
	"windtunnel/profiles"
	"windtunnel/results"
)

func every(stratum) bool { return true }

// judged gives the findings about a load run.
func judged(t *testing.T, h *history) []Finding {
	t.Helper()
	e := h.read(t)
	e.Name = "load"
	return Findings(nil, []*Experiment{e}, 1)
}

func results4(fs []Finding) [4]Judgement {
	return [4]Judgement{fs[0].Result, fs[1].Result, fs[2].Result, fs[3].Result}
}

// TestFindings judges made-up runs in which each claim of the source holds or does not.
func TestFindings(t *testing.T) {
	other := func(change func(*history)) *history {
		h := newHistory("load-made-up")
		change(h)
		return h
	}
	for name, c := range map[string]struct {
		h    *history
		want [4]Judgement // within 1 s, p50 of p90, p99 of p90, DELETE of the others
	}{
		"all hold": {agreeing(1), [4]Judgement{Holds, Holds, Holds, Holds}},
		"none holds": {other(func(h *history) {
			h.call("GET", "pods", "resource", 2400, shape(0.1, 0.9, 9))
			h.call("DELETE", "pods", "resource", 2400, shape(0.1, 0.9, 9))
		}), [4]Judgement{Fails, Fails, Fails, Fails}},
		"ratios too large": {other(func(h *history) {
			h.call("GET", "pods", "resource", 2400, shape(0.009, 0.010, 0.012))
			h.call("DELETE", "pods", "resource", 2400, shape(0.09, 0.10, 0.12))
		}), [4]Judgement{Holds, Fails, Fails, Fails}},
		"in part": {other(func(h *history) {
			h.call("GET", "pods", "resource", 2400, shape(0.005, 0.010, 0.030))
			h.call("POST", "pods", "resource", 2400, shape(0.001, 0.010, 0.200))
			h.call("DELETE", "pods", "resource", 2400, shape(0.0125, 0.025, 0.075))
		}), [4]Judgement{Holds, InPart, InPart, Holds}},
		"on the edge": {other(func(h *history) {
			h.call("GET", "pods", "resource", 2400, linear(0.006, 0.010, 0.040))
			h.call("DELETE", "pods", "resource", 2400, linear(0.012, 0.020, 0.080))
		}), [4]Judgement{Holds, Undecided, Undecided, Undecided}},
		"too few": {other(func(h *history) {
			h.call("GET", "pods", "resource", 20, shape(0.005, 0.010, 0.030))
			h.call("DELETE", "pods", "resource", 20, shape(0.0125, 0.025, 0.075))
		}), [4]Judgement{Undecided, NoData, NoData, NoData}},
		"no pods": {other(func(h *history) {
			h.call("GET", "nodes", "resource", 2400, shape(0.005, 0.010, 0.030))
		}), [4]Judgement{Holds, NoData, NoData, NoData}},
	} {
		t.Run(name, func(t *testing.T) {
			fs := judged(t, c.h)
			// A made-up run has no scrapes, so that the server's row has no data and decides nothing.
			if got := results4(fs); got != c.want {
				t.Errorf("%v, not %v", got, c.want)
				for _, f := range fs {
					for _, r := range f.Rows {
						t.Logf("%s: %s %s n=%d %s %s", f.Claim, r.What, withInterval(r.Measured, number), r.N, r.Result, r.Note)
					}
				}
			}
		})
	}
}

// TestFailedRequestsAreLate counts those that failed as never answered.
func TestFailedRequestsAreLate(t *testing.T) {
	h := agreeing(1)
	for i := range h.requests {
		if i%20 == 0 {
			h.requests[i].Code, h.requests[i].Error = 500, "internal"
		}
	}
	if r := judged(t, h)[0].Rows[0]; math.Abs(r.Measured.Value-0.95) > 1e-9 || r.Result != Fails {
		t.Errorf("%+v, measured %v", r, r.Measured.Value)
	}
}

// TestFewBlocks: a run of less than ten blocks gives no interval, and nothing is decided by it.
func TestFewBlocks(t *testing.T) {
	h := agreeing(1)
	h.run.Phases[1].End = phaseBegin + 99*sec
	for _, r := range judged(t, h)[1].Rows[:5] {
		if r.Result != Undecided || r.Measured == nil || r.Measured.Low != nil || !strings.Contains(r.Note, "9 blocks") {
			t.Errorf("%+v", r)
		}
	}
}

// TestBootstrapCoverage holds the interval of a ratio of quantiles against its known value: of exponential latencies p50 is
// ln 2 / ln 10 of p90. The percentile bootstrap of 30 blocks is known to fall a little short of its level.
func TestBootstrapCoverage(t *testing.T) {
	if testing.Short() {
		t.Skip("a simulation, which make test runs without the race detector")
	}
	truth := math.Ln2 / math.Ln10
	random := rand.New(rand.NewPCG(1, 2))
	run := results.Run{Phases: []results.PhaseSpan{{Name: "workload", End: 300 * sec, Measured: true}}}
	b := newBlocks(strata(run, profiles.Profile{}), every)
	if b.n != 30 {
		t.Fatalf("%d blocks", b.n)
	}
	const trials = 150
	held := 0
	for trial := range trials {
		sample := make([]Request, 600)
		for i := range sample {
			sample[i] = Request{At: int64(i) * 300 * sec / 600, Latency: random.ExpFloat64()}
		}
		w := b.weigh(sample)
		low, high := bootstrap(b, uint64(trial), 0.95, func(times []int) (float64, bool) {
			x, ok := w.quantile(0.5, times)
			y, ok2 := w.quantile(0.9, times)
			return x / y, ok && ok2
		})
		if *low <= truth && truth <= *high {
			held++
		}
	}
	// 0.95 ± three standard errors of 150 trials, and what the method falls short.
	if share := float64(held) / trials; share < 0.87 || share > 0.995 {
		t.Errorf("the interval holds the truth in %.3f of %d trials", share, trials)
	}
}

// TestBlocksCountDependence: when latencies come in slow and fast stretches, the interval is much wider than that of the same
// latencies in random order.
func TestBlocksCountDependence(t *testing.T) {
	run := results.Run{Phases: []results.PhaseSpan{{Name: "workload", End: 300 * sec, Measured: true}}}
	b := newBlocks(strata(run, profiles.Profile{}), every)
	random := rand.New(rand.NewPCG(3, 4))
	stretches := make([]Request, 1200)
	for i := range stretches {
		level := 1.0
		if i/60%4 == 3 {
			level = 10
		}
		stretches[i] = Request{At: int64(i) * 300 * sec / 1200, Latency: level * (0.5 + random.Float64())}
	}
	mixed := make([]Request, len(stretches))
	for i, j := range random.Perm(len(stretches)) {
		mixed[i] = Request{At: stretches[i].At, Latency: stretches[j].Latency}
	}
	width := func(sample []Request) float64 {
		w := b.weigh(sample)
		low, high := bootstrap(b, 1, 0.95, func(times []int) (float64, bool) { return w.quantile(0.75, times) })
		return *high - *low
	}
	if a, c := width(stretches), width(mixed); a < 1.5*c {
		t.Errorf("width %g of stretches, %g of the same in random order", a, c)
	}
}

// TestWeightedQuantile compares with the quantile of the sample written out, for samples smaller and larger than the number of
// segments.
func TestWeightedQuantile(t *testing.T) {
	run := results.Run{Phases: []results.PhaseSpan{{Name: "a", Begin: 5 * sec, End: 65 * sec, Measured: true}, {Name: "b", Begin: 65 * sec, End: 70 * sec, Measured: true}}}
	b := newBlocks(strata(run, profiles.Profile{}), every)
	if b.n != 7 {
		t.Fatalf("%d blocks", b.n)
	}
	random := rand.New(rand.NewPCG(5, 6))
	for _, n := range []int{1, 2, 10, 1023, 1024, 5000} {
		sample := make([]Request, n)
		for i := range sample {
			sample[i] = Request{At: 5*sec + random.Int64N(65*sec), Latency: float64(random.IntN(n))}
		}
		w := b.weigh(append(sample, Request{At: 1, Latency: -1})) // the last is before all phases
		times := make([]int, b.n)
		for range 20 {
			b.draw(random, times)
			var written []float64
			for _, r := range sample {
				for range times[b.of(r)] {
					written = append(written, r.Latency)
				}
			}
			slices.Sort(written)
			for _, q := range []float64{0.01, 0.5, 0.9, 0.99, 1} {
				got, ok := w.quantile(q, times)
				if ok != (len(written) > 0) || ok && got != stats.Quantile(written, q) {
					t.Fatalf("n %d q %g: %g %v", n, q, got, ok)
				}
			}
		}
	}
}

// TestDrawKeepsPhases: a resample has as many blocks of each phase as the run.
func TestDrawKeepsPhases(t *testing.T) {
	b := newBlocks(strata(results.Run{Phases: []results.PhaseSpan{{Name: "a", End: 60 * sec, Measured: true}, {Name: "b", Begin: 60 * sec, End: 100 * sec, Measured: true}}}, profiles.Profile{}), every)
	times := make([]int, b.n)
	for seed := range uint64(10) {
		b.draw(rand.New(rand.NewPCG(seed, 0)), times)
		first, second := 0, 0
		for i, n := range times {
			if i < 6 {
				first += n
			} else {
				second += n
			}
		}
		if first != 6 || second != 4 {
			t.Errorf("%v", times)
		}
	}
}
