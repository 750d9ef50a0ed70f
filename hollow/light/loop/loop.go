// Package loop runs callbacks one after another on one goroutine: what is posted to it and what its timers bring. State that only
// its callbacks touch needs no lock.
package loop

import (
	"container/heap"
	"context"
	"sync"
	"time"
)

// Loop is one such goroutine. Make it with New.
type Loop struct {
	mu     sync.Mutex
	posted []func()
	wake   chan struct{}

	timers timers // of the loop's goroutine
}

// New returns a loop that does not run yet; what is posted before Run waits.
func New() *Loop { return &Loop{wake: make(chan struct{}, 1)} }

// Post has do called on the loop, after everything that was posted before. It is safe for concurrent use and does not block.
func (l *Loop) Post(do func()) {
	l.mu.Lock()
	l.posted = append(l.posted, do)
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
	var batch []func()
	for ctx.Err() == nil {
		l.mu.Lock()
		batch, l.posted = l.posted, batch[:0]
		l.mu.Unlock()
		for i, do := range batch {
			batch[i] = nil
			do()
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
		t.do()
	}
	return 0, true
}

// Timer is a callback that is to come. The zero value and nil are of no callback.
type Timer struct {
	at    time.Time
	do    func()
	index int
	set   bool
}

// After has do called on the loop after d. It must be called on the loop.
func (l *Loop) After(d time.Duration, do func()) *Timer {
	t := &Timer{at: time.Now().Add(d), do: do, set: true}
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
