package load

import (
	"context"
	"sync"
	"time"

	"windtunnel/profiles"
	"windtunnel/results"
)

// drainTime is how long requests that are under way when a step is stopped may still take before they are given up.
const drainTime = 5 * time.Second

// whenFree is the planned instant of a closed-loop task, of a reconcile as fast as it goes or of a user: that at which a
// worker takes it.
const whenFree results.Instant = -1

// task is a planned pick on its way to a connection.
type task struct {
	planned results.Instant
	op      Operation
	pick    profiles.Pick
}

// dispatcher holds the tasks that are due until a connection of their identity has a free stream and fewer than limit are
// under way, in the order of their instants, and hands them to workers. Nothing here ever holds up the schedule: a task that
// has to wait is late, and its record shows by how much.
type dispatcher struct {
	client *Client
	limit  int
	fail   func(error)

	step     context.Context // of the step: its end stops the dispatcher
	requests context.Context // of the requests; ends drainTime after stop
	giveUp   context.CancelFunc

	mu       sync.Mutex
	inFlight int
	idle     []*worker
	complete bool // no more tasks will come
	stopped  bool // tasks that come are dropped
	settled  chan struct{}
	drain    *time.Timer // set by stop
	workers  sync.WaitGroup
}

// assignment is a task with the connection that it has a stream of.
type assignment struct {
	task task
	lane *lane
	conn *conn
}

// worker is a goroutine that carries out assignments one after another.
type worker struct{ next chan assignment }

// newDispatcher takes over the client's connections until wait has returned. fail is called when an operation finds that
// the step cannot go on.
func newDispatcher(step context.Context, client *Client, limit int, fail func(error)) *dispatcher {
	d := &dispatcher{client: client, limit: max(limit, 1), fail: fail, step: step, settled: make(chan struct{})}
	d.requests, d.giveUp = context.WithCancel(client.options.Allowed)
	return d
}

// add takes a task that is due.
func (d *dispatcher) add(t task) {
	d.mu.Lock()
	if d.stopped {
		d.mu.Unlock()
		d.drop(t)
		return
	}
	lanes := d.client.lanes
	lanes[t.pick.Identity%len(lanes)].pending.push(t)
	d.start()
	d.mu.Unlock()
}

// start hands out tasks while there are free streams. The lock is held.
func (d *dispatcher) start() {
	for {
		a, ok := d.assign()
		if !ok {
			return
		}
		if n := len(d.idle); n > 0 {
			w := d.idle[n-1] // the one that was busy last has the warmest stack
			d.idle = d.idle[:n-1]
			w.next <- a // has room: the worker is idle
			continue
		}
		w := &worker{next: make(chan assignment, 1)}
		d.workers.Go(func() { d.work(w, a) })
	}
}

// assign takes the task with the earliest instant among the identities that have a free stream. The lock is held.
func (d *dispatcher) assign() (assignment, bool) {
	if d.inFlight >= d.limit {
		return assignment{}, false
	}
	var (
		best *lane
		via  *conn
	)
	for _, l := range d.client.lanes {
		if l.pending.len() == 0 || best != nil && l.pending.head().planned >= best.pending.head().planned {
			continue
		}
		if c := l.leastUsed(); c != nil {
			best, via = l, c
		}
	}
	if best == nil {
		return assignment{}, false
	}
	d.inFlight++
	via.used++
	return assignment{task: best.pending.pop(), lane: best, conn: via}, true
}

// leastUsed is the connection with the fewest requests under way, taking turns among equals; nil when none has a free stream.
func (l *lane) leastUsed() *conn {
	var best *conn
	l.turn++
	for i := range l.conns {
		c := l.conns[(l.turn+i)%len(l.conns)]
		if c.free() > 0 && (best == nil || c.used < best.used) {
			best = c
		}
	}
	return best
}

func (d *dispatcher) work(w *worker, a assignment) {
	x := &Exchange{client: d.client, step: d.step, fail: d.fail}
	for ok := true; ok; a, ok = d.done(w, a) {
		x.conn, x.lane = a.conn, a.lane
		if a.task.planned == whenFree {
			a.task.planned = d.client.options.Clock.Now()
		}
		a.task.op.Do(d.requests, x, a.task.pick, a.task.planned)
	}
}

// done gives the stream back and waits for the worker's next assignment; false when there will be none.
func (d *dispatcher) done(w *worker, a assignment) (assignment, bool) {
	d.mu.Lock()
	d.inFlight--
	a.conn.used--
	next, ok := d.assign()
	if ok {
		d.start() // a reconnect may have brought more streams
		d.mu.Unlock()
		return next, true
	}
	d.settle()
	d.idle = append(d.idle, w)
	d.mu.Unlock()
	next, ok = <-w.next
	return next, ok
}

// settle tells wait when all is done. The lock is held.
func (d *dispatcher) settle() {
	if !d.complete || d.inFlight > 0 {
		return
	}
	for _, l := range d.client.lanes {
		if l.pending.len() > 0 {
			return
		}
	}
	select {
	case <-d.settled:
	default:
		close(d.settled)
	}
}

// stop drops all tasks that have not been sent. Requests under way may take drainTime more.
func (d *dispatcher) stop() {
	d.mu.Lock()
	d.stopped = true
	d.drain = time.AfterFunc(drainTime, d.giveUp)
	var dropped []task
	for _, l := range d.client.lanes {
		for l.pending.len() > 0 {
			dropped = append(dropped, l.pending.pop())
		}
	}
	d.settle()
	d.mu.Unlock()
	for _, t := range dropped {
		d.drop(t)
	}
}

// drop records a task that was planned and never sent. Closed-loop tasks are not planned before they are sent.
func (d *dispatcher) drop(t task) {
	if t.planned != whenFree {
		d.client.unsent(t, ClassDropped)
	}
}

// unsent records a pick for which nothing was sent.
func (c *Client) unsent(t task, class string) {
	record := t.op.Describe(t.pick)
	record.Planned, record.Error, record.Attempt = t.planned, class, 1
	record.Identity = c.lanes[t.pick.Identity%len(c.lanes)].identity
	c.options.Record(record)
}

// wait returns when every task has been done or dropped and no goroutine is left. No task may be added after it was called.
func (d *dispatcher) wait() {
	d.mu.Lock()
	d.complete = true
	d.settle()
	d.mu.Unlock()
	<-d.settled
	d.mu.Lock()
	for _, w := range d.idle {
		close(w.next)
	}
	if d.drain != nil {
		d.drain.Stop()
	}
	d.mu.Unlock()
	d.workers.Wait()
	d.giveUp()
}
