package nodes

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"windtunnel/harness/supervise"
	"windtunnel/hollow"
)

// packOf is a pack of so many nodes in one shard that does not answer.
func packOf(n int, progress func(ready, total int)) *Pack {
	return &Pack{
		names: make([]string, n), opts: Options{Progress: progress},
		shards: []*shard{{
			config: hollow.ShardConfig{Name: "hollow-0", Nodes: make([]hollow.Node, n)}, log: "/nonexistent/hollow-0.log",
			control: hollow.NewClient("/nonexistent/hollow-0.sock"),
		}},
	}
}

func TestAwaitGivesUpWhenNothingMoves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		// One more every 50 s, and after the third none.
		ready := func() int { return min(3, int(time.Since(begin)/(50*time.Second))) }
		var seen []int
		err := packOf(5, func(ready, _ int) { seen = append(seen, ready) }).await(t.Context(), ready, nil)
		var failure *supervise.ComponentError
		if !errors.As(err, &failure) || failure.Name != "hollow-0" {
			t.Fatalf("%v", err)
		}
		for _, want := range []string{"3 of 5 nodes are Ready and no other became so for 1m0s", "/nonexistent/hollow-0.sock", "/nonexistent/hollow-0.log"} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%q is not in: %v", want, err)
			}
		}
		if after := time.Since(begin).Round(time.Second); after != 150*time.Second+stallTime {
			t.Errorf("gave up after %v", after)
		}
		if len(seen) != 4 {
			t.Errorf("progress %v", seen)
		}
	})
}

func TestAwaitANodeThatFallsBackIsNoProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		ready := func() int { return 1 - int(time.Since(begin)/(40*time.Second))%2 } // 1, 0, 1, 0, …
		err := packOf(2, func(int, int) {}).await(t.Context(), ready, nil)
		if err == nil || time.Since(begin) > 10*time.Minute {
			t.Errorf("%v after %v", err, time.Since(begin))
		}
	})
}

func TestAwaitEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := packOf(1, func(int, int) {}).await(ctx, func() int { return 0 }, nil)
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		err = packOf(1, func(int, int) {}).await(gone, func() int { return 0 }, nil)
		var failure *supervise.ComponentError
		if !errors.Is(err, context.Canceled) || errors.As(err, &failure) {
			t.Errorf("%v", err)
		}
	})
}
