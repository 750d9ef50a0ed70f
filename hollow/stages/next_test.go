package stages

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestSelectors: each kind of requirement on one pod.
func TestSelectors(t *testing.T) {
	pod := object(t, `
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web, "a.b/c": "1"}, annotations: {note: ""}}
spec: {replicas: 3, ratio: 1.5, on: true, list: [{k: a}, {k: b}], none: null}
`)
	for selector, want := range map[string]bool{
		`{}`:                               true,
		`{matchLabels: {app: web}}`:        true,
		`{matchLabels: {app: web, x: ""}}`: false,
		`{matchLabels: {"a.b/c": "1"}}`:    true,
		`{matchAnnotations: {note: ""}}`:   true,
		`{matchAnnotations: {note: x}}`:    false,
		`{matchLabels: {app: web}, matchAnnotations: {note: x}}`:                                                 false,
		`{matchExpressions: [{key: .spec.replicas, operator: In, values: ["3"]}]}`:                               true,
		`{matchExpressions: [{key: .spec.ratio, operator: In, values: ["1.5"]}]}`:                                false,
		`{matchExpressions: [{key: .spec.on, operator: In, values: ["true"]}]}`:                                  true,
		`{matchExpressions: [{key: ".spec.list[].k", operator: In, values: [b]}]}`:                               true,
		`{matchExpressions: [{key: ".spec.list[].k", operator: NotIn, values: [b]}]}`:                            false,
		`{matchExpressions: [{key: ".spec.list[].k.x", operator: NotIn, values: [b]}]}`:                          true,
		`{matchExpressions: [{key: .spec.none, operator: Exists}]}`:                                              false,
		`{matchExpressions: [{key: .spec.none, operator: DoesNotExist}]}`:                                        true,
		`{matchExpressions: [{key: .spec.list, operator: Exists}]}`:                                              true,
		`{matchExpressions: [{jq: {key: ".spec.list | length", operator: In, values: ["2"]}}]}`:                  true,
		`{matchExpressions: [{cel: {expression: "self.spec.list.exists(i, i.k == 'b')"}}]}`:                      true,
		`{matchExpressions: [{cel: {expression: "has(self.metadata.deletionTimestamp)"}}]}`:                      false,
		`{matchExpressions: [{key: .spec.on, operator: Exists}, {cel: {expression: "self.spec.replicas > 3"}}]}`: false,
		`{matchLabels: {app: web}, matchExpressions: [{key: .spec.on, operator: Exists}]}`:                       true,
	} {
		_, got, err := lifeOf(t, one(t, "selector: "+selector+"\nnext: {delete: true}")).Next(pod, noon, chanceOf(1))
		if err != nil || got != want {
			t.Errorf("%s: %v %v, want %v", selector, got, err, want)
		}
	}
}

// TestFailingCEL: an expression that asks for what is not there is an error that names the stage, not a silent no.
func TestFailingCEL(t *testing.T) {
	life := lifeOf(t, one(t, "selector: {matchExpressions: [{cel: {expression: self.status.phase == 'x'}}]}\nnext: {delete: true}"))
	_, _, err := life.Next(map[string]any{}, noon, chanceOf(1))
	if err == nil || !strings.Contains(err.Error(), "stage one: selector self.status.phase == 'x': no such key: status") {
		t.Error(err)
	}
	life = lifeOf(t, one(t, "selector: {matchExpressions: [{cel: {expression: 1 + 1}}]}\nnext: {delete: true}"))
	if _, _, err := life.Next(map[string]any{}, noon, chanceOf(1)); err == nil || !strings.Contains(err.Error(), "not true or false") {
		t.Error(err)
	}
}

// TestNobody: a nil life and one that selects nothing leave an object as it is.
func TestNobody(t *testing.T) {
	for _, life := range []*Lifecycle{nil, lifeOf(t, one(t, "next: {delete: true}"))} {
		if _, ok, err := life.Next(map[string]any{}, noon, chanceOf(1)); ok || err != nil {
			t.Error(ok, err)
		}
		if all, err := life.Candidates(map[string]any{}, noon, chanceOf(1)); len(all) > 0 || err != nil {
			t.Error(all, err)
		}
	}
}

// weighted are stages a, b, … with the given fields.
func weighted(t *testing.T, fields ...string) *Lifecycle {
	var all []*Stage
	for i, f := range fields {
		s := one(t, "selector: {}\nnext: {delete: true}\n"+f)
		s.Name = string(rune('a' + i))
		all = append(all, s)
	}
	return lifeOf(t, all...)
}

// TestWeights counts how often each of several stages is chosen.
func TestWeights(t *testing.T) {
	const fromAnnotation = `weightFrom: {expressionFrom: '.metadata.annotations["weight"]'}`
	const fromField = `weightFrom: {jq: {expression: .spec.w}}`
	for _, c := range []struct {
		fields []string
		object string
		want   []float64 // shares
	}{
		{[]string{"weight: 1", "weight: 3"}, "{}", []float64{0.25, 0.75}},
		{[]string{"weight: 0", "weight: 3"}, "{}", []float64{0, 1}},
		{[]string{"weight: 0", "weight: 0"}, "{}", []float64{0.5, 0.5}},
		{[]string{"weight: 1", "weight: 9\n" + fromField}, "{spec: {w: 1}}", []float64{0.5, 0.5}},
		{[]string{"weight: 1", "weight: 9\n" + fromField}, "{spec: {w: -4}}", []float64{1, 0}},
		{[]string{"weight: 1", "weight: 3\n" + fromField}, "{spec: {w: {}}}", []float64{0.25, 0.75}},
		{[]string{"weight: 1", "weight: 3\n" + fromAnnotation}, "{}", []float64{0.25, 0.75}},
		{[]string{"weight: 1", "weight: 9\n" + fromAnnotation}, `{metadata: {annotations: {weight: "0x1"}}}`, []float64{0.5, 0.5}},
		{[]string{"weight: 0", "weight: 9\n" + fromAnnotation}, `{metadata: {annotations: {weight: much}}}`, []float64{1, 0}},
		{[]string{fromAnnotation, fromAnnotation}, `{metadata: {annotations: {weight: ""}}}`, []float64{0.5, 0.5}},
		{[]string{"weight: 1", "weightFrom: {cel: {expression: 'size(self.spec.l)'}}"}, "{spec: {l: [1, 2, 3]}}", []float64{0.25, 0.75}},
	} {
		life, pod, random := weighted(t, c.fields...), object(t, c.object), chanceOf(7)
		const n = 20_000
		count := map[string]float64{}
		for range n {
			next, ok, err := life.Next(pod, noon, random)
			if !ok || err != nil {
				t.Fatal(ok, err)
			}
			count[next.Stage.Name]++
		}
		candidates, err := life.Candidates(pod, noon, random)
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range c.want {
			name := string(rune('a' + i))
			// Five standard deviations of a share: with a fixed seed this passes or fails for good.
			if got := count[name] / n; math.Abs(got-want) > 5*math.Sqrt(want*(1-want)/n) {
				t.Errorf("%q on %s: %s is chosen %.3f, want %.3f", c.fields, c.object, name, got, want)
			}
			possible := slices.ContainsFunc(candidates, func(x Candidate) bool { return x.Stage.Name == name })
			if possible != (want > 0) {
				t.Errorf("%q on %s: %s is a candidate: %v", c.fields, c.object, name, possible)
			}
		}
	}
}

// TestDelays: what a delay is taken from, and that it is taken from there.
func TestDelays(t *testing.T) {
	const from = `durationFrom: {expressionFrom: .d}`
	for _, c := range []struct {
		delay, object string
		least, most   time.Duration
	}{
		{"{}", "{}", 0, 0},
		{"{durationMilliseconds: 1500}", "{}", 1500 * time.Millisecond, 1500 * time.Millisecond},
		{"{durationMilliseconds: 1000, jitterDurationMilliseconds: 5000}", "{}", time.Second, 5 * time.Second},
		{"{jitterDurationMilliseconds: 5000}", "{}", 0, 5 * time.Second},
		{"{durationMilliseconds: 5000, jitterDurationMilliseconds: 1000}", "{}", time.Second, time.Second},
		{"{durationMilliseconds: 1000, " + from + "}", "{d: 2m}", 2 * time.Minute, 2 * time.Minute},
		{"{durationMilliseconds: 1000, " + from + "}", "{d: soon}", time.Second, time.Second},
		{"{durationMilliseconds: 1000, " + from + "}", "{}", time.Second, time.Second},
		{"{durationMilliseconds: 1000, " + from + "}", `{d: ""}`, 0, 0},
		{"{" + from + "}", `{d: "2026-03-01T12:00:30Z"}`, 30 * time.Second, 30 * time.Second},
		{"{" + from + "}", `{d: "2026-03-01T11:59:00.5Z"}`, -59500 * time.Millisecond, -59500 * time.Millisecond},
		{"{" + from + ", jitterDurationFrom: {jq: {expression: .j}}}", `{d: 1s, j: "2026-03-01T12:00:10Z"}`, time.Second, 10 * time.Second},
		{"{" + from + ", jitterDurationFrom: {jq: {expression: .j}}}", `{d: 1s}`, time.Second, time.Second},
		{"{durationFrom: {cel: {expression: \"duration('5s')\"}}}", "{}", 5 * time.Second, 5 * time.Second},
		{"{durationFrom: {cel: {expression: \"Now() + duration('5s')\"}}}", "{}", 5 * time.Second, 5 * time.Second},
		{"{durationFrom: {cel: {expression: \"self.d\"}}}", "{d: 7s}", 7 * time.Second, 7 * time.Second},
		{"{durationFrom: {cel: {expression: \"1000000\"}}}", "{}", time.Millisecond, time.Millisecond},
		{"{distribution: {quantiles: {p0: 1s, p100: 3s}}}", "{}", time.Second, 3 * time.Second},
	} {
		life, pod, random := lifeOf(t, one(t, "selector: {}\nnext: {delete: true}\ndelay: "+c.delay)), object(t, c.object), chanceOf(3)
		all, err := life.Candidates(pod, noon, random)
		if err != nil {
			t.Fatal(err)
		}
		if got := all[0].Delay; got.Least != c.least || got.Most != c.most || got.Open {
			t.Errorf("%s of %s: %+v, want %s to %s", c.delay, c.object, got, c.least, c.most)
		}
		var low, high time.Duration = math.MaxInt64, math.MinInt64
		for range 1000 {
			next, _, err := life.Next(pod, noon, random)
			if err != nil {
				t.Fatal(err)
			}
			if !next.Due.Equal(noon.Add(next.Delay)) {
				t.Fatalf("due at %s after %s", next.Due, next.Delay)
			}
			low, high = min(low, next.Delay), max(high, next.Delay)
		}
		width := c.most - c.least
		if low < c.least || high > c.most || width > 0 && (low > c.least+width/20 || high < c.most-width/20) {
			t.Errorf("%s of %s: drew %s to %s, want %s to %s", c.delay, c.object, low, high, c.least, c.most)
		}
	}
}

// TestDistributions: a million-fold draw has the quantiles that were written.
func TestDistributions(t *testing.T) {
	for _, c := range []struct {
		distribution string
		want         map[float64]time.Duration
	}{
		{"{logNormal: {p50: 8s, p99: 90s}}", map[float64]time.Duration{0.5: 8 * time.Second, 0.99: 90 * time.Second}},
		{"{logNormal: {p50: 8s, p99: 8s}}", map[float64]time.Duration{0.01: 8 * time.Second, 0.99: 8 * time.Second}},
		{"{exponential: {mean: 10s}}", map[float64]time.Duration{0.5: 6931 * time.Millisecond, 0.99: 46052 * time.Millisecond}},
		{"{normal: {mean: 60s, standardDeviation: 10s}}", map[float64]time.Duration{0.5: time.Minute, 0.8413447: 70 * time.Second}},
		{"{normal: {mean: 1s, standardDeviation: 1h}}", map[float64]time.Duration{0.4: 0}},
		{"{quantiles: {p50: 10s, p90: 20s, p100: 120s}}", map[float64]time.Duration{0.25: 5 * time.Second, 0.5: 10 * time.Second, 0.9: 20 * time.Second, 0.95: 70 * time.Second}},
		{"{exponential: {mean: 10s}, min: 5s, max: 20s}", map[float64]time.Duration{0.1: 5 * time.Second, 0.5: 6931 * time.Millisecond, 0.99: 20 * time.Second}},
	} {
		life, random := lifeOf(t, one(t, "selector: {}\nnext: {delete: true}\ndelay: {distribution: "+c.distribution+"}")), chanceOf(5)
		const n = 100_000
		drawn := make([]time.Duration, n)
		for i := range drawn {
			next, _, err := life.Next(nil, noon, random)
			if err != nil {
				t.Fatal(err)
			}
			drawn[i] = next.Delay
		}
		slices.Sort(drawn)
		for share, want := range c.want {
			if got := drawn[int(share*n)]; math.Abs(float64(got-want)) > 0.03*float64(want)+float64(time.Millisecond) {
				t.Errorf("%s: p%g is %s, want %s", c.distribution, 100*share, got, want)
			}
		}
	}
}

// TestSeedDecides: the same seed gives the same choices and texts, another gives others.
func TestSeedDecides(t *testing.T) {
	life := weighted(t, "weight: 1\ndelay: {distribution: {logNormal: {p50: 1s, p99: 9s}}}", "weight: 1\ndelay: {jitterDurationMilliseconds: 10000}")
	draw := func(seed uint64) string {
		r, text := chanceOf(seed), ""
		for range 20 {
			next, _, err := life.Next(map[string]any{}, noon, r)
			if err != nil {
				t.Fatal(err)
			}
			text += fmt.Sprint(next.Stage.Name, next.Delay)
		}
		return text
	}
	if first, again, other := draw(1), draw(1), draw(2); first != again || first == other {
		t.Error("the seed does not decide")
	}
}

// TestObjectStays: neither jq, CEL nor a template that writes into its arguments changes the object.
func TestObjectStays(t *testing.T) {
	s := one(t, `
selector:
  matchExpressions:
  - {key: '.metadata.labels | length', operator: Exists}
  - cel: {expression: 'size(self.metadata.labels) == 1'}
next:
  statusTemplate: |
    labels: {{ set .metadata.labels "b" "2" | toJson }}
`)
	pod := object(t, "{metadata: {labels: {a: '1'}}, spec: {n: 3, list: [1, {x: 2}]}}")
	before := copied(pod)
	if _, ok, err := lifeOf(t, s).Next(pod, noon, chanceOf(1)); !ok || err != nil {
		t.Fatal(ok, err)
	}
	if got := string(actions(t, s, pod)[0].Body); got != `{"status":{"labels":{"a":"1","b":"2"}}}` {
		t.Error(got)
	}
	if !reflect.DeepEqual(before, pod) {
		t.Errorf("the object became %v", pod)
	}
}
