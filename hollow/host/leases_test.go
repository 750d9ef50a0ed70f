package host

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestLeases: the largest gap is that between two renewals of one lease, or that of a lease which is still to be renewed; not that of a
// node which has left.
func TestLeases(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hostOf("a", "b", "c")
		status := func(when string, renewals int64, gap float64) {
			t.Helper()
			if s := h.Status(); s.Renewals != renewals || s.LargestRenewalGap != gap {
				t.Errorf("%s: %d renewals, largest gap %g s; want %d and %g", when, s.Renewals, s.LargestRenewalGap, renewals, gap)
			}
		}
		renew := func(last *time.Time) { *last = h.Renewed(*last, time.Now()) }
		var a, b, c time.Time
		status("before the first", 0, 0)
		renew(&a)
		renew(&b) // at the same instant
		time.Sleep(10 * time.Second)
		renew(&a)
		status("one of two is renewed", 3, 10)
		time.Sleep(5 * time.Second)
		renew(&c)
		status("the other one is not", 4, 15)
		renew(&b)
		status("it is at last", 5, 15)
		time.Sleep(10 * time.Second) // a was renewed 15 s ago, the others 10 s
		status("none is for some time", 5, 15)
		time.Sleep(4 * time.Second)
		status("none is for a longer time", 5, 19)
		h.Unleased(a)
		status("the node of the oldest has gone", 5, 15)
		h.Unleased(time.Time{}) // of a node that had none
		time.Sleep(2 * time.Second)
		status("two are left", 5, 16)
		if err := h.remove([]string{"b"}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(4 * time.Second)
		status("one of them has left", 5, 15)
		renew(&c)
		time.Sleep(25 * time.Second)
		status("the last one is missed", 6, 25)
	})
}
