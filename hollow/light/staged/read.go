// Package staged lets stages decide the life of pods on light nodes.
package staged

import (
	"windtunnel/hollow/stages"
	"windtunnel/profiles"
)

// pods are what light nodes carry out stages for: their own Nodes they report themselves.
var pods = stages.Resource{APIVersion: "v1", Kind: "Pod"}

// Read reads the stages of a profile as one set and checks that light nodes can carry all of it out. The error is a
// *profiles.Problems with everything that is wrong.
func Read(texts []profiles.StageSource) (*stages.Set, error) {
	var all []*stages.Stage
	problems := &profiles.Problems{}
	for _, text := range texts {
		some, err := stages.Parse(text.Name, []byte(text.Text))
		if err := problems.Join(err); err != nil {
			return nil, err
		}
		for _, s := range some {
			problems.List = append(problems.List, unfit(s)...)
		}
		all = append(all, some...)
	}
	set, err := stages.NewSet(all...)
	if err := problems.Join(err); err != nil {
		return nil, err
	}
	if len(problems.List) > 0 {
		return nil, problems
	}
	return set, nil
}

// unfit is what a light node could not do.
func unfit(s *stages.Stage) []profiles.Problem {
	var all []profiles.Problem
	if s.For != pods {
		all = append(all, s.Problem("light nodes report their own Nodes, and windtunnel runs the controllers of the other objects: take it away", "is for %s, not for pods", s.For))
	}
	if s.Does(stages.Apply) {
		all = append(all, s.Problem("a node writes its pods only", "applies another object"))
	}
	if s.Impersonates() {
		all = append(all, s.Problem("take the impersonation away: a node writes in its own name", "writes in somebody else's name"))
	}
	return all
}
