package cl2

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"windtunnel/profiles"
)

// Planner goes through the steps of a test one by one, with the counts of the objects as the steps before leave them. A run asks
// it for a step when the one before has ended, because some phases first count what is in the cluster.
type Planner struct {
	test     *Test
	next     int
	state    map[stateKey]int
	pods     map[podKey]int // of each instance
	current  int            // pods
	peakPods int
	planned  int  // operations so far
	marked   bool // the objects are: there are others' beside them
}

// stateKey is what ClusterLoader2 keeps a count for.
type stateKey struct{ namespace, basename, kind, group string }

// podKey is an object that brings pods.
type podKey struct {
	stateKey
	index int
}

// mostOperations bounds a plan.
const mostOperations = 5_000_000

// Planner begins with the first step. The error is a *profiles.Problems with what keeps the test from running.
func (t *Test) Planner() (*Planner, error) {
	if err := t.Err(); err != nil {
		return nil, err
	}
	return &Planner{test: t, state: map[stateKey]int{}, pods: map[podKey]int{}}, nil
}

// Next plans the next step. count asks the cluster how many objects there are; nil takes it that there are none, and the test is only
// looked at. The error is io.EOF after the last step, and without a cluster a *profiles.Problems with what cannot be planned. With one,
// the test goes on, as in ClusterLoader2: what failed is the Err of its phase.
func (p *Planner) Next(count func(profiles.Count) (int, error)) (*PlannedStep, error) {
	if p.next >= len(p.test.Config.Steps) {
		return nil, io.EOF
	}
	s := p.test.Config.Steps[p.next]
	p.next++
	step := &PlannedStep{Number: p.next, Name: s.Name, Module: s.Module}
	for _, m := range s.Measurements {
		method, _ := p.test.methodNamed(m.Method)
		step.Measurements = append(step.Measurements, PlannedMeasurement{
			Method: m.Method, Identifier: m.Identifier, Action: m.action(), Params: m.Params, Skip: method.Skip,
		})
		step.Duration = max(step.Duration, m.sleep())
	}
	most := p.current
	for _, phase := range s.Phases {
		before := p.current
		planned, err := p.phase(phase, count)
		switch {
		case err != nil && count == nil:
			return nil, err
		case err != nil: // nothing of the phase is carried out
			planned.Err, planned.Actions = errors.Join(planned.Err, err), nil
		}
		most += max(p.current-before, 0)
		step.Phases = append(step.Phases, planned)
	}
	p.peakPods = max(p.peakPods, most)
	p.pace(step)
	return step, nil
}

// sleep is how long the measurement only waits.
func (m *Measurement) sleep() time.Duration {
	if m.Method != "Sleep" {
		return 0
	}
	text, _ := m.Params["duration"].(string)
	d, _ := time.ParseDuration(text) // has been checked
	return max(d, 0)
}

// namespaces are those of a phase; one empty name stands for the cluster.
func (p *Planner) namespaces(phase *Phase) []string {
	switch {
	case phase.NamespaceList != nil:
		return phase.NamespaceList
	case phase.NamespaceRange == nil:
		return []string{""}
	}
	basename := p.test.Config.Namespace.Prefix
	if phase.NamespaceRange.Basename != nil {
		basename = *phase.NamespaceRange.Basename
	}
	var all []string
	for i := phase.NamespaceRange.Min; i <= phase.NamespaceRange.Max; i++ {
		all = append(all, basename+"-"+strconv.Itoa(i))
	}
	return all
}

// member is an object of a bundle in a namespace.
type member struct {
	object   *Object
	manifest *manifest
	key      stateKey
	current  int
}

// phase plans the actions of a phase, without their instants.
func (p *Planner) phase(phase *Phase, count func(profiles.Count) (int, error)) (PlannedPhase, error) {
	planned := PlannedPhase{TuningSet: phase.TuningSet, Namespaces: p.namespaces(phase), Replicas: phase.ReplicasPerNamespace}
	for _, set := range p.test.Config.TuningSets {
		if set.Name == phase.TuningSet { // of several with one name the last one counts
			planned.Pace = set.Pace
		}
	}
	var reached []stateKey
	for _, namespace := range planned.Namespaces {
		members, err := p.members(phase, namespace, &planned, count)
		if err != nil {
			return planned, err
		}
		if len(members) == 0 {
			break
		}
		actions, err := p.reconcile(members, namespace, phase.ReplicasPerNamespace)
		if err != nil {
			return planned, err
		}
		planned.Actions = append(planned.Actions, actions...)
		for _, m := range members {
			reached = append(reached, m.key)
		}
	}
	for _, key := range reached {
		p.state[key] = phase.ReplicasPerNamespace
	}
	return planned, nil
}

// members are the objects of a phase's bundle with their counts, all of which must be the same.
func (p *Planner) members(phase *Phase, namespace string, planned *PlannedPhase, count func(profiles.Count) (int, error)) ([]member, error) {
	var all []member
	for _, o := range phase.ObjectBundle {
		m, err := p.test.manifestAt(o.ObjectTemplatePath)
		if err != nil {
			return nil, fmt.Errorf("read the template of %s: %w", o.Basename, err)
		}
		key := stateKey{namespace, o.Basename, m.raw[0].kind, m.raw[0].group()}
		current, known := p.state[key]
		if !known && o.CountBy != "" {
			question := profiles.Count{Resource: m.raw[0].resource(namespace != ""), Namespace: namespace, Selector: o.CountBy}
			planned.Counts = append(planned.Counts, question)
			if count != nil {
				if current, err = count(question); err != nil {
					current = 0 // as ClusterLoader2 takes it
					planned.Err = errors.Join(planned.Err, fmt.Errorf("count %s of %s, which are taken to be none: %w", question.Resource.Name, o.Basename, err))
				}
			}
		}
		if len(all) > 0 && all[0].current != current {
			const uneven = "the objects of a bundle are made and deleted together, but there are %d of %s and %d of %s"
			numbers := []any{all[0].current, all[0].object.Basename, current, o.Basename}
			if count != nil {
				return nil, fmt.Errorf("the phase is left out: "+uneven, numbers...)
			}
			p.test.found.add(phase.node.place("objectBundle"), phase.path, "bring them to one count in phases of their own first", uneven, numbers...)
			return nil, p.failed()
		}
		all = append(all, member{object: o, manifest: m, key: key, current: current})
	}
	return all, nil
}

// failed is the problems of the test as an error.
func (p *Planner) failed() error {
	if err := p.test.Err(); err != nil {
		return err
	}
	return errReported
}

// reconcile plans what brings the bundle to a count in one namespace: deletions from the count upwards, patches of all when the
// count is right already, or creations up to the count.
func (p *Planner) reconcile(members []member, namespace string, want int) ([]profiles.Action, error) {
	var actions []profiles.Action
	add := func(verb profiles.OperationVerb, from, to int) error {
		for index := from; index < to; index++ {
			action, err := p.action(verb, members, namespace, index)
			if err != nil {
				return err
			}
			actions = append(actions, action)
			if p.planned += len(action.Operations); p.planned > mostOperations {
				return fmt.Errorf("the test has more than %d operations", mostOperations)
			}
		}
		return nil
	}
	current := members[0].current
	var err error
	switch {
	case current > want:
		err = add(profiles.OperationDelete, want, current)
	case current == want:
		err = add(profiles.OperationPatch, 0, want)
	default:
		err = add(profiles.OperationCreate, current, want)
	}
	return actions, err
}

// action plans one replica of the bundle. A deletion goes through it backwards, and by the kinds of the template as it is written.
func (p *Planner) action(verb profiles.OperationVerb, members []member, namespace string, index int) (profiles.Action, error) {
	var a profiles.Action
	for i := range members {
		m := members[i]
		if verb == profiles.OperationDelete {
			m = members[len(members)-1-i]
			for _, meta := range m.manifest.raw {
				a.Operations = append(a.Operations, profiles.Operation{
					Verb: verb, Resource: meta.resource(namespace != ""), Namespace: namespace, Name: fmt.Sprintf("%s-%d", m.object.Basename, index),
				})
			}
			p.account(m.key, index, 0)
			continue
		}
		from := instance{object: m.object, namespace: namespace, index: index, step: p.next}
		list, err := p.test.objects(m.manifest, from)
		if err != nil {
			if !errors.Is(err, errReported) {
				p.test.templateFailed(m.manifest.template, from.name(), err)
			}
			return a, p.failed()
		}
		pods := 0
		for n, x := range list {
			pods += x.pods
			a.Operations = append(a.Operations, profiles.Operation{
				Verb: verb, Resource: x.resource(namespace != ""), Namespace: namespace, Name: from.name(), Body: p.test.bodyOf(m.manifest, from, n, p.marked),
			})
		}
		p.account(m.key, index, pods)
	}
	return a, nil
}

// account keeps the number of pods.
func (p *Planner) account(key stateKey, index, pods int) {
	k := podKey{key, index}
	p.current += pods - p.pods[k]
	if pods == 0 {
		delete(p.pods, k)
		return
	}
	p.pods[k] = pods
}

// pace gives the actions of a step their instants. Phases of one step that share a bucket draw from it in turn, and find it full.
func (p *Planner) pace(step *PlannedStep) {
	shared := map[string][]*PlannedPhase{}
	for i := range step.Phases {
		phase := &step.Phases[i]
		if phase.Pace.Kind == profiles.PaceBucket {
			shared[phase.TuningSet] = append(shared[phase.TuningSet], phase)
			continue
		}
		at, length := phase.Pace.Instants(len(phase.Actions), profiles.StreamSeed(p.test.Seed, "step", ordinal(step.Number), i))
		phase.Length = length
		for j := range phase.Actions {
			phase.Actions[j].At = at[j]
		}
		step.Duration = max(step.Duration, length)
	}
	for _, phases := range shared {
		step.Duration = max(step.Duration, shareBucket(phases))
	}
}

// shareBucket deals the instants of one bucket out to phases in turn. It gives the last one.
func shareBucket(phases []*PlannedPhase) time.Duration {
	total := 0
	for _, phase := range phases {
		total += len(phase.Actions)
	}
	at, length := phases[0].Pace.Instants(total, 0)
	for turn, next := 0, 0; next < total; turn++ {
		for _, phase := range phases {
			if turn < len(phase.Actions) {
				phase.Actions[turn].At, phase.Length = at[next], at[next]
				next++
			}
		}
	}
	return length
}
