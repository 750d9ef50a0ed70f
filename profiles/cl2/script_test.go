package cl2

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"windtunnel/profiles"
)

// compiled goes through all steps of a test as the harness does.
func compiled(t *testing.T, path string, seed uint64) (*profiles.Plan, []*profiles.ScriptStep) {
	t.Helper()
	cluster, err := Cluster([]string{"hollowNodes.count=20", "seed=" + ordinal(int(seed))})
	if err != nil {
		t.Fatal(err)
	}
	o := options()
	o.Seed = seed
	plan, err := Read(path, o).Compile(cluster)
	if err != nil {
		t.Fatal(err)
	}
	var steps []*profiles.ScriptStep
	for {
		step, err := plan.Script.Steps.Next(func(profiles.Count) (int, error) { return 2, nil })
		if errors.Is(err, io.EOF) {
			return plan, steps
		}
		if err != nil {
			t.Fatal(err)
		}
		steps = append(steps, step)
	}
}

// bodies are all objects that a test makes, in its order.
func bodies(t *testing.T, steps []*profiles.ScriptStep) []string {
	t.Helper()
	var all []string
	for _, step := range steps {
		for _, b := range step.Batches {
			for _, a := range b.Actions {
				for _, o := range a.Operations {
					text := string(o.Verb) + " " + o.Resource.Name + " " + o.Namespace + "/" + o.Name
					if o.Body != nil {
						body, err := o.Body("")
						if err != nil {
							t.Fatal(err)
						}
						text += " " + string(body)
					}
					all = append(all, text)
				}
			}
		}
	}
	return all
}

// TestCompile: a test becomes a plan with a script, which is the same for the same seed, object by object.
func TestCompile(t *testing.T) {
	plan, steps := compiled(t, small, 7)
	if plan.Profile.Name != "small" || len(plan.Phases) != 1 || !plan.Phases[0].Measured || plan.Profile.Seed != 7 {
		t.Errorf("profile %q, seed %d, phases %+v", plan.Profile.Name, plan.Profile.Seed, plan.Phases)
	}
	s := plan.Script
	if len(s.Namespaces.Names) != 2 || !s.Namespaces.Delete || s.Namespaces.Existing || s.Namespaces.Timeout != 20*time.Minute || !s.Claims || s.Faults != nil {
		t.Errorf("script %+v", s)
	}
	if e := plan.Estimate(); e.Pods != s.Pods || e.Duration != s.Length || e.Pods == 0 {
		t.Errorf("estimate %+v of a script of %d pods and %v", e, s.Pods, s.Length)
	}
	first := bodies(t, steps)
	_, again := compiled(t, small, 7)
	if diff := cmp.Diff(first, bodies(t, again)); diff != "" || len(first) < 40 {
		t.Errorf("%d operations, the second time others:\n%s", len(first), diff)
	}
	_, other := compiled(t, small, 8)
	if cmp.Equal(first, bodies(t, other)) {
		t.Error("another seed gives the same objects")
	}
	deleted := steps[5].Batches[1].Actions
	if len(deleted) != 4 || deleted[3].Operations[0].Name != "left-1" {
		t.Errorf("the LISTs found 2 claims in each of 2 namespaces; deleted is %+v", deleted)
	}
}

// TestSource: a run keeps a test's own names for its files, whatever letters they have; its directory has a name of its own.
func TestSource(t *testing.T) {
	const path = "test/config.yaml"
	config := "name: Huge/Service_" + strings.Repeat("x", 50) + "\nsteps:\n- measurements: [{method: Sleep, identifier: s, params: {duration: 1s}}]\n"
	tests, err := ReadSuite("suite.yaml", Options{Nodes: 20, Seed: 1, Read: memory(map[string]string{path: config, "suite.yaml": "- {identifier: Two, configPath: " + path + "}\n"})})
	if err != nil {
		t.Fatal(err)
	}
	cluster, err := Cluster(nil)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := tests[0].Compile(cluster)
	if err != nil {
		t.Fatal(err)
	}
	want := profiles.ScriptSource{Name: "Huge/Service_" + strings.Repeat("x", 50), Identifier: "Two", Path: path}
	if plan.Script.Source != want || plan.Profile.Name != "huge-service-"+strings.Repeat("x", 27) {
		t.Errorf("source %+v, profile %q", plan.Script.Source, plan.Profile.Name)
	}
}

// TestCompileForOthers: among others' objects a test's carry the run's label and run on hollow nodes, which are the nodes that it waits for;
// what is not ours to break is left alone; and it is known before what the test does.
func TestCompileForOthers(t *testing.T) {
	test := reading(map[string]string{"test/config.yaml": `name: x
tuningSets: [{name: even, qpsLoad: {qps: 2}}, {name: fast, parallelismLimitedLoad: {parallelismLimit: 1}}]
steps:
- phases:
  - {namespaceRange: {min: 1, max: 1}, replicasPerNamespace: 4, tuningSet: even, objectBundle: [{basename: p, objectTemplatePath: pod.yaml}]}
  - {namespaceRange: {min: 1, max: 1}, replicasPerNamespace: 4, tuningSet: even, objectBundle: [{basename: q, objectTemplatePath: pod.yaml}]}
- measurements:
  - {method: WaitForNodes, identifier: n, params: {minDesiredNodeCount: 1, maxDesiredNodeCount: 1, labelSelector: a = b}}
  - {method: WaitForFinishedJobs, identifier: j, params: {action: start}}
  - {method: RestartApiserver, identifier: r}
- phases:
  - {namespaceRange: {min: 1, max: 1}, replicasPerNamespace: 4, tuningSet: fast, objectBundle: [{basename: q, objectTemplatePath: pod.yaml}]}
`, "test/pod.yaml": "{apiVersion: v1, kind: Pod, metadata: {name: x}}\n"}, nil)
	cluster, err := Cluster([]string{"controlPlane.provider=existing", "controlPlane.existing.kubeconfig=/k", "controlPlane.existing.image=i"})
	if err != nil {
		t.Fatal(err)
	}
	plan, err := test.Compile(cluster)
	if err != nil {
		t.Fatal(err)
	}
	use := plan.Script.Use
	pods, _ := profiles.ResourceFor("v1", "Pod")
	jobs, _ := profiles.ResourceFor("batch/v1", "Job")
	if got := use.Operations[pods]; !slices.Equal(got, []profiles.OperationVerb{"create", "patch"}) || !slices.Contains(use.Reads, jobs) ||
		use.MostRequests != 4 || use.Unpaced != "step 3, tuning set fast" {
		t.Errorf("use %+v", use)
	}
	step, err := plan.Script.Steps.Next(nil)
	if err != nil {
		t.Fatal(err)
	}
	body, err := step.Batches[0].Actions[0].Operations[0].Body("r")
	if err != nil || !strings.Contains(string(body), `"windtunnel/run":"r"`) {
		t.Errorf("%s, %v", body, err)
	}
	if step, err = plan.Script.Steps.Next(nil); err != nil {
		t.Fatal(err)
	}
	if nodes := step.Measures[0].Act.Nodes; nodes.Selection.Labels != "a = b,windtunnel/hollow" {
		t.Errorf("it waits for nodes of %q", nodes.Selection.Labels)
	}
	if r := step.Measures[2]; r.Act != nil || !strings.Contains(r.Skip, "belongs to somebody else") {
		t.Errorf("restart %+v", r)
	}
}

// TestPrograms: containers that are to do something are warned of once, and the run says so; pause is simulated whole.
func TestPrograms(t *testing.T) {
	test := reading(map[string]string{"test/config.yaml": "name: x\n" + tuningSets + createPods, "test/pod.yaml": `apiVersion: v1
kind: Pod
metadata: {name: "{{.Name}}"}
spec:
  initContainers: [{name: i, image: registry.k8s.io/pause:3.9}]
  containers: [{name: a, image: "example.org/pause/load:v1"}, {name: b, image: pause}]
`}, nil)
	cluster, err := Cluster(nil)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := test.Compile(cluster)
	if err != nil {
		t.Fatal(err)
	}
	const want = "hollow nodes run no containers: what example.org/pause/load:v1 would do in the pods of the test is not done"
	if notes := plan.Script.Notes; len(notes) != 1 || notes[0] != want {
		t.Errorf("notes %q", notes)
	}
	list := test.Problems()
	if len(list) != 1 || list[0].Message != want || list[0].Severity != profiles.Warning || list[0].Line != 6 || list[0].Column != 33 {
		t.Errorf("problems %+v", list)
	}
}

// constrained are the files of a test that names one of constraints.
func constrained(constraints string) map[string]string {
	files := map[string]string{"test/config.yaml": `name: x
steps:
- measurements:
  - {method: ResourceUsageSummary, identifier: r, params: {action: start, resourceConstraints: limits/some.yaml}}
  - {method: TestMetrics, identifier: t, params: {action: start, resourceConstraints: limits/some.yaml}}
- measurements:
  - {method: ResourceUsageSummary, identifier: r, params: {action: gather, resourceConstraints: never/read.yaml}}
  - {method: ResourceUsageSummary, identifier: other, params: {action: start, resourceConstraints: ""}}
`}
	if constraints != "" {
		files["test/limits/some.yaml"] = constraints
	}
	return files
}

// TestConstraints: the run has what a file of constraints says for its number of nodes, and the plan its name.
func TestConstraints(t *testing.T) {
	test := reading(constrained("kube-apiserver:\n  cpuConstraint: {{DivideFloat .Nodes 8}}\n  MemoryConstraint: 104857600\n{{if gt .Nodes 100}}etcd: {cpuConstraint: 1}{{end}}\n"), nil)
	cluster, err := Cluster([]string{"hollowNodes.count=20"})
	if err != nil {
		t.Fatal(err)
	}
	plan, err := test.Compile(cluster)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for range 2 {
		step, err := plan.Script.Steps.Next(nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range step.Measures {
			got = append(got, string(m.Params))
		}
	}
	const limits = `{"action":"start","resourceConstraints":"{\"kube-apiserver\":{\"cpuConstraint\":2.5,\"memoryConstraint\":104857600}}"}`
	if diff := cmp.Diff([]string{limits, limits, `{"action":"gather","resourceConstraints":"never/read.yaml"}`, `{"action":"start","resourceConstraints":""}`}, got); diff != "" {
		t.Errorf("parameters (-want +got):\n%s", diff)
	}
	outline, err := test.Plan()
	if err != nil || outline.Steps[0].Measurements[0].Params["resourceConstraints"] != "limits/some.yaml" {
		t.Errorf("%+v, %v", outline, err)
	}
}

func TestConstraintsMistakes(t *testing.T) {
	for constraints, want := range map[string]string{
		"": "test/config.yaml:4:96: there is no file of constraints limits/some.yaml: file does not exist",
		"kube-apiserver: {cpuConstraint: much}\n": "test/limits/some.yaml:1:1: a file of constraints has cpuConstraint",
		"- a\n":                   "test/limits/some.yaml:1:1: a file of constraints has cpuConstraint",
		"a: {{Nothing .Nodes}}\n": "test/limits/some.yaml:1:6: there is no function Nothing",
	} {
		test := reading(constrained(constraints), nil)
		var found []string
		for _, p := range test.Problems() {
			found = append(found, fmt.Sprintf("%s:%d:%d: %s", p.File, p.Line, p.Column, p.Message))
		}
		if test.Err() == nil || !slices.ContainsFunc(found, func(text string) bool { return strings.HasPrefix(text, want) }) {
			t.Errorf("%q: %q, want %s", constraints, found, want)
		}
	}
}

// TestActs: what calls of measurements do, with the limits of ClusterLoader2 where the config names none.
func TestActs(t *testing.T) {
	const config = `
name: "Acts & Co."
chaosMonkey: {nodeFailure: {failureRate: 0.1, interval: 5m, jitterFactor: 2, simulatedDowntime: 10m}, excludedNodes: {hollow-1: {}}}
steps:
- name: all
  measurements:
  - {Identifier: a, Method: Sleep, Params: {duration: 3s}}
  - {Identifier: a, Method: RestartApiserver}
  - {Identifier: a, Method: Exec, Params: {command: [ls]}}
  - {Identifier: a, Method: ChaosMonkey, Params: {action: start, FailureRate: 0.5, interval: 1m, simulatedDowntime: 2m}}
  - {Identifier: b, Method: ChaosMonkey, Params: {action: stop}}
  - {Identifier: a, Method: WaitForControlledPodsRunning, Params: {action: start, apiVersion: apps/v1, kind: DaemonSet, labelSelector: a = b, countErrorMargin: "3", checkIfPodsAreUpdated: "false"}}
  - {Identifier: a, Method: WaitForFinishedJobs, Params: {action: gather, timeout: 5m}}
  - {Identifier: a, Method: WaitForRunningPods, Params: {desiredPodCount: 5, namespace: ns, fieldSelector: f=g, isFatal: true}}
  - {Identifier: a, Method: WaitForNodes, Params: {minDesiredNodeCount: 1, maxDesiredNodeCount: 2}}
  - {Identifier: a, Method: WaitForBoundPVCs, Params: {desiredPVCCount: 0}}
  - {Identifier: a, Method: WaitForAvailablePVs, Params: {desiredPVCount: 1, provisioner: p}}
  - Identifier: a
    Method: WaitForGenericK8sObjects
    Params: {objectGroup: g, objectVersion: v1, objectResource: things, namespaceRange: {min: 1, max: 2, prefix: x}, minDesiredObjectCount: 4, successfulConditions: ["A=True"]}
  - {Identifier: b, Method: WaitForGenericK8sObjects, Params: {objectGroup: g, objectVersion: v1, objectResource: things, minDesiredObjectCount: 4}}
  - {Identifier: c, Method: WaitForGenericK8sObjects, Params: {objectGroup: g, objectVersion: v1, objectResource: things, minDesiredObjectCount: 4, namespaceRange: {allNamespaces: true}}}
  - {Identifier: a, Method: APIAvailability, Params: {action: start, pollFrequency: 2s}}
  - {Identifier: a, Method: APIAvailability, Params: {action: pause}}
  - {Identifier: a, Method: APIResponsivenessPrometheus, Params: {action: start}}
  - {Identifier: a, Method: PodStartupLatency, Params: {action: start}}
`
	path := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	plan, steps := compiled(t, path, 1)
	if plan.Profile.Name != "acts-co" {
		t.Errorf("the run's name is %q", plan.Profile.Name)
	}
	if diff := cmp.Diff(&profiles.ScriptFaults{Fraction: 0.1, Interval: 5 * time.Minute, Jitter: 2, For: 10 * time.Minute, Except: []string{"hollow-1"}}, plan.Script.Faults); diff != "" {
		t.Errorf("faults (-want +got):\n%s", diff)
	}
	daemons, _ := profiles.ResourceFor("apps/v1", "DaemonSet")
	want := []*profiles.Act{
		{Pause: 3 * time.Second},
		{Restart: &profiles.RestartAct{Component: "kube-apiserver", Down: 30 * time.Second, Timeout: 10 * time.Minute}},
		nil,
		{Faults: &profiles.FaultsAct{Moment: "start", Faults: &profiles.ScriptFaults{Fraction: 0.5, Interval: time.Minute, For: 2 * time.Minute}}},
		{Faults: &profiles.FaultsAct{Moment: "stop"}},
		{Controlled: &profiles.ControlledAct{Moment: "start", Resource: daemons, Selection: profiles.Selection{Labels: "a = b"}, Timeout: 10 * time.Minute, Margin: 3, Sync: time.Minute}},
		{Jobs: &profiles.JobsAct{Moment: "gather", Timeout: 5 * time.Minute}},
		{Pods: &profiles.PodsAct{Selection: profiles.Selection{Namespace: "ns", Fields: "f=g"}, Count: 5, Timeout: time.Minute}},
		{Nodes: &profiles.NodesAct{Min: 1, Max: 2, Timeout: 30 * time.Minute}},
		{Claims: &profiles.ClaimsAct{Timeout: time.Minute}},
		{Volumes: &profiles.VolumesAct{Provisioner: "p", Count: 1, Timeout: time.Minute}},
		{Conditions: &profiles.ConditionsAct{Resource: profiles.Resource{Group: "g", Version: "v1", Name: "things"}, Namespaces: []string{"x-1", "x-2"}, Good: []string{"A=True"}, Min: 4, Timeout: 30 * time.Minute}},
		{Conditions: &profiles.ConditionsAct{Resource: profiles.Resource{Group: "g", Version: "v1", Name: "things"}, Namespaces: []string{""}, Min: 4, Timeout: 30 * time.Minute}},
		{Conditions: &profiles.ConditionsAct{Resource: profiles.Resource{Group: "g", Version: "v1", Name: "things"}, Min: 4, Timeout: 30 * time.Minute}},
		{Probe: &profiles.ProbeAct{Moment: "start", Path: "/readyz?exclude=shutdown", Every: 2 * time.Second, Timeout: 5 * time.Second}},
		nil, nil, nil,
	}
	for i, m := range steps[0].Measures {
		if diff := cmp.Diff(want[i], m.Act); diff != "" {
			t.Errorf("%s (-want +got):\n%s", m.Method, diff)
		}
		if m.Fatal != (m.Method == "WaitForRunningPods") || m.Scrape != (m.Method == "APIResponsivenessPrometheus" || m.Method == "RestartApiserver") || m.Skip == "" != (m.Method != "Exec") {
			t.Errorf("%s: fatal %v, scrape %v, skip %q", m.Method, m.Fatal, m.Scrape, m.Skip)
		}
	}
}
