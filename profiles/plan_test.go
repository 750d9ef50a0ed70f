package profiles

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func compile(t testing.TB, p *Profile) *Plan {
	t.Helper()
	plan, err := Compile(p)
	if err != nil {
		t.Fatalf("Compile: %v", err)
	}
	return plan
}

func builtinPlan(t testing.TB, name string) *Plan {
	t.Helper()
	data, ok := Builtin(name)
	if !ok {
		t.Fatalf("no built-in %s", name)
	}
	return compile(t, mustLoad(t, string(data)))
}

func TestTemplates(t *testing.T) {
	web := compile(t, mustLoad(t, good(t))).Objects["web"]
	if web.Pods != 3 || !web.Scheduled || web.Namespaces != 1 || web.Resource.Name != "deployments" {
		t.Errorf("template %+v", web)
	}
	if got := web.Path(web.Namespace(4), web.InstanceName(4)); got != "/apis/apps/v1/namespaces/space-0/deployments/web-4" {
		t.Errorf("path %s", got)
	}
	if got := web.Path("", ""); got != "/apis/apps/v1/deployments" {
		t.Errorf("path %s", got)
	}
	want := `{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"labels":{"windtunnel/object":"web","windtunnel/run":"run-1"},"name":"web-4","namespace":"space-0"},` +
		`"spec":{"replicas":3,"selector":{"matchLabels":{"app":"web-4"}},"template":{"metadata":{"labels":{"app":"web-4","windtunnel/object":"web","windtunnel/run":"run-1"}},` +
		`"spec":{"containers":[{"image":"pause","name":"c"}]}}}}`
	if diff := cmp.Diff(want, string(web.Render("run-1", web.Namespace(4), 4))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	web.text.parts = nil // as after a way through JSON
	if got := string(web.Render("run-1", "space-0", 4)); got != want {
		t.Errorf("without the split: %s", got)
	}
}

func TestRenderEscapes(t *testing.T) {
	p := mustLoad(t, good(t), `objects.web.manifest.metadata.annotations={a: "$${HOME} $ ${run} ${namespace}", "${name}": "\"<&>"}`)
	out := compile(t, p).Objects["web"].Render(`r"1\`, "n\u00e9", 0)
	var object struct {
		Metadata struct{ Annotations map[string]string }
	}
	if err := json.Unmarshal(out, &object); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	want := map[string]string{"a": `${HOME} $ r"1\ né`, "web-0": `"<&>`}
	if diff := cmp.Diff(want, object.Metadata.Annotations); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestCompileLeavesTheProfileAlone holds that labels and names go into the template, not into the profile's manifest.
func TestCompileLeavesTheProfileAlone(t *testing.T) {
	p, same := mustLoad(t, good(t)), mustLoad(t, good(t))
	compile(t, p)
	if diff := cmp.Diff(same, p, withoutPlaces()); diff != "" {
		t.Errorf("Compile changed the profile (-before +after):\n%s", diff)
	}
}

func TestResources(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range Resources() {
		if seen[r.String()] || r.Kind == "" || r.Version == "" || strings.ToLower(r.Name) != r.Name {
			t.Errorf("resource %+v", r)
		}
		seen[r.String()] = true
		if got, known := ResourceByName(r.APIVersion() + "/" + r.Name); !known || got != r {
			t.Errorf("ResourceByName(%s) = %+v, %v", r, got, known)
		}
		if got, known := ResourceFor(r.APIVersion(), r.Kind); !known || got != r {
			t.Errorf("ResourceFor(%s, %s) = %+v, %v", r.APIVersion(), r.Kind, got, known)
		}
	}
	pods, _ := ResourceByName("pods")
	if got := pods.Path("a", "b"); got != "/api/v1/namespaces/a/pods/b" {
		t.Errorf("path %s", got)
	}
	hpa, _ := ResourceByName("horizontalpodautoscalers")
	if hpa.Version != "v2" {
		t.Errorf("the preferred version is %s, want v2", hpa.Version)
	}
	widget, known := ResourceByName("example.com/v1/widgets")
	if known || widget != (Resource{Group: "example.com", Version: "v1", Name: "widgets"}) {
		t.Errorf("custom resource %+v, %v", widget, known)
	}
}

// TestPodCounts tries every kind that brings pods.
func TestPodCounts(t *testing.T) {
	text := func(apiVersion, kind, spec string) string {
		return "apiVersion: windtunnel/v1alpha1\nkind: Profile\nname: x\nhollowNodes: {count: 4}\nobjects:\n  space: {manifest: {apiVersion: v1, kind: Namespace}}\n" +
			"  x:\n    in: space\n    manifest:\n      apiVersion: " + apiVersion + "\n      kind: " + kind + "\n      spec: {" + spec + "}\n" +
			"phases: [{name: p, tracks: [{name: t, steps: [{pause: 1s}]}]}]\nslo: {judged: false}\n"
	}
	const pod = `containers: [{name: c}]`
	const template = `selector: {matchLabels: {a: "${name}"}}, template: {metadata: {labels: {a: "${name}"}}, spec: {` + pod + `}}`
	for _, c := range []struct {
		apiVersion, kind, spec string
		want                   int
	}{
		{"v1", "Pod", pod, 1},
		{"apps/v1", "Deployment", template, 1},
		{"apps/v1", "StatefulSet", "replicas: 5, " + template, 5},
		{"apps/v1", "ReplicaSet", "replicas: 0, " + template, 0},
		{"apps/v1", "DaemonSet", template, 4},
		{"v1", "ReplicationController", "replicas: 2, " + template, 2},
		{"batch/v1", "Job", "parallelism: 6, completions: 4, template: {spec: {" + pod + "}}", 4},
		{"batch/v1", "CronJob", "jobTemplate: {spec: {template: {spec: {" + pod + "}}}}", 0},
	} {
		x := compile(t, mustLoad(t, text(c.apiVersion, c.kind, c.spec))).Objects["x"]
		if x.Pods != c.want {
			t.Errorf("%s has %d pods, want %d", c.kind, x.Pods, c.want)
		}
		want := 2 // on the object and on its pods
		switch c.kind {
		case "Pod":
			want = 1
		case "CronJob":
			want = 3 // on the jobs, too
		}
		if got := strings.Count(string(x.Manifest), `"windtunnel/object":"x"`); got != want {
			t.Errorf("%s carries the label %d times, want %d: %s", c.kind, got, want, x.Manifest)
		}
	}
}

func TestOutlineAndEstimate(t *testing.T) {
	plan := builtinPlan(t, "density")
	outline := plan.Outline()
	workload := outline[len(outline)-1]
	if workload.Name != "workload" || !workload.Measured || workload.Duration.Round(time.Second) != 148*time.Second {
		t.Errorf("workload %s takes %s", workload.Name, workload.Duration)
	}
	e := plan.Estimate()
	if e.Nodes != 100 || e.Pods != 3250 || e.Requests["POST deployments"] != 100 || e.Duration != workload.Duration+time.Second {
		t.Errorf("estimate %+v", e)
	}
	if e.Memory < 1<<30 || e.Memory > 8<<30 || e.Files < 500 {
		t.Errorf("memory %d, files %d", e.Memory, e.Files)
	}
	curve := plan.Curve("workload", 10)
	total := 0.0
	for _, rate := range curve {
		total += rate * workload.Duration.Seconds() / 10
		if rate < 25 || rate > 37 {
			t.Errorf("rate %v, want about 30.7", rate)
		}
	}
	if len(curve) != 10 || total < 4300 || total > 4800 {
		t.Errorf("%d bins with %v requests", len(curve), total)
	}
	if plan.Curve("nothing", 10) != nil {
		t.Error("a curve of a phase that is not there")
	}
}

// planned counts what the picks of a plan's measured phase are over so many seconds, by "VERB resource scope".
func planned(t *testing.T, plan *Plan, seconds float64) map[string]int {
	t.Helper()
	count := map[string]int{}
	replay(plan.Phases, func(m moment, s Step) {
		phase := plan.Phases[m.phase]
		if s.Requests == nil || !phase.Measured {
			return
		}
		pools := map[string]Pool{}
		for name, n := range m.have {
			pools[name] = Pool{Next: n}
		}
		for pick := range Picks(*s.Requests, pools, StreamSeed(plan.Profile.Seed, phase.Name, phase.Tracks[m.track].Name, m.step)) {
			if pick.At.Seconds() >= seconds {
				break
			}
			r := s.Requests.Mix[pick.Request]
			if pick.NoTarget {
				t.Errorf("%s %s at %s has no target", r.Verb, r.Object, pick.At)
			}
			scope := r.Scope
			if r.Verb != VerbList {
				scope = ScopeResource
			}
			resource := plan.Objects[r.Object].Resource.Name
			if r.Object == "" {
				resource = r.Resource
			}
			count[r.Verb+" "+resource+" "+scope]++
		}
	})
	return count
}

// TestBuiltins loads and compiles every built-in profile, and holds that those rows that only the users' requests fill
// reach the least number of samples.
func TestBuiltins(t *testing.T) {
	if got, want := Builtins(), []string{"density", "density-burst", "fidelity", "load", "node-failures", "peak", "smoke"}; !slices.Equal(got, want) {
		t.Fatalf("built-ins %v, want %v", got, want)
	}
	byOthers := []string{"POST pods/binding resource", "PATCH pods/status resource", "POST serviceaccounts/token resource", "PUT leases resource"}
	for _, name := range Builtins() {
		plan := builtinPlan(t, name)
		if plan.Profile.Name != name {
			t.Errorf("%s is called %s", name, plan.Profile.Name)
		}
		if plan.Profile.Description == "" {
			t.Errorf("%s has no description", name)
		}
		seconds := plan.Outline()[len(plan.Phases)-1].Duration.Seconds()
		count := planned(t, plan, max(seconds, 60))
		for _, row := range plan.Profile.SLO.APICalls {
			key := row.Verb + " " + row.Resource + " " + row.Scope
			if !slices.Contains(byOthers, key) && count[key] < plan.Profile.SLO.MinSamples {
				t.Errorf("%s: %s has %d planned requests, needs %d", name, key, count[key], plan.Profile.SLO.MinSamples)
			}
		}
	}
	if best, ok := NearestBuiltin("desnity"); !ok || best != "density" {
		t.Errorf("nearest of desnity is %q", best)
	}
	if _, ok := Builtin("../profile"); ok {
		t.Error("a built-in outside of the list")
	}
}

// TestDensityCoversEveryVerb holds the promise of the density profile: all six verbs on all six resources.
func TestDensityCoversEveryVerb(t *testing.T) {
	count := planned(t, builtinPlan(t, "density"), 148)
	for _, resource := range []string{"pods", "nodes", "namespaces", "configmaps", "services", "endpointslices"} {
		for _, verb := range []string{VerbGet, VerbList, VerbPost, VerbPut, VerbPatch, VerbDelete} {
			n := 0
			for _, scope := range []string{ScopeResource, ScopeNamespace, ScopeCluster} {
				n += count[verb+" "+resource+" "+scope]
			}
			if n == 0 {
				t.Errorf("density sends no %s %s", verb, resource)
			}
		}
	}
}

func TestPlanIsPlainJSON(t *testing.T) {
	plan := builtinPlan(t, "density")
	data, err := json.Marshal(plan)
	if err != nil {
		t.Fatal(err)
	}
	var again Plan
	if err := json.Unmarshal(data, &again); err != nil {
		t.Fatal(err)
	}
	a, b := plan.Objects["web"].Render("r", "team-0", 7), again.Objects["web"].Render("r", "team-0", 7)
	if string(a) != string(b) {
		t.Errorf("rendered %s and %s", a, b)
	}
	if diff := cmp.Diff(plan.Phases, again.Phases); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func BenchmarkRender(b *testing.B) {
	web := builtinPlan(b, "density").Objects["web"]
	b.ReportAllocs()
	for i := range b.N {
		web.Render("density-20250101-abcd", "team-3", i)
	}
}
