package stages

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	jsonpatch "gopkg.in/evanphx/json-patch.v4"

	"windtunnel/internal/golden"
	"windtunnel/profiles"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func chanceOf(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0)) }

// one reads a stage from the spec of a document.
func one(t testing.TB, spec string) *Stage {
	t.Helper()
	return parsed(t, "apiVersion: kwok.x-k8s.io/v1alpha1\nkind: Stage\nmetadata: {name: one}\nspec:\n  resourceRef: {kind: Pod}\n"+indent(spec))[0]
}

func parsed(t testing.TB, text string) []*Stage {
	t.Helper()
	all, err := Parse("test.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func indent(text string) string {
	return "  " + strings.ReplaceAll(strings.Trim(text, "\n"), "\n", "\n  ") + "\n"
}

func lifeOf(t testing.TB, all ...*Stage) *Lifecycle {
	t.Helper()
	set, err := NewSet(all...)
	if err != nil {
		t.Fatal(err)
	}
	return set.For(all[0].For)
}

func object(t testing.TB, text string) map[string]any {
	t.Helper()
	var out map[string]any
	err := profiles.DecodeEach("object.yaml", "object", "", []byte(text), func(d *profiles.Document) { d.Into(&out) })
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestEveryProblemAtOnce reads a file in which everything is wrong.
func TestEveryProblemAtOnce(t *testing.T) {
	data, err := os.ReadFile("testdata/problems.yaml")
	if err != nil {
		t.Fatal(err)
	}
	all, err := Parse("problems.yaml", data)
	var problems *profiles.Problems
	if !errors.As(err, &problems) || all != nil {
		t.Fatalf("%v, %v", all, err)
	}
	for _, p := range problems.List {
		if p.Line == 0 {
			t.Errorf("has no place: %s", p)
		}
	}
	golden.Check(t, filepath.Join("testdata", "problems.txt"), err.Error()+"\n")
}

// TestNotes: what does nothing is said, and read all the same.
func TestNotes(t *testing.T) {
	data, err := os.ReadFile("testdata/notes.yaml")
	if err != nil {
		t.Fatal(err)
	}
	all, err := Parse("notes.yaml", data)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, s := range all {
		for _, n := range s.Notes {
			b.WriteString(n.String() + "\n\n")
		}
	}
	golden.Check(t, filepath.Join("testdata", "notes.txt"), b.String())
}

// TestWhatAnAPIServerGivesBack: a Stage may carry all of the metadata, status and empty fields of an object in a cluster.
func TestWhatAnAPIServerGivesBack(t *testing.T) {
	all := parsed(t, `
apiVersion: kwok.x-k8s.io/v1alpha1
kind: Stage
metadata:
  name: x
  creationTimestamp: "2026-01-01T00:00:00Z"
  deletionTimestamp: null
  generation: 1
  labels: {a: b}
  managedFields: [{manager: kubectl}]
  resourceVersion: "12"
  uid: 9c
spec:
  resourceRef: {apiGroup: apps/v1, kind: Deployment}
  selector: {}
  weight: 0
  next: {delete: false, statusTemplate: "replicas: 1"}
status: {conditions: [{type: Ready, status: "True"}]}
`)
	if want := (Resource{"apps/v1", "Deployment"}); all[0].For != want || len(all[0].Notes) > 0 {
		t.Errorf("%v %v", all[0].For, all[0].Notes)
	}
}

// TestNextIsSteps: the older form means the same as the newer one.
func TestNextIsSteps(t *testing.T) {
	older := one(t, `
selector: {}
next:
  event: {type: Warning, reason: Why, message: because}
  finalizers: {add: [{value: a.b/c}]}
  statusTemplate: "phase: {{ .metadata.name }}"
  statusPatchAs: {username: someone}
  delete: true
`)
	newer := one(t, `
selector: {}
steps:
- event: {type: Warning, reason: Why, message: because}
- finalizers: {add: [{value: a.b/c}]}
- patch:
    subresource: status
    root: status
    template: "phase: {{ .metadata.name }}"
    impersonation: {username: someone}
- delete: true
`)
	pod := object(t, "apiVersion: v1\nkind: Pod\nmetadata: {name: web}")
	a, b := actions(t, older, pod), actions(t, newer, pod)
	if diff := cmp.Diff(a, b); diff != "" {
		t.Error(diff)
	}
	var verbs []Verb
	for _, x := range a {
		verbs = append(verbs, x.Verb)
	}
	if want := []Verb{Event, Patch, Patch, Delete}; !reflect.DeepEqual(verbs, want) {
		t.Errorf("%v, want %v", verbs, want)
	}
	if got := string(a[2].Body); got != `{"status":{"phase":"web"}}` || a[2].As != "someone" || a[2].Subresource != "status" {
		t.Errorf("%s as %q on %q", got, a[2].As, a[2].Subresource)
	}
}

func actions(t testing.TB, s *Stage, object map[string]any) []Action {
	t.Helper()
	all, err := s.Actions(object, Scope{Now: noon, Random: chanceOf(1)})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestPatchTypes: each type and its default by kind, and roots of both kinds of patches.
func TestPatchTypes(t *testing.T) {
	s := one(t, `
selector: {}
steps:
- patch: {template: "metadata: {labels: {a: b}}"}
- patch: {type: merge, root: spec, template: "a: 1"}
- patch: {type: strategic, root: spec, template: "a: 1"}
- patch: {type: json, root: metadata, template: "[{op: add, path: /labels/a, value: b}]"}
- apply: {template: "{apiVersion: v1, kind: ConfigMap, metadata: {name: x}}"}
- apply: {type: merge, subresource: status, template: "{apiVersion: v1, kind: Pod, metadata: {name: x}}"}
- delete: true
- patch: {template: "after: deletion"}
- event: {reason: Gone}
`)
	var got []string
	for _, a := range actions(t, s, object(t, "apiVersion: v1\nkind: Pod\nmetadata: {name: web}")) {
		got = append(got, string(a.Verb)+" "+a.Subresource+" "+string(a.Type)+" "+string(a.Body)+a.Report.Type)
	}
	want := []string{
		`patch  application/strategic-merge-patch+json {"metadata":{"labels":{"a":"b"}}}`,
		`patch  application/merge-patch+json {"spec":{"a":1}}`,
		`patch  application/strategic-merge-patch+json {"spec":{"a":1}}`,
		`patch  application/json-patch+json [{"op":"add","path":"/metadata/labels/a","value":"b"}]`,
		`apply  application/apply-patch+yaml {"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x"}}`,
		`apply status application/merge-patch+json {"apiVersion":"v1","kind":"Pod","metadata":{"name":"x"}}`,
		`delete   `, `event   Normal`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if s := parsed(t, "apiVersion: kwok.x-k8s.io/v1alpha1\nkind: Stage\nmetadata: {name: x}\nspec: {resourceRef: {kind: Service}, selector: {}, next: {statusTemplate: 'a: 1'}}"); actions(t, s[0], nil)[0].Type != "application/merge-patch+json" {
		t.Error("a patch of a Service without a type is no merge patch")
	}
}

// TestFinalizers: the patch, made on the object, leaves the finalizers that were asked for.
func TestFinalizers(t *testing.T) {
	for _, c := range []struct {
		change     string
		have, want []string
	}{
		{"{add: [{value: a}]}", nil, []string{"a"}},
		{"{add: [{value: a}, {value: a}]}", []string{"b"}, []string{"b", "a"}},
		{"{add: [{value: a}]}", []string{"a"}, []string{"a"}},
		{"{remove: [{value: a}, {value: c}]}", []string{"a", "b", "c"}, []string{"b"}},
		{"{remove: [{value: a}]}", []string{"a"}, nil},
		{"{remove: [{value: a}]}", nil, nil},
		{"{remove: [{value: a}], add: [{value: c}]}", []string{"a", "b"}, []string{"b", "c"}},
		{"{remove: [{value: a}], add: [{value: a}]}", []string{"a"}, []string{"a"}},
		{"{empty: true}", []string{"a", "b"}, nil},
		{"{empty: true, add: [{value: c}]}", []string{"a"}, []string{"c"}},
	} {
		pod := map[string]any{"metadata": map[string]any{"name": "x"}}
		if c.have != nil {
			list := []any{}
			for _, f := range c.have {
				list = append(list, f)
			}
			pod["metadata"].(map[string]any)["finalizers"] = list
		}
		all := actions(t, one(t, "selector: {}\nnext: {finalizers: "+c.change+"}"), pod)
		data, err := json.Marshal(pod)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range all {
			patch, err := jsonpatch.DecodePatch(a.Body)
			if err != nil {
				t.Fatal(err)
			}
			if data, err = patch.Apply(data); err != nil {
				t.Errorf("%s of %v: %s: %v", c.change, c.have, a.Body, err)
			}
		}
		var after map[string]any
		if err := json.Unmarshal(data, &after); err != nil {
			t.Fatal(err)
		}
		if got := finalizersOf(after); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s of %v leaves %v, want %v", c.change, c.have, got, c.want)
		}
		if reflect.DeepEqual(c.have, c.want) && !strings.Contains(c.change, "remove: [{value: a}], add") && len(all) > 0 {
			t.Errorf("%s of %v sends %s", c.change, c.have, all[0].Body)
		}
	}
}

// TestManyAtOnce carries out one stage from many goroutines: each sees its own object and instant.
func TestManyAtOnce(t *testing.T) {
	s := one(t, "selector: {}\nnext: {statusTemplate: 'message: {{ .metadata.name }} {{ Now }}'}")
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			name, now := string(rune('a'+i)), noon.Add(time.Duration(i)*time.Hour)
			want := `{"status":{"message":"` + name + " " + now.Format(time.RFC3339Nano) + `"}}`
			for range 200 {
				got, err := s.Actions(map[string]any{"metadata": map[string]any{"name": name}}, Scope{Now: now, Random: chanceOf(1)})
				if err != nil || string(got[0].Body) != want {
					t.Errorf("%s %v, want %s", got[0].Body, err, want)
					return
				}
			}
		})
	}
	all.Wait()
}

// TestTwoOfAName: two stages of one name for the same objects are told with both places, also from two files.
func TestTwoOfAName(t *testing.T) {
	a, b := one(t, "selector: {}\nnext: {delete: true}"), one(t, "selector: {}\nnext: {delete: true}")
	_, err := NewSet(a, b)
	if err == nil || !strings.Contains(err.Error(), `there are two stages "one" for v1/Pod`) || !strings.Contains(err.Error(), "the other is at test.yaml:3") {
		t.Error(err)
	}
}

// FuzzParse: no text makes the parser panic, and what it accepts can be asked what comes next.
func FuzzParse(f *testing.F) {
	for _, name := range Builtins() {
		data, _ := Builtin(name)
		f.Add(data)
	}
	for _, file := range []string{"testdata/problems.yaml", "testdata/notes.yaml"} {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		all, err := Parse("fuzz.yaml", data)
		if err != nil {
			if _, ok := errors.AsType[*profiles.Problems](err); !ok {
				t.Fatalf("no list of problems: %v", err)
			}
			return
		}
		for _, s := range all {
			if s.selector != nil {
				for _, r := range s.selector.requirements {
					if r.query.program != nil { // jq can be told to run forever
						return
					}
				}
			}
		}
		set, err := NewSet(all...)
		if err != nil {
			return
		}
		for _, r := range set.Resources() {
			if _, _, err := set.For(r).Next(benchPod(), noon, chanceOf(1)); err != nil && !strings.HasPrefix(err.Error(), "stage ") {
				t.Fatal(err)
			}
		}
	})
}
