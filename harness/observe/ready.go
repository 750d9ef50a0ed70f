package observe

import (
	"context"
	"errors"
	"fmt"
	"time"
)

const (
	// StallTime is how long no further node may become Ready before a wait is given up.
	StallTime = time.Minute
	// lookEvery is how often the number of Ready nodes is looked at; the watch itself is pushed.
	lookEvery = 100 * time.Millisecond
)

// ReadyWait is the wait for all hollow nodes to be Ready.
type ReadyWait struct {
	// Total is how many nodes there are, and Ready how many are Ready now.
	Total int
	Ready func() int
	// Progress hears of every change of the number.
	Progress func(ready, total int)
	// Also has to hold besides; nil for nothing.
	Also func() bool
	// Failed ends the wait with what it delivers.
	Failed <-chan error
	// Behind makes the error of a wait that stalled or took too long: it knows whom to blame.
	Behind func(context.Context, error) error
}

// WithReadyTimeout bounds ctx by the time within which all nodes are to be Ready. The cause of its end says so, and is a
// context.DeadlineExceeded.
func WithReadyTimeout(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, timeout, slowError{timeout})
}

type slowError struct{ timeout time.Duration }

func (e slowError) Error() string        { return fmt.Sprintf("not all are Ready within %v", e.timeout) }
func (e slowError) Is(target error) bool { return target == context.DeadlineExceeded }

// Await waits. A failure, StallTime without a node that became Ready, and the end of ctx make it fail.
func (w ReadyWait) Await(ctx context.Context) error {
	last, most := -1, 0
	stall := time.NewTimer(StallTime)
	defer stall.Stop()
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for {
		if now := w.Ready(); now != last {
			if now > most { // a node that comes and goes is no progress
				most = now
				stall.Reset(StallTime)
			}
			last = now
			w.Progress(now, w.Total)
		}
		if last >= w.Total && (w.Also == nil || w.Also()) {
			return nil
		}
		select {
		case <-look.C:
		case err := <-w.Failed:
			return err
		case <-stall.C:
			return w.Behind(ctx, fmt.Errorf("%d of %d nodes are Ready and no other became so for %v", last, w.Total, StallTime))
		case <-ctx.Done():
			if cause := context.Cause(ctx); errors.Is(cause, context.DeadlineExceeded) {
				return w.Behind(ctx, fmt.Errorf("%d of %d nodes are Ready: %w", last, w.Total, cause))
			}
			return context.Cause(ctx)
		}
	}
}
