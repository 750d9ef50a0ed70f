package capacity

import (
	"fmt"
	"math"
	"slices"

	"windtunnel/results"
)

// Stage is what a run of a search is for.
type Stage string

// The stages. A sweep has only runs of its own; a search explores, refines and confirms.
const (
	Explore Stage = "explore" // doubling or halving, until the edge is between two levels
	Refine  Stage = "refine"  // halving what is between them
	Confirm Stage = "confirm" // fresh runs at the largest level that passed: what the confidence is stated of
	Sweep   Stage = "sweep"   // every level of a list
)

// Search is what is looked for, and how. Levels are multiples of Step.
type Search struct {
	From float64 `json:"from"` // the first level that is tried
	To   float64 `json:"to"`   // no level above is
	Step float64 `json:"step"` // the smallest difference between levels, and the lowest level
	// Resolution is how near the edge has to be found, as a share of the level: the first level outside is at most this much
	// above the largest inside (or one step).
	Resolution float64 `json:"resolution"`
	// Levels makes it a sweep: each of them is run Repeats times, in rounds, and nothing is searched.
	Levels []float64 `json:"levels,omitempty"`
	// Repeats is how many runs in a row have to pass at a level.
	Repeats int `json:"repeats"`
	// Retries is how many more runs a level gets for those that were invalid or had no data.
	Retries int `json:"retries"`
	// Confidence is that of every bound, such as 0.95.
	Confidence float64 `json:"confidence"`
}

// Outcome is one run of the history.
type Outcome struct {
	Level   float64         `json:"level"`
	Stage   Stage           `json:"stage"`
	Verdict results.Verdict `json:"verdict"`
	// Failed says that the run never came to its measured phases: the environment or a time-out ended it.
	Failed bool `json:"failed,omitempty"`
}

// Next is what to do after a history: run a level, or stop and say why.
type Next struct {
	Level float64 `json:"level"`
	Stage Stage   `json:"stage"`
	Done  bool    `json:"done"`
	Why   string  `json:"why"`
}

// Check says what is wrong with a search, nil when it can be carried out.
func (s Search) Check() error {
	switch {
	case !(s.Step > 0) || !(s.From > 0) || s.To < s.Step || !(s.To >= s.From):
		return fmt.Errorf("a search goes in steps above 0 from a level above 0 up to one that is not smaller: step %g, from %g, to %g", s.Step, s.From, s.To)
	case s.Repeats < 1 || s.Retries < 0 || !(s.Resolution >= 0) || !(s.Confidence > 0 && s.Confidence < 1):
		return fmt.Errorf("a search has at least 1 repeat, 0 retries, a resolution of 0 and a confidence between 0 and 1: %d, %d, %g, %g", s.Repeats, s.Retries, s.Resolution, s.Confidence)
	}
	for i, level := range s.Levels {
		if !(level > 0) || slices.Contains(s.Levels[:i], level) {
			return fmt.Errorf("the levels of a sweep are more than 0 and differ: %v", s.Levels)
		}
	}
	return nil
}

// First is the level that a search begins at.
func (s Search) First() float64 { return min(max(s.snap(s.From), s.Step), s.Last()) }

// Last is the highest level that a search may try.
func (s Search) Last() float64 { return s.snap(math.Floor(s.To/s.Step+1e-9) * s.Step) }

// growth is the factor of the exploration.
const growth = 2

// Next is a pure function of the history: an interrupted search goes on where it was.
func (s Search) Next(history []Outcome) Next {
	if len(s.Levels) > 0 {
		return s.nextOfSweep(history)
	}
	b := s.bracket(history)
	switch {
	case b.open != nil:
		stage := Explore
		if b.inside > 0 && !math.IsInf(b.outside, 1) {
			stage = Refine
		}
		return Next{Level: *b.open, Stage: stage, Why: "its last runs did not settle it"}
	case b.inside == 0 && math.IsInf(b.outside, 1):
		return s.blindly(b)
	case b.inside == 0:
		return s.down(b)
	case math.IsInf(b.outside, 1) && b.inside < s.Last():
		return Next{Level: min(s.Last(), s.snap(b.inside*growth)), Stage: Explore, Why: "everything up to here passed"}
	case !math.IsInf(b.outside, 1) && b.outside-b.inside > max(s.Step, s.Resolution*b.inside)*(1+1e-9):
		return Next{Level: s.between(b.inside, b.outside), Stage: Refine, Why: fmt.Sprintf("the edge is between %g and %g", b.inside, b.outside)}
	case !b.confirmed:
		return Next{Level: b.inside, Stage: Confirm, Why: "the largest level that passed"}
	}
	return Next{Done: true, Level: b.inside, Why: "the edge is found and confirmed"}
}

// bracket is what a history says about the edge.
type bracket struct {
	inside    float64  // largest level below outside that passed; 0: none
	outside   float64  // smallest that did not; +Inf: none
	blank     float64  // largest level that gives no verdict while nothing has passed below it; 0: none
	confirmed bool     // inside is confirmed
	open      *float64 // a level that was begun and is not settled
}

func (s Search) bracket(history []Outcome) bracket {
	b := bracket{outside: math.Inf(1)}
	levels := tallies(history)
	for _, t := range levels { // ascending
		switch s.state(t) {
		case unsettled:
			b.open = &t.Level
			return b
		case stateInside, stateConfirmed:
			if t.Level < b.outside {
				b.inside, b.confirmed = t.Level, s.state(t) == stateConfirmed
			}
		case stateOutside:
			b.outside = min(b.outside, t.Level)
		case stateBlank:
			if b.inside > 0 || t.failed() { // load that the harness cannot bring or judge is not inside; what does not come up will not with more
				b.outside = min(b.outside, t.Level)
			} else if math.IsInf(b.outside, 1) {
				b.blank = t.Level
			}
		}
	}
	return b
}

// blindly goes on when no level has had a verdict: upwards, for a load that is too small has too few samples.
func (s Search) blindly(b bracket) Next {
	switch {
	case b.blank == 0:
		return Next{Level: s.First(), Stage: Explore, Why: "the first"}
	case b.blank < s.Last():
		return Next{Level: min(s.Last(), s.snap(b.blank*growth)), Stage: Explore, Why: fmt.Sprintf("at %g there is no verdict", b.blank)}
	}
	return Next{Done: true, Why: "no level gave a verdict"}
}

// down goes on when every level that was tried is outside.
func (s Search) down(b bracket) Next {
	floor := b.blank
	switch {
	case b.outside-floor <= s.Step*(1+1e-9):
		return Next{Done: true, Why: fmt.Sprintf("even the lowest level that can be judged, %g, is not inside", b.outside)}
	case floor > 0:
		return Next{Level: s.between(floor, b.outside), Stage: Explore, Why: fmt.Sprintf("%g is outside and at %g there is no verdict", b.outside, floor)}
	}
	return Next{Level: max(s.Step, math.Floor(b.outside/growth/s.Step+1e-9)*s.Step), Stage: Explore, Why: fmt.Sprintf("%g is outside", b.outside)}
}

// between is a level strictly between two, the geometric mean where that is one.
func (s Search) between(low, high float64) float64 {
	return s.snap(min(max(s.snap(math.Sqrt(low*high)), low+s.Step), high-s.Step))
}

// snap is the nearest multiple of Step.
func (s Search) snap(level float64) float64 { return math.Round(level/s.Step) * s.Step }

// nextOfSweep goes round the levels, so that a sweep that is stopped has something of each and slow changes of the machine
// meet all levels alike.
func (s Search) nextOfSweep(history []Outcome) Next {
	byLevel := map[float64]Tally{}
	for _, t := range tallies(history) {
		byLevel[t.Level] = t
	}
	for round := range s.Repeats {
		for _, level := range s.Levels {
			t := byLevel[level]
			if t.decided() <= round && t.undecided() <= s.Retries {
				return Next{Level: level, Stage: Sweep, Why: fmt.Sprintf("round %d of %d", round+1, s.Repeats)}
			}
		}
	}
	return Next{Done: true, Why: "every level has its runs"}
}

// Tally counts the verdicts of the runs at one level.
type Tally struct {
	Level   float64 `json:"level"`
	Pass    int     `json:"pass"`
	Fail    int     `json:"fail"`
	NoData  int     `json:"noData"`
	Invalid int     `json:"invalid"`
	// Failed are those of Invalid that never came to their measured phases.
	Failed int `json:"failed"`
	// Confirming are those of Pass and Fail that ran to confirm the level.
	ConfirmingPass int `json:"confirmingPass"`
	ConfirmingFail int `json:"confirmingFail"`
}

func (t Tally) decided() int   { return t.Pass + t.Fail }
func (t Tally) undecided() int { return t.NoData + t.Invalid }

// failed says that most runs without a verdict never came to their measured phases.
func (t Tally) failed() bool { return 2*t.Failed > t.undecided() }

// tallies are the levels of a history, ascending. A run that was not judged tells as little as one without data.
func tallies(history []Outcome) []Tally {
	by := map[float64]*Tally{}
	var levels []float64
	for _, o := range history {
		t := by[o.Level]
		if t == nil {
			t = &Tally{Level: o.Level}
			by[o.Level] = t
			levels = append(levels, o.Level)
		}
		confirming := 0
		if o.Stage == Confirm {
			confirming = 1
		}
		switch o.Verdict {
		case results.Pass:
			t.Pass++
			t.ConfirmingPass += confirming
		case results.Fail:
			t.Fail++
			t.ConfirmingFail += confirming
		case results.Invalid:
			t.Invalid++
			if o.Failed {
				t.Failed++
			}
		default:
			t.NoData++
		}
	}
	slices.Sort(levels)
	all := make([]Tally, len(levels))
	for i, level := range levels {
		all[i] = *by[level]
	}
	return all
}

// state is what the runs at a level say of it.
type state int

const (
	unsettled state = iota // more runs are needed
	stateInside
	stateConfirmed
	stateOutside
	stateBlank // its runs were invalid or had no data, and it has had its retries
)

// votes is how many runs decide while exploring: a first pass is believed, because it will be confirmed; a first failure is
// not, because nothing would ever correct it. Then the majority of three counts.
const votes = 3

func (s Search) state(t Tally) state {
	pass, fail := t.Pass-t.ConfirmingPass, t.Fail-t.ConfirmingFail
	need := 1
	if s.Repeats >= votes {
		need = votes/2 + 1
	}
	switch {
	case t.ConfirmingFail > 0, fail >= need:
		return stateOutside
	case t.ConfirmingPass >= s.Repeats:
		return stateConfirmed
	case t.undecided() > s.Retries:
		return stateBlank
	case pass > 0 && fail == 0, pass >= need:
		return stateInside
	}
	return unsettled
}
