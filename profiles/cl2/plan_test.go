package cl2

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"windtunnel/profiles"
)

// options are those of most tests: real files, 20 nodes, seed 1.
func options() Options {
	return Options{Read: os.ReadFile, List: names, Nodes: 20, Seed: 1}
}

func names(dir string) []string {
	var all []string
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

func mustPlan(t testing.TB, path string, o Options) *Plan {
	t.Helper()
	plan, err := Read(path, o).Plan()
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

const small = "testdata/small/config.yaml"

// TestPlan reckons the plan of a test that has every part of the format, by hand: 2 namespaces of 4 bundles, of whose policies
// those with the numbers 0 and 3 render to an object.
func TestPlan(t *testing.T) {
	test := Read(small, options())
	for _, p := range test.Problems() {
		t.Errorf("unexpected: %v", p)
	}
	plan, err := test.Plan()
	if err != nil {
		t.Fatal(err)
	}
	type row struct {
		Name, Module string
		Duration     time.Duration
		Calls        []string
		Phases       []string // operations of each
	}
	var got []row
	for _, s := range plan.Steps {
		r := row{Name: s.Name, Module: s.Module, Duration: s.Duration}
		for _, m := range s.Measurements {
			r.Calls = append(r.Calls, m.Method+"/"+m.Identifier+"/"+m.Action)
		}
		for _, p := range s.Phases {
			r.Phases = append(r.Phases, summary(p))
		}
		got = append(got, r)
	}
	calls := func(action string) []string {
		return []string{"WaitForControlledPodsRunning/Deployments/" + action, "WaitForControlledPodsRunning/Jobs/" + action, "APIResponsivenessPrometheus/Calls/" + action}
	}
	want := []row{
		{Name: "starting", Module: "/modules/measurements.yaml", Calls: calls("start")},
		{Name: "Create", Duration: got[1].Duration, Phases: []string{"8 actions: create Deployment 8, create NetworkPolicy 4"}},
		{Name: "Extra", Duration: 300 * time.Millisecond, Phases: []string{"3 actions: create PriorityClass 3", "2 actions: create PriorityClass 2"}},
		{Name: "Scale", Duration: 1600 * time.Millisecond, Phases: []string{"8 actions: patch Deployment 8, patch NetworkPolicy 4"}},
		{Name: "Pause", Duration: 90 * time.Second, Calls: []string{"Sleep/pause/"}},
		{Name: "Delete", Phases: []string{"6 actions: delete Deployment 6, delete NetworkPolicy 6", "0 actions: "}},
		{Name: "gathering", Module: "modules/measurements.yaml", Calls: calls("gather")},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
	if d := plan.Steps[1].Duration; d <= 0 || d >= 8*time.Second {
		t.Errorf("the objects are scattered over 8s, but the last comes at %v", d)
	}
	counts := plan.Steps[5].Phases[1].Counts
	if len(counts) != 2 || counts[1] != (profiles.Count{Resource: counts[0].Resource, Namespace: "other-b", Selector: "group=small,tier in (a,b)"}) || counts[0].Resource.Name != "persistentvolumeclaims" {
		t.Errorf("counts %+v", counts)
	}
	requests := map[string]int{
		"POST namespaces": 2, "DELETE namespaces": 2, "POST deployments": 8, "POST networkpolicies": 4, "POST priorityclasses": 5, "LIST persistentvolumeclaims": 2,
		"GET deployments": 8, "PATCH deployments": 8, "GET networkpolicies": 4, "PATCH networkpolicies": 4, "DELETE deployments": 6, "DELETE networkpolicies": 6,
	}
	if diff := cmp.Diff(requests, plan.Requests()); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
	if plan.PeakPods < 8*5 || plan.PeakPods > 8*10 {
		t.Errorf("8 deployments of 5 to 10 pods have %d", plan.PeakPods)
	}
	if ns := plan.Namespace; ns.Number != 2 || !strings.HasPrefix(ns.Prefix, "test-") || len(ns.Prefix) != 11 || ns.DeleteNamespaceTimeout != profiles.Duration(20*time.Minute) {
		t.Errorf("namespaces %+v", ns)
	}
}

// summary is what a phase does, in words.
func summary(p PlannedPhase) string {
	counts := map[string]int{}
	for _, a := range p.Actions {
		for _, o := range a.Operations {
			counts[string(o.Verb)+" "+o.Resource.Kind]++
		}
	}
	var parts []string
	for key, n := range counts {
		parts = append(parts, key+" "+ordinal(n))
	}
	slices.Sort(parts)
	return ordinal(len(p.Actions)) + " actions: " + strings.Join(parts, ", ")
}

// TestBundleOrder: a bundle is made in its order and deleted backwards, by the kinds of its templates as they are written, and the
// youngest replicas go.
func TestBundleOrder(t *testing.T) {
	plan := mustPlan(t, small, options())
	kinds := func(a profiles.Action) string {
		var all []string
		for _, o := range a.Operations {
			all = append(all, o.Resource.Kind+" "+o.Namespace[len(o.Namespace)-2:]+" "+o.Name)
		}
		return strings.Join(all, ", ")
	}
	if got, want := kinds(plan.Steps[1].Phases[0].Actions[3]), "NetworkPolicy -1 web-3, Deployment -1 web-3"; got != want {
		t.Errorf("created: %s, want %s", got, want)
	}
	deleted := plan.Steps[5].Phases[0].Actions
	if got, want := kinds(deleted[0]), "Deployment -1 web-1, NetworkPolicy -1 web-1"; got != want {
		t.Errorf("deleted first: %s, want %s", got, want)
	}
	if got, want := kinds(deleted[5]), "Deployment -2 web-3, NetworkPolicy -2 web-3"; got != want {
		t.Errorf("deleted last: %s, want %s", got, want)
	}
}

// TestSharedBucket: phases that share a globalQPSLoad draw from it in turn.
func TestSharedBucket(t *testing.T) {
	var got [][]time.Duration
	for _, p := range mustPlan(t, small, options()).Steps[2].Phases {
		var at []time.Duration
		for _, a := range p.Actions {
			at = append(at, a.At/time.Millisecond)
		}
		got = append(got, at)
	}
	if diff := cmp.Diff([][]time.Duration{{0, 100, 300}, {0, 200}}, got); diff != "" {
		t.Errorf("instants in ms (-want +got):\n%s", diff)
	}
}

type deployment struct {
	Metadata struct{ Name, GenerateName, Namespace string }
	Spec     struct {
		Replicas int
		Template struct {
			Metadata struct{ Annotations map[string]string }
		}
	}
}

func body(t testing.TB, o profiles.Operation) (string, deployment) {
	t.Helper()
	data, err := o.Body("")
	if err != nil {
		t.Fatal(err)
	}
	var d deployment
	if err := json.Unmarshal(data, &d); err != nil {
		t.Fatal(err)
	}
	return string(data), d
}

// TestBodies: objects have the names that the test gives them, in the same seed the same content, also from many goroutines, and a
// patch draws the random values anew.
func TestBodies(t *testing.T) {
	plan, again := mustPlan(t, small, options()), mustPlan(t, small, options())
	other := options()
	other.Seed = 2
	others := mustPlan(t, small, other)
	pods, differ, redrawn := 0, 0, 0
	for i, a := range plan.Steps[1].Phases[0].Actions {
		o := a.Operations[len(a.Operations)-1]
		text, d := body(t, o)
		if d.Metadata.Name != o.Name || d.Metadata.Namespace != o.Namespace || d.Metadata.GenerateName != "" || d.Spec.Template.Metadata.Annotations["namespace"] != o.Namespace {
			t.Errorf("%s in %s has the metadata %+v", o.Name, o.Namespace, d.Metadata)
		}
		if n := d.Spec.Replicas; n < 5 || n > 10 || len(d.Spec.Template.Metadata.Annotations["noise"]) != 100 {
			t.Errorf("%s has %d replicas and the noise %q", o.Name, n, d.Spec.Template.Metadata.Annotations["noise"])
		}
		pods += d.Spec.Replicas
		var group sync.WaitGroup
		for range 4 {
			group.Go(func() {
				same := again.Steps[1].Phases[0].Actions[i].Operations
				if got, err := same[len(same)-1].Body(""); err != nil || string(got) != text {
					t.Errorf("the same seed gives %s (%v) and %s", got, err, text)
				}
			})
		}
		group.Wait()
		otherOps := others.Steps[1].Phases[0].Actions[i].Operations
		if otherText, _ := body(t, otherOps[len(otherOps)-1]); strings.ReplaceAll(otherText, others.Namespace.Prefix, plan.Namespace.Prefix) != text {
			differ++
		}
		patch := plan.Steps[3].Phases[0].Actions[i].Operations
		if patchText, _ := body(t, patch[len(patch)-1]); patchText != text {
			redrawn++
		}
	}
	if pods != plan.PeakPods {
		t.Errorf("the bodies ask for %d pods, the plan says %d", pods, plan.PeakPods)
	}
	if differ != 8 || redrawn != 8 {
		t.Errorf("another seed changes %d bodies and a patch %d, want all 8", differ, redrawn)
	}
}

// TestCounting: with a cluster to ask, a phase deletes what it finds.
func TestCounting(t *testing.T) {
	planner, err := Read(small, options()).Planner()
	if err != nil {
		t.Fatal(err)
	}
	var last *PlannedStep
	for {
		step, err := planner.Next(func(c profiles.Count) (int, error) { return len(c.Namespace) - 4, nil })
		if err != nil {
			break
		}
		if step.Name == "Delete" {
			last = step
		}
	}
	if got, want := summary(last.Phases[1]), "6 actions: delete PersistentVolumeClaim 6"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// TestUnevenBundle: members of a bundle that have come to different counts cannot be brought to one together.
func TestUnevenBundle(t *testing.T) {
	dir := t.TempDir()
	const header = "name: uneven\ntuningSets: [{name: one, parallelismLimitedLoad: {parallelismLimit: 1}}]\nsteps:\n"
	const step = "- phases:\n  - tuningSet: one\n    replicasPerNamespace: "
	path := filepath.Join(dir, "config.yaml")
	writeFile(t, path, header+step+"1\n    objectBundle: [{basename: a, objectTemplatePath: a.yaml}]\n"+
		step+"2\n    objectBundle:\n    - {basename: a, objectTemplatePath: a.yaml}\n    - {basename: b, objectTemplatePath: a.yaml}\n")
	writeFile(t, filepath.Join(dir, "a.yaml"), "apiVersion: v1\nkind: Namespace\n")
	_, err := Read(path, options()).Plan()
	if err == nil || !strings.Contains(err.Error(), "config.yaml:12:5: steps[1].phases[0]") || !strings.Contains(err.Error(), "1 of a and 0 of b") {
		t.Errorf("error %v", err)
	}
}

// TestPlanningErrors: what only a count shows is the error of its phase, and the test goes on: a count that fails is none, and of a bundle
// with different counts nothing is carried out, so that its counts stay.
func TestPlanningErrors(t *testing.T) {
	dir := t.TempDir()
	const header = "name: uneven\ntuningSets: [{name: one, parallelismLimitedLoad: {parallelismLimit: 1}}]\nsteps:\n"
	const step = "- phases:\n  - tuningSet: one\n    replicasPerNamespace: 1\n    objectBundle:\n"
	const counted = "    - {basename: %s, objectTemplatePath: a.yaml, listUnknownObjectOptions: {labelSelector: {matchLabels: {app: %[1]s}}}}\n"
	const plain = "    - {basename: %s, objectTemplatePath: a.yaml}\n"
	path := filepath.Join(dir, "config.yaml")
	writeFile(t, path, header+step+fmt.Sprintf(counted, "failing")+step+fmt.Sprintf(plain, "fresh")+fmt.Sprintf(counted, "three")+step+fmt.Sprintf(plain, "fresh"))
	writeFile(t, filepath.Join(dir, "a.yaml"), "apiVersion: v1\nkind: Namespace\n")
	cluster, err := Cluster(nil)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := Read(path, options()).Compile(cluster)
	if err != nil {
		t.Fatal(err)
	}
	for number, want := range []struct {
		actions int
		err     string
	}{
		{1, "count namespaces of failing, which are taken to be none: no answer"},
		{0, "the phase is left out: the objects of a bundle are made and deleted together, but there are 0 of fresh and 3 of three"},
		{1, ""},
	} {
		step, err := plan.Script.Steps.Next(func(c profiles.Count) (int, error) {
			if c.Selector == "app=failing" {
				return 0, errors.New("no answer")
			}
			return 3, nil
		})
		if err != nil {
			t.Fatalf("step %d ends the test: %v", number+1, err)
		}
		text := ""
		if step.Err != nil {
			text = step.Err.Error()
		}
		if text != want.err || len(step.Batches[0].Actions) != want.actions {
			t.Errorf("step %d has %d actions and the error %q, want %d and %q", step.Number, len(step.Batches[0].Actions), text, want.actions, want.err)
		}
	}
}
