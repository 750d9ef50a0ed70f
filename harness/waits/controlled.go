package waits

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"windtunnel/profiles"
)

// tracker follows the controllers of one kind. A change of a specification, a new object's first one and an object's deletion among them,
// begins an operation, which ends when the pods are as the specification says, or when its time is over.
type tracker struct {
	act   profiles.ControlledAct // of the start
	graph *graph
	news  *news
	stop  context.CancelFunc

	mu         sync.Mutex
	present    map[string]bool // keys of the objects that there are
	version    uint64          // the largest that was heard of
	operations map[string]*operation
}

// operation is what the latest change of a specification asks for.
type operation struct {
	object   *unstructured.Unstructured // as it is, or was before it was deleted
	gone     bool
	deadline time.Time
	done     bool
	failed   string // why it is done and not as it should be
}

// controlledPods starts a tracker, waits for its operations, or ends it.
func (w *Waits) controlledPods(ctx context.Context, key string, act profiles.ControlledAct) error {
	w.mu.Lock()
	t := w.controlled[key]
	w.mu.Unlock()
	switch act.Moment {
	case profiles.MomentStart:
		if t != nil {
			return nil // a second start leaves what the first one said
		}
		return w.track(key, act)
	case profiles.MomentStop:
		if t != nil {
			t.stop()
			w.mu.Lock()
			delete(w.controlled, key)
			w.mu.Unlock()
		}
		return nil
	}
	if t == nil {
		return errors.New("it has not been started")
	}
	return w.gather(ctx, t, act.Sync)
}

func (w *Waits) track(key string, act profiles.ControlledAct) error {
	g, err := w.controllers()
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(w.life)
	t := &tracker{act: act, graph: g, news: newNews(), stop: stop, present: map[string]bool{}, operations: map[string]*operation{}}
	if err := w.follow(ctx, act.Resource, act.Selection, t.changed); err != nil {
		stop()
		return err
	}
	w.running.Go(func() { t.judge(ctx) })
	w.mu.Lock()
	defer w.mu.Unlock()
	w.controlled[key] = t
	return nil
}

// changed hears of an object.
func (t *tracker) changed(before, now metav1.Object) {
	old, _ := before.(*unstructured.Unstructured)
	object, _ := now.(*unstructured.Unstructured)
	t.mu.Lock()
	defer t.mu.Unlock()
	defer t.news.tell()
	if object == nil {
		delete(t.present, keyOf(old))
		t.version = max(t.version, versionOf(old))
		t.operations[keyOf(old)] = &operation{object: old, gone: true, deadline: time.Now().Add(t.act.Timeout)}
		return
	}
	key := keyOf(object)
	t.present[key] = true
	t.version = max(t.version, versionOf(object))
	known := t.operations[key]
	if known == nil || known.gone || old == nil || !reflect.DeepEqual(old.Object["spec"], object.Object["spec"]) {
		t.operations[key] = &operation{object: object, deadline: time.Now().Add(t.act.Timeout)}
		return
	}
	known.object = object
}

// judge ends operations that have reached what they are for, or whose time is over.
func (t *tracker) judge(ctx context.Context) {
	for {
		mine, pods := t.news.next(), t.graph.news.next()
		t.look(time.Now())
		if !pause(ctx, leastPause, nil) {
			return
		}
		timer := time.NewTimer(mostPause)
		select {
		case <-mine:
		case <-pods:
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return
		}
		timer.Stop()
	}
}

func (t *tracker) look(now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	ended := false
	for _, o := range t.operations {
		if o.done {
			continue
		}
		reached, state := t.reached(o)
		switch {
		case reached:
			o.done = true
		case now.After(o.deadline):
			o.done, o.failed = true, state
		}
		ended = ended || o.done
	}
	if ended {
		t.news.tell()
	}
}

// reached tells whether an object has the pods that it is to have, and what it has. The lock is held.
func (t *tracker) reached(o *operation) (bool, string) {
	want := desired(o.object)
	if o.gone {
		want = desire{settled: true, updated: true}
	}
	if want.finished {
		return true, ""
	}
	have, outdated := t.graph.pods(o.object.GetUID(), want.revision)
	if !t.act.Updated || o.gone {
		outdated, want.updated = 0, true
	}
	state := fmt.Sprintf("%d of %d pods run, %d exist", have.ready, want.pods, have.all)
	if outdated > 0 {
		state += fmt.Sprintf(", %d of them not of the latest template", outdated)
	}
	enough := have.ready == want.pods && have.all == have.ready+have.inactive
	if m := t.act.Margin; m > 0 && have.ready >= want.pods-m && have.all-have.inactive <= want.pods && have.inactive <= m {
		enough = true
	}
	return want.settled && want.updated && enough && outdated == 0, state
}

// desire is what a controller's specification asks for.
type desire struct {
	pods     int
	settled  bool   // the controller has seen the latest specification, so that pods can be of it
	updated  bool   // the controller says that the pods are of the latest template, as far as it says anything
	revision string // of the latest template, where the controller writes one on its pods
	finished bool   // there will be no pods any more
}

// desired reads an object.
func desired(o *unstructured.Unstructured) desire {
	number := func(otherwise int64, path ...string) int {
		n, there, err := unstructured.NestedInt64(o.Object, path...)
		if !there || err != nil {
			n = otherwise
		}
		return int(n)
	}
	d := desire{updated: true, pods: number(1, "spec", "replicas"), settled: int64(number(0, "status", "observedGeneration")) >= o.GetGeneration()}
	switch o.GetKind() {
	case "DaemonSet":
		d.pods = number(0, "status", "desiredNumberScheduled")
		d.updated = number(0, "status", "updatedNumberScheduled") == d.pods
	case "Job":
		d.pods, d.settled = min(number(1, "spec", "parallelism"), number(1<<30, "spec", "completions")), true
		d.finished = hasCondition(o, "Complete=True", "Failed=True")
	case "StatefulSet":
		d.revision, _, _ = unstructured.NestedString(o.Object, "status", "updateRevision")
	case "Deployment":
		// The watch of ReplicaSets may be behind that of Deployments, so that the youngest one is not known yet.
		d.updated = number(0, "status", "updatedReplicas") == d.pods
	case "ReplicaSet", "ReplicationController":
	default:
		d.settled = true // nobody knows what it says of itself
	}
	return d
}

// gather waits until all operations have ended.
func (w *Waits) gather(ctx context.Context, t *tracker, sync time.Duration) error {
	keys, version, err := w.keysOf(ctx, t.act.Resource, t.act.Selection)
	if err != nil {
		return err
	}
	if err := t.synced(ctx, keys, version, sync); err != nil {
		return err
	}
	err = await(ctx, t.news, func() (bool, string) {
		t.mu.Lock()
		defer t.mu.Unlock()
		left := 0
		for _, o := range t.operations {
			if !o.done {
				left++
			}
		}
		return left == 0, fmt.Sprintf("%d %s are not as they should be", left, t.act.Resource.Name)
	})
	if err != nil {
		return err
	}
	return t.verdict(keys)
}

// synced waits until the tracker has heard of everything that a list shows.
func (t *tracker) synced(ctx context.Context, keys map[string]bool, version uint64, timeout time.Duration) error {
	ctx, cancel := within(ctx, timeout)
	defer cancel()
	return await(ctx, t.news, func() (bool, string) {
		t.mu.Lock()
		defer t.mu.Unlock()
		return t.version >= version && reflect.DeepEqual(t.present, keys), fmt.Sprintf("the watch of %s knows %d objects, a list shows %d", t.act.Resource.Name, len(t.present), len(keys))
	})
}

// verdict says which operations failed. Those of objects that are gone are forgotten.
func (t *tracker) verdict(keys map[string]bool) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	var failed []string
	good := 0
	for key, o := range t.operations {
		switch {
		case o.failed != "":
			failed = append(failed, fmt.Sprintf("%s (%s)", key, o.failed))
		case !o.gone:
			good++
		}
		if o.gone {
			delete(t.operations, key)
		}
	}
	if len(failed) > 0 {
		slices.Sort(failed)
		return fmt.Errorf("%d %s: %w after %v: %s", len(failed), t.act.Resource.Name, ErrTimeout, t.act.Timeout, some(failed))
	}
	if good != len(keys) {
		return fmt.Errorf("%d of %d %s have all their pods", good, len(keys), t.act.Resource.Name)
	}
	return nil
}

// some are the first few of a list.
func some(list []string) string {
	const few = 5
	text := strings.Join(list[:min(few, len(list))], ", ")
	if len(list) > few {
		text += ", …"
	}
	return text
}

// hasCondition tells whether an object has one of the conditions, each TYPE=STATUS.
func hasCondition(o *unstructured.Unstructured, conditions ...string) bool {
	list, _, _ := unstructured.NestedSlice(o.Object, "status", "conditions")
	for _, one := range list {
		c, _ := one.(map[string]any)
		if slices.Contains(conditions, fmt.Sprintf("%v=%v", c["type"], c["status"])) {
			return true
		}
	}
	return false
}

func versionOf(o metav1.Object) uint64 {
	v, err := strconv.ParseUint(o.GetResourceVersion(), 10, 64)
	if err != nil {
		return 0
	}
	return v
}
