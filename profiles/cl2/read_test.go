package cl2

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// memory reads from a map of files.
func memory(files map[string]string) func(string) ([]byte, error) {
	return func(path string) ([]byte, error) {
		if text, ok := files[path]; ok {
			return []byte(text), nil
		}
		return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
	}
}

// tuningSets and pod are what most small tests need.
const (
	tuningSets = "tuningSets: [{name: one, parallelismLimitedLoad: {parallelismLimit: 1}}]\n"
	pod        = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: {{.Name}}\n"
	createPods = "steps:\n- phases:\n  - tuningSet: one\n    replicasPerNamespace: 2\n    namespaceRange: {min: 1, max: 1}\n    objectBundle: [{basename: a, objectTemplatePath: pod.yaml}]\n"
)

// reading reads test/config.yaml of some files, with the environment.
func reading(files map[string]string, overrides []string, environment ...string) *Test {
	return Read("test/config.yaml", Options{Read: memory(files), Nodes: 20, Seed: 1, Overrides: overrides, Environment: environment})
}

// TestTraps: what real configs rely on.
func TestTraps(t *testing.T) {
	const sleep = "  measurements:\n  - {method: Sleep, Identifier: s, params: {duration: 1s}}\n"
	for _, test := range []struct {
		name      string
		files     map[string]string
		overrides []string
		env       []string
		want      string // of the names of the steps
	}{
		{name: "keys of any case", files: map[string]string{"test/config.yaml": "Name: x\nTUNINGSETS: []\nsteps:\n- NAME: a\n  Measurements:\n  - {method: Sleep, IDENTIFIER: b, pArams: {duration: 1s}}\n"}, want: "a"},
		{name: "paths are seen from the config", files: map[string]string{
			"test/config.yaml": "name: x\nsteps: [{module: {path: /m/a.yaml}}]\n", "test/m/a.yaml": "steps: [{module: {path: ../b.yaml}}]\n",
			"b.yaml": "steps:\n- name: b\n" + sleep}, want: "b"},
		{name: "parameters do not go down", files: map[string]string{
			"test/config.yaml": "name: x\nsteps: [{module: {path: a.yaml, params: {p: 1}}}]\n",
			"test/a.yaml":      "steps:\n- name: p{{.p}}\n" + sleep + "- module: {path: b.yaml, params: {q: 2}}\n",
			"test/b.yaml":      "steps:\n- name: p{{DefaultParam .p \"none\"}}q{{.q}}\n" + sleep}, want: "p1,pnoneq2"},
		{name: "variables of the test reach modules", files: map[string]string{
			"test/config.yaml": "name: x\nsteps: [{module: {path: a.yaml, params: {CL2_B: own}}}]\n", "o.yaml": "CL2_A: 2.5\nCL2_B: theirs\nLIST: [x, z, yes]\n",
			"test/a.yaml": "steps:\n- name: {{.CL2_A}}{{.CL2_B}}{{range .LIST}}{{.}}{{end}}{{.Nodes}}\n" + sleep}, overrides: []string{"o.yaml"}, want: "2.5ownxztrue20"},
		{name: "later overrides win", files: map[string]string{"test/config.yaml": "name: x\nsteps:\n- name: {{.A}}{{.B}}\n" + sleep,
			"1.yaml": "A: 1\nB: 1\n", "2.yaml": "{\"A\": 2}\n"}, overrides: []string{"1.yaml", "2.yaml"}, want: "21"},
		{name: "the environment has types", files: map[string]string{"test/config.yaml": "name: x\nsteps:\n- name: {{AddInt .CL2_I 1}}{{.CL2_F}}{{if .CL2_B}}yes{{end}}{{.CL2_S}}\n" + sleep},
			env: []string{"CL2_I=1000000", "CL2_F=0.5", "CL2_B=true", "CL2_S=a=b", "OTHER=1"}, want: "10000010.5yesa=b"},
		{name: "equal numbers do not conflict", files: map[string]string{"test/config.yaml": "name: x\nsteps:\n- name: n{{.CL2_I}}\n" + sleep,
			"o.yaml": "CL2_I: 2000000\n"}, overrides: []string{"o.yaml"}, env: []string{"CL2_I=2000000"}, want: "n2000000"},
		{name: "comments are executed", files: map[string]string{"test/config.yaml": "# {{$x := \"a\"}} {{/* not this */}}\nname: x\nsteps:\n- name: {{$x}}\n" + sleep}, want: "a"},
		{name: "a first line of ---", files: map[string]string{"test/config.yaml": "---\nname: x\nsteps:\n- name: a\n" + sleep}, want: "a"},
		{name: "modules of nothing", files: map[string]string{"test/config.yaml": "name: x\nsteps:\n- module: {path: a.yaml}\n- module: {path: b.yaml}\n- name: c\n" + sleep,
			"test/a.yaml": "# nothing\n", "test/b.yaml": "{{if false}}steps: []{{end}}"}, want: "c"},
		{name: "anchors and merges", files: map[string]string{"test/config.yaml": "name: x\nsteps:\n- name: a\n  measurements:\n  - &m {Method: Sleep, Identifier: s, Params: {duration: 1s}}\n  - {<<: *m, Identifier: t}\n"}, want: "a"},
	} {
		read := reading(test.files, test.overrides, test.env...)
		if list := read.Problems(); len(list) > 0 {
			t.Errorf("%s: %v", test.name, list)
			continue
		}
		var got []string
		for _, s := range read.Config.Steps {
			got = append(got, s.Name)
		}
		if strings.Join(got, ",") != test.want {
			t.Errorf("%s: steps %v, want %s", test.name, got, test.want)
		}
	}
}

// measured is a step with one call of a measurement.
func measured(method, params string) string {
	return "steps:\n- measurements: [{Method: " + method + ", Identifier: a, Params: {" + params + "}}]\n"
}

// generic are the parameters that WaitForGenericK8sObjects needs.
const generic = "objectGroup: g, objectVersion: v1, objectResource: things, minDesiredObjectCount: 1, "

// TestRefused: what keeps a test from running, with its place. The place is that of ^ in the line above.
func TestRefused(t *testing.T) {
	const head = "name: x\n" + tuningSets
	for _, test := range []struct {
		config, extra, want string
		warning             bool
	}{
		{config: head, want: "config.yaml:1:1: steps: there are no steps"},
		{config: "", want: "config.yaml:1:1: the config has no content"},
		{config: head + "steps:\n- name: a\n", want: ":4:3: steps[0]: the step has neither"},
		{config: head + "steps: 5\n", want: ":3:8: steps: this is a list, not the number 5"},
		{config: head + createPods + "  measurements: [{Method: Sleep, Identifier: s, Params: {duration: 1s}}]\n", want: ":4:3: steps[0]: a step has either"},
		{config: head + "namespace: {number: -1}\n" + createPods, want: ":3:21: namespace.number: the number of namespaces must be positive"},
		{config: head + "automanagedNamespaces: 1000000\n" + createPods, want: "there can be at most 100000 namespaces"},
		{config: head + "namespace: {number: 1.5}\n" + createPods, want: ":3:21: namespace.number: this is a whole number of 32 bits, not the number 1.5"},
		{config: head + "namespace: {number: {{MultiplyFloat 1000 1}}e1}\n" + createPods, want: "ClusterLoader2 refuses 1000e1 here", warning: true},
		{config: head + "dependencies: [{name: a, method: DRATestDrivr, timeout: -1s}]\n" + createPods, want: "did you mean \"DRATestDriver\""},
		{config: head + "namespace: {number: 2, deleteStaleNamespaces: true}\n" + createPods, want: "config.yaml:3:47: warning: namespace.deleteStaleNamespaces: what earlier tests left is not deleted", warning: true},
		{config: head + "dependencies: [{name: a, method: DRATestDriver}]\n" + createPods, want: "config.yaml:3:34: warning: dependencies[0]: DRATestDriver is not set up", warning: true},
		{config: head + "chaosMonkey: {nodeFailure: {failureRate: 1.5}}\n" + createPods, want: ":3:42: chaosMonkey.nodeFailure.failureRate: failureRate of ChaosMonkey must be from 0 to 1, and not 1.5"},
		{config: head + "chaosMonkey: {nodeFailure: {failureRate: 0.5, interval: -5m}}\n" + createPods, want: "interval of ChaosMonkey must not be negative, and not -5m"},
		{config: head + "chaosMonkey: {nodeFailure: {simulatedDowntime: -5m}}\n" + createPods, want: "simulatedDowntime of ChaosMonkey must not be negative"},
		{config: head + "chaosMonkey: {nodeFailure: {jitterFactor: -1}}\n" + createPods, want: "jitterFactor of ChaosMonkey must not be negative"},
		{config: head + measured("ChaosMonkey", "action: start, FAILURERATE: \"-0.1\""), want: ":4:92: steps[0].measurements[0].params.FAILURERATE: FAILURERATE of ChaosMonkey must be from 0 to 1, and not -0.1"},
		{config: head + measured("ChaosMonkey", "action: start, failureRate: .nan"), want: "failureRate of ChaosMonkey must be from 0 to 1"},
		{config: head + measured("ChaosMonkey", "action: start, simulatedDowntime: -1s"), want: "simulatedDowntime of ChaosMonkey must not be negative"},
		{config: head + measured("APIAvailability", "action: start, pollFrequency: 0s"), want: "pollFrequency of APIAvailability must be more than 0, and not 0s"},
		{config: head + measured("WaitForGenericK8sObjects", generic+"namespaceRange: {min: 1}"), want: "params.namespaceRange: namespaceRange needs max (a whole number)"},
		{config: head + measured("WaitForGenericK8sObjects", generic+"namespaceRange: {min: 3, max: 2}"), want: "params.namespaceRange.max: max must not be less than min: 2 is less than 3"},
		{config: head + measured("WaitForGenericK8sObjects", generic+"namespaceRange: {min: a, max: 2}"), want: "min of namespaceRange is a whole number"},
		{config: "name: x\ntuningSets: [{name: one, qpsLoad: {qps: 0}}]\n" + createPods, want: ":2:41: tuningSets[0].qpsLoad.qps: qps must be positive"},
		{config: "name: x\ntuningSets: [{name: one, qpsLoad: {qps: 1}, poissonLoad: {expectedActionsPerSecond: 1}}]\n" + createPods, want: ":2:14: tuningSets[0]: a tuning set has exactly one kind; this one has 2"},
		{config: "name: x\ntuningSets: [{name: one}]\n" + createPods, want: "this one has 0"},
		{config: head + strings.Replace(createPods, "min: 1, max: 1", "min: 2, max: 1", 1), want: "max must not be less than min: 1 is less than 2"},
		{config: head + strings.Replace(createPods, "namespaceRange", "namespaceList: [a]\n    namespaceRange", 1), want: "has namespaceList or namespaceRange, not both"},
		{config: head + strings.Replace(createPods, "PerNamespace: 2", "PerNamespace: -2", 1), want: ":6:27: steps[0].phases[0].replicasPerNamespace: the number of replicas must be from 0"},
		{config: head + strings.Replace(createPods, "tuningSet: one", "replicasPerNamespace: 1", 1), want: "the phase names no tuning set"},
		{config: head + "steps: [{module: {params: {a: 1}}}]\n", want: "the module has no path"},
		{config: head + "steps: [{module: {path: config.yaml}}]\n", want: "nested more than 50 deep"},
		{config: head + "steps: [{module: {path: none.yaml}}]\n", want: ":3:25: steps[0].module.path: there is no module none.yaml: file does not exist"},
		{config: head + "steps:\n- measurements: [{Method: Sleep, Identifier: s}]\n", want: "Sleep needs the parameter duration"},
		{config: head + "steps:\n- measurements: [{Method: Sleep, Params: {duration: 1s}}]\n", want: "the measurement has no identifier"},
		{config: head + "steps:\n- measurements: [{Method: PodStartupLatency, Identifier: s, Params: {action: begin}}]\n", want: `PodStartupLatency has no action "begin"`},
		{config: head + "steps:\n- measurements: [{Method: PodStartupLatency, Identifier: s}]\n", want: "the measurement has no action"},
		{config: head + "steps:\n- measurements: [{Method: GenericPrometheusQuery, Identifier: s, Params: {action: start, METRICNAME: a, metricVersion: v1}}]\n", want: "GenericPrometheusQuery needs the parameter unit"},
		{config: head + createPods + "a: b: c\n", want: "YAML syntax"},
		{config: "{{if}}\n" + head + createPods, want: "config.yaml:1:1: template: missing value for if"},
		{config: "{{range Loop 2}}{{$x}}{{end}}\n" + head + createPods, want: ":1:19: the variable $x is not defined"},
		{config: "{{range Loop 1000000}}{{range Loop 1000000}}{{end}}{{end}}\n" + head + createPods, want: "the template writes too much"},
		{config: head + createPods, extra: "kind: Pod\n", want: "pod.yaml:1:1: the object has no apiVersion and kind outside of placeholders"},
		{config: head + createPods, extra: "# nothing\n", want: "pod.yaml:1:1: there is no object in the file"},
		{config: head + createPods, extra: pod + "spec:\n  a: [\n", want: "pod.yaml:6:"},
		{config: head + createPods, extra: pod + "x: {{DivideInt 1 .Index}}\n", want: "pod.yaml:5:4: a-0: template: error calling DivideInt: division by zero"},
		{config: head + createPods, extra: pod + "---\n" + pod, want: "two objects of the kind Pod in one template"},
		{config: head + createPods, extra: pod + "x: {{if .Index}}'{{end}}\n", want: "pod.yaml:5:"},
	} {
		files := map[string]string{"test/config.yaml": test.config, "test/pod.yaml": pod}
		if test.extra != "" {
			files["test/pod.yaml"] = test.extra
		}
		read := reading(files, nil)
		_, err := read.Plan()
		text := fmt.Sprint(err)
		if test.warning {
			text = fmt.Sprint(read.Problems())
		}
		if (err == nil) != test.warning || !strings.Contains(text, test.want) {
			t.Errorf("%s\n%sgives %v\nwant %s", test.config, test.extra, text, test.want)
		}
	}
}

// TestConflict: a variable that the environment and a file give different values.
func TestConflict(t *testing.T) {
	files := map[string]string{"test/config.yaml": "name: {{.CL2_A}}\n" + tuningSets + createPods, "test/pod.yaml": pod, "o.yaml": "\nCL2_A: 5\n"}
	err := reading(files, []string{"o.yaml"}, "CL2_A=6").Err()
	if err == nil || !strings.Contains(err.Error(), "o.yaml:2:1: CL2_A: merge conflict: it is 5 here and 6 in the environment") {
		t.Errorf("error %v", err)
	}
}

// TestLinks: links are followed, as the directory that a link stands in is the test's.
func TestLinks(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "other", "shared.yaml"), pod)
	writeFile(t, filepath.Join(dir, "test", "config.yaml"), "name: x\n"+tuningSets+createPods)
	if err := os.Symlink("../other/shared.yaml", filepath.Join(dir, "test", "pod.yaml")); err != nil {
		t.Fatal(err)
	}
	if got := mustPlan(t, filepath.Join(dir, "test", "config.yaml"), options()).Requests()["POST pods"]; got != 2 {
		t.Errorf("%d pods, want 2", got)
	}
}

// TestSuite: scenarios have their own overrides, which win, and their mistakes are placed.
func TestSuite(t *testing.T) {
	files := map[string]string{
		"suite.yaml": "- identifier: a\n  configPath: test/config.yaml\n- identifier: b\n  configPath: test/config.yaml\n  overridePaths: [b.yaml]\n",
		"b.yaml":     "NAME: from-b\n", "all.yaml": "NAME: from-all\n",
		"test/config.yaml": "name: {{.NAME}}\n" + tuningSets + createPods, "test/pod.yaml": pod,
		"bad.yaml": "- identifier: a_b\n  configPath: none.yaml\n- configpaths: x\n", "config.yaml": "name: x\n",
	}
	o := Options{Read: memory(files), Nodes: 20, Overrides: []string{"all.yaml"}}
	tests, err := ReadSuite("suite.yaml", o)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, test := range tests {
		if _, err := test.Plan(); err != nil {
			t.Error(err)
		}
		got = append(got, test.Identifier+":"+test.Config.Name)
	}
	if diff := cmp.Diff([]string{"a:from-all", "b:from-b"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	_, err = ReadSuite("bad.yaml", o)
	for _, want := range []string{"bad.yaml:1:15: [0].identifier: an identifier has no underscores", "bad.yaml:2:15: [0].configPath: there is no config none.yaml", "bad.yaml:3:3: [1]: the scenario has no configPath"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %s", err, want)
		}
	}
	if _, err = ReadSuite("config.yaml", o); err == nil || !strings.Contains(err.Error(), "a suite is a list of scenarios") {
		t.Errorf("error %v", err)
	}
}

// TestRecognize tells the formats apart.
func TestRecognize(t *testing.T) {
	for text, want := range map[string]Format{
		"# c\n{{$x := 1}}\nname: a\n{{if .B}}\ntuningSets: []\n{{end}}\nsteps:\n": ConfigFile,
		"Name: a\nSteps: []\n":                                                  ConfigFile,
		"{{$x := .a}}\nsteps:\n- name: x\n":                                     ModuleFile,
		"# suite\n---\n- identifier: a\n  configPath: b.yaml\n":                 SuiteFile,
		"apiVersion: windtunnel/v1alpha1\nkind: Profile\nname: a\nphases: []\n": NoFormat,
		"kind: SLO\nname: a\nsteps: []\n":                                       NoFormat,
		"name: a\n  steps: b\n":                                                 NoFormat,
		"":                                                                      NoFormat,
	} {
		if got := Recognize([]byte(text)); got != want {
			t.Errorf("%q is taken for %v, want %v", text, got, want)
		}
	}
}

// TestMethods: the table of measurements can be read and has every registration.
func TestMethods(t *testing.T) {
	types := typeNames()
	all := Methods()
	if len(all) != 51 {
		t.Errorf("%d methods, want 51", len(all))
	}
	for i, m := range all {
		if i > 0 && m.Name <= all[i-1].Name {
			t.Errorf("%s is out of order", m.Name)
		}
		for _, p := range m.Params {
			for _, one := range append([]Param{p}, p.Keys...) {
				if types[one.Type] == "" {
					t.Errorf("%s: %s has the type %q", m.Name, one.Name, one.Type)
				}
			}
			for _, action := range strings.Fields(p.Required) {
				if action != "*" && !slices.Contains(m.Actions, action) {
					t.Errorf("%s: %s is required by %q", m.Name, p.Name, action)
				}
			}
		}
	}
}

// configSteps are the steps that were read, if any.
func (t *Test) configSteps() []*Step {
	if t.Config == nil {
		return nil
	}
	return t.Config.Steps
}
