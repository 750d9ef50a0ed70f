package waits

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"windtunnel/profiles"
	"windtunnel/results"
)

// ErrTimeout is the cause of a wait that took longer than it may.
var ErrTimeout = errors.New("timed out")

// Waits are the waits of one script, and what they watch from one call to the next.
type Waits struct {
	typed   kubernetes.Interface
	record  func(results.ObjectEvent)
	dynamic dynamic.Interface
	life    context.Context // of the watches
	end     context.CancelFunc
	running sync.WaitGroup

	mu         sync.Mutex
	graph      *graph // nil until it is needed
	controlled map[string]*tracker
	jobs       map[string]*jobs
}

// New makes the clients; nothing is watched yet. All watches end with ctx. record gets the transitions that an act wants recorded, at once and
// without their instant.
func New(ctx context.Context, config *rest.Config, record func(results.ObjectEvent)) (*Waits, error) {
	plain := rest.CopyConfig(config)
	plain.QPS = -1
	compact := rest.CopyConfig(plain)
	compact.ContentType, compact.AcceptContentTypes = "application/vnd.kubernetes.protobuf", "application/vnd.kubernetes.protobuf,application/json"
	w := &Waits{record: record, controlled: map[string]*tracker{}, jobs: map[string]*jobs{}}
	var err error
	if w.typed, err = kubernetes.NewForConfig(compact); err != nil {
		return nil, fmt.Errorf("make a client for waits: %w", err)
	}
	if w.dynamic, err = dynamic.NewForConfig(plain); err != nil {
		return nil, fmt.Errorf("make a client for waits: %w", err)
	}
	w.life, w.end = context.WithCancel(ctx)
	return w, nil
}

// Close ends all watches and waits until nothing of them is left.
func (w *Waits) Close() {
	w.end()
	w.running.Wait()
}

// Do carries out an act, if it is a wait. What begins with one call and ends with another has the same key. The error says what was still
// missing, and wraps ErrTimeout when the time was over.
func (w *Waits) Do(ctx context.Context, key string, act profiles.Act) error {
	switch {
	case act.Controlled != nil:
		return w.controlledPods(ctx, key, *act.Controlled)
	case act.Jobs != nil:
		return w.finishedJobs(ctx, key, *act.Jobs)
	case act.Pods != nil:
		return w.runningPods(ctx, *act.Pods)
	case act.Nodes != nil:
		return w.readyNodes(ctx, *act.Nodes)
	case act.Claims != nil:
		return w.boundClaims(ctx, *act.Claims)
	case act.Volumes != nil:
		return w.availableVolumes(ctx, *act.Volumes)
	case act.Conditions != nil:
		return w.conditions(ctx, *act.Conditions)
	}
	return errors.New("nothing is to be waited for")
}

// Count is how many objects there are.
func (w *Waits) Count(ctx context.Context, c profiles.Count) (int, error) {
	keys, _, err := w.keysOf(ctx, c.Resource, profiles.Selection{Namespace: c.Namespace, Labels: c.Selector})
	return len(keys), err
}

// within bounds a wait.
func within(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, timeout, fmt.Errorf("%w after %v", ErrTimeout, timeout))
}

// news tells waiters that something has changed.
type news struct {
	mu      sync.Mutex
	changed chan struct{}
}

func newNews() *news { return &news{changed: make(chan struct{})} }

// tell wakes all who wait now.
func (n *news) tell() {
	n.mu.Lock()
	defer n.mu.Unlock()
	close(n.changed)
	n.changed = make(chan struct{})
}

// next is closed at the next change.
func (n *news) next() <-chan struct{} {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.changed
}

const (
	// leastPause is from one look at a condition to the next, however much happens: a busy cluster sends thousands of events a second.
	leastPause = 100 * time.Millisecond
	// mostPause is from one look to the next when nothing happens, for what depends on time alone.
	mostPause = time.Second
)

// await looks at a condition whenever something has changed, until it holds or ctx ends; then the error is ctx's cause with the state.
func await(ctx context.Context, n *news, holds func() (bool, string)) error {
	for {
		next := n.next()
		ok, state := holds()
		if ok {
			return nil
		}
		if !pause(ctx, leastPause, nil) || !pause(ctx, mostPause, next) {
			return fmt.Errorf("%s: %w", state, context.Cause(ctx))
		}
	}
}

// pause pauses until the time is over or something comes; false when ctx ended first.
func pause(ctx context.Context, d time.Duration, wake <-chan struct{}) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-wake:
	case <-ctx.Done():
		return false
	}
	return true
}
