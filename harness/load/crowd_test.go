package load

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"windtunnel/profiles"
	"windtunnel/results"
)

// gather lets the users of a closed loop carry out one operation through a virtual client.
func gather(ctx context.Context, c *Client, op Operation, loop profiles.ClosedLoop, request profiles.Request) (int, error) {
	s := Stream{Requests: profiles.Requests{ClosedLoop: &loop, Identities: len(c.lanes), Mix: []profiles.Request{request}}, Seed: 7}
	mix := mixture{operations: []Operation{op}, requests: s.Requests.Mix, pools: map[string]profiles.Pool{}}
	return c.run(ctx, loop.Users, func(ctx context.Context, d *dispatcher) (int, error) {
		return c.crowd(ctx, d, s, mix)
	})
}

var list = profiles.Request{Verb: "LIST", Weight: 1}

// TestClosedLoopRate holds a closed loop to Little's law: N users who wait for an answer for L and think for Z send
// N/(L+Z) requests a second, of which N·L/(L+Z) are under way.
func TestClosedLoopRate(t *testing.T) {
	const last = profiles.Duration(100*time.Second - 1) // so that none is to be sent at the very end
	for _, c := range []struct {
		name       string
		loop       profiles.ClosedLoop
		takes      time.Duration
		want, most int
	}{
		{"constant", profiles.ClosedLoop{Users: 20, ThinkTime: profiles.Duration(900 * time.Millisecond), For: last},
			100 * time.Millisecond, 20 * 100, 3}, // begun 45 ms apart; the third comes as the first is answered
		{"without thinking", profiles.ClosedLoop{Users: 7, For: last}, 500 * time.Millisecond, 7 * 200, 7},
		{"slower than they think", profiles.ClosedLoop{Users: 10, ThinkTime: profiles.Duration(time.Second), For: last},
			9 * time.Second, 10 * 10, 10},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				rec := &recorder{}
				taken, err := gather(t.Context(), virtual(1, 1, 100, rec.record), timed{takes: c.takes}, c.loop, list)
				all := rec.records("")
				if err != nil || taken != len(all) {
					t.Fatalf("%d taken, %d recorded, error %v", taken, len(all), err)
				}
				if taken != c.want {
					t.Errorf("%d requests, want %d", taken, c.want)
				}
				if got := mostAtOnce(all); got > c.most {
					t.Errorf("%d requests under way at most, want %d", got, c.most)
				}
				for _, one := range all {
					if one.Planned != one.Sent {
						t.Fatalf("planned at %d and sent at %d", one.Planned, one.Sent)
					}
				}
			})
		})
	}
}

// TestClosedLoopThinksExponentially holds the rate with random think times. By renewal theory the number of rounds of mean
// L+Z = 1 s and deviation Z = 0.9 s in T has the deviation 0.9·√T a user: 10·√(20·0.81) = 40 for 20 users and 100 s.
func TestClosedLoopThinksExponentially(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rec := &recorder{}
		loop := profiles.ClosedLoop{Users: 20, ThinkTime: profiles.Duration(900 * time.Millisecond), ThinkProcess: profiles.ThinkExponential, For: profiles.Duration(100 * time.Second)}
		taken, err := gather(t.Context(), virtual(1, 1, 100, rec.record), timed{takes: 100 * time.Millisecond}, loop, list)
		if err != nil || taken < 2000-5*40 || taken > 2000+5*40 {
			t.Errorf("%d requests, error %v, want about 2000", taken, err)
		}
		if got := mostAtOnce(rec.records("")); got > 20 {
			t.Errorf("%d requests under way at most, of 20 users", got)
		}
	})
}

// TestClosedLoopEndsWithItsStep is a background track: the loop has no end of its own.
func TestClosedLoopEndsWithItsStep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rec := &recorder{}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		begun := time.Now()
		taken, err := gather(ctx, virtual(1, 1, 2, rec.record), timed{takes: 4 * time.Second}, profiles.ClosedLoop{Users: 5}, list)
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v, want the context's", err)
		}
		// Two streams for five users: 2 requests at 0, 4 and 8 s are sent, and the last of them may finish.
		all := rec.records("")
		if got := byClass(all); got[""] != 6 || len(got) != 1 || taken != 9 {
			t.Errorf("%d taken, records by class %v; want 9 taken, 6 of them answered", taken, got)
		}
		if took := time.Since(begun); took != 12*time.Second {
			t.Errorf("ended after %v, want 12 s", took)
		}
	})
}

// TestClosedLoopWithoutTargetsPauses: requests that nothing is sent for take no time, and there are to be few of them.
func TestClosedLoopWithoutTargetsPauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rec := &recorder{}
		loop := profiles.ClosedLoop{Users: 2, For: profiles.Duration(10*time.Second - 1)}
		taken, err := gather(t.Context(), virtual(1, 1, 100, rec.record), timed{}, loop, profiles.Request{Verb: "GET", Object: "nothing", Weight: 1})
		if got := byClass(rec.records("")); err != nil || taken != 200 || got[ClassNoTarget] != 200 {
			t.Errorf("%d taken, records by class %v, error %v; want 200 without a target", taken, got, err)
		}
	})
}

// TestClosedLoopOverHTTP sends through real connections; the server is gone for the second half.
func TestClosedLoopOverHTTP(t *testing.T) {
	srv := startServer(t, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "{}") })
	rec := &recorder{}
	answers := make(chan struct{}, 100_000)
	client := dialTest(t, srv, 2, 1, func(r results.Request) {
		rec.record(r)
		if r.Error == "" {
			answers <- struct{}{}
		}
	})
	s := reads(0, 0, 4)
	s.Requests.Arrivals = nil
	s.Requests.Identities = 2
	s.Requests.ClosedLoop = &profiles.ClosedLoop{Users: 4}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error, 1)
	go func() {
		_, err := client.Stream(ctx, s)
		done <- err
	}()
	for range 100 {
		<-answers
	}
	srv.CloseClientConnections()
	srv.Close()
	rec.mu.Lock()
	before := len(rec.all)
	rec.mu.Unlock()
	gone := time.Now()
	time.AfterFunc(time.Second, cancel)
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	rounds := int(time.Since(gone) / unansweredPause)
	all := rec.records("")
	if got := mostAtOnce(all[:100]); got > 4 {
		t.Errorf("%d requests under way at most, of 4 users", got)
	}
	for _, one := range all {
		if one.Planned == 0 || one.Sent < one.Planned {
			t.Fatalf("planned at %d, sent at %d", one.Planned, one.Sent)
		}
	}
	// One a user, what was under way, and one more after each pause.
	if n := len(all) - before; n < 1 || n > 4*(rounds+2) {
		t.Errorf("%d requests to a server that is gone, want at most %d", n, 4*(rounds+2))
	}
}

// crowd lets users send every verb, with instances coming and going, and counts what is left in the end.
func (r *rig) crowd(t *testing.T) {
	rec := &recorder{}
	client := r.dial(t, rec, 2, 1)
	const first, users = 5000, 5
	made, err := client.Reconcile(t.Context(), Reconcile{Template: configMaps(), Pool: profiles.Pool{First: first, Next: first}, Count: 20, MaxInFlight: 10})
	if err != nil {
		t.Fatal(err)
	}
	before := len(rec.records(""))
	stream := Stream{
		Phase: "workload", Track: "people",
		Requests: profiles.Requests{
			ClosedLoop: &profiles.ClosedLoop{Users: users, ThinkTime: profiles.Duration(5 * time.Millisecond), ThinkProcess: profiles.ThinkExponential, For: profiles.Duration(2 * time.Second)},
			Identities: 2, MaxInFlight: users,
		},
		Objects: map[string]profiles.Template{"config": configMaps()}, Pools: made.Pools, Seed: 9,
	}
	for _, verb := range []string{"GET", "LIST", "POST", "PUT", "PATCH", "DELETE"} {
		stream.Requests.Mix = append(stream.Requests.Mix, profiles.Request{Verb: verb, Object: "config", Weight: 1})
	}
	outcome, err := client.Stream(t.Context(), stream)
	if err != nil {
		t.Fatal(err)
	}
	all := rec.records("")[before:]
	firsts := 0
	for _, one := range all {
		if one.Verb != "PUT" { // it follows its GET
			firsts++
		}
	}
	t.Logf("%d taken by %d users in 2 s: %v", outcome.Planned, users, byClass(all))
	if firsts != outcome.Planned || firsts < 50 {
		t.Errorf("%d records of %d requests that were taken", firsts, outcome.Planned)
	}
	if got := mostAtOnce(all); got > users {
		t.Errorf("%d requests under way at most, of %d users", got, users)
	}
	there := 0
	for _, one := range r.list("/api/v1/configmaps" + ofRun) {
		var index int
		fmt.Sscan(one.Data["number"], &index)
		if index >= first {
			there++
		}
	}
	if pool := outcome.Pools["config"]; there != pool.Size() {
		t.Errorf("%d ConfigMaps are left, want %d: %+v", there, pool.Size(), pool)
	}
	if _, err := client.Reconcile(t.Context(), Reconcile{Template: configMaps(), Pool: outcome.Pools["config"], MaxInFlight: 10}); err != nil {
		t.Error(err)
	}
}
