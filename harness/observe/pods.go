package observe

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"sync"

	"k8s.io/client-go/rest"

	"windtunnel/results"
)

// The transitions of a pod that a watch shows; each is recorded once in a pod's life.
const (
	podCreated   = "created"
	podScheduled = "scheduled"
	podRunning   = "running"
	podReady     = "ready"
	podSucceeded = "succeeded"
	podFailed    = "failed"
	podDeleting  = "deleting"
	podDeleted   = "deleted"
)

// PodWatch follows the lives of all pods of a cluster.
//
// A transition is recorded at the instant at which the event that first shows it was received. Transitions of which no
// event came are not recorded: those of pods that were there before the watch began, and those that fell into an
// interruption after which everything was listed anew (see Interruptions). The counts include such pods all the same.
type PodWatch struct {
	*watch
	record func(results.PodEvent)

	mu      sync.Mutex
	pods    map[string]podState // by UID
	listing map[string]podState // while a list is being read
	counts  map[string]*podCount
	names   interned
	waiters waiters

	scratch pod    // of the event under way
	text    []byte // of its labels
}

// podState is all that is kept of a pod: 24 bytes and its UID.
type podState struct {
	template string // interned
	seen     podFlags
}

// podFlags are the transitions that a pod has behind it.
type podFlags uint8

const (
	flagScheduled podFlags = 1 << iota
	flagRunning
	flagReady
	flagSucceeded
	flagFailed
	flagDeleting
)

// podCount counts the pods of a template.
type podCount struct{ present, running int }

// Pods begins to watch all pods. record gets every transition, from one goroutine, with Source "watch" and an empty Phase (of
// the run), which the caller knows. The watch ends with ctx or by Close. The error says why the first list failed; later
// the watch finds its way back by itself, and Interruptions tells of it.
func Pods(ctx context.Context, config *rest.Config, clock results.Clock, record func(results.PodEvent)) (*PodWatch, error) {
	p := newPodWatch(record)
	w, err := startWatch(ctx, config, "/api/v1/pods", clock, p)
	if err != nil {
		return nil, err
	}
	p.watch = w
	return p, nil
}

func newPodWatch(record func(results.PodEvent)) *PodWatch {
	return &PodWatch{record: record, pods: map[string]podState{}, counts: map[string]*podCount{}, names: interned{}}
}

// Present is the number of pods of a template's instances that exist.
func (p *PodWatch) Present(template string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.count(template).present
}

// Running is the number of pods of a template's instances that are in phase Running and not being deleted.
func (p *PodWatch) Running(template string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.count(template).running
}

// WaitRunning returns when at least n pods of the template's instances are running at the same time.
func (p *PodWatch) WaitRunning(ctx context.Context, template string, n int) error {
	return p.wait(ctx, func(c *podCount) bool { return c.running >= n }, template, func(c *podCount) string {
		return fmt.Sprintf("%d of %d pods of %s are running, %d exist", c.running, n, template, c.present)
	})
}

// WaitGone returns when there is no pod of the template's instances.
func (p *PodWatch) WaitGone(ctx context.Context, template string) error {
	return p.wait(ctx, func(c *podCount) bool { return c.present == 0 }, template, func(c *podCount) string {
		return fmt.Sprintf("%d pods of %s still exist", c.present, template)
	})
}

// wait waits for a condition on a template's counts; the error tells how far it came.
func (p *PodWatch) wait(ctx context.Context, holds func(*podCount) bool, template string, state func(*podCount) string) error {
	p.mu.Lock()
	count := p.count(template)
	one := p.waiters.add(func() bool { return holds(count) })
	p.mu.Unlock()
	if one.wait(ctx) {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiters.remove(one)
	return fmt.Errorf("%s: %w", state(count), context.Cause(ctx))
}

// count is a template's counts; they stay the same object for ever. The lock is held.
func (p *PodWatch) count(template string) *podCount {
	c := p.counts[template]
	if c == nil {
		c = &podCount{}
		p.counts[template] = c
	}
	return c
}

// begin implements sink.
func (p *PodWatch) begin() { p.listing = map[string]podState{} }

// item implements sink.
func (p *PodWatch) item(object []byte) error {
	if err := p.scratch.decode(object); err != nil {
		return fmt.Errorf("decode a pod: %w", err)
	}
	p.listing[string(p.scratch.uid)] = podState{template: p.names.of(p.scratch.template), seen: p.scratch.flags()}
	return nil
}

// listed implements sink: the counts are as the list says, and nothing is recorded.
func (p *PodWatch) listed() (changed int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	changed = differences(p.pods, p.listing)
	for _, c := range p.counts {
		*c = podCount{}
	}
	p.pods, p.listing = p.listing, nil
	for _, state := range p.pods {
		p.add(state, 1)
	}
	p.waiters.check()
	return changed
}

// event implements sink.
func (p *PodWatch) event(kind string, object []byte, at results.Instant) (string, error) {
	one := &p.scratch
	if err := one.decode(object); err != nil {
		return "", fmt.Errorf("decode a pod: %w", err)
	}
	version := string(one.resourceVersion)
	if kind == eventBookmark {
		return version, nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	old, known := p.pods[string(one.uid)]
	state := podState{template: p.names.of(one.template), seen: old.seen | one.flags()}
	gone := kind == eventDeleted
	p.emit(at, state, transitions(old.seen, state.seen, known, gone))
	if known {
		p.add(old, -1)
	}
	if gone {
		delete(p.pods, string(one.uid))
	} else {
		p.pods[string(one.uid)] = state
		p.add(state, 1)
	}
	p.waiters.check()
	return version, nil
}

// add counts a pod in or, with −1, out. The lock is held.
func (p *PodWatch) add(state podState, by int) {
	c := p.count(state.template)
	c.present += by
	if state.seen.running() {
		c.running += by
	}
}

// emit records transitions of the pod that was decoded last.
func (p *PodWatch) emit(at results.Instant, state podState, events []string) {
	if len(events) == 0 {
		return
	}
	one := &p.scratch
	record := results.PodEvent{
		At: at, Source: "watch", Namespace: p.names.of(one.namespace), Name: string(one.name), UID: string(one.uid),
		Object: state.template, Node: p.names.of(one.node), Created: one.created,
	}
	for _, event := range events {
		record := record
		record.Event = event
		switch event {
		case podCreated:
			record.Labels, record.Scheduler = p.labels(), p.names.of(one.scheduler)
			record.Volumes = results.VolumesEphemeral
			if one.stateful {
				record.Volumes = results.VolumesStateful
			}
		case podRunning:
			record.Started = one.started
		}
		p.record(record)
	}
}

// labels are those of the pod that was decoded last, as k=v,k=v, sorted.
func (p *PodWatch) labels() string {
	list := p.scratch.labels
	slices.SortFunc(list, func(a, b podLabel) int { return bytes.Compare(a.key, b.key) })
	out := p.text[:0]
	for i, l := range list {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(append(append(out, l.key...), '='), l.value...)
	}
	p.text = out
	return string(out)
}

// transitions are what a pod has gone through with an event, in the order of a pod's life.
func transitions(old, now podFlags, known, gone bool) []string {
	var out []string
	if !known {
		out = append(out, podCreated)
	}
	for _, step := range []struct {
		flag  podFlags
		event string
	}{
		{flagScheduled, podScheduled}, {flagRunning, podRunning}, {flagReady, podReady},
		{flagSucceeded, podSucceeded}, {flagFailed, podFailed}, {flagDeleting, podDeleting},
	} {
		if now&^old&step.flag != 0 {
			out = append(out, step.event)
		}
	}
	if gone {
		out = append(out, podDeleted)
	}
	return out
}

// flags are the transitions that the pod as it is has behind it.
func (p *pod) flags() podFlags {
	var f podFlags
	if len(p.node) > 0 {
		f |= flagScheduled
	}
	switch string(p.phase) {
	case "Running":
		f |= flagRunning
	case "Succeeded":
		f |= flagSucceeded
	case "Failed":
		f |= flagFailed
	}
	if p.ready {
		f |= flagReady
	}
	if p.deleting {
		f |= flagDeleting
	}
	return f
}

// running tells whether a pod that has these transitions behind it runs now.
func (f podFlags) running() bool {
	return f&flagRunning != 0 && f&(flagSucceeded|flagFailed|flagDeleting) == 0
}

// interned holds one copy of each of few strings, such as the names of templates, namespaces and nodes.
type interned map[string]string

func (i interned) of(b []byte) string {
	if s, ok := i[string(b)]; ok { // makes no copy
		return s
	}
	s := string(b)
	i[s] = s
	return s
}
