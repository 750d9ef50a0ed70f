package capacity

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"windtunnel/results"
)

// usual is a search as the command line makes it.
func usual() Search {
	return Search{From: 10, To: 1000, Step: 1, Resolution: 0.1, Repeats: 5, Retries: 2, Confidence: 0.95}
}

// system gives a run at a level its verdict.
type system func(level float64) results.Verdict

// carry lets a search run against a system to its end.
func carry(t interface{ Fatalf(string, ...any) }, s Search, sut system) []Outcome {
	var history []Outcome
	for len(history) < 1000 {
		next := s.Next(history)
		if next.Done {
			return history
		}
		history = append(history, Outcome{Level: next.Level, Stage: next.Stage, Verdict: sut(next.Level)})
	}
	t.Fatalf("no end after %d runs: %+v", len(history), s.Next(history))
	return nil
}

// steep passes up to an edge.
func steep(edge float64) system {
	return func(level float64) results.Verdict {
		if level <= edge {
			return results.Pass
		}
		return results.Fail
	}
}

func TestSteep(t *testing.T) {
	for _, edge := range []float64{1, 3, 9, 10, 11, 137, 500, 640, 999} {
		a := usual().Answer(carry(t, usual(), steep(edge)))
		if a.Inside == nil || a.Outside == nil || !a.Confirmed {
			t.Fatalf("edge %g: %+v", edge, a)
		}
		if *a.Inside > edge || *a.Outside <= edge {
			t.Errorf("edge %g: inside %g, outside %g", edge, *a.Inside, *a.Outside)
		}
		if gap := *a.Outside - *a.Inside; gap > max(1, 0.1**a.Inside)+1e-9 {
			t.Errorf("edge %g: the gap from %g to %g is wider than asked for", edge, *a.Inside, *a.Outside)
		}
		// 5 of 5, of the first candidate: (0.05 · 6/π²)^(1/5) = 0.4973, and less of the next.
		if a.Passed != 5 || a.Runs != 5 || a.Candidates != 1 || math.Abs(a.Bound-0.4973) > 1e-4 || a.Bound != usual().Shows() {
			t.Errorf("edge %g: %d of %d, bound %v", edge, a.Passed, a.Runs, a.Bound)
		}
	}
}

func TestNeverFailing(t *testing.T) {
	history := carry(t, usual(), func(float64) results.Verdict { return results.Pass })
	a := usual().Answer(history)
	if a.Inside == nil || *a.Inside != 1000 || a.Outside != nil || !a.Confirmed {
		t.Errorf("%+v", a)
	}
}

func TestAlwaysFailing(t *testing.T) {
	history := carry(t, usual(), func(float64) results.Verdict { return results.Fail })
	a := usual().Answer(history)
	if a.Inside != nil || a.Outside == nil || *a.Outside != 1 || a.OutsideUndecided {
		t.Errorf("%+v", a)
	}
}

// TestNoVerdictNeverPasses: runs that are invalid or have no data are repeated so often and never count as passed.
func TestNoVerdictNeverPasses(t *testing.T) {
	for _, verdict := range []results.Verdict{results.Invalid, results.NoData, results.NotJudged} {
		history := carry(t, usual(), func(float64) results.Verdict { return verdict })
		a := usual().Answer(history)
		if a.Inside != nil || a.Confirmed || a.Bound != 0 {
			t.Errorf("%s: %+v", verdict, a)
		}
		for _, tally := range a.Levels {
			if tally.undecided() != 3 {
				t.Errorf("%s: level %g was run %d times, want 1 and 2 retries", verdict, tally.Level, tally.undecided())
			}
		}
	}
}

// TestTheHarnessGivesOut: where runs become invalid the answer ends, and says that it is not the system's edge.
func TestTheHarnessGivesOut(t *testing.T) {
	a := usual().Answer(carry(t, usual(), func(level float64) results.Verdict {
		if level <= 200 {
			return results.Pass
		}
		return results.Invalid
	}))
	if a.Inside == nil || *a.Inside > 200 || *a.Inside < 180 || a.Outside == nil || !a.OutsideUndecided {
		t.Errorf("%+v", a)
	}
}

// TestWhatDoesNotComeUp: a level whose runs never come to their measured phases ends the search above it, also when it is the
// first that is tried, and no level that fails so is called violated.
func TestWhatDoesNotComeUp(t *testing.T) {
	for _, s := range []Search{usual(), {From: 500, To: 1000, Step: 1, Resolution: 0.1, Repeats: 3, Retries: 1, Confidence: 0.95},
		{From: 10, To: 500, Step: 1, Levels: []float64{20, 100, 400, 500}, Repeats: 2, Retries: 1, Confidence: 0.95}} {
		var history []Outcome
		for next := s.Next(history); !next.Done; next = s.Next(history) {
			o := Outcome{Level: next.Level, Stage: next.Stage, Verdict: results.Pass}
			if next.Level > 200 {
				o.Verdict, o.Failed = results.Invalid, true
			}
			if history = append(history, o); len(history) > 200 {
				t.Fatal("no end")
			}
		}
		a := s.Answer(history)
		if a.Inside == nil || !a.Confirmed || *a.Inside > 200 || *a.Inside < 100 || a.Outside == nil || !a.OutsideUndecided || !a.at(*a.Outside).failed() {
			t.Errorf("%+v: %+v", s, a)
		}
		r := Report{Record: Record{Axis: "nodes", Search: s}, Answer: a}
		if text := r.outsideSentence(); !strings.Contains(text, "the harness or the machine gave out") {
			t.Error(text)
		}
	}
}

// TestFractionalSteps: steps that floating point cannot hold do not keep a search from its end.
func TestFractionalSteps(t *testing.T) {
	for _, step := range []float64{0.1, 0.01, 0.3, 0.7, 1.1} {
		for k := range 60 {
			s := Search{From: step * float64(1+k), To: 100 * step, Step: step, Resolution: 0.01, Repeats: 1, Confidence: 0.95}
			for _, blanks := range []float64{0, 2, 7, 19} { // no data up to there, and everything above is outside
				carry(t, s, func(level float64) results.Verdict {
					if level < (blanks+0.5)*step {
						return results.NoData
					}
					return results.Fail
				})
			}
		}
	}
}

// TestErrorIsSpent: whatever number of levels is tried to be confirmed, the errors allowed for them add up to no more than
// the one asked for, and nearly to all of it.
func TestErrorIsSpent(t *testing.T) {
	sum := 0.0
	for j := 1; j <= 100_000; j++ {
		sum += 1 - usual().share(j)
	}
	if sum > 0.05 || sum < 0.0499 {
		t.Errorf("%v of 0.05", sum)
	}
}

// TestTooSmallALoad: where the first level has too few samples the search goes up, not down.
func TestTooSmallALoad(t *testing.T) {
	a := usual().Answer(carry(t, usual(), func(level float64) results.Verdict {
		if level < 100 {
			return results.NoData
		}
		return steep(300)(level)
	}))
	if a.Inside == nil || *a.Inside > 300 || *a.Inside < 270 {
		t.Errorf("%+v", a)
	}
}

// TestOneBadRun: a single failure far below the edge does not end the search there.
func TestOneBadRun(t *testing.T) {
	runs := 0
	a := usual().Answer(carry(t, usual(), func(level float64) results.Verdict {
		if runs++; runs == 1 {
			return results.Fail
		}
		return steep(300)(level)
	}))
	if a.Inside == nil || *a.Inside < 270 || *a.Inside > 300 {
		t.Errorf("%+v", a)
	}
}

// TestNonMonotone: a hole below levels that pass is reported.
func TestNonMonotone(t *testing.T) {
	s := usual()
	s.Levels = []float64{10, 20, 30, 40}
	a := s.Answer(carry(t, s, func(level float64) results.Verdict {
		if level == 20 {
			return results.Fail
		}
		return results.Pass
	}))
	if a.Inside == nil || *a.Inside != 10 || *a.Outside != 20 || len(a.Warnings) != 2 {
		t.Errorf("%+v", a)
	}
}

func TestSweepGoesRound(t *testing.T) {
	s := usual()
	s.Levels, s.Repeats = []float64{1, 2, 3}, 2
	var levels []float64
	for _, o := range carry(t, s, steep(2)) {
		levels = append(levels, o.Level)
	}
	if diff := cmp.Diff([]float64{1, 2, 3, 1, 2, 3}, levels); diff != "" {
		t.Error(diff)
	}
	a := s.Answer(carry(t, s, steep(2)))
	if *a.Inside != 2 || *a.Outside != 3 || math.Abs(a.Bound-math.Sqrt(0.05)) > 1e-9 || math.Abs(a.OutsideBound-(1-math.Sqrt(0.05))) > 1e-9 {
		t.Errorf("%+v", a)
	}
}

// TestSecondCandidate: a level whose confirmation fails is outside, and the bound of the next one makes allowance for having
// tried two.
func TestSecondCandidate(t *testing.T) {
	failures := 0
	s := usual()
	s.Repeats = 3
	a := s.Answer(carry(t, s, func(level float64) results.Verdict {
		if level > 80 || level == 80 && failures == 0 {
			if level == 80 {
				failures = 1
				return results.Pass // the run that explores
			}
			return results.Fail
		}
		if level == 80 {
			return results.Fail
		}
		return results.Pass
	}))
	if a.Inside == nil || *a.Inside >= 80 || *a.Outside > 80 || a.Candidates < 2 {
		t.Fatalf("%+v", a)
	}
	if want := math.Cbrt(0.05 * 6 / (math.Pi * math.Pi * float64(a.Candidates*a.Candidates))); math.Abs(a.Bound-want) > 1e-9 {
		t.Errorf("bound %v, want %v", a.Bound, want)
	}
}

// TestCheck: searches that cannot be carried out are refused.
func TestCheck(t *testing.T) {
	if err := usual().Check(); err != nil {
		t.Error(err)
	}
	for i, change := range []func(s *Search){
		func(s *Search) { s.Step = 0 }, func(s *Search) { s.From = 0 }, func(s *Search) { s.To = 5 }, func(s *Search) { s.To = math.NaN() },
		func(s *Search) { s.Repeats = 0 }, func(s *Search) { s.Retries = -1 }, func(s *Search) { s.Resolution = -1 }, func(s *Search) { s.Confidence = 1 },
		func(s *Search) { s.Levels = []float64{1, 1} }, func(s *Search) { s.Levels = []float64{0} },
	} {
		s := usual()
		change(&s)
		if s.Check() == nil {
			t.Errorf("change %d is not refused: %+v", i, s)
		}
	}
}

// TestStoppedEarly: what was not confirmed is not called so.
func TestStoppedEarly(t *testing.T) {
	history := carry(t, usual(), steep(137))
	for n := range history {
		a := usual().Answer(history[:n])
		if a.Confirmed || a.Bound > 0.5 {
			t.Fatalf("after %d of %d runs: %+v", n, len(history), a)
		}
		if a.Inside != nil && *a.Inside > 137 {
			t.Fatalf("after %d runs %g is said to be inside", n, *a.Inside)
		}
	}
}

// TestStatedConfidence: whatever the slope of the edge, the bound of the share of passing runs is wrong in at most 5 % of all
// searches, within three standard errors of 2 000 searches.
func TestStatedConfidence(t *testing.T) {
	if testing.Short() {
		t.Skip("a simulation, which make test runs without the race detector")
	}
	const searches = 2000
	for _, width := range []float64{0.02, 0.2, 0.6} {
		for _, sweep := range []bool{false, true} {
			s := usual()
			if sweep {
				s.Levels = []float64{40, 60, 80, 90, 100, 110, 120, 140, 160, 200}
			}
			passes := func(level float64) float64 { return 1 / (1 + math.Exp(math.Log(level/100)/width)) }
			random := rand.New(rand.NewPCG(1, uint64(100*width)))
			wrong, levels := 0, 0.0
			for range searches {
				a := s.Answer(carry(t, s, func(level float64) results.Verdict {
					if random.Float64() < passes(level) {
						return results.Pass
					}
					return results.Fail
				}))
				if a.Inside == nil {
					continue
				}
				levels += *a.Inside / searches
				if a.Bound > passes(*a.Inside) {
					wrong++
				}
			}
			share, limit := float64(wrong)/searches, 0.05+3*math.Sqrt(0.05*0.95/searches)
			t.Logf("edge of width %g, sweep %v: bound wrong in %.2f %% of searches, mean answer %.0f", width, sweep, 100*share, levels)
			if share > limit {
				t.Errorf("edge of width %g, sweep %v: the bound is wrong in %.2f %% of searches", width, sweep, 100*share)
			}
		}
	}
}

// TestAnyHistory: whatever the verdicts, a search ends, keeps to its levels, and calls nothing inside that did not pass.
func TestAnyHistory(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := Search{From: rapid.Float64Range(0.1, 300).Draw(t, "from"), Step: rapid.SampledFrom([]float64{0.5, 1, 5, 10}).Draw(t, "step"),
			Resolution: rapid.Float64Range(0, 1).Draw(t, "resolution"), Repeats: rapid.IntRange(1, 6).Draw(t, "repeats"),
			Retries: rapid.IntRange(0, 3).Draw(t, "retries"), Confidence: 0.95}
		s.To = s.Step * float64(rapid.IntRange(1, 200).Draw(t, "to"))
		verdicts := rapid.SampledFrom([]results.Verdict{results.Pass, results.Fail, results.NoData, results.Invalid})
		history := carry(t, s, func(float64) results.Verdict { return verdicts.Draw(t, "verdict") })
		for i, o := range history {
			if o.Level < s.Step || o.Level > s.To || math.Abs(o.Level/s.Step-math.Round(o.Level/s.Step)) > 1e-9 {
				t.Fatalf("level %v of step %v up to %v", o.Level, s.Step, s.To)
			}
			if next := s.Next(history[:i]); next.Level != o.Level || next.Stage != o.Stage {
				t.Fatalf("the same history does not go on in the same way")
			}
		}
		a := s.Answer(history)
		if a.Inside == nil {
			return
		}
		tally := a.at(*a.Inside)
		if !a.Confirmed || tally.ConfirmingPass < s.Repeats || tally.ConfirmingFail > 0 {
			t.Fatalf("%g is called inside: %+v", *a.Inside, tally)
		}
	})
}
