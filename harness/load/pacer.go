package load

import (
	"context"
	"time"

	"golang.org/x/sys/unix"

	"windtunnel/results"
)

const (
	// longWait is the longest time that is slept by a system call, which a context cannot interrupt.
	longWait = 20 * time.Millisecond
	// earlyBy is by how much a timer wakes before the instant, to leave the rest to the more exact sleep.
	earlyBy = 2 * time.Millisecond
)

// pacer waits for planned instants. Go's timers go through epoll, which counts in milliseconds: at 300 instants a second
// they woke 0.63 ms late at p50 and 1.1 ms at p99 (2 cores), as much as a whole GET takes. nanosleep woke 0.15 ms late for the
// same CPU time (0.11 ms a wake-up), and spinning through the last millisecond 0.0003 ms late for 0.63 ms of CPU, which on a
// machine shared with the system under test costs it more than the lag does.
type pacer struct {
	clock results.Clock
	nap   func(time.Duration) // sleeps for up to longWait; may return early
}

// until returns at the instant, or at once when that has passed. It returns the context's error when that ends first.
func (p pacer) until(ctx context.Context, at results.Instant) error {
	for {
		left := time.Duration(at - p.clock.Now())
		if left <= 0 {
			return nil
		}
		if left <= longWait {
			p.nap(left)
			if err := ctx.Err(); err != nil { // the end came before the instant
				return err
			}
			continue
		}
		timer := time.NewTimer(left - earlyBy)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
	}
}

// nap sleeps in the kernel, on its high-resolution timer. A signal ends it early.
func nap(d time.Duration) {
	left := unix.NsecToTimespec(int64(d))
	// The only error is EINTR: the caller looks at the clock again.
	_ = unix.Nanosleep(&left, nil)
}
