package kubelet

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"windtunnel/hollow"
	"windtunnel/hollow/light/api"
	"windtunnel/hollow/light/h2"
	"windtunnel/hollow/light/wire"
)

// served stands in for a node's connection and the API server behind it: it writes down what is asked, and answers a millisecond later.
type served struct {
	a      *alone
	begun  time.Time
	answer func(call string) h2.Response // status 0: there is no answer
	calls  []string                      // method, path and what the answer was
	times  []time.Duration
	// watches are the watches that are open, by their path and field selector.
	watches map[string]*h2.Request
}

// served has the node ask a server that answers so, where "METHOD path" is what is asked. Watches stay open.
func (a *alone) served(answer func(call string) h2.Response) *served {
	s := &served{a: a, begun: time.Now(), answer: answer, watches: map[string]*h2.Request{}}
	a.do(func() { a.client = s })
	return s
}

func (s *served) Close() {}

// Do is called on the node's loop.
func (s *served) Do(r *h2.Request) {
	path, query, _ := strings.Cut(r.Path, "?")
	if strings.Contains(query, "watch=true") {
		_, fields, _ := strings.Cut(query, "fieldSelector=metadata.name%3D")
		name, _, _ := strings.Cut(fields, "&")
		s.watches[path+" "+name] = r
		return
	}
	call := r.Method + " " + path
	response := s.answer(call)
	s.calls, s.times = append(s.calls, fmt.Sprint(call, " ", response.Status)), append(s.times, time.Since(s.begun).Round(100*time.Millisecond))
	time.AfterFunc(time.Millisecond, func() {
		if response.Status == 0 {
			r.Done(response, h2.ErrClosed)
			return
		}
		r.Done(response, nil)
	})
}

// count is how often something was asked whose method and path begin so, and when are the times.
func (s *served) count(call string) int { return len(s.when(call)) }

func (s *served) when(call string) (times []time.Duration) {
	s.a.do(func() {
		for i, c := range s.calls {
			if strings.HasPrefix(c, call) {
				times = append(times, s.times[i])
			}
		}
	})
	return times
}

// event sends an event over a watch, and bookmark the mark that all has come that was there.
func (s *served) event(watch, kind string, object []byte) {
	s.a.t.Helper()
	s.push(watch, kind, object)
	synctest.Wait()
}

func (s *served) push(watch, kind string, object []byte) {
	s.a.t.Helper()
	r := s.watches[watch]
	if r == nil {
		s.a.t.Fatalf("nobody watches %s", watch)
	}
	frame := wire.AppendString(nil, 1, kind)
	frame = wire.AppendBytes(frame, 2, wire.AppendBytes(nil, 1, wire.Envelope("v1", "", object)))
	size := len(frame)
	if err := r.Data(append([]byte{byte(size >> 24), byte(size >> 16), byte(size >> 8), byte(size)}, frame...)); err != nil {
		s.a.t.Fatal(err)
	}
}

func (s *served) bookmark(watch string) {
	s.a.t.Helper()
	s.event(watch, wire.Bookmark, bookmark())
}

func bookmark() []byte {
	entry := wire.AppendString(wire.AppendString(nil, 1, "k8s.io/initial-events-end"), 2, "true")
	meta := wire.AppendBytes(wire.AppendString(nil, 6, "7"), 12, entry)
	return wire.AppendBytes(nil, 1, meta)
}

// answers answers each call by the first entry that it begins with, and all others with 200 and an object.
func answers(by map[string]h2.Response) func(string) h2.Response {
	return func(call string) h2.Response {
		for prefix, response := range by {
			if strings.HasPrefix(call, prefix) {
				return response
			}
		}
		return h2.Response{Status: http.StatusOK, Body: wire.Envelope("v1", "", wire.AppendBytes(nil, 1, wire.AppendString(nil, 5, "uid")))}
	}
}

// TestFailingRenewalsWait: a Lease that cannot be renewed is tried five times, found, tried five times more, and then left for the next period.
func TestFailingRenewalsWait(t *testing.T) {
	onANode(t, hollow.ShardConfig{}, func(a *alone) {
		s := a.served(answers(map[string]h2.Response{"PUT " + api.LeasePath: {Status: http.StatusInternalServerError}}))
		a.do(a.syncLease)
		time.Sleep(35 * time.Second)
		// It is found at first and tried five times; then come three periods.
		if puts, gets := s.count("PUT"), s.count("GET"); puts != 5+3*10 || gets != 1+3 {
			t.Errorf("%d PUTs and %d GETs", puts, gets)
		}
	})
	onANode(t, hollow.ShardConfig{}, func(a *alone) { // a conflict is one try of the five
		s := a.served(answers(map[string]h2.Response{"PUT " + api.LeasePath: {Status: http.StatusConflict}}))
		a.do(a.syncLease)
		time.Sleep(5 * time.Second)
		if puts, gets := s.count("PUT"), s.count("GET"); puts != 5 || gets != 1+5 {
			t.Errorf("%d PUTs and %d GETs after conflicts", puts, gets)
		}
	})
}

// TestRetryAfter: what the server asks to be asked again waits for as long as it says, ten times; heartbeats have a time-out over all.
func TestRetryAfter(t *testing.T) {
	busy := h2.Response{Status: http.StatusTooManyRequests, RetryAfter: 2}
	onANode(t, hollow.ShardConfig{}, func(a *alone) {
		s, strained, ended := a.served(answers(map[string]h2.Response{"GET /x": busy})), 0, time.Duration(0)
		a.do(func() {
			a.strain = func() { strained++ }
			a.get("/x", func(r h2.Response, err error) {
				if ended = time.Since(s.begun); err != nil || r.Status != http.StatusTooManyRequests {
					t.Errorf("%+v, %v", r, err)
				}
			})
		})
		time.Sleep(time.Minute)
		if n := s.count("GET"); n != 11 || strained != 10 || ended.Round(time.Second) != 20*time.Second {
			t.Errorf("asked %d times, strained %d times, and ended after %v", n, strained, ended)
		}
	})
	onANode(t, hollow.ShardConfig{}, func(a *alone) {
		s := a.served(answers(map[string]h2.Response{"GET /x": busy}))
		a.do(func() {
			a.heartbeat(api.Call{Method: http.MethodGet, Path: "/x", Done: func(r h2.Response, err error) {
				if took := time.Since(s.begun); took != heartbeatTimeout || err == nil {
					t.Errorf("ended after %v: %+v", took, r)
				}
			}})
		})
		time.Sleep(time.Minute)
		if n := s.count("GET"); n != 5 {
			t.Errorf("asked %d times", n)
		}
	})
	onANode(t, hollow.ShardConfig{}, func(a *alone) { // what does not say when is for the caller
		s := a.served(answers(map[string]h2.Response{"GET /x": {Status: http.StatusServiceUnavailable}, "GET /y": {Status: http.StatusNotFound, RetryAfter: 1}}))
		a.do(func() {
			a.get("/x", func(h2.Response, error) {})
			a.get("/y", func(h2.Response, error) {})
		})
		time.Sleep(time.Minute)
		if n := s.count("GET"); n != 2 {
			t.Errorf("asked %d times", n)
		}
	})
}

// sees has the node see itself as it is registered.
func (a *alone) sees() {
	a.do(func() {
		a.status.begun = time.Now()
		a.seen = seen{synced: true, types: []string{own(0), own(1), own(2), own(3)}, ready: "False", pressure: "False"}
	})
}

// TestFailingReports: a status that cannot be written is tried five times at each look, and that the node is Ready once more before.
func TestFailingReports(t *testing.T) {
	onANode(t, hollow.ShardConfig{}, func(a *alone) {
		s := a.served(answers(map[string]h2.Response{"PATCH /api/v1/nodes": {Status: http.StatusInternalServerError}}))
		a.sees()
		a.do(func() { a.firstStatus(time.Time{}) })
		time.Sleep(25 * time.Second)
		// The first report, the fast one and what follows it, and two looks.
		if patches, gets := s.count("PATCH"), s.count("GET"); patches != 5+1+5+2*5 || gets != 4*4 {
			t.Errorf("%d PATCHes and %d GETs", patches, gets)
		}
	})
}

// TestFastForAWhile: that a node is Ready is reported at once within two minutes of its start, and by the next look after that.
func TestFastForAWhile(t *testing.T) {
	for since, want := range map[time.Duration]int{time.Minute: 1, fastFor: 0} {
		onANode(t, hollow.ShardConfig{}, func(a *alone) {
			s := a.served(answers(nil))
			a.sees()
			a.do(func() {
				a.status.begun, a.status.first = time.Now().Add(-since), true
				a.fast()
			})
			time.Sleep(5 * time.Second)
			if n := s.count("PATCH"); n != want {
				t.Errorf("%d reports %v after the start, want %d", n, since, want)
			}
		})
	}
}

// TestReportsAreShifted: the time until a status is reported that has not changed is drawn when the node has begun.
func TestReportsAreShifted(t *testing.T) {
	var shifts []time.Duration
	for range 5 {
		onANode(t, hollow.ShardConfig{}, func(a *alone) {
			s := a.served(answers(nil))
			a.sees()
			a.do(func() { a.firstStatus(time.Time{}) })
			time.Sleep(time.Second)
			a.do(func() { a.seen.ready = "True" })
			if n := s.count("PATCH"); n != 2 {
				t.Errorf("%d reports in the first second", n)
			}
			time.Sleep(20 * time.Minute)
			times := s.when("PATCH")
			shifts = append(shifts, times[2])
			if least, most := times[2], times[2]-times[1]; least < reportEvery/2 || most > reportEvery*3/2+2*statusEvery {
				t.Errorf("reports at %v", times)
			}
			if every := times[3] - times[2]; every < reportEvery || every > reportEvery+2*statusEvery {
				t.Errorf("reports at %v", times)
			}
		})
	}
	slices.Sort(shifts)
	if shifts[4]-shifts[0] < 20*time.Second {
		t.Errorf("reports after %v", shifts)
	}
}
