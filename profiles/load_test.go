package profiles

import (
	"encoding/json"
	"errors"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.yaml.in/yaml/v3"
)

// good is the text of testdata/good.yaml, a small profile without problems.
func good(t testing.TB) string {
	t.Helper()
	data, err := os.ReadFile("testdata/good.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func mustLoad(t testing.TB, text string, sets ...string) *Profile {
	t.Helper()
	p, err := Load("test.yaml", []byte(text), sets)
	if err != nil {
		t.Fatalf("Load: %v", err)
	}
	return p
}

func TestDefaults(t *testing.T) {
	p := mustLoad(t, good(t))
	check := func(name string, got, want any) {
		t.Helper()
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s = %v, want %v", name, got, want)
		}
	}
	check("seed", p.Seed, uint64(1))
	check("timeout", p.Timeout, Duration(30*time.Minute))
	check("fsync", *p.ControlPlane.Etcd.Fsync, true)
	check("controllerManager.qps", p.ControlPlane.ControllerManager.QPS, 20.0)
	check("controllerManager.burst", p.ControlPlane.ControllerManager.Burst, 30)
	check("scheduler.qps", p.ControlPlane.Scheduler.QPS, 50.0)
	check("scheduler.burst", p.ControlPlane.Scheduler.Burst, 100)
	check("capacity", p.HollowNodes.Capacity, map[string]string{"cpu": "32", "memory": "256Gi"})
	check("hollow readyTimeout", p.HollowNodes.ReadyTimeout, Duration(30*time.Second+500*time.Millisecond))
	check("minSamples", p.SLO.MinSamples, 299)
	check("judged", *p.SLO.Judged, true)
	check("maxErrors", p.Validity.MaxErrors, 0.01)
	check("wait timeout", p.Phases[0].Tracks[0].Steps[2].Wait.Timeout, Duration(5*time.Minute))
	check("maxInFlight", p.Phases[0].Tracks[0].Steps[0].Reconcile.MaxInFlight, 10)
}

// TestWrittenZerosStay holds that a zero in the text is not taken for a field that is not there.
func TestWrittenZerosStay(t *testing.T) {
	p := mustLoad(t, good(t), "seed=0", "validity.maxErrors=0", "controlPlane.etcd.fsync=false", "hollowNodes.capacity.cpu=4", "controlPlane.controllerManager.qps=300")
	if p.Seed != 0 || p.Validity.MaxErrors != 0 || *p.ControlPlane.Etcd.Fsync {
		t.Errorf("seed %d, maxErrors %v, fsync %v: want 0, 0, false", p.Seed, p.Validity.MaxErrors, *p.ControlPlane.Etcd.Fsync)
	}
	if diff := cmp.Diff(map[string]string{"cpu": "4", "memory": "256Gi"}, p.HollowNodes.Capacity); diff != "" {
		t.Errorf("capacity (-want +got):\n%s", diff)
	}
	if got := p.ControlPlane.ControllerManager.Burst; got != 300 {
		t.Errorf("burst = %d, want the qps that was set, 300", got)
	}
}

func TestSets(t *testing.T) {
	p := mustLoad(t, good(t),
		"name=other", "hollowNodes.count=7", "phases[0].tracks[0].steps[1].reconcile.count=5", "controlPlane.apiServer.args.v=2",
		`hollowNodes.labels."example.com/rack"=r1`, "hollowNodes.taints=[{key: a, effect: PreferNoSchedule}]",
		"hollowNodes.runtime.sandboxStart=1m30s", "objects.web.manifest.spec.replicas=4", "hollowNodes.count=8",
		"objects.extra={manifest: {apiVersion: v1, kind: Node}}")
	want := map[string]any{
		"name": "other", "count": 8, "instances": 5, "v": "2", "rack": "r1", "effect": "PreferNoSchedule",
		"sandbox": Duration(90 * time.Second), "replicas": int64(4), "extra": "Node",
	}
	_, extra := p.Objects["extra"].typeMeta()
	got := map[string]any{
		"name": p.Name, "count": p.HollowNodes.Count, "instances": p.Phases[0].Tracks[0].Steps[1].Reconcile.Count,
		"v": p.ControlPlane.APIServer.Args["v"], "rack": p.HollowNodes.Labels["example.com/rack"],
		"effect": p.HollowNodes.Taints[0].Effect, "sandbox": p.HollowNodes.Runtime.SandboxStart,
		"replicas": digMap(p.Objects["web"].Manifest, "spec")["replicas"], "extra": extra,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestSetLeavesOtherAliasesAlone holds that a --set below an alias changes that place only.
func TestSetLeavesOtherAliasesAlone(t *testing.T) {
	text := strings.Replace(good(t), "hollowNodes:\n", "controlPlane:\n  scheduler: &limits {qps: 10, burst: 20}\n  controllerManager:\n    <<: *limits\n    burst: 40\nhollowNodes:\n", 1)
	p := mustLoad(t, text, "controlPlane.controllerManager.qps=11")
	if s := p.ControlPlane.Scheduler; s.QPS != 10 || s.Burst != 20 {
		t.Errorf("scheduler %v, want 10 and 20", s)
	}
	if c := p.ControlPlane.ControllerManager; c.QPS != 11 || c.Burst != 40 {
		t.Errorf("controllerManager %v, want 11 and 40", c)
	}
}

// withoutPlaces compares profiles by what they say, wherever it was written.
func withoutPlaces() cmp.Option { return cmpopts.IgnoreUnexported(Profile{}) }

// TestRoundTrip holds that a loaded profile, written as YAML or JSON, is the same profile again.
func TestRoundTrip(t *testing.T) {
	for _, name := range append(Builtins(), "good") {
		data, ok := Builtin(name)
		if !ok {
			data = []byte(good(t))
		}
		first := mustLoad(t, string(data), "seed=0", "validity.maxErrors=0")
		asYAML, err := yaml.Marshal(first)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(first, mustLoad(t, string(asYAML)), withoutPlaces()); diff != "" {
			t.Errorf("%s through YAML (-want +got):\n%s", name, diff)
		}
		asJSON, err := json.Marshal(first)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(first, mustLoad(t, string(asJSON)), withoutPlaces()); diff != "" {
			t.Errorf("%s through JSON (-want +got):\n%s", name, diff)
		}
	}
}

func TestValidateWithoutText(t *testing.T) {
	p := mustLoad(t, good(t))
	if err := Validate(p); err != nil {
		t.Fatalf("a loaded profile is not valid: %v", err)
	}
	p.HollowNodes.Count = 0
	p.Phases[0].Tracks[0].Steps[1].Reconcile.Object = "wbe"
	err := Validate(p)
	var problems *Problems
	if !errors.As(err, &problems) {
		t.Fatalf("error %v, want *Problems", err)
	}
	if len(problems.List) < 2 || !strings.Contains(err.Error(), `phases[0].tracks[0].steps[1].reconcile.object: there is no object "wbe"`) {
		t.Errorf("problems: %v", err)
	}
	if problems.List[0].Line != 0 || problems.List[0].Snippet != "" {
		t.Errorf("a problem without text has a position: %+v", problems.List[0])
	}
}

func TestDefaultOfGoProfile(t *testing.T) {
	p := &Profile{Phases: []Phase{{Tracks: []Track{{Steps: []Step{{Requests: &Requests{Mix: []Request{{Verb: VerbList, Resource: "pods"}, {Verb: VerbList, Resource: "nodes"}}}}}}}}}}
	p.Default()
	mix := p.Phases[0].Tracks[0].Steps[0].Requests.Mix
	if mix[0].Scope != ScopeNamespace || mix[1].Scope != ScopeCluster || mix[0].Weight != 1 {
		t.Errorf("mix %+v", mix)
	}
	if p.Phases[0].Timeout != Duration(10*time.Minute) || *p.HollowNodes.Proxy != true {
		t.Errorf("phase timeout %v, proxy %v", p.Phases[0].Timeout, *p.HollowNodes.Proxy)
	}
}

func TestFileTooLarge(t *testing.T) {
	data := make([]byte, LargestFile+1)
	for i := range data {
		data[i] = '#'
	}
	if _, err := Load("big.yaml", data, nil); err == nil || !strings.Contains(err.Error(), "4 MiB") {
		t.Errorf("error %v, want one about 4 MiB", err)
	}
}

// TestManyProblems holds that all are reported, in order, and that only so many are printed.
func TestManyProblems(t *testing.T) {
	var b strings.Builder
	b.WriteString(good(t))
	for i := range 300 {
		b.WriteString("wrong-" + strings.Repeat("x", i%50) + string(rune('a'+i/50)) + ": 1\n")
	}
	_, err := Load("many.yaml", []byte(b.String()), nil)
	var problems *Problems
	if !errors.As(err, &problems) || len(problems.List) != 300 {
		t.Fatalf("got %v, want 300 problems", err)
	}
	if !strings.Contains(err.Error(), "… and 100 more") || !strings.HasSuffix(err.Error(), "300 problems") {
		t.Errorf("the end of the message: %s", err.Error()[len(err.Error())-80:])
	}
	for i := 1; i < len(problems.List); i++ {
		if problems.List[i-1].Line > problems.List[i].Line {
			t.Fatal("not sorted by position")
		}
	}
}

func TestDurations(t *testing.T) {
	for text, want := range map[string]string{"90s": "1m30s", "300s": "5m", "60m": "1h", "0s": "0s", "1h30m": "1h30m", "250ms": "250ms", "1h0m1s": "1h0m1s"} {
		d, err := ParseDuration(text)
		if err != nil || d.String() != want {
			t.Errorf("ParseDuration(%q) = %s, %v; want %s", text, d, err, want)
		}
	}
	for _, text := range []string{"0", "30", "", "1d", "5 s", "-", "1e3", "ten"} {
		if d, err := ParseDuration(text); err == nil {
			t.Errorf("ParseDuration(%q) = %s, want an error", text, d)
		}
	}
	var d Duration
	if err := json.Unmarshal([]byte("30"), &d); err == nil || !strings.Contains(err.Error(), "write the unit: 30s") {
		t.Errorf("JSON number: %v", err)
	}
	if err := yaml.Unmarshal([]byte("30"), &d); err == nil || !strings.Contains(err.Error(), "write the unit: 30s") {
		t.Errorf("YAML number: %v", err)
	}
	if err := yaml.Unmarshal([]byte("1m30s"), &d); err != nil || d != Duration(90*time.Second) {
		t.Errorf("YAML 1m30s: %v, %v", d, err)
	}
}

func TestQuantities(t *testing.T) {
	for text, want := range map[string]float64{"500m": 0.5, "32": 32, "256Gi": 256 << 30, "1k": 1000, "1e3": 1000, "2E": 2e18, "1.5Ki": 1536, ".5": 0.5, "1E3": 1000} {
		if got, err := parseQuantity(text); err != nil || got != want {
			t.Errorf("parseQuantity(%q) = %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "1 Gi", "1gb", "Gi", "1KiB", "0x10", "1,5", "1e"} {
		if got, err := parseQuantity(text); err == nil {
			t.Errorf("parseQuantity(%q) = %v, want an error", text, got)
		}
	}
}

func TestParentPath(t *testing.T) {
	for path, want := range map[string]string{
		"a": "", "a.b": "a", "a[0]": "a", "a[0].b": "a[0]", `a."b.c"`: "a", `a."x\"y"`: "a", `a."b.c".d`: `a."b.c"`, `"b.c"`: "",
	} {
		if got := parentPath(path); got != want {
			t.Errorf("parentPath(%s) = %s, want %s", path, got, want)
		}
	}
}

// FuzzLoad holds that no input makes Load panic, and that it gives a profile or problems with usable positions.
func FuzzLoad(f *testing.F) {
	f.Add(good(f), "hollowNodes.count=3")
	for _, name := range Builtins() {
		data, _ := Builtin(name)
		f.Add(string(data), "")
	}
	files, err := os.ReadDir("testdata/bad")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		if data, err := os.ReadFile("testdata/bad/" + file.Name()); err == nil {
			f.Add(string(data), `objects.web.manifest.metadata.labels."a/b"={c: [d]}`)
		}
	}
	f.Fuzz(func(t *testing.T, text, set string) {
		var sets []string
		if set != "" {
			sets = []string{set}
		}
		p, err := Load("fuzz.yaml", []byte(text), sets)
		if err == nil {
			if _, err := Compile(p); err != nil {
				t.Fatalf("loads and does not compile: %v", err)
			}
			return
		}
		var problems *Problems
		if !errors.As(err, &problems) || len(problems.List) == 0 || p != nil {
			t.Fatalf("Load gave %v and %v", p, err)
		}
		lines := len(splitLines(text))
		for _, one := range problems.List {
			if one.File == "" || one.Message == "" || one.File != setFile && one.Line > lines {
				t.Fatalf("problem %+v of %d lines", one, lines)
			}
		}
		if err.Error() == "" {
			t.Fatal("no text")
		}
	})
}
