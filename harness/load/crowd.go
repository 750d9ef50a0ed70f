package load

import (
	"context"
	"sync"
	"time"

	"windtunnel/profiles"
	"windtunnel/results"
)

// unansweredPause is the least that a user of a closed loop waits after a request that nothing answered or that had no
// target. Without it, users who do not think would fill the records as fast as a dead server refuses connections.
const unansweredPause = 100 * time.Millisecond

// crowd is the users of a closed loop at work.
type crowd struct {
	client *Client
	d      *dispatcher
	users  *profiles.Users

	mu    sync.Mutex // held while a user takes a request: the picks are one sequence
	mix   mixture
	taken int
}

// crowd lets the users of a closed loop send requests until their time is over or ctx ends, and returns how many they
// took. A request that is under way at the end of their time is still waited for, by the dispatcher.
func (c *Client) crowd(ctx context.Context, d *dispatcher, s Stream, mix mixture) (int, error) {
	loop := *s.Requests.ClosedLoop
	sending := ctx
	if loop.For > 0 {
		var stop context.CancelFunc
		sending, stop = context.WithTimeout(ctx, time.Duration(loop.For))
		defer stop()
	}
	people := &crowd{client: c, d: d, users: profiles.NewUsers(s.Requests, s.Pools, s.Seed), mix: mix}
	var all sync.WaitGroup
	for i := range loop.Users {
		all.Go(func() { people.user(sending, i) })
	}
	all.Wait()
	return people.taken, ctx.Err()
}

// user sends a request, waits for its answer, thinks, and sends the next. Think times are slept by Go's timers, which wake
// up to about a millisecond late (see pacer): that makes a user a little slower, and no latency longer. The more exact
// sleep holds a thread, of which there would be one a user.
func (c *crowd) user(ctx context.Context, i int) {
	answered := make(chan bool, 1) // has room: no worker waits for a user who has left
	pause := c.users.Begin(i)
	for rest(ctx, pause) && c.ask(answered) {
		select {
		case ok := <-answered:
			pause = c.users.Think(i)
			if !ok {
				pause = max(pause, unansweredPause)
			}
		case <-ctx.Done():
			return
		}
	}
}

// rest pauses, if there is anything to pause for; false when the context ended first.
func rest(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	return sleep(ctx, d)
}

// ask takes the next request and has it sent. The channel is told when it is done, and whether there was an answer; false
// when there is nothing to take.
func (c *crowd) ask(answered chan<- bool) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	pick, ok := c.users.Pick()
	if !ok {
		return false
	}
	c.taken++
	op := c.mix.operations[pick.Request]
	if pick.NoTarget {
		c.client.unsent(task{planned: c.client.options.Clock.Now(), op: op, pick: pick}, ClassNoTarget)
		answered <- false
		return true
	}
	c.mix.account(pick, c.d.step.Err() != nil)
	c.d.add(task{planned: whenFree, op: asked{op, answered}, pick: pick})
	return true
}

// asked is an operation that a user waits for.
type asked struct {
	Operation
	answered chan<- bool
}

// Do implements Operation.
func (a asked) Do(ctx context.Context, x *Exchange, p profiles.Pick, planned results.Instant) {
	x.unanswered = false
	a.Operation.Do(ctx, x, p, planned)
	a.answered <- !x.unanswered
}
