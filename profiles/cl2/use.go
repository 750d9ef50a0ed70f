package cl2

import (
	"fmt"
	"slices"

	"windtunnel/profiles"
)

// use is what a test does to a cluster.
func (t *Test) use(outline *Plan) profiles.ScriptUse {
	u := profiles.ScriptUse{Operations: map[profiles.Resource][]profiles.OperationVerb{}}
	allow := func(r profiles.Resource, verbs ...profiles.OperationVerb) {
		for _, verb := range verbs {
			if !slices.Contains(u.Operations[r], verb) {
				u.Operations[r] = append(u.Operations[r], verb)
			}
		}
	}
	namespaces, _ := profiles.ResourceFor("v1", "Namespace")
	allow(namespaces, profiles.OperationCreate, profiles.OperationDelete)
	u.MostRequests = outline.Namespace.Number // one after another, but as fast as they are answered
	outline.each(func(o profiles.Operation) { allow(o.Resource, o.Verb) })
	for _, s := range outline.Steps {
		u.MostRequests = max(u.MostRequests, s.mostRequests())
		for _, phase := range s.Phases {
			for _, c := range phase.Counts { // what is done depends on the answer
				allow(c.Resource, profiles.OperationCreate, profiles.OperationPatch, profiles.OperationDelete)
				u.Reads = append(u.Reads, c.Resource)
			}
			if phase.Pace.ClosedLoop() && len(phase.Actions)+len(phase.Counts) > 0 && u.Unpaced == "" {
				u.Unpaced = fmt.Sprintf("step %d, tuning set %s", s.Number, phase.TuningSet)
			}
		}
		for _, m := range s.Measurements {
			if act, _ := t.act(m); act != nil && m.Skip == "" {
				u.Reads = append(u.Reads, act.Reads()...)
			}
		}
	}
	return u
}

// mostRequests is how many requests the phases of a step plan within one second at most, closed loops left out. All requests of an action
// count at its instant.
func (s *PlannedStep) mostRequests() int {
	within := map[int]int{} // by the second
	for _, phase := range s.Phases {
		if phase.Pace.ClosedLoop() {
			continue
		}
		for _, a := range phase.Actions {
			for _, o := range a.Operations {
				within[int(a.At.Seconds())] += len(o.Requests())
			}
		}
	}
	most := 0
	for _, n := range within {
		most = max(most, n)
	}
	return most
}
