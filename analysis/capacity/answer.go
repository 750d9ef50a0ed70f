package capacity

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// Answer is what a history shows.
type Answer struct {
	// Inside is the largest level that is inside the SLO; null when none was shown to be.
	Inside *float64 `json:"inside"`
	// Confirmed says that as many fresh runs as were asked for passed at it.
	Confirmed bool `json:"confirmed"`
	// Passed of Runs are the runs at Inside that count: the confirming ones (all of a sweep).
	Passed int `json:"passed"`
	Runs   int `json:"runs"`
	// Bound is the least share of runs at Inside that pass, with Confidence (one-sided).
	Bound      float64 `json:"bound"`
	Confidence float64 `json:"confidence"`
	// Candidates is how many levels were tried to be confirmed, one after another, for which Bound makes allowance.
	Candidates int `json:"candidates"`
	// Outside is the first level above Inside that is not inside; null when none was met.
	Outside *float64 `json:"outside"`
	// OutsideUndecided says that the runs there were invalid or had no data, and not that the SLO was violated.
	OutsideUndecided bool `json:"outsideUndecided"`
	OutsidePassed    int  `json:"outsidePassed"`
	OutsideRuns      int  `json:"outsideRuns"` // that passed or failed
	// OutsideBound is the largest share of runs at Outside that pass, with Confidence (one-sided).
	OutsideBound float64  `json:"outsideBound"`
	Levels       []Tally  `json:"levels"` // ascending
	Warnings     []string `json:"warnings,omitempty"`
}

// Answer judges a history. It can be asked at any time: what a search that was stopped has not confirmed is said not to be.
func (s Search) Answer(history []Outcome) Answer {
	a := Answer{Levels: tallies(history), Confidence: s.Confidence, OutsideBound: 1}
	if len(s.Levels) > 0 {
		s.answerSweep(&a)
	} else {
		s.answerSearch(&a, history)
	}
	if a.Outside != nil {
		t := a.at(*a.Outside)
		a.OutsidePassed, a.OutsideRuns = t.Pass, t.decided()
		a.OutsideBound = atMost(t.Pass, t.decided(), s.Confidence)
		a.OutsideUndecided = t.Fail == 0
	}
	a.violations()
	return a
}

func (a Answer) at(level float64) Tally {
	for _, t := range a.Levels {
		if t.Level == level {
			return t
		}
	}
	return Tally{Level: level}
}

// blank is the lowest level without a verdict, when there is no level with one.
func (a Answer) blank() *float64 {
	var lowest *float64
	for i := len(a.Levels) - 1; i >= 0; i-- {
		t := a.Levels[i]
		if t.decided() > 0 {
			return nil
		}
		// One that had too few samples says nothing of what gave out.
		if t.Invalid > 0 || lowest == nil {
			lowest = &a.Levels[i].Level
		}
	}
	return lowest
}

func (s Search) answerSearch(a *Answer, history []Outcome) {
	for _, t := range a.Levels {
		if t.ConfirmingPass+t.ConfirmingFail > 0 {
			a.Candidates++
		}
	}
	// What has only begun is neither: leave it out.
	settled := make([]Outcome, 0, len(history))
	for _, o := range history {
		if s.state(a.at(o.Level)) != unsettled {
			settled = append(settled, o)
		}
	}
	b := s.bracket(settled)
	if !math.IsInf(b.outside, 1) {
		a.Outside = &b.outside
	}
	if b.inside == 0 {
		return
	}
	t := a.at(b.inside)
	a.Inside, a.Confirmed = &b.inside, b.confirmed
	a.Passed, a.Runs = t.ConfirmingPass, t.ConfirmingPass+t.ConfirmingFail
	a.Bound = atLeast(a.Passed, a.Runs, s.share(max(a.Candidates, 1)))
}

// share is the confidence of the bound of the j-th level that is tried to be confirmed, from 1. How many there will be is not
// known when the first is tried, so the error that is allowed is spent in parts that add up to it however many there are
// (Bonferroni's inequality): 6/(π²j²) of it, as Σ1/j² = π²/6.
func (s Search) share(j int) float64 {
	return 1 - (1-s.Confidence)*6/(math.Pi*math.Pi*float64(j*j))
}

// Shows is the least share of runs that pass at a level all of whose Repeats runs did, with Confidence; of a search, at the
// first level that it tries to confirm.
func (s Search) Shows() float64 {
	if len(s.Levels) > 0 {
		return atLeast(s.Repeats, s.Repeats, s.Confidence)
	}
	return atLeast(s.Repeats, s.Repeats, s.share(1))
}

// answerSweep goes up the levels and stops at the first that did not pass in all its runs. Levels tested in a fixed order up
// to the first that fails need no allowance for their number (Maurer, Hothorn and Lehmacher 1995). Levels below all verdicts
// are passed over: too small a load has too few samples.
func (s Search) answerSweep(a *Answer) {
	for _, t := range a.Levels {
		inside := t.Fail == 0 && t.Pass >= s.Repeats
		switch {
		case inside:
			level := t.Level
			a.Inside, a.Confirmed, a.Passed, a.Runs = &level, true, t.Pass, t.decided()
			a.Bound = atLeast(t.Pass, t.decided(), s.Confidence)
		case a.Inside == nil && t.decided() == 0:
			a.Warnings = append(a.Warnings, fmt.Sprintf("level %g has no verdict in %s", t.Level, count(t.undecided(), "run")))
		case t.Fail == 0 && t.undecided() <= s.Retries && t.Pass < s.Repeats:
			a.Warnings = append(a.Warnings, fmt.Sprintf("level %g has %d of its %d runs: the sweep did not come to its end", t.Level, t.Pass, s.Repeats))
			return
		default:
			level := t.Level
			a.Outside = &level
			return
		}
	}
}

// violations reports levels that did worse than a higher one: the answer takes for granted that more load is never easier.
func (a *Answer) violations() {
	for i, low := range a.Levels {
		for _, high := range a.Levels[i+1:] {
			if low.Fail > low.Pass && high.Pass > high.Fail {
				a.Warnings = append(a.Warnings, fmt.Sprintf("level %g passed %d of %d runs and the higher level %g passed %d of %d: more load did better, so that the edge is uncertain",
					low.Level, low.Pass, low.decided(), high.Level, high.Pass, high.decided()))
			}
		}
	}
}

// atLeast is the one-sided lower Clopper-Pearson bound of a probability of which k of n were seen; for k = n it is
// (1−confidence)^(1/n).
func atLeast(k, n int, confidence float64) float64 {
	if k == 0 {
		return 0
	}
	return distuv.Beta{Alpha: float64(k), Beta: float64(n - k + 1)}.Quantile(1 - confidence)
}

// atMost is the one-sided upper bound.
func atMost(k, n int, confidence float64) float64 {
	if k >= n {
		return 1
	}
	return distuv.Beta{Alpha: float64(k + 1), Beta: float64(n - k)}.Quantile(confidence)
}
