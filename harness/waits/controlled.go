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
	deadline time.Time // zero: there is none
	done     bool
	late     string // how it was when its time was over
	hopeless string // why it will never be as it should be
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
	var deadline time.Time
	if t.act.Timeout != 0 {
		deadline = time.Now().Add(t.act.Timeout)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	defer t.news.tell()
	if object == nil {
		delete(t.present, keyOf(old))
		t.version = max(t.version, versionOf(old))
		t.operations[keyOf(old)] = &operation{object: old, gone: true, deadline: deadline}
		return
	}
	key := keyOf(object)
	t.present[key] = true
	t.version = max(t.version, versionOf(object))
	known := t.operations[key]
	another := known == nil || known.gone || old == nil || known.object.GetUID() != object.GetUID() // its deletion may not have been heard of
	if another || !reflect.DeepEqual(old.Object["spec"], object.Object["spec"]) {
		t.operations[key] = &operation{object: object, deadline: deadline}
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
		want := desired(o.object)
		if o.gone {
			want = desire{settled: true}
		}
		reached, state := t.reached(o, want)
		switch {
		case reached:
			o.done = true
		case want.failed:
			o.done, o.hopeless = true, "it has failed"
		case !o.deadline.IsZero() && now.After(o.deadline):
			o.done, o.late = true, state
		}
		ended = ended || o.done
	}
	if ended {
		t.news.tell()
	}
}

// reached tells whether an object has the pods that it is to have, and what it has. The lock is held.
func (t *tracker) reached(o *operation, want desire) (bool, string) {
	if want.finished {
		return true, ""
	}
	have, outdated := t.graph.pods(o.object.GetUID(), want.revision)
	if !t.act.Updated || o.gone {
		outdated, want.updated = tally{}, want.pods
	}
	state := fmt.Sprintf("%d of %d pods run, %d exist", have.ready, want.pods, have.all)
	if outdated.active() > 0 {
		state += fmt.Sprintf(", %d of them not of the latest template", outdated.active())
	}
	enough := have.ready == want.pods && have.active() == have.ready && outdated.active() == 0 && want.updated == want.pods
	if m := t.act.Margin; m > 0 && min(have.ready-outdated.ready, want.updated) >= want.pods-m && have.active() <= want.pods && have.inactive <= m {
		enough = true // what is missing may be of an older template, too
	}
	return want.settled && enough, state
}

// desire is what a controller's specification asks for.
type desire struct {
	pods     int
	settled  bool   // the controller has seen the latest specification, so that pods can be of it
	updated  int    // so many pods are of the latest template as the controller says; all where it says nothing
	revision string // of the latest template, where the controller writes one on its pods
	finished bool   // there will be no pods any more, and none are wanted
	failed   bool   // there will be no pods any more, and it did not do what it was to do
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
	d := desire{pods: number(1, "spec", "replicas"), settled: int64(number(0, "status", "observedGeneration")) >= o.GetGeneration()}
	d.updated = d.pods
	switch o.GetKind() {
	case "DaemonSet":
		d.pods = number(0, "status", "desiredNumberScheduled")
		d.updated = number(0, "status", "updatedNumberScheduled")
	case "Job":
		d.pods, d.settled = min(number(1, "spec", "parallelism"), number(1<<30, "spec", "completions")), true
		d.updated, d.finished, d.failed = d.pods, hasCondition(o, "Complete=True"), hasCondition(o, "Failed=True")
	case "StatefulSet":
		d.revision, _, _ = unstructured.NestedString(o.Object, "status", "updateRevision")
	case "Deployment":
		// The watch of ReplicaSets may be behind that of Deployments, so that the youngest one is not known yet.
		d.updated = number(0, "status", "updatedReplicas")
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
	var late, hopeless []string
	good := 0
	for key, o := range t.operations {
		switch {
		case o.late != "":
			late = append(late, fmt.Sprintf("%s (%s)", key, o.late))
		case o.hopeless != "":
			hopeless = append(hopeless, fmt.Sprintf("%s (%s)", key, o.hopeless))
		case !o.gone:
			good++
		}
		if o.gone {
			delete(t.operations, key)
		}
	}
	slices.Sort(late)
	slices.Sort(hopeless)
	var err error
	if len(late) > 0 {
		err = fmt.Errorf("%d %s: %w after %v: %s", len(late), t.act.Resource.Name, ErrTimeout, t.act.Timeout, some(late))
	}
	if len(hopeless) > 0 {
		err = errors.Join(err, fmt.Errorf("%d %s will never have all their pods: %s", len(hopeless), t.act.Resource.Name, some(hopeless)))
	}
	if err != nil {
		return err
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
