package observe

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// errBlamed is what the tests' waits blame.
var errBlamed = errors.New("blamed")

func waitFor(total int, ready func() int) ReadyWait {
	return ReadyWait{Total: total, Ready: ready, Progress: func(int, int) {},
		Behind: func(_ context.Context, why error) error { return fmt.Errorf("%w: %w", errBlamed, why) }}
}

func TestReadyWaitGivesUpWhenNothingMoves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		// One more every 50 s, and after the third none.
		w := waitFor(5, func() int { return min(3, int(time.Since(begin)/(50*time.Second))) })
		var seen []int
		w.Progress = func(ready, _ int) { seen = append(seen, ready) }
		err := w.Await(t.Context())
		if want := "blamed: 3 of 5 nodes are Ready and no other became so for 1m0s"; err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
		if after := time.Since(begin).Round(time.Second); after != 150*time.Second+StallTime {
			t.Errorf("gave up after %v", after)
		}
		if len(seen) != 4 {
			t.Errorf("progress %v", seen)
		}
	})
}

func TestReadyWaitANodeThatFallsBackIsNoProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		err := waitFor(2, func() int { return 1 - int(time.Since(begin)/(40*time.Second))%2 }).Await(t.Context()) // 1, 0, 1, 0, …
		if err == nil || time.Since(begin) > 10*time.Minute {
			t.Errorf("%v after %v", err, time.Since(begin))
		}
	})
}

func TestReadyWaitEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		none := func() int { return 0 }
		ctx, cancel := WithReadyTimeout(t.Context(), time.Second)
		defer cancel()
		if err := waitFor(1, none).Await(ctx); !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, errBlamed) {
			t.Errorf("too slow: %v", err)
		}
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		if err := waitFor(1, none).Await(gone); !errors.Is(err, context.Canceled) || errors.Is(err, errBlamed) {
			t.Errorf("cancelled: %v", err)
		}
		failed, w := make(chan error, 1), waitFor(1, none)
		failed <- errors.New("a shard ended")
		w.Failed = failed
		if err := w.Await(t.Context()); err == nil || err.Error() != "a shard ended" {
			t.Errorf("failed: %v", err)
		}
		begin, also := time.Now(), waitFor(0, none)
		also.Also = func() bool { return time.Since(begin) >= 5*time.Second }
		if err := also.Await(t.Context()); err != nil || time.Since(begin) < 5*time.Second {
			t.Errorf("%v after %v", err, time.Since(begin))
		}
	})
}
