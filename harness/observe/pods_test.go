package observe

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"windtunnel/results"
)

type recordOf = results.PodEvent

// state is a pod at some point of its life.
type state struct {
	node, phase     string
	ready, deleting bool
}

func encode(t *testing.T, name, template string, s state) []byte {
	t.Helper()
	one := corev1.Pod{ObjectMeta: metav1.ObjectMeta{
		Name: name, Namespace: "team-0", UID: types.UID("uid-of-" + name), ResourceVersion: "7", CreationTimestamp: metav1.Unix(1_800_000_000, 0),
		Labels: map[string]string{"windtunnel/object": template, "app": "b"},
	}}
	one.Spec.SchedulerName = corev1.DefaultSchedulerName
	one.Spec.NodeName, one.Status.Phase = s.node, corev1.PodPhase(s.phase)
	if s.phase == "Running" {
		for _, after := range []int64{0, 2, 1} {
			since := &corev1.ContainerStateRunning{StartedAt: metav1.Unix(1_800_000_000+after, 0)}
			one.Status.ContainerStatuses = append(one.Status.ContainerStatuses, corev1.ContainerStatus{State: corev1.ContainerState{Running: since}})
		}
	}
	if s.ready {
		one.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}
	}
	if s.deleting {
		now := metav1.Unix(1, 0)
		one.DeletionTimestamp = &now
	}
	data, err := one.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// life is a watch whose sink is fed by hand.
type life struct {
	t      *testing.T
	pods   *PodWatch
	events []results.PodEvent
}

func newLife(t *testing.T) *life {
	l := &life{t: t}
	l.pods = newPodWatch(func(e results.PodEvent) { l.events = append(l.events, e) })
	l.list()
	return l
}

func (l *life) list(items ...[]byte) int {
	l.pods.begin()
	for _, item := range items {
		if err := l.pods.item(item); err != nil {
			l.t.Fatal(err)
		}
	}
	return l.pods.listed()
}

// event feeds one event and returns the names of the transitions that it made.
func (l *life) event(at results.Instant, kind string, object []byte) string {
	l.t.Helper()
	l.events = nil
	version, err := l.pods.event(kind, object, at)
	if err != nil || version != "7" {
		l.t.Fatalf("resourceVersion %q, error %v", version, err)
	}
	var names []string
	for _, e := range l.events {
		if e.At != at {
			l.t.Errorf("transition at %d, received at %d", e.At, at)
		}
		names = append(names, e.Event)
	}
	return strings.Join(names, " ")
}

func TestPodTransitions(t *testing.T) {
	l := newLife(t)
	for i, step := range []struct {
		kind             string
		state            state
		want             string
		present, running int
	}{
		{eventAdded, state{phase: "Pending"}, "created", 1, 0},
		{eventModified, state{phase: "Pending"}, "", 1, 0},
		{eventModified, state{phase: "Pending", node: "hollow-1"}, "scheduled", 1, 0},
		{eventModified, state{phase: "Running", node: "hollow-1"}, "running", 1, 1},
		{eventModified, state{phase: "Running", node: "hollow-1", ready: true}, "ready", 1, 1},
		{eventModified, state{phase: "Running", node: "hollow-1"}, "", 1, 1},
		{eventModified, state{phase: "Running", node: "hollow-1", ready: true}, "", 1, 1},
		{eventBookmark, state{}, "", 1, 1},
		{eventModified, state{phase: "Running", node: "hollow-1", deleting: true}, "deleting", 1, 0},
		{eventDeleted, state{phase: "Succeeded", node: "hollow-1", deleting: true}, "succeeded deleted", 0, 0},
	} {
		if got := l.event(int64(i), step.kind, encode(t, "web-1", "web", step.state)); got != step.want {
			t.Errorf("event %d: %q, want %q", i, got, step.want)
		}
		if present, running := l.pods.Present("web"), l.pods.Running("web"); present != step.present || running != step.running {
			t.Errorf("after event %d: %d present, %d running; want %d, %d", i, present, running, step.present, step.running)
		}
	}
	if got := l.event(99, eventAdded, encode(t, "web-2", "web", state{phase: "Running", node: "n", ready: true})); got != "created scheduled running ready" {
		t.Errorf("a pod that comes all at once: %q", got)
	}
	want := results.PodEvent{At: 99, Source: "watch", Event: "ready", Namespace: "team-0", Name: "web-2", UID: "uid-of-web-2", Object: "web", Node: "n", Created: 1_800_000_000}
	if got := l.events[3]; got != want {
		t.Errorf("record %+v, want %+v", got, want)
	}
	if got := l.events[0]; got.Labels != "app=b,windtunnel/object=web" || got.Scheduler != "default-scheduler" || got.Started != 0 || got.Volumes != results.VolumesEphemeral {
		t.Errorf("created with labels %q, scheduler %q, started %d", got.Labels, got.Scheduler, got.Started)
	}
	if got := l.events[2]; got.Started != 1_800_000_002 || got.Labels != "" || got.Scheduler != "" {
		t.Errorf("running since %d with labels %q, scheduler %q", got.Started, got.Labels, got.Scheduler)
	}
	if got := l.event(100, eventModified, encode(t, "web-2", "web", state{phase: "Failed", node: "n"})); got != "failed" || l.pods.Running("web") != 0 {
		t.Errorf("%q, %d running", got, l.pods.Running("web"))
	}
}

// TestRelist: after an interruption the counts are right, what was not seen is not made up, and is counted.
func TestRelist(t *testing.T) {
	l := newLife(t)
	running := state{phase: "Running", node: "n"}
	for _, name := range []string{"stays", "goes", "runs"} {
		l.event(1, eventAdded, encode(t, name, "web", state{phase: "Pending"}))
	}
	l.event(2, eventModified, encode(t, "stays", "web", running))
	l.events = nil
	changed := l.list(encode(t, "stays", "web", running), encode(t, "runs", "web", running), encode(t, "comes", "web", running), encode(t, "other", "db", running))
	if changed != 4 || len(l.events) != 0 {
		t.Errorf("%d changed, events %v; want goes, runs, comes and other to be counted and nothing recorded", changed, l.events)
	}
	if got := []int{l.pods.Present("web"), l.pods.Running("web"), l.pods.Present("db")}; !slices.Equal(got, []int{3, 3, 1}) {
		t.Errorf("present, running, present of the other: %v", got)
	}
	if got := l.event(3, eventModified, encode(t, "comes", "web", state{phase: "Running", node: "n", ready: true})); got != "ready" {
		t.Errorf("after the list: %q", got)
	}
	if got := l.event(4, eventDeleted, encode(t, "runs", "web", running)); got != "deleted" {
		t.Errorf("after the list: %q", got)
	}
}

func TestPodWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLife(t)
		running := state{phase: "Running", node: "n"}
		done := make(chan error, 2)
		go func() { done <- l.pods.WaitRunning(t.Context(), "web", 2) }()
		synctest.Wait()
		l.event(1, eventAdded, encode(t, "a", "web", running))
		l.event(1, eventAdded, encode(t, "b", "db", running))
		synctest.Wait()
		if len(done) != 0 {
			t.Fatal("returned with one of two")
		}
		l.event(1, eventAdded, encode(t, "c", "web", running))
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if err := l.pods.WaitRunning(t.Context(), "web", 2); err != nil { // at once
			t.Fatal(err)
		}

		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		err := l.pods.WaitRunning(ctx, "web", 3)
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "2 of 3 pods of web are running") {
			t.Errorf("error %v", err)
		}

		go func() { done <- l.pods.WaitGone(t.Context(), "web") }()
		synctest.Wait()
		l.event(2, eventDeleted, encode(t, "a", "web", running))
		synctest.Wait()
		if len(done) != 0 {
			t.Fatal("returned with one left")
		}
		l.event(2, eventDeleted, encode(t, "c", "web", running))
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if n := len(l.pods.waiters.all); n != 0 {
			t.Errorf("%d waiters are left", n)
		}
	})
}
