// Package loop runs callbacks one after another on one goroutine: what is posted to it and what its timers bring. State that only
// its callbacks touch needs no lock.
package loop

import (
	"container/heap"
	"context"
	"sync"
	"time"
)

// Loop is such a goroutine, or a part of one. Make it with New.
type Loop struct {
	*core
	ended bool // of the loop's goroutine
}

// core is what the parts of a loop have in common.
type core struct {
	mu     sync.Mutex
	posted []callback
	wake   chan struct{}

	timers timers // of the loop's goroutine
}

// callback is a function that is called unless its part of the loop has ended.
type callback struct {
	part *Loop
	do   func()
}

func (c callback) call() {
	if !c.part.ended {
		c.do()
	}
}

// New returns a loop that does not run yet; what is posted before Run waits.
func New() *Loop { return &Loop{core: &core{wake: make(chan struct{}, 1)}} }

// Part returns a part of the loop: what is posted to it and its timers are called as those of the loop itself, until it ends.
func (l *Loop) Part() *Loop { return &Loop{core: l.core} }

// End ends a part: nothing that is or will be posted to it and none of its timers is called any more. It must be called on the loop.
func (l *Loop) End() { l.ended = true }

// Post has do called on the loop, after everything that was posted before. It is safe for concurrent use and does not block.
func (l *Loop) Post(do func()) {
	l.mu.Lock()
	l.posted = append(l.posted, callback{l, do})
	first := len(l.posted) == 1
	l.mu.Unlock()
	if first {
		select {
		case l.wake <- struct{}{}:
		default:
		}
	}
}

// Run calls callbacks until ctx ends.
func (l *Loop) Run(ctx context.Context) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	var batch []callback
	for ctx.Err() == nil {
		l.mu.Lock()
		batch, l.posted = l.posted, batch[:0]
		l.mu.Unlock()
		for i, c := range batch {
			batch[i] = callback{}
			c.call()
		}
		wait, due := l.fire(time.Now())
		if due || len(batch) > 0 {
			continue
		}
		timer.Reset(wait)
		select {
		case <-l.wake:
		case <-timer.C:
		case <-ctx.Done():
		}
	}
}

// atOnce bounds how many timers run before posted callbacks have their turn.
const atOnce = 256

// fire runs timers that are due. due says that there may be more, else wait is the time until the next.
func (l *Loop) fire(now time.Time) (wait time.Duration, due bool) {
	for range atOnce {
		if len(l.timers) == 0 {
			return time.Hour, false
		}
		t := l.timers[0]
		if wait := t.at.Sub(now); wait > 0 {
			return wait, false
		}
		heap.Pop(&l.timers)
		t.call()
	}
	return 0, true
}

// Timer is a callback that is to come. The zero value and nil are of no callback.
type Timer struct {
	callback
	at    time.Time
	index int
	set   bool
}

// After has do called on the loop after d. It must be called on the loop.
func (l *Loop) After(d time.Duration, do func()) *Timer {
	t := &Timer{callback: callback{l, do}, at: time.Now().Add(d), set: true}
	heap.Push(&l.timers, t)
	return t
}

// Stop calls a timer off; one that has run, or is nil, is passed over. It must be called on the loop.
func (l *Loop) Stop(t *Timer) {
	if t != nil && t.set {
		heap.Remove(&l.timers, t.index)
	}
}

// timers is a heap by time.
type timers []*Timer

func (t timers) Len() int           { return len(t) }
func (t timers) Less(i, j int) bool { return t[i].at.Before(t[j].at) }
func (t timers) Swap(i, j int) {
	t[i], t[j] = t[j], t[i]
	t[i].index, t[j].index = i, j
}

func (t *timers) Push(x any) {
	timer := x.(*Timer)
	timer.index = len(*t)
	*t = append(*t, timer)
}

func (t *timers) Pop() any {
	last := len(*t) - 1
	timer := (*t)[last]
	(*t)[last] = nil
	*t = (*t)[:last]
	timer.set = false
	return timer
}
