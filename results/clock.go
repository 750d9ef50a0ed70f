package results

import (
	"time"

	"golang.org/x/sys/unix"
)

// Clock turns points in time into Instants. Its zero is a value of CLOCK_MONOTONIC, which all processes of one machine
// share, so that clocks made with ClockAt of the same base give instants that compare across processes. Go's own
// monotonic clock is CLOCK_MONOTONIC as well; the two are tied together once, when the Clock is made, so that Now costs
// no system call. The clock stands still while the machine sleeps and never steps with the wall clock.
//
// The zero Clock counts from the year 1 and is of no use; make one with NewClock or ClockAt.
type Clock struct {
	base   int64     // CLOCK_MONOTONIC, nanoseconds
	origin time.Time // the same point in time in this process, with a monotonic reading
}

// NewClock returns a clock whose base is now.
func NewClock() Clock {
	now, mono := readClocks()
	return Clock{base: mono, origin: now}
}

// ClockAt returns the clock whose base is the given value of CLOCK_MONOTONIC in nanoseconds, as another process of this
// machine got it from Base.
func ClockAt(base int64) Clock {
	now, mono := readClocks()
	return Clock{base: base, origin: now.Add(time.Duration(base - mono))}
}

// Now returns the present instant. It costs tens of nanoseconds and no system call.
func (c Clock) Now() Instant { return int64(time.Since(c.origin)) }

// At returns the instant of t, which must come from this process and still have its monotonic reading (as from
// time.Now); a time without one is compared by the wall clock.
func (c Clock) At(t time.Time) Instant { return int64(t.Sub(c.origin)) }

// Time returns the time of an instant, with a monotonic reading that is valid in this process, for timers.
func (c Clock) Time(i Instant) time.Time { return c.origin.Add(time.Duration(i)) }

// Base returns the value of CLOCK_MONOTONIC at instant 0, in nanoseconds.
func (c Clock) Base() int64 { return c.base }

// readClocks reads Go's clock and CLOCK_MONOTONIC at one moment. A goroutine can be interrupted between the two, so the
// closest of a few readings counts; the error left is half the time of one clock_gettime, under a microsecond.
func readClocks() (time.Time, int64) {
	const tries = 8
	var (
		at   time.Time
		mono int64
		best = time.Duration(1<<63 - 1)
	)
	for range tries {
		var ts unix.Timespec
		before := time.Now()
		// clock_gettime fails only for an unknown clock or a bad pointer.
		if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
			panic("results: clock_gettime(CLOCK_MONOTONIC): " + err.Error())
		}
		gap := time.Since(before)
		if gap < best {
			best, at, mono = gap, before.Add(gap/2), ts.Nano()
		}
	}
	return at, mono
}
