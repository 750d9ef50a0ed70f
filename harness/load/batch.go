package load

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"windtunnel/profiles"
	"windtunnel/results"
)

const (
	// batchAttempts is how often a request of a batch is tried.
	batchAttempts = 6
	// batchBackOff triples with every attempt: 0.1, 0.3, 0.9, 2.7 and 8.1 s, 12.1 s in all.
	batchBackOff = 100 * time.Millisecond
)

// Batch is a batch of actions on objects.
type Batch struct {
	// Phase and Track name the batch in the records.
	Phase, Track string
	// Batch is what is done and when.
	Batch profiles.Batch
	// MaxInFlight bounds the actions that are under way, those that pause before they try again among them. A closed loop has its own bound.
	MaxInFlight int
}

// BatchOutcome is what became of a batch.
type BatchOutcome struct {
	// Actions is how many were begun, Failed how many of them did not do all that they were to do.
	Actions, Failed int
	// Causes are why the first few failed.
	Causes []error
}

// Err says how many actions failed and why the first few did; nil when none did.
func (o BatchOutcome) Err() error {
	if o.Failed == 0 {
		return nil
	}
	texts := make([]string, len(o.Causes))
	for i, cause := range o.Causes {
		texts[i] = cause.Error()
	}
	more := ""
	if o.Failed > len(o.Causes) {
		more = ", …"
	}
	return fmt.Errorf("%d of %d actions failed: %s%s", o.Failed, o.Actions, strings.Join(texts, "; "), more)
}

// Batch carries out a batch. Each action's first request is planned at the action's instant, counted from the call, and each further one
// when it is ready to be sent behind the one before (Part 1, 2, …), so that rendering its object counts as no latency; in a closed loop so is
// the first. A request that fails in a way that can pass is tried up to 6 times, with pauses of 0.1 s that triple. Batch returns when the last
// action has ended, or when ctx ends, as Stream does; the error is then the context's cause. Actions that fail are in the outcome and are no
// error.
func (c *Client) Batch(ctx context.Context, b Batch) (BatchOutcome, error) {
	if !c.busy.CompareAndSwap(false, true) {
		return BatchOutcome{}, ErrBusy
	}
	defer c.busy.Store(false)
	ctx, end := c.during(ctx)
	defer end()
	run := &batchRun{step: &step{client: c, phase: b.Phase, track: b.Track}, forms: newBatchForms(c.userAgent()), closed: b.Batch.Pace.ClosedLoop()}
	limit := b.MaxInFlight
	if b.Batch.Pace.ClosedLoop() {
		limit = b.Batch.Pace.Workers
	}
	planned, err := c.run(ctx, limit, func(ctx context.Context, d *dispatcher) (int, error) {
		return c.paceBatch(ctx, d, run, b.Batch)
	})
	run.outcome.Actions = planned
	return run.outcome, err
}

// paceBatch adds each action at its instant, and returns how many there were.
func (c *Client) paceBatch(ctx context.Context, d *dispatcher, run *batchRun, b profiles.Batch) (planned int, err error) {
	if b.Pace.ClosedLoop() {
		for i := range b.Actions {
			d.add(task{planned: whenFree, op: &batchAction{run, b.Actions[i].Operations}, pick: profiles.Pick{Identity: i}})
		}
		return len(b.Actions), nil
	}
	order := make([]int, len(b.Actions))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return int(b.Actions[i].At - b.Actions[j].At) })
	begin := c.options.Clock.Now()
	for _, i := range order {
		at := begin + results.Instant(b.Actions[i].At)
		if err := c.pacer.until(ctx, at); err != nil {
			return planned, err
		}
		planned++
		if operations := b.Actions[i].Operations; len(operations) > 0 {
			d.add(task{planned: at, op: &batchAction{run, operations}, pick: profiles.Pick{Identity: i}})
		}
	}
	return planned, c.pacer.until(ctx, begin+results.Instant(b.Length))
}

// batchRun is a batch under way.
type batchRun struct {
	step   *step
	forms  batchForms
	closed bool // a closed loop

	mu      sync.Mutex
	outcome BatchOutcome
}

// failed counts an action that did not do what it was to do.
func (r *batchRun) failed(cause error) {
	const few = 3
	r.mu.Lock()
	defer r.mu.Unlock()
	r.outcome.Failed++
	if len(r.outcome.Causes) < few {
		r.outcome.Causes = append(r.outcome.Causes, cause)
	}
}

// batchForms are the headers of the requests of a batch.
type batchForms struct{ create, read, patch, remove *Variant }

func newBatchForms(userAgent string) batchForms {
	return batchForms{
		create: newVariant("", mediaJSON, mediaJSON, userAgent, false), read: newVariant("", mediaJSON, "", userAgent, true),
		patch: newVariant("", mediaJSON, mediaMergePatch, userAgent, false), remove: newVariant("", mediaJSON, mediaJSON, userAgent, false),
	}
}

// batchAction is the operations of one action.
type batchAction struct {
	run        *batchRun
	operations []profiles.Operation
}

// Describe implements Operation: it is the first request.
func (a *batchAction) Describe(profiles.Pick) results.Request {
	return a.record(a.operations[0], a.operations[0].Requests()[0])
}

func (a *batchAction) record(o profiles.Operation, verb string) results.Request {
	record := a.run.step.record(verb, o.Resource, scopeResource)
	record.Object = target{o.Namespace, o.Name}.String()
	return record
}

// Do implements Operation.
func (a *batchAction) Do(ctx context.Context, x *Exchange, _ profiles.Pick, planned results.Instant) {
	one := &batchWork{batchAction: a, x: x, planned: planned}
	var cause error
	for _, o := range a.operations {
		if cause != nil && o.Verb != profiles.OperationDelete {
			break
		}
		if err := one.do(ctx, o); err != nil && cause == nil {
			cause = fmt.Errorf("%s %s %s: %w", o.Verb, o.Resource.Name, target{o.Namespace, o.Name}, err)
		}
	}
	if cause != nil {
		a.run.failed(cause)
	}
}

// batchWork is an action under way on a connection.
type batchWork struct {
	*batchAction
	x       *Exchange
	planned results.Instant // of the next request
	part    int32           // of the next request
}

func (w *batchWork) do(ctx context.Context, o profiles.Operation) error {
	switch o.Verb {
	case profiles.OperationCreate:
		body, err := w.body(o)
		if err != nil {
			return err
		}
		w.ready()
		path := pathOf(o.Resource, "").of(target{namespace: o.Namespace})
		_, err = w.insist(ctx, Call{Record: w.record(o, profiles.VerbPost), Method: "POST", Path: path, Variant: w.run.forms.create, Body: body}, ClassAlreadyExists)
		return err
	case profiles.OperationPatch:
		return w.patch(ctx, o)
	}
	w.ready()
	call := Call{Record: w.record(o, profiles.VerbDelete), Method: "DELETE", Path: pathOf(o.Resource, "").of(target{o.Namespace, o.Name}), Variant: w.run.forms.remove, Body: []byte(deleteOptions)}
	_, err := w.insist(ctx, call, ClassNotFound)
	return err
}

// patch reads the object and sends what is other than it should be.
func (w *batchWork) patch(ctx context.Context, o profiles.Operation) error {
	want, err := w.body(o)
	if err != nil {
		return err
	}
	w.ready()
	answer, err := w.insist(ctx, Call{Record: w.record(o, profiles.VerbGet), Method: "GET", Path: pathOf(o.Resource, "").of(target{o.Namespace, o.Name}), Variant: w.run.forms.read, Keep: true}, "")
	if err != nil {
		return err
	}
	change, err := difference(answer.Body, want)
	if err != nil {
		w.unsent(o, profiles.VerbPatch)
		return err
	}
	w.ready()
	_, err = w.insist(ctx, Call{Record: w.record(o, profiles.VerbPatch), Method: "PATCH", Path: pathOf(o.Resource, "").of(target{o.Namespace, o.Name}), Variant: w.run.forms.patch, Body: change}, "")
	return err
}

// ready plans the next request now, when nothing but what the harness had to do itself, such as rendering the object, was between the
// request before it, or the worker's taking of the action, and now. The first request of an open loop has its instant.
func (w *batchWork) ready() {
	if w.run.closed || w.part > 0 {
		w.planned = w.x.client.options.Clock.Now()
	}
}

// body renders the object. Where that fails the record says so.
func (w *batchWork) body(o profiles.Operation) ([]byte, error) {
	body, err := o.Body(w.x.client.options.Run)
	if err != nil {
		w.unsent(o, o.Requests()[0])
	}
	return body, err
}

// unsent records a request that could not be built.
func (w *batchWork) unsent(o profiles.Operation, verb string) {
	record := w.record(o, verb)
	record.Planned, record.Part, record.Identity, record.Error, record.Attempt = w.planned, w.part, w.x.lane.identity, ClassInternal, 1
	w.x.client.options.Record(record)
	w.part++
}

// insist sends a request until it is answered well, or with a class that is as good, or there is no hope. Its attempts are one part.
func (w *batchWork) insist(ctx context.Context, call Call, asGood string) (Answer, error) {
	call.Record.Part = w.part
	w.part++
	pause := batchBackOff
	for n := int32(1); ; n++ {
		call.Record.Planned, call.Record.Attempt = w.planned, n
		answer := w.x.Send(ctx, call)
		w.planned = answer.Done
		if answer.Class == "" || answer.Class == asGood {
			return answer, nil
		}
		if n == batchAttempts || !passing(answer) || !sleep(w.x.step, max(pause, answer.RetryAfter)) {
			return answer, fmt.Errorf("%s, attempt %d: %w", call.Method, n, answer.problem())
		}
		pause *= 3
		w.planned = w.x.client.options.Clock.Now()
	}
}

// passing tells failures of which the same request may be answered well a moment later.
func passing(a Answer) bool {
	switch a.Class {
	case ClassConnection, ClassTimeout, ClassTooManyRequests, ClassUnavailable, ClassServerTimeout, ClassServerError, ClassUnauthorized:
		return true
	case ClassConflict: // of a namespace's quota, which is counted in an object that others write, too
		return bytes.Contains(a.Body, []byte("resourcequotas"))
	}
	return a.RetryAfter > 0
}
