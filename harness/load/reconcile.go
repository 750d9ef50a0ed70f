package load

import (
	"context"
	"fmt"
	"time"

	"windtunnel/profiles"
	"windtunnel/results"
)

const (
	// maxAttempts is how often a reconcile step tries one instance.
	maxAttempts = 8
	// firstBackOff doubles with every attempt up to lastBackOff: 0.1, 0.2, 0.4, 0.8, 1.6, 2 and 2 s, 7.1 s in all.
	firstBackOff = 100 * time.Millisecond
	lastBackOff  = 2 * time.Second
)

// Reconcile is a Reconcile step: instances of a template are created or deleted until there are so many.
type Reconcile struct {
	// Phase and Track name the step in the records.
	Phase, Track string
	// Template is what is created or deleted.
	Template profiles.Template
	// Pool is the instances that there are; Count is how many there are to be. New ones take the next numbers, the
	// youngest are deleted first.
	Pool  profiles.Pool
	Count int
	// Arrivals plans each request; nil sends them as fast as MaxInFlight allows, which is a closed loop: a request is
	// planned when one before it is done.
	Arrivals *profiles.Arrivals
	// MaxInFlight bounds the requests that are under way.
	MaxInFlight int
	// Seed makes the arrivals, see profiles.StreamSeed.
	Seed uint64
}

// Reconcile carries out a step that must reach its count. A request that fails is tried again up to 8 times in all with growing
// pauses, each attempt with a record of its own (Attempt 2, 3, …, planned at the end of its pause); an instance that is there
// already, or gone already, is as good as created or deleted, though its record shows the class. When an instance
// cannot be had, the step stops and the error says which and what the server said. The Outcome's pool is Pool with what
// was asked for, whatever the error.
func (c *Client) Reconcile(ctx context.Context, r Reconcile) (Outcome, error) {
	if !c.busy.CompareAndSwap(false, true) {
		return Outcome{}, ErrBusy
	}
	defer c.busy.Store(false)
	ctx, end := c.during(ctx)
	defer end()
	plan, err := c.reconciliation(r)
	if err != nil {
		return Outcome{}, err
	}
	planned, err := c.run(ctx, r.MaxInFlight, func(ctx context.Context, d *dispatcher) (int, error) {
		if r.Arrivals == nil {
			return c.feed(d, plan), nil
		}
		return c.paceReconcile(ctx, d, r, plan)
	})
	return Outcome{Planned: planned, Pools: map[string]profiles.Pool{r.Template.Name: plan.pool(r.Pool, planned)}}, err
}

// reconciliation is the list of instance numbers to create or delete: from first, by turns of +1 or −1, count of them.
type reconciliation struct {
	op     Operation
	first  int
	stride int
	count  int
}

func (c *Client) reconciliation(r Reconcile) (reconciliation, error) {
	st := &step{client: c, phase: r.Phase, track: r.Track}
	verb, plan := profiles.VerbPost, reconciliation{first: r.Pool.Next, stride: 1, count: r.Count - r.Pool.Size()}
	if plan.count < 0 {
		verb, plan = profiles.VerbDelete, reconciliation{first: r.Pool.Next - 1, stride: -1, count: -plan.count}
	}
	op, err := st.byTemplate(profiles.Request{Verb: verb}, r.Template)
	if err != nil {
		return reconciliation{}, err
	}
	try, ok := op.(attempt)
	if !ok {
		return reconciliation{}, fmt.Errorf("%s cannot be tried again", verb) // only a change to byTemplate leads here
	}
	plan.op = &insistent{attempt: try, verb: verb}
	return plan, nil
}

// pool is what is left of the pool after n requests.
func (r reconciliation) pool(p profiles.Pool, n int) profiles.Pool {
	p.Next += n * r.stride
	return p
}

func (r reconciliation) task(i int, planned results.Instant) task {
	// The identity goes round with the instances; add takes it modulo the number of identities.
	return task{planned: planned, op: r.op, pick: profiles.Pick{Index: r.first + i*r.stride, Identity: i}}
}

// feed adds all requests at once, each to be sent when there is room.
func (c *Client) feed(d *dispatcher, plan reconciliation) int {
	for i := range plan.count {
		d.add(plan.task(i, whenFree))
	}
	return plan.count
}

// paceReconcile adds one request an arrival.
func (c *Client) paceReconcile(ctx context.Context, d *dispatcher, r Reconcile, plan reconciliation) (planned int, err error) {
	begin := c.options.Clock.Now()
	for at := range profiles.Schedule(*r.Arrivals, r.Seed) {
		if planned == plan.count {
			return planned, nil
		}
		instant := begin + results.Instant(at)
		if err := c.pacer.until(ctx, instant); err != nil {
			return planned, err
		}
		d.add(plan.task(planned, instant))
		planned++
	}
	if planned < plan.count {
		return planned, fmt.Errorf("the arrivals end with %d of %d instances of %s still to come", plan.count-planned, plan.count, r.Template.Name)
	}
	return planned, nil
}

// attempt is an operation of one request that says what came of its n-th sending, so that it can be tried again.
type attempt interface {
	Operation
	try(ctx context.Context, x *Exchange, p profiles.Pick, planned results.Instant, n int32) (Answer, error)
}

func (c *create) try(ctx context.Context, x *Exchange, p profiles.Pick, planned results.Instant, n int32) (Answer, error) {
	call, err := c.call(x, p, planned)
	if err != nil {
		c.unsent(x, call.Record, ClassInternal)
		return Answer{}, err
	}
	call.Record.Attempt = n
	return x.Send(ctx, call), nil
}

func (r *remove) try(ctx context.Context, x *Exchange, p profiles.Pick, planned results.Instant, n int32) (Answer, error) {
	call := r.call(p, planned)
	call.Record.Attempt = n
	return x.Send(ctx, call), nil
}

// insistent tries an operation until it has its effect.
type insistent struct {
	attempt
	verb string
}

// Do implements Operation. The stream stays taken during the pauses: a server that refuses is not asked for
// more. A pause ends, and with it the attempts, when the step does.
func (o *insistent) Do(ctx context.Context, x *Exchange, p profiles.Pick, planned results.Instant) {
	pause := firstBackOff
	for n := int32(1); ; n++ {
		answer, err := o.try(ctx, x, p, planned, n)
		if err != nil {
			x.fail(err)
			return
		}
		if o.achieved(answer) || answer.Class == ClassCanceled {
			return
		}
		if n == maxAttempts || !worthRetrying(answer.Class) {
			record := o.Describe(p)
			x.fail(fmt.Errorf("%s %s %s, attempt %d: %w", o.verb, record.Resource, record.Object, n, answer.problem()))
			return
		}
		if !sleep(x.step, max(pause, answer.RetryAfter)) {
			return
		}
		pause = min(2*pause, lastBackOff)
		planned = x.client.options.Clock.Now()
	}
}

// achieved tells whether the instance is as it should be.
func (o *insistent) achieved(a Answer) bool {
	switch a.Class {
	case "":
		return true
	case ClassAlreadyExists:
		return o.verb == profiles.VerbPost
	case ClassNotFound:
		return o.verb == profiles.VerbDelete
	}
	return false
}

// worthRetrying tells failures that can pass from those that cannot. Forbidden and not_found can: admission refuses a pod until
// its namespace has a service account, and a server that has just booted does not know all its roles and resources yet.
func worthRetrying(class string) bool {
	switch class {
	case ClassBadRequest, ClassUnauthorized, ClassInvalid, ClassClientError, ClassInternal:
		return false
	}
	return true
}

// sleep pauses; false when the context ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
