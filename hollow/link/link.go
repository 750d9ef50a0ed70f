// Package link makes the connections of a node as bad as a network can be: packets that do not arrive, that arrive late, or that
// have little room. Without such conditions a connection costs nothing more than it does without the package.
package link

import (
	"context"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"windtunnel/hollow"
)

// Dial connects to an address.
type Dial func(ctx context.Context, network, address string) (net.Conn, error)

// dialTimeout is how long an attempt to connect lasts whose packets do not arrive: client-go's own.
const dialTimeout = 30 * time.Second

// Link is the network between one node and the world. It is safe for concurrent use.
type Link struct {
	dial Dial
	bad  atomic.Bool // there are conditions

	mu         sync.Mutex
	conditions hollow.Conditions
	changed    chan struct{} // closed when the conditions change
	random     *rand.Rand
	orphans    []net.Conn // closed by the node while nothing could tell the other end
}

// New returns a good link that connects by dial.
func New(dial Dial) *Link { return &Link{dial: dial, changed: make(chan struct{})} }

// Set makes the conditions those of all connections that there are and will be.
func (l *Link) Set(c hollow.Conditions) {
	l.mu.Lock()
	l.conditions, l.random = c, rand.New(rand.NewPCG(c.Seed, 0))
	l.bad.Store(c.Partitioned || c.Latency > 0 || c.Bandwidth > 0)
	close(l.changed)
	l.changed = make(chan struct{})
	var orphans []net.Conn
	if !c.Partitioned {
		orphans, l.orphans = l.orphans, nil
	}
	l.mu.Unlock()
	for _, conn := range orphans {
		conn.Close()
	}
}

// now are the conditions at present, and what is closed when they change.
func (l *Link) now() (hollow.Conditions, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.conditions, l.changed
}

// delay draws the latency of what is sent now.
func (l *Link) delay() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	d := l.conditions.Latency
	if j := l.conditions.Jitter; j > 0 {
		d += time.Duration((2*l.random.Float64() - 1) * float64(j))
	}
	return d
}

// Dial connects as soon as packets arrive; while none do it hangs, as an attempt to connect does that nobody answers.
func (l *Link) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	if l.bad.Load() {
		limited, cancel := context.WithTimeout(ctx, dialTimeout)
		defer cancel()
		if err := l.passable(limited.Done()); err != nil {
			if ctx.Err() != nil {
				return nil, context.Cause(ctx)
			}
			return nil, &net.OpError{Op: "dial", Net: network, Err: context.DeadlineExceeded}
		}
		if err := sleep(limited.Done(), l.delay()); err != nil {
			return nil, context.Cause(limited)
		}
	}
	raw, err := l.dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return newConn(l, raw), nil
}

// passable waits until packets arrive. It returns net.ErrClosed when done is closed before.
func (l *Link) passable(done <-chan struct{}) error {
	for {
		conditions, changed := l.now()
		if !conditions.Partitioned {
			return nil
		}
		select {
		case <-changed:
		case <-done:
			return net.ErrClosed
		}
	}
}

func sleep(done <-chan struct{}, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-done:
		return net.ErrClosed
	}
}
