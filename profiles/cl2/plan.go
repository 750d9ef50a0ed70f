package cl2

import (
	"errors"
	"io"
	"time"

	"windtunnel/profiles"
)

// Plan is what a test does, step by step, as far as it can be told without a cluster.
type Plan struct {
	// Name is the test's.
	Name string `json:"name"`
	// Identifier is that of its scenario, if it belongs to a suite.
	Identifier string `json:"identifier,omitempty"`
	// Nodes is the number of nodes that it is made for.
	Nodes int `json:"nodes"`
	// Seed makes every random choice.
	Seed uint64 `json:"seed"`
	// Namespace are the namespaces that are made before the first step and deleted after the last.
	Namespace Namespace `json:"namespace"`
	// ChaosMonkey breaks nodes during the steps.
	ChaosMonkey ChaosMonkey `json:"chaosMonkey"`
	// Steps are carried out one after another.
	Steps []*PlannedStep `json:"steps"`
	// PeakPods is the largest number of pods that the objects ask for at one time, when all of a step's new ones come before its
	// old ones go.
	PeakPods int `json:"peakPods"`
}

// PlannedStep is a step with what it does.
type PlannedStep struct {
	// Number counts from 1.
	Number int `json:"number"`
	// Name is for people.
	Name string `json:"name"`
	// Module is the file that the step comes from; empty for the config itself.
	Module string `json:"module,omitempty"`
	// Duration is how long the paces and sleeps take, without what the system needs to answer and what is waited for.
	Duration time.Duration `json:"duration"`
	// Measurements are called side by side.
	Measurements []PlannedMeasurement `json:"measurements,omitempty"`
	// Phases are carried out side by side.
	Phases []PlannedPhase `json:"phases,omitempty"`
}

// PlannedMeasurement is a call of a measurement.
type PlannedMeasurement struct {
	// Method, Identifier and Action say what is called.
	Method     string `json:"method"`
	Identifier string `json:"identifier"`
	Action     string `json:"action,omitempty"`
	// Params are all parameters.
	Params Params `json:"params,omitempty"`
	// Skip says why it cannot be measured on hollow nodes; empty where it can.
	Skip string `json:"skip,omitempty"`
}

// PlannedPhase is a phase with what it does.
type PlannedPhase struct {
	// TuningSet names the pace, which is that of the batch.
	TuningSet string `json:"tuningSet"`
	// Namespaces are where the objects are; one empty name stands for the cluster.
	Namespaces []string `json:"namespaces"`
	// Replicas is the count in each of them afterwards.
	Replicas int `json:"replicas"`
	// Counts are the LISTs by which the phase learns how many objects there are. Without a cluster they count none.
	Counts []profiles.Count `json:"counts,omitempty"`
	// Err is what went wrong when it was planned during a run: a count that failed, or why there are no actions.
	Err error `json:"-"`
	// Batch is what is done.
	profiles.Batch
}

// Plan goes through all steps as the run would. The error is a *profiles.Problems with what keeps the test from running.
func (t *Test) Plan() (*Plan, error) {
	planner, err := t.Planner()
	if err != nil {
		return nil, err
	}
	plan := &Plan{
		Name: t.Config.Name, Identifier: t.Identifier, Nodes: t.Nodes, Seed: t.Seed,
		Namespace: t.Config.Namespace, ChaosMonkey: t.Config.ChaosMonkey,
	}
	for {
		step, err := planner.Next(nil)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		plan.Steps = append(plan.Steps, step)
	}
	plan.PeakPods = planner.peakPods
	return plan, t.Err()
}

// Duration is how long all steps take by their paces and sleeps.
func (p *Plan) Duration() time.Duration {
	total := time.Duration(0)
	for _, s := range p.Steps {
		total += s.Duration
	}
	return total
}

// Operations are how many there are by verb and kind, those on the automanaged namespaces not among them.
func (p *Plan) Operations() map[profiles.OperationVerb]map[string]int {
	all := map[profiles.OperationVerb]map[string]int{}
	p.each(func(o profiles.Operation) {
		if all[o.Verb] == nil {
			all[o.Verb] = map[string]int{}
		}
		all[o.Verb][o.Resource.Kind]++
	})
	return all
}

// Requests are how many there are by verb and resource, as in "POST pods", those for the automanaged namespaces and the LISTs of counts
// among them.
func (p *Plan) Requests() map[string]int {
	all := map[string]int{}
	p.each(func(o profiles.Operation) {
		for _, verb := range o.Requests() {
			all[verb+" "+o.Resource.Name]++
		}
	})
	for _, s := range p.Steps {
		for _, phase := range s.Phases {
			for _, c := range phase.Counts {
				all[profiles.VerbList+" "+c.Resource.Name]++
			}
		}
	}
	all[profiles.VerbPost+" namespaces"] += p.Namespace.Number
	if p.Namespace.DeleteAutomanagedNamespaces {
		all[profiles.VerbDelete+" namespaces"] += p.Namespace.Number
	}
	return all
}

func (p *Plan) each(visit func(o profiles.Operation)) {
	for _, s := range p.Steps {
		for _, phase := range s.Phases {
			for _, a := range phase.Actions {
				for _, o := range a.Operations {
					visit(o)
				}
			}
		}
	}
}
