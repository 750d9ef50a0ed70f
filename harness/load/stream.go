package load

import (
	"context"
	"maps"

	"windtunnel/profiles"
	"windtunnel/results"
)

// Stream is a Requests step: an open-loop stream of single requests, or those of the users of a closed loop.
type Stream struct {
	// Phase and Track name the step in the records.
	Phase, Track string
	// Requests is what is sent and when.
	Requests profiles.Requests
	// Objects are the plan's templates.
	Objects map[string]profiles.Template
	// Pools are the instances of each template as they are when the step begins.
	Pools map[string]profiles.Pool
	// Nodes are the names of the nodes that a binding may put pods on.
	Nodes []string
	// Seed makes the random choices, see profiles.StreamSeed.
	Seed uint64
}

// Outcome is what became of a step.
type Outcome struct {
	// Planned is how many instants came before the step's end, each with a record; for a reconcile as fast as it goes, how
	// many instances there were to create or delete; for a closed loop of users, how many requests they took, of which
	// those that the step's end kept from being sent have no record.
	Planned int
	// Pools are the instances of each template afterwards, if every request that was sent did what it was to do.
	Pools map[string]profiles.Pool
}

// Stream sends the requests of a step at their planned instants, which begin when it is called. It returns when the last one
// has been answered, or when ctx ends: then what is planned until that moment and not yet sent is recorded as dropped, what
// is under way may take 5 s more, and the error is the context's cause. Every planned instant has at least one record; a request that
// fails is a record, never an error. The requests of a closed loop are planned at the instant at which they are sent.
func (c *Client) Stream(ctx context.Context, s Stream) (Outcome, error) {
	if !c.busy.CompareAndSwap(false, true) {
		return Outcome{}, ErrBusy
	}
	defer c.busy.Store(false)
	ctx, end := c.during(ctx)
	defer end()
	operations, err := c.operations(ctx, s)
	if err != nil {
		return Outcome{}, err
	}
	mix := mixture{operations: operations, requests: s.Requests.Mix, pools: maps.Clone(s.Pools)}
	if mix.pools == nil {
		mix.pools = map[string]profiles.Pool{}
	}
	planned, err := c.run(ctx, s.Requests.MaxInFlight, func(ctx context.Context, d *dispatcher) (int, error) {
		if s.Requests.ClosedLoop != nil {
			return c.crowd(ctx, d, s, mix)
		}
		return c.pace(ctx, d, s, mix)
	})
	return Outcome{Planned: planned, Pools: mix.pools}, err
}

// run gives the connections to one step: feed adds tasks until there are no more or its context ends, which an
// operation's failure makes it do too.
func (c *Client) run(parent context.Context, limit int, feed func(context.Context, *dispatcher) (int, error)) (int, error) {
	ctx, fail := context.WithCancelCause(parent)
	defer fail(nil)
	d := newDispatcher(ctx, c, limit, fail)
	stopped := make(chan struct{})
	unwatch := context.AfterFunc(ctx, func() {
		d.stop()
		close(stopped)
	})
	planned, err := feed(ctx, d)
	d.wait()
	if !unwatch() {
		<-stopped
	}
	if ctx.Err() != nil {
		return planned, context.Cause(ctx)
	}
	return planned, err
}

// mixture is what the picks of a stream choose from.
type mixture struct {
	operations []Operation
	requests   []profiles.Request
	pools      map[string]profiles.Pool
}

// pace adds each pick at its instant, and returns how many there were.
func (c *Client) pace(ctx context.Context, d *dispatcher, s Stream, mix mixture) (planned int, err error) {
	begin := c.options.Clock.Now()
	for pick := range profiles.Picks(s.Requests, s.Pools, s.Seed) {
		at := begin + results.Instant(pick.At)
		if err := c.pacer.until(ctx, at); err != nil {
			return planned, err
		}
		planned++
		t := task{planned: at, op: mix.operations[pick.Request], pick: pick}
		if pick.NoTarget {
			c.unsent(t, ClassNoTarget)
			continue
		}
		mix.account(pick, ctx.Err() != nil)
		d.add(t)
	}
	return planned, nil
}

// account follows what a pick does to the instances of its template.
func (m mixture) account(p profiles.Pick, dropped bool) {
	request := m.requests[p.Request]
	if dropped || request.Object == "" {
		return
	}
	pool := m.pools[request.Object]
	switch request.Effect() {
	case profiles.EffectAdd:
		pool.Next = max(pool.Next, p.Index+1)
	case profiles.EffectRemove:
		pool.First = max(pool.First, p.Index+1)
	case profiles.EffectBind:
		pool.Bound = max(pool.Bound, p.Index+1)
	}
	m.pools[request.Object] = pool
}
