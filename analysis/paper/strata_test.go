package paper

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"windtunnel/profiles"
	"windtunnel/results"
)

func stage(shape string, length time.Duration, rate float64) profiles.Stage {
	return profiles.Stage{For: profiles.Duration(length), Shape: shape, Rate: rate}
}

// planned is a profile whose users' stream in the phase workload begins after a pause and has stages.
func planned(pause time.Duration, first float64, stages ...profiles.Stage) profiles.Profile {
	steps := []profiles.Step{{Requests: &profiles.Requests{Arrivals: &profiles.Arrivals{Rate: first, Stages: stages}}}}
	if pause > 0 {
		steps = append([]profiles.Step{{Pause: profiles.Duration(pause)}}, steps...)
	}
	return profiles.Profile{Phases: []profiles.Phase{{Name: "workload", Measured: true, Tracks: []profiles.Track{{Name: "users", Steps: steps}}}}}
}

// TestStrata cuts a phase where stages begin, tells the steady ones and those above the usual rate.
func TestStrata(t *testing.T) {
	span := func(seconds int64) results.Run {
		return results.Run{Phases: []results.PhaseSpan{{Name: "prepare", End: 5 * sec}, {Name: "workload", Begin: 5 * sec, End: (5 + seconds) * sec, Measured: true}}}
	}
	day := []profiles.Stage{stage("linear", time.Minute, 40), stage("hold", 90*time.Second, 40), stage("hold", 10*time.Second, 120), stage("hold", 80*time.Second, 40), stage("linear", time.Minute, 5)}
	for name, c := range map[string]struct {
		run     results.Run
		profile profiles.Profile
		begins  []int64   // seconds of the run
		rates   []float64 // planned
		usual   float64
		peaks   []int
	}{
		"a day":                     {span(300), planned(0, 5, day...), []int64{5, 65, 155, 165, 245}, []float64{22.5, 40, 120, 40, 22.5}, 40, []int{2}},
		"a day after a pause":       {span(320), planned(20*time.Second, 5, day...), []int64{5, 25, 85, 175, 185, 265}, []float64{0, 22.5, 40, 120, 40, 22.5}, 40, []int{3}},
		"a phase that ends sooner":  {span(100), planned(0, 5, day...), []int64{5, 65}, []float64{22.5, 40}, 40, nil},
		"a phase that ends later":   {span(360), planned(0, 5, day...), []int64{5, 65, 155, 165, 245, 305}, []float64{22.5, 40, 120, 40, 22.5, 0}, 40, []int{2}},
		"no stages":                 {span(100), planned(0, 7), []int64{5}, []float64{7}, 7, nil},
		"no profile":                {span(100), profiles.Profile{}, []int64{5}, []float64{0}, 0, nil},
		"nothing is held":           {span(100), planned(0, 5, stage("linear", 100*time.Second, 40)), []int64{5}, []float64{22.5}, 0, nil},
		"equals: the highest holds": {span(100), planned(0, 0, stage("hold", 50*time.Second, 10), stage("hold", 50*time.Second, 20)), []int64{5, 55}, []float64{10, 20}, 20, nil},
	} {
		t.Run(name, func(t *testing.T) {
			e := &Experiment{strata: strata(c.run, c.profile)}
			if len(e.strata) != len(c.begins) {
				t.Fatalf("%+v", e.strata)
			}
			var peaks []int
			for i, s := range e.strata {
				if s.begin != c.begins[i]*sec || math.Abs(s.rate-c.rates[i]) > 1e-6 {
					t.Errorf("%d: %+v, not from %d s at %g a second", i, s, c.begins[i], c.rates[i])
				}
				if e.peak(s) {
					peaks = append(peaks, i)
				}
			}
			if rate, _ := usual(e.strata); math.Abs(rate-c.usual) > 1e-6 {
				t.Errorf("usual rate %g, not %g", rate, c.usual)
			}
			if len(peaks) != len(c.peaks) || len(peaks) > 0 && peaks[0] != c.peaks[0] {
				t.Errorf("peaks %v, not %v", peaks, c.peaks)
			}
		})
	}
}

// TestDrawKeepsStages: every resample has the peak once, and one that leaves it out has it never.
func TestDrawKeepsStages(t *testing.T) {
	run := results.Run{Phases: []results.PhaseSpan{{Name: "workload", End: 120 * sec, Measured: true}}}
	e := &Experiment{strata: strata(run, planned(0, 0, stage("hold", 60*time.Second, 10), stage("hold", 10*time.Second, 90), stage("hold", 50*time.Second, 10)))}
	b := newBlocks(e.strata, every)
	usual := newBlocks(e.strata, func(s stratum) bool { return !e.peak(s) })
	if b.n != 12 || b.part || usual.n != 11 || !usual.part {
		t.Fatalf("%+v %+v", b, usual)
	}
	if at := (Request{At: 65 * sec}); b.of(at) != 6 || usual.of(at) != -1 || usual.of(Request{At: 70 * sec}) != 6 {
		t.Errorf("a request in the peak is of block %d and %d", b.of(at), usual.of(at))
	}
	times := make([]int, b.n)
	for seed := range uint64(20) {
		b.draw(rand.New(rand.NewPCG(seed, 0)), times)
		if times[6] != 1 {
			t.Errorf("%v", times)
		}
	}
}

// TestPeaksAreJudgedApart: a peak in which everything is slow decides no finding, and stands beside the judged figure.
func TestPeaksAreJudgedApart(t *testing.T) {
	h := agreeing(1)
	h.profile.Phases = planned(0, 0, stage("hold", 60*time.Second, 10), stage("hold", 20*time.Second, 90), stage("hold", 40*time.Second, 10)).Phases
	for i := range h.requests {
		if r := &h.requests[i]; r.Planned >= phaseBegin+60*sec && r.Planned < phaseBegin+80*sec {
			r.Done += 500 * ms
			r.FirstByte = r.Done
		}
	}
	fs := judged(t, h)
	for _, r := range fs[1].Rows[:5] {
		if r.Whole == nil || r.Result != Holds || r.Whole.Result != Fails || r.N >= r.Whole.N {
			t.Errorf("%+v, all stages %+v", r, r.Whole)
		}
	}
	e := h.read(t)
	text := paperOf(t, Write(Input{Load: []*Experiment{e}, Seed: 1}), "markdown")
	for _, say := range []string{"outside of peaks", "10 requests a second are planned for 100 s of 120 s. The busiest stage has 90 a second for 20 s, and 16.67 % of all requests.", "**The shape of the load.**"} {
		if !strings.Contains(text, say) {
			t.Errorf("it does not say %q", say)
		}
	}
}
