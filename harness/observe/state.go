package observe

import "context"

// waiters are those who wait for a condition on something that a lock guards. The lock is held in every call but the wait itself.
type waiters struct {
	all map[*waiter]struct{}
}

type waiter struct {
	holds func() bool
	met   chan struct{}
}

// add registers a condition, which check looks at from now on.
func (w *waiters) add(holds func() bool) *waiter {
	if w.all == nil {
		w.all = map[*waiter]struct{}{}
	}
	one := &waiter{holds: holds, met: make(chan struct{})}
	w.all[one] = struct{}{}
	w.check()
	return one
}

// check tells those whose condition holds.
func (w *waiters) check() {
	for one := range w.all {
		if one.holds() {
			delete(w.all, one)
			close(one.met)
		}
	}
}

// remove forgets a waiter that gave up.
func (w *waiters) remove(one *waiter) { delete(w.all, one) }

// wait blocks until the condition holds; false when ctx ended first.
func (o *waiter) wait(ctx context.Context) bool {
	select {
	case <-o.met:
		return true
	case <-ctx.Done():
		return false
	}
}

// differences is the number of keys that only one of two maps has or that have different values.
func differences[K, V comparable](a, b map[K]V) int {
	n := 0
	for key, value := range b {
		if old, ok := a[key]; !ok || old != value {
			n++
		}
	}
	for key := range a {
		if _, ok := b[key]; !ok {
			n++
		}
	}
	return n
}
