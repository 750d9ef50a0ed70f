package cl2

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"windtunnel/profiles"
)

// Compile makes of a test what the harness executes, on a cluster as Cluster gives it. It goes through all steps first, as Plan does; the
// error is a *profiles.Problems.
func (t *Test) Compile(cluster *profiles.Profile) (*profiles.Plan, error) {
	outline, err := t.Plan()
	if err != nil {
		return nil, err
	}
	planner, err := t.Planner()
	if err != nil {
		return nil, err
	}
	planner.marked = cluster.ControlPlane.AmongReal()
	profile := *cluster
	profile.Name = nameOf(t)
	plan, err := profiles.Compile(&profile)
	if err != nil {
		return nil, err
	}
	plan.Script = &profiles.Script{
		Source: profiles.ScriptSource{Name: t.Config.Name, Identifier: t.Identifier, Path: t.Path},
		Steps:  &script{test: t, planner: planner, on: profile.ControlPlane}, Namespaces: t.namespaces(), Pods: outline.PeakPods, Length: outline.Duration(),
		Claims: t.claims(), Use: t.use(outline), Notes: t.notes(),
	}
	if f := t.Config.ChaosMonkey.NodeFailure; f != nil {
		plan.Script.Faults = f.faults(t.Config.ChaosMonkey.ExcludedNodes)
	}
	return plan, nil
}

// nameOf is the name of a test as one of a run, which is in names of directories and labels. The files that the original names after a
// test have its own name.
func nameOf(t *Test) string {
	text := t.Config.Name
	if t.Identifier != "" {
		text += "-" + t.Identifier
	}
	var name []byte
	for _, b := range bytes.ToLower([]byte(text)) {
		switch {
		case b >= 'a' && b <= 'z', b >= '0' && b <= '9':
			name = append(name, b)
		case len(name) > 0 && name[len(name)-1] != '-':
			name = append(name, '-')
		}
	}
	const longest = 40
	name = bytes.Trim(name[:min(len(name), longest)], "-")
	if len(name) == 0 {
		return "clusterloader2"
	}
	return string(name)
}

// namespaces are those that the test makes.
func (t *Test) namespaces() profiles.ScriptNamespaces {
	n := t.Config.Namespace
	s := profiles.ScriptNamespaces{
		Prefix: n.Prefix, Existing: n.EnableExistingNamespaces, Delete: n.DeleteAutomanagedNamespaces, Timeout: time.Duration(n.DeleteNamespaceTimeout),
	}
	for i := range n.Number {
		s.Names = append(s.Names, n.Prefix+"-"+strconv.Itoa(i+1))
	}
	return s
}

// claims tells whether some objects ask for volumes, by what stands in their templates.
func (t *Test) claims() bool {
	for _, m := range t.manifests {
		for _, text := range []string{"PersistentVolumeClaim", "volumeClaimTemplate"} {
			if bytes.Contains(m.template.file.data, []byte(text)) {
				return true
			}
		}
	}
	return false
}

// faults are the failures of nodes as the harness makes them.
func (f *NodeFailure) faults(except []string) *profiles.ScriptFaults {
	return &profiles.ScriptFaults{
		Fraction: f.FailureRate, Interval: time.Duration(f.Interval), Jitter: f.JitterFactor, For: time.Duration(f.SimulatedDowntime), Except: except,
	}
}

// script gives the steps of a test to the harness.
type script struct {
	test    *Test
	planner *Planner
	on      profiles.ControlPlane
}

// Next implements profiles.ScriptSteps.
func (s *script) Next(count func(profiles.Count) (int, error)) (*profiles.ScriptStep, error) {
	planned, err := s.planner.Next(count)
	if err != nil {
		return nil, err
	}
	step := &profiles.ScriptStep{Number: planned.Number, Name: planned.Name, Module: planned.Module}
	for _, phase := range planned.Phases {
		step.Batches = append(step.Batches, phase.Batch)
		step.Err = errors.Join(step.Err, phase.Err)
	}
	for _, m := range planned.Measurements {
		one, err := s.measure(m)
		if err != nil {
			return nil, err
		}
		step.Measures = append(step.Measures, one)
	}
	return step, nil
}

// measure is a call of a measurement as the harness carries it out.
func (s *script) measure(m PlannedMeasurement) (profiles.Measure, error) {
	t := s.test
	text, err := json.Marshal(t.recorded(m))
	if err != nil {
		return profiles.Measure{}, fmt.Errorf("write the parameters of %s as JSON: %w", m.Method, err)
	}
	one := profiles.Measure{Method: m.Method, Identifier: m.Identifier, Action: m.Action, Params: text, Skip: m.Skip}
	if m.Skip != "" {
		return one, nil
	}
	if method, ok := t.methodNamed(m.Method); ok {
		one.Scrape = method.Needs == "prometheus" || method.Needs == "ssh"
	}
	one.Act, one.Fatal = t.act(m)
	switch {
	case one.Act == nil:
	case one.Act.Restart != nil && !s.on.Made():
		one.Act, one.Scrape, one.Skip = nil, false, notOurs
	case one.Act.Nodes != nil && s.on.AmongReal(): // the test's nodes are the hollow ones
		one.Act.Nodes.Selection.Labels = strings.Trim(one.Act.Nodes.Selection.Labels+","+profiles.LabelHollow, ",")
	}
	return one, nil
}
