package staged

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/strategicpatch"

	"windtunnel/hollow/light/behaviour"
	"windtunnel/hollow/stages"
	"windtunnel/profiles"
)

var begin = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func behaviourOf(t testing.TB, name string) *Behaviour {
	t.Helper()
	text, ok := stages.Builtin(name)
	if !ok {
		t.Fatal(name)
	}
	set, err := Read([]profiles.StageSource{{Name: name, Text: string(text)}})
	if err != nil {
		t.Fatal(err)
	}
	return New(set, Options{Seed: 1, Version: "v1.36.3", Failed: func(err error) { t.Error(err) }, Now: func() time.Time { return begin }})
}

func newPod() *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "default", UID: "u1", ResourceVersion: "7"},
		Spec:       corev1.PodSpec{NodeName: "hollow-0", Containers: []corev1.Container{{Name: "web", Image: "example.com/web:1"}}},
		Status:     corev1.PodStatus{Phase: corev1.PodPending},
	}
}

var here = behaviour.Node{Name: "hollow-0", Address: "10.0.0.1", PodIP: "10.64.0.9"}

// live carries a pod through its transitions, as a node would; it gives their names.
func live(t *testing.T, b *Behaviour, pod *corev1.Pod, most int) (names []string, changes []behaviour.Change) {
	t.Helper()
	for range most {
		next, ok := b.Next(pod, here)
		if !ok {
			break
		}
		change, err := next.Do(pod, here, begin)
		if err != nil {
			t.Fatal(err)
		}
		names, changes = append(names, next.Name), append(changes, change)
		for _, p := range change.Patches {
			pod = patched(t, pod, p)
		}
		if change.Delete {
			break
		}
	}
	return names, changes
}

func patched(t *testing.T, pod *corev1.Pod, p behaviour.Patch) *corev1.Pod {
	t.Helper()
	before, err := json.Marshal(pod)
	if err != nil {
		t.Fatal(err)
	}
	after, err := strategicpatch.StrategicMergePatch(before, p.Body, corev1.Pod{})
	if err != nil {
		t.Fatal(err)
	}
	out := &corev1.Pod{}
	if err := json.Unmarshal(after, out); err != nil {
		t.Fatal(err)
	}
	out.ResourceVersion += "0"
	return out
}

// TestLifeOfATypedPod: a pod as a node knows it goes through the stages of a file, with the node's own addresses.
func TestLifeOfATypedPod(t *testing.T) {
	pod := newPod()
	names, changes := live(t, behaviourOf(t, "pod-slow-pull"), pod, 5)
	if got := strings.Join(names, " "); got != "pod-create pod-pulled" {
		t.Fatalf("went through %s", got)
	}
	first, second := changes[0], changes[1]
	if len(first.Events) != 1 || first.Events[0].Reason != "Pulling" || len(first.Patches) != 1 || first.Patches[0].Subresource != "status" {
		t.Errorf("%+v", first)
	}
	if body := string(second.Patches[0].Body); !strings.Contains(body, `"podIP":"10.64.0.9"`) || !strings.Contains(body, `"phase":"Running"`) {
		t.Error(body)
	}
	pod.DeletionTimestamp = &metav1.Time{Time: begin}
	if names, changes := live(t, behaviourOf(t, "pod-slow-pull"), pod, 5); len(names) != 1 || !changes[0].Delete {
		t.Errorf("a pod that is deleted goes through %v", names)
	}
}

// TestSameVersionSameChoice: asked twice about a pod that has not changed, the answer is the same; about another version it is not.
func TestSameVersionSameChoice(t *testing.T) {
	b, pod := behaviourOf(t, "pod-flaky-readiness"), newPod()
	_, changes := live(t, b, pod, 2)
	for _, c := range changes {
		pod = patched(t, pod, c.Patches[0])
	}
	first, _ := b.Next(pod, here)
	second, _ := b.Next(pod, here)
	pod.ResourceVersion = "99"
	third, _ := b.Next(pod, here)
	if first.Name != "pod-unready" || first.After != second.After || first.After == third.After {
		t.Errorf("%s after %s, %s and %s", first.Name, first.After, second.After, third.After)
	}
}

// TestDrawnAnewAfterAChange: a node that goes on from its own status asks again about the version that the server gave it. What follows
// does not come by the same lot, is the same with the same seed, and the first draw is that of a node that waits for the server.
func TestDrawnAnewAfterAChange(t *testing.T) {
	set, err := Read([]profiles.StageSource{{Name: "x.yaml", Text: `
apiVersion: kwok.x-k8s.io/v1alpha1
kind: Stage
metadata: {name: x}
spec:
  resourceRef: {kind: Pod}
  selector: {}
  delay: {durationMilliseconds: 0, jitterDurationMilliseconds: 1000000}
  next: {statusTemplate: "message: {{ randAlphaNum 20 | quote }}"}
`}})
	if err != nil {
		t.Fatal(err)
	}
	draws := func(seed uint64) (all []string) {
		b, pod := New(set, Options{Seed: seed, Failed: func(err error) { t.Error(err) }}), newPod()
		for range 50 {
			next, ok := b.Next(pod, here)
			again, _ := b.Next(pod, here)
			if !ok || next.After != again.After {
				t.Fatalf("asked twice, the stage comes after %s and %s", next.After, again.After)
			}
			change, err := next.Do(pod, here, begin)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, next.After.String(), string(change.Patches[0].Body))
		}
		return all
	}
	first, other := draws(1), draws(2)
	if !slices.Equal(first, draws(1)) {
		t.Error("the same seed draws otherwise")
	}
	for _, one := range append(first, other...) {
		if n := len(slices.DeleteFunc(slices.Concat(first, other), func(s string) bool { return s != one })); n != 1 {
			t.Errorf("%s was drawn %d times", one, n)
		}
	}
}

// TestChangesForget: the counts of the last versions stay, however many there were before.
func TestChangesForget(t *testing.T) {
	c := newChanges(10)
	for version := range uint64(1000) {
		for range version%3 + 1 {
			c.another(version)
		}
		for last := max(version, 9) - 9; last <= version; last++ {
			if n := c.of(last); n != last%3+1 {
				t.Fatalf("after %d versions, version %d was changed %d times", version+1, last, n)
			}
		}
		if n := len(c.young) + len(c.old); n > 20 {
			t.Fatalf("%d are remembered", n)
		}
	}
	if n := c.of(0); n != 0 {
		t.Errorf("the first version is remembered: %d", n)
	}
}

// TestWhatANodeCannotDo is told at once, with places.
func TestWhatANodeCannotDo(t *testing.T) {
	text, _ := stages.Builtin("node")
	_, err := Read([]profiles.StageSource{{Name: "node.yaml", Text: string(text)}, {Name: "mine.yaml", Text: `
apiVersion: kwok.x-k8s.io/v1alpha1
kind: Stage
metadata: {name: x}
spec:
  resourceRef: {kind: Pod}
  selector: {}
  steps:
  - apply: {template: "{apiVersion: v1, kind: ConfigMap}"}
  - patch: {template: "a: 1", impersonation: {username: someone}}
`}, {Name: "bad.yaml", Text: "kind: Stage"}})
	problems, ok := errors.AsType[*profiles.Problems](err)
	if !ok {
		t.Fatal(err)
	}
	for _, want := range []string{
		"node.yaml:6:9: metadata.name: the stage node-initialise is for v1/Node, not for pods", "the stage node-heartbeat is for v1/Node",
		"mine.yaml:4:18: metadata.name: the stage x applies another object", "the stage x writes in somebody else's name", "bad.yaml:1:1: metadata.name: is required",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in\n%v", want, err)
		}
	}
	for _, p := range problems.List {
		if p.Line == 0 {
			t.Errorf("has no place: %s", p)
		}
	}
}

// TestFailingStage: a stage that cannot choose is told of, and the pod stays as it is.
func TestFailingStage(t *testing.T) {
	set, err := Read([]profiles.StageSource{{Name: "x.yaml", Text: `
apiVersion: kwok.x-k8s.io/v1alpha1
kind: Stage
metadata: {name: x}
spec:
  resourceRef: {kind: Pod}
  selector: {matchExpressions: [{cel: {expression: "self.metadata.labels.app == 'x'"}}]}
  next: {delete: true}
`}})
	if err != nil {
		t.Fatal(err)
	}
	var told error
	b := New(set, Options{Failed: func(err error) { told = err }})
	if _, ok := b.Next(newPod(), here); ok || told == nil || !strings.Contains(told.Error(), "pod default/web: stage x: selector") {
		t.Errorf("%v, told of %v", ok, told)
	}
}

// BenchmarkNext is what a node asks after each change of a pod.
func BenchmarkNext(b *testing.B) {
	behaviour, pod := behaviourOf(b, "pod-fast"), newPod()
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := behaviour.Next(pod, here); !ok {
			b.Fatal("nothing comes next")
		}
	}
}

// BenchmarkDo is what it asks when the time has come.
func BenchmarkDo(b *testing.B) {
	behaviour, pod := behaviourOf(b, "pod-fast"), newPod()
	next, _ := behaviour.Next(pod, here)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := next.Do(pod, here, begin); err != nil {
			b.Fatal(err)
		}
	}
}
