package host

import (
	"sync"
	"time"
)

// leases counts how the nodes' leases are renewed. It is safe for concurrent use.
type leases struct {
	mu       sync.Mutex
	renewals int64
	largest  time.Duration     // between two renewals of one, of those that have been renewed since
	last     map[time.Time]int // of how many leases an instant is that of the last renewal
}

// Renewed says that a node's lease was renewed now, and before that at last, which is zero for the first time. It returns now.
func (h *Host) Renewed(last, now time.Time) time.Time {
	l := &h.leases
	l.mu.Lock()
	defer l.mu.Unlock()
	l.renewals++
	if !last.IsZero() {
		l.largest = max(l.largest, now.Sub(last))
		l.leave(last)
	}
	if l.last == nil {
		l.last = make(map[time.Time]int)
	}
	l.last[now]++
	return now
}

// Unleased says that a lease that was renewed at last is not to be renewed any more, as its node has gone; last may be zero.
func (h *Host) Unleased(last time.Time) {
	h.leases.mu.Lock()
	defer h.leases.mu.Unlock()
	h.leases.leave(last)
}

// leave takes one lease from those of an instant.
func (l *leases) leave(last time.Time) {
	if l.last[last] > 1 {
		l.last[last]--
	} else {
		delete(l.last, last)
	}
}

// anew forgets when leases were renewed last: nodes have left the shard, and which leases are theirs is not known. Those of the others
// come again with their next renewal.
func (l *leases) anew() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last = nil
}

// status is how many renewals there were and the longest time between two of one lease. A lease that was not renewed for longer, up to now,
// counts with that: it may never be renewed again.
func (l *leases) status(now time.Time) (renewals int64, largest time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	largest = l.largest
	for last := range l.last {
		largest = max(largest, now.Sub(last))
	}
	return l.renewals, largest
}
