package stages

import (
	"strings"
	"testing"
	"time"

	"github.com/Masterminds/sprig/v3"
)

// town is a cluster for templates.
type town struct{}

func (town) NodeIPs(node string) []string { return []string{"ip-of-" + node, "fd00::1"} }
func (town) NodeName() string             { return "here" }
func (town) NodePort() int                { return 10250 }
func (town) PodIPs(p PodAddress) []string {
	if p.HostNetwork {
		return town{}.NodeIPs(p.Node)
	}
	return []string{"pod-" + p.Namespace + "-" + p.Name + "-" + p.UID}
}

// TestFunctions renders what templates can call.
func TestFunctions(t *testing.T) {
	pod := object(t, `
metadata: {name: web, namespace: default, uid: u1, labels: {a: b}}
spec: {nodeName: n1, n: 3, f: 1.5, big: 9007199254740993, yes: true, none: null, list: [1, 2]}
`)
	for template, want := range map[string]string{
		`{{ Now }}`:                                  "2026-03-01T12:00:00Z",
		`{{ now | date "2006" }}`:                    "2026",
		`{{ ago now }}`:                              "0s",
		`{{ StartTime }}`:                            "2026-03-01T11:00:00Z",
		`{{ Version }}`:                              "v9",
		`{{ NodeIP }}`:                               "ip-of-",
		`{{ NodeName }}:{{ NodePort }}`:              "here:10250",
		`{{ NodeIPWith .spec.nodeName }}`:            "ip-of-n1",
		`{{ index (NodeIPsWith .spec.nodeName) 1 }}`: "fd00::1",
		`{{ PodIP }}`:                                "pod---",
		`{{ PodIPWith .spec.nodeName false .metadata.uid .metadata.name .metadata.namespace }}`:              "pod-default-web-u1",
		`{{ index (PodIPsWith .spec.nodeName true "" "" "") 0 }}`:                                            "ip-of-n1",
		`{{ PodIPWith .spec.nodeName ( or .spec.hostNetwork false ) ( or .metadata.nothing "" ) "n" "ns" }}`: "pod-ns-n-",
		`{{ Quote "a\"b" }} {{ Quote 3 }} {{ Quote nil }} {{ .spec.list | Quote }}`:                          `"a\"b" "3" "null" "[1,2]"`,
		`{{ YAML .metadata.labels }}`:                 "a: b\n",
		`x:{{ YAML .metadata.labels 1 }}`:             "x:\n  a: b\n  ",
		`{{ (index NodeConditions 0).type }}`:         "Ready",
		`{{ len NodeConditions }}`:                    "5",
		`{{ .spec.n }} {{ .spec.f }} {{ .spec.big }}`: "3 1.5 9007199254740993",
		`{{ eq .spec.n 3 }} {{ eq .spec.n "3" }} {{ eq .spec.nothing "3" }} {{ ne .spec.n 4 }}`:           "true true false true",
		`{{ eq .spec.yes true }} {{ eq "a" "b" "a" }} {{ eq .spec.none nil }}`:                            "true true true",
		`{{ if gt .spec.n 2 }}more{{ end }}`:                                                              "more",
		`{{ or .spec.nothing.deeper "other" }}`:                                                           "other",
		`{{ default "d" .spec.none }}`:                                                                    "d",
		`{{ add1 .spec.n }} {{ mul .spec.n 2 }}`:                                                          "4 6",
		`{{ upper .metadata.name | trunc 2 }}`:                                                            "WE",
		`{{ len (randAlphaNum 8) }}`:                                                                      "8",
		`{{ regexMatch "^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$" uuidv4 }}`: "true",
		`{{ randBytes 3 | b64dec | len }}`:                                                                "3",
		`{{ $n := randInt 5 8 }}{{ and (ge $n 5) (lt $n 8) }}`:                                            "true",
		`{{ shuffle "abc" | splitList "" | sortAlpha | join "" }}`:                                        "abc",
		`{{ define "x" }}[{{ . }}]{{ end }}{{ template "x" .metadata.name }}`:                             "[web]",
	} {
		scope := Scope{Now: noon, Started: noon.Add(-time.Hour), Version: "v9", Random: chanceOf(1), Around: town{}}
		if got := rendered(t, template, pod, scope); got != want {
			t.Errorf("%s gives %q, want %q", template, got, want)
		}
	}
}

// rendered is the text of a template.
func rendered(t *testing.T, template string, pod map[string]any, scope Scope) string {
	t.Helper()
	r := newRenderer()
	number, err := r.add(template)
	if err != nil {
		t.Fatalf("%s: %v", template, err)
	}
	b, done, err := r.bind(scope)
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	if err := b.templates[number].Execute(&b.out, pod); err != nil {
		t.Fatalf("%s: %v", template, err)
	}
	return b.out.String()
}

// TestDefinitionsStayApart: two templates of a stage may define others of one name.
func TestDefinitionsStayApart(t *testing.T) {
	s := one(t, `
selector: {}
steps:
- patch: {template: '{{ define "x" }}1{{ end }}a: {{ template "x" }}'}
- patch: {template: '{{ define "x" }}2{{ end }}a: {{ template "x" }}'}
- patch: {template: ''}
`)
	var got []string
	for _, a := range actions(t, s, nil) {
		got = append(got, string(a.Body))
	}
	if want := `{"a":1} {"a":2} null`; strings.Join(got, " ") != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// TestWhatTemplatesGive: YAML in its forms and JSON become the same JSON.
func TestWhatTemplatesGive(t *testing.T) {
	for text, want := range map[string]string{
		"a: 1\nb: [x, 'y']":           `{"a":1,"b":["x","y"]}`,
		` {"a": 1, "b": ["x", "y"]} `: `{"a":1,"b":["x","y"]}`,
		`{a: 1, "b": [x, z,]}`:        `{"a":1,"b":["x","z"]}`,
		`[{"op": "remove"}]`:          `[{"op":"remove"}]`,
		`{"a": "<&>", "n": 1e3}`:      `{"a":"<&>","n":1e3}`,
		``:                            `null`,
		`3`:                           `3`,
	} {
		if got, err := toJSON([]byte(text)); string(got) != want || err != nil {
			t.Errorf("%s gives %s %v, want %s", text, got, err, want)
		}
	}
}

// TestChanceInTemplates: the seed decides what templates leave to chance.
func TestChanceInTemplates(t *testing.T) {
	const text = `{{ randAlphaNum 8 }}{{ randAlpha 8 }}{{ randNumeric 8 }}{{ randAscii 8 }}{{ uuidv4 }}{{ randInt 0 100000 }}{{ shuffle "abcdefgh" }}{{ randBytes 9 }}`
	draw := func(seed uint64) string { return rendered(t, text, nil, Scope{Random: chanceOf(seed)}) }
	if first, again, other := draw(1), draw(1), draw(2); first != again || first == other {
		t.Errorf("%s %s %s", first, again, other)
	}
}

// TestSprigIsWhole: every function of the library is there, but for those that are refused by name.
func TestSprigIsWhole(t *testing.T) {
	ours := functions(&Scope{})
	missing := 0
	for name := range sprig.TxtFuncMap() {
		if ours[name] == nil {
			missing++
		}
	}
	if missing != len(refused()) {
		t.Errorf("%d functions of sprig are missing, %d are refused", missing, len(refused()))
	}
}

// TestBadRender: what goes wrong while rendering names the stage.
func TestBadRender(t *testing.T) {
	for template, want := range map[string]string{
		`{{ fail "no" }}`:        "stage one: render: ",
		`a: [{{ .x }}`:           "stage one: the template gives no YAML",
		`{{ eq .metadata "x" }}`: "cannot be compared",
	} {
		s := one(t, "selector: {}\nnext:\n  statusTemplate: |\n    "+template)
		if _, err := s.Actions(object(t, "metadata: {name: x}"), Scope{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", template, err)
		}
	}
	s := one(t, "selector: {}\nnext: {patches: [{type: json, root: status, template: 'a: 1'}]}")
	if _, err := s.Actions(nil, Scope{}); err == nil || !strings.Contains(err.Error(), "a patch of type json is a list of operations") {
		t.Error(err)
	}
}

// TestCELFunctions: what KWOK adds to CEL.
func TestCELFunctions(t *testing.T) {
	pod := object(t, `
metadata: {name: web, creationTimestamp: "2026-03-01T11:59:00Z"}
spec: {cpu: 250m, memory: 1Gi}
`)
	for expression, want := range map[string]bool{
		`SinceSecond(self) == 60.0`:                                   true,
		`self.SinceSecond() == 60.0`:                                  true,
		`Now() == timestamp("2026-03-01T12:00:00Z")`:                  true,
		`UnixSecond(Now()) == 1772366400.0`:                           true,
		`UnixSecond(self.metadata.creationTimestamp) == 1772366340.0`: true,
		`Rand() >= 0.0 && Rand() < 1.0 && Rand() != Rand()`:           true,
		`Quantity(self.spec.cpu) == 0.25`:                             true,
		`Quantity(self.spec.memory) > Quantity("1000Mi")`:             true,
		`SinceSecond(self) < 60.0`:                                    false,
	} {
		life := lifeOf(t, one(t, "selector:\n  matchExpressions:\n  - cel:\n      expression: |\n        "+expression+"\nnext: {delete: true}"))
		if _, got, err := life.Next(pod, noon, chanceOf(1)); err != nil || got != want {
			t.Errorf("%s: %v %v", expression, got, err)
		}
	}
	for _, bad := range []string{`SinceSecond({}) > 0.0`, `UnixSecond(1.5) > 0.0`, `Quantity("many") > 0.0`} {
		life := lifeOf(t, one(t, "selector:\n  matchExpressions:\n  - cel:\n      expression: |\n        "+bad+"\nnext: {delete: true}"))
		if _, _, err := life.Next(pod, noon, chanceOf(1)); err == nil {
			t.Errorf("%s is no error", bad)
		}
	}
}
