package stages

import (
	"fmt"
	"slices"
	"time"

	"windtunnel/profiles"
)

// Stage is one compiled document: which objects it is for, how long it waits, and what it does. It is not changed after Parse and may
// be used by several goroutines.
type Stage struct {
	// Name is the document's.
	Name string
	// For is the kind of the objects.
	For Resource
	// Immediate makes what comes after this stage be chosen from what the API server answered, without waiting for a watch to
	// deliver it (immediateNextStage).
	Immediate bool
	// Notes say what KWOK would pass over without a word, such as a stage that no object can reach.
	Notes []profiles.Problem

	selector *selector // nil selects nothing
	weight   source
	delay    *delay
	steps    []action
	renderer *renderer
	at       profiles.Problem // where the document is
}

// Resource is the version and kind of objects: v1 and Pod.
type Resource struct {
	// APIVersion is the group and version as objects write it: v1, apps/v1.
	APIVersion string
	// Kind is the kind.
	Kind string
}

// String is v1/Pod.
func (r Resource) String() string { return r.APIVersion + "/" + r.Kind }

// ResourceOf reads the version and kind of an object.
func ResourceOf(object map[string]any) Resource {
	version, _ := object["apiVersion"].(string)
	kind, _ := object["kind"].(string)
	return Resource{version, kind}
}

// Set is the stages of a life cycle, by what they are for.
type Set struct {
	lives map[Resource]*Lifecycle
}

// NewSet groups stages. Two of the same name for the same objects are an error, a *profiles.Problems.
func NewSet(all ...*Stage) (*Set, error) {
	s := &Set{lives: map[Resource]*Lifecycle{}}
	var problems []profiles.Problem
	for _, stage := range all {
		life := s.lives[stage.For]
		if life == nil {
			life = &Lifecycle{Resource: stage.For}
			s.lives[stage.For] = life
		}
		if old := life.Stage(stage.Name); old != nil {
			p := stage.at
			p.Path, p.Message = "metadata.name", fmt.Sprintf("there are two stages %q for %s", stage.Name, stage.For)
			p.Hint = fmt.Sprintf("the other is at %s:%d", old.at.File, old.at.Line)
			problems = append(problems, p)
			continue
		}
		life.stages = append(life.stages, stage)
	}
	if len(problems) > 0 {
		return nil, &profiles.Problems{List: problems}
	}
	return s, nil
}

// Resources are what the set has stages for, sorted.
func (s *Set) Resources() []Resource {
	byName := map[string]Resource{}
	for r := range s.lives {
		byName[r.String()] = r
	}
	var all []Resource
	for _, name := range sortedKeys(byName) {
		all = append(all, byName[name])
	}
	return all
}

// For is the life cycle of a kind of objects; nil when the set has no stage for them.
func (s *Set) For(r Resource) *Lifecycle { return s.lives[r] }

// Lifecycle is the stages for one kind of objects. A nil one leaves every object as it is.
type Lifecycle struct {
	// Resource is the kind of the objects.
	Resource Resource

	stages []*Stage // in the order of the documents
}

// Stage finds a stage by its name; nil when there is none.
func (l *Lifecycle) Stage(name string) *Stage {
	for _, s := range l.stages {
		if s.Name == name {
			return s
		}
	}
	return nil
}

// Transition is what happens next to an object.
type Transition struct {
	// Stage is the stage that was chosen.
	Stage *Stage
	// Due is when to carry it out. It is not after now where the delay is an instant of the object that has passed.
	Due time.Time
	// Delay is what was drawn: Due less now.
	Delay time.Duration
}

// Candidate is a stage that could come next.
type Candidate struct {
	// Stage is the stage.
	Stage *Stage
	// Weight is its share beside the other candidates' weights; 0 for all gives every one the same chance.
	Weight int64
	// Weighted is false where the object should have named the weight and did not, in which case the others go first.
	Weighted bool
	// Delay is what its delay is taken from.
	Delay Range
}

// Does tells whether one of the stage's steps is of this verb.
func (s *Stage) Does(v Verb) bool {
	return slices.ContainsFunc(s.steps, func(a action) bool { return a.Verb == v })
}

// Impersonates tells whether one of the stage's requests goes out in somebody else's name.
func (s *Stage) Impersonates() bool {
	return slices.ContainsFunc(s.steps, func(a action) bool { return a.As != "" })
}

// Problem says what is wrong with the stage as a whole, at its name, for those who carry out only some of what stages can do.
func (s *Stage) Problem(hint, format string, args ...any) profiles.Problem {
	p := s.at
	p.Path, p.Message, p.Hint = "metadata.name", fmt.Sprintf("the stage %s ", s.Name)+fmt.Sprintf(format, args...), hint
	return p
}
