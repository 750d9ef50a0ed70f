package stages

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// Next chooses what happens next to an object: one of the stages that select it, by weight, and when. ok is false when no stage
// selects it. The object is what JSON decodes to, whole numbers being int64; it is read only. The same random numbers give the same
// answer. An error is that of a CEL expression.
func (l *Lifecycle) Next(object map[string]any, now time.Time, random *rand.Rand) (t Transition, ok bool, err error) {
	if l == nil {
		return Transition{}, false, nil
	}
	seen, at := view{value: object}, moment{now, random}
	stage, err := l.choose(&seen, at)
	if stage == nil || err != nil {
		return Transition{}, false, err
	}
	wait, err := stage.delay.draw(&seen, at)
	if err != nil {
		return Transition{}, false, fmt.Errorf("stage %s: %w", stage.Name, err)
	}
	return Transition{Stage: stage, Due: now.Add(wait), Delay: wait}, true, nil
}

// mostInPlace is how many candidates are chosen from without memory of their own.
const mostInPlace = 8

// choose picks one of the matching stages; nil when there is none.
func (l *Lifecycle) choose(object *view, at moment) (*Stage, error) {
	var room [mostInPlace]*Stage
	matching := room[:0]
	for _, s := range l.stages {
		fits, err := s.matches(object, at)
		if err != nil {
			return nil, err
		}
		if fits {
			matching = append(matching, s)
		}
	}
	switch len(matching) {
	case 0:
		return nil, nil
	case 1:
		return matching[0], nil
	}
	return pick(matching, object, at)
}

// pick takes a stage by weight. Stages whose weight the object leaves open come into play only when all do; weights that are all 0
// are equal.
func pick(matching []*Stage, object *view, at moment) (*Stage, error) {
	var room [mostInPlace]int64
	weights := room[:0]
	var total int64
	weighted := 0
	for _, s := range matching {
		w, ok, err := s.weight.weight(object, at)
		if err != nil {
			return nil, fmt.Errorf("stage %s: %w", s.Name, err)
		}
		if !ok {
			w = -1
		} else {
			total += w
			weighted++
		}
		weights = append(weights, w)
	}
	if weighted == 0 {
		return matching[at.random.IntN(len(matching))], nil
	}
	if total == 0 {
		n := at.random.IntN(weighted)
		for i, w := range weights {
			if w < 0 {
				continue
			}
			if n == 0 {
				return matching[i], nil
			}
			n--
		}
	}
	n := at.random.Int64N(total)
	for i, w := range weights {
		if n < w {
			return matching[i], nil
		}
		n -= max(w, 0)
	}
	return nil, fmt.Errorf("weights of %d stages do not add up", len(matching)) // unreachable: n is less than their sum
}

func (s *Stage) matches(object *view, at moment) (bool, error) {
	if s.selector == nil {
		return false, nil
	}
	ok, err := s.selector.matches(object, at)
	if err != nil {
		return false, fmt.Errorf("stage %s: %w", s.Name, err)
	}
	return ok, nil
}

// Candidates are the stages that Next could choose for an object, in the order of the documents.
func (l *Lifecycle) Candidates(object map[string]any, now time.Time, random *rand.Rand) ([]Candidate, error) {
	if l == nil {
		return nil, nil
	}
	seen, at := view{value: object}, moment{now, random}
	var all []Candidate
	var total int64
	weighted := 0
	for _, s := range l.stages {
		fits, err := s.matches(&seen, at)
		if err != nil {
			return nil, err
		}
		if !fits {
			continue
		}
		c := Candidate{Stage: s}
		if c.Weight, c.Weighted, err = s.weight.weight(&seen, at); err != nil {
			return nil, fmt.Errorf("stage %s: %w", s.Name, err)
		}
		if c.Delay, err = s.delay.span(&seen, at); err != nil {
			return nil, fmt.Errorf("stage %s: %w", s.Name, err)
		}
		if c.Weighted {
			total += c.Weight
			weighted++
		}
		all = append(all, c)
	}
	return possible(all, total, weighted), nil
}

// possible leaves out what cannot be chosen.
func possible(all []Candidate, total int64, weighted int) []Candidate {
	if len(all) < 2 || weighted == 0 {
		return all
	}
	var kept []Candidate
	for _, c := range all {
		if c.Weighted && (total == 0 || c.Weight > 0) {
			kept = append(kept, c)
		}
	}
	return kept
}

// Delayed tells whether the stage waits at all, if only for nothing.
func (s *Stage) Delayed() bool { return s.delay != nil }
