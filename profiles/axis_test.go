package profiles

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// axisProfile has a number of every kind to set.
const axisProfile = `
apiVersion: windtunnel/v1alpha1
kind: Profile
name: axis
hollowNodes: {count: 4}
objects:
  space: {manifest: {apiVersion: v1, kind: Namespace}}
  web:
    in: space
    manifest:
      apiVersion: apps/v1
      kind: Deployment
      spec: {replicas: 3, selector: {matchLabels: {a: "${name}"}}, template: {metadata: {labels: {a: "${name}"}}, spec: {containers: [{name: c, image: d}]}}}
phases:
  - name: only
    measured: true
    tracks:
      - name: one
        steps:
          - reconcile: {object: space, count: 1}
          - pause: 10s
slo: {judged: false}
axes:
  size:
    to: 100
    step: 0.5
    set:
      hollowNodes.count: level * 2
      hollowNodes.qps: hollowNodes.burst / level - -1
      objects.web.manifest.spec.replicas: round(level * objects.web.manifest.spec.replicas / 2)
      phases[0].tracks[0].steps[1].pause: max(phases[0].tracks[0].steps[1].pause, 4 * level)
`

func TestAtLevel(t *testing.T) {
	p, err := Load("axis.yaml", []byte(axisProfile), []string{"hollowNodes.burst=10"})
	if err != nil {
		t.Fatal(err)
	}
	if a := p.Axes["size"]; a.From != 1 || a.Step != 0.5 {
		t.Errorf("defaults of the axis: %+v", a)
	}
	sets, err := p.AtLevel("size", 3.5)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"hollowNodes.count=7", "hollowNodes.qps=3.85714285714", "objects.web.manifest.spec.replicas=5", "phases[0].tracks[0].steps[1].pause=14s"}
	if diff := cmp.Diff(want, sets); diff != "" {
		t.Error(diff)
	}
	at, err := Load("axis.yaml", []byte(axisProfile), sets)
	if err != nil {
		t.Fatal(err)
	}
	if at.HollowNodes.Count != 7 || at.Phases[0].Tracks[0].Steps[1].Pause.String() != "14s" {
		t.Errorf("the profile at 3.5 has %d nodes and a pause of %s", at.HollowNodes.Count, at.Phases[0].Tracks[0].Steps[1].Pause)
	}
	if _, err := p.AtLevel("sise", 1); err == nil || !strings.Contains(err.Error(), "did you mean size?") {
		t.Errorf("an axis that is not there: %v", err)
	}
}

// TestFractionOfANode: a level that gives a field a value that it cannot have is refused when it is loaded.
func TestFractionOfANode(t *testing.T) {
	p, err := Load("axis.yaml", []byte(axisProfile), nil)
	if err != nil {
		t.Fatal(err)
	}
	sets, err := p.AtLevel("size", 1.25)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Load("axis.yaml", []byte(axisProfile), sets); err == nil || !strings.Contains(err.Error(), "must be a whole number, not the number 2.5") {
		t.Errorf("2.5 nodes: %v", err)
	}
}

// TestBuiltinAxes: every built-in profile is whole at both ends of each of its axes, and different.
func TestBuiltinAxes(t *testing.T) {
	count := 0
	for _, name := range Builtins() {
		data, _ := Builtin(name)
		p, err := Load(name, data, nil)
		if err != nil {
			t.Fatal(err)
		}
		for axis, a := range p.Axes {
			count++
			for _, level := range []float64{a.From, a.To} {
				sets, err := p.AtLevel(axis, level)
				if err != nil {
					t.Errorf("%s: %v", name, err)
					continue
				}
				at, err := Load(name, data, sets)
				if err != nil {
					t.Errorf("%s %s at %g: %v", name, axis, level, err)
					continue
				}
				if _, err := Compile(at); err != nil {
					t.Errorf("%s %s at %g: %v", name, axis, level, err)
				}
				if a.From != a.To && cmp.Equal(p.Phases, at.Phases) && cmp.Equal(p.HollowNodes, at.HollowNodes) && cmp.Equal(p.Objects, at.Objects) && level == a.To {
					t.Errorf("%s %s at %g changes nothing", name, axis, level)
				}
			}
		}
	}
	if count < 5 {
		t.Errorf("only %d axes", count)
	}
}

// TestDensityAxis: the paper's question. 20 pods a second, never more, and as many pods on each node as the level says,
// whatever the number of nodes.
func TestDensityAxis(t *testing.T) {
	data, _ := Builtin("density")
	for _, c := range []struct {
		nodes     string
		level     float64
		pods      int
		perSecond float64
	}{{"100", 10, 1000, 1000.0 / 150}, {"100", 30, 3000, 20}, {"100", 60, 6000, 20}, {"50", 60, 3000, 20}} {
		base := []string{"hollowNodes.count=" + c.nodes}
		p, err := Load("density", data, base)
		if err != nil {
			t.Fatal(err)
		}
		sets, err := p.AtLevel("podsPerNode", c.level)
		if err != nil {
			t.Fatal(err)
		}
		p, err = Load("density", data, append(base, sets...))
		if err != nil {
			t.Fatal(err)
		}
		plan, err := Compile(p)
		if err != nil {
			t.Fatal(err)
		}
		step := p.Phases[1].Tracks[0].Steps[0].Reconcile
		each := plan.Objects["web"].Pods
		if step.Count*each != c.pods {
			t.Errorf("%s nodes at %g: %d pods, want %d", c.nodes, c.level, step.Count*each, c.pods)
		}
		if rate := step.Arrivals.Rate * float64(each); rate < c.perSecond-0.01 || rate > c.perSecond+0.01 {
			t.Errorf("%s nodes at %g: %g pods a second, want %g", c.nodes, c.level, rate, c.perSecond)
		}
	}
}
