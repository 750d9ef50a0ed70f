package loop

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func run(t *testing.T, l *Loop) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { l.Run(ctx) })
	return func() { cancel(); wg.Wait() }
}

func TestTimersComeInOrderAndOnTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New()
		defer run(t, l)()
		start := time.Now()
		var came []time.Duration
		var want []time.Duration
		stopped := 0
		l.Post(func() {
			random := rand.New(rand.NewPCG(1, 2))
			for i := range 2000 {
				d := time.Duration(random.IntN(10_000)) * time.Millisecond
				timer := l.After(d, func() { came = append(came, time.Since(start)) })
				if i%3 == 0 {
					l.Stop(timer)
					l.Stop(timer) // twice is once
					stopped++
				} else {
					want = append(want, d)
				}
			}
		})
		time.Sleep(time.Minute)
		synctest.Wait()
		slices.Sort(want)
		if stopped == 0 || !slices.Equal(came, want) {
			t.Errorf("%d timers came, %d were set and not stopped; or not at their times", len(came), len(want))
		}
	})
}

func TestStopOfATimerThatHasRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New()
		defer run(t, l)()
		came := ""
		l.Post(func() {
			first := l.After(time.Second, func() { came += "a" })
			l.After(2*time.Second, func() { l.Stop(first); l.Stop(nil) })
			l.After(3*time.Second, func() { came += "b" })
		})
		time.Sleep(time.Minute)
		synctest.Wait()
		if came != "ab" {
			t.Errorf("%q came", came)
		}
	})
}

// TestParts: a part that ends calls nothing any more, whatever was posted or set before, and the others go on.
func TestParts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New()
		defer run(t, l)()
		one, other := l.Part(), l.Part()
		came := ""
		l.Post(func() {
			for name, part := range map[string]*Loop{"1": one, "2": other} {
				part.After(time.Second, func() { came += name })
				part.After(3*time.Second, func() { came += name })
			}
			l.After(2*time.Second, func() { one.End() })
		})
		time.Sleep(2500 * time.Millisecond)
		one.Post(func() { came += "1" })
		other.Post(func() { came += "p" })
		time.Sleep(time.Minute)
		synctest.Wait()
		if came != "12p2" && came != "21p2" {
			t.Errorf("came %q", came)
		}
	})
}

// What is posted by many goroutines comes whole, and each one's in its order, beside timers that are always due.
func TestPosts(t *testing.T) {
	l := New()
	defer run(t, l)()
	const posters, each = 8, 2000
	var came [posters]int
	done := make(chan struct{}, posters)
	var again func()
	again = func() { l.After(0, again) }
	l.Post(again)
	for p := range posters {
		go func() {
			for i := range each {
				l.Post(func() {
					if came[p] != i {
						panic(fmt.Sprintf("poster %d: %d came after %d", p, i, came[p]))
					}
					if came[p]++; came[p] == each {
						done <- struct{}{}
					}
				})
			}
		}()
	}
	for range posters {
		<-done
	}
}
