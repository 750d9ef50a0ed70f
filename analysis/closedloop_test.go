package analysis

import (
	"strings"
	"testing"

	"windtunnel/profiles"
	"windtunnel/results"
)

// withUsers adds a closed loop of the same kind of request to the good run: 100 GETs of 40 ms in a track of its own.
func withUsers() *history {
	h := newHistory()
	track := func(name string, r profiles.Requests) profiles.Track {
		return profiles.Track{Name: name, Steps: []profiles.Step{{Requests: &r}}}
	}
	h.profile.Phases = []profiles.Phase{{Name: "workload", Measured: true, Tracks: []profiles.Track{
		track("stream", profiles.Requests{Arrivals: &profiles.Arrivals{Rate: 20}}),
		track("users", profiles.Requests{ClosedLoop: &profiles.ClosedLoop{Users: 5}}),
	}}}
	for i := range h.requests {
		h.requests[i].Track = "stream"
	}
	for i := range int64(100) {
		one := h.requests[i]
		one.Track = "users"
		one.Sent = one.Planned + ms
		one.FirstByte, one.Done = one.Planned+40*ms, one.Planned+40*ms
		h.requests = append(h.requests, one)
	}
	return h
}

// TestClosedLoopRows holds that latencies of closed and open loops are never in one row.
func TestClosedLoopRows(t *testing.T) {
	s := withUsers().summarize(t)
	if len(s.Requests) != 2 || s.Requests[0].ClosedLoop || !s.Requests[1].ClosedLoop {
		t.Fatalf("rows %+v", s.Requests)
	}
	if open, closed := s.Requests[0], s.Requests[1]; open.N != 600 || !near(*open.Max, 0.002) || closed.N != 100 || !near(closed.P50.Value, 0.040) {
		t.Errorf("rows %+v", s.Requests)
	}
	if churn := s.Conditions[0]; !near(churn.Measured, (600+100+300)/30.0) {
		t.Errorf("churn %+v", churn) // the system bears these requests, too
	}
}

// TestClosedLoopIsNotPlanned holds that the checks of the plan leave a closed loop out, and say so, and that its errors count.
func TestClosedLoopIsNotPlanned(t *testing.T) {
	h := withUsers()
	for i := 600; i < 700; i++ { // as no closed loop would have it, to see that nobody looks
		h.requests[i].Planned -= 500 * ms
	}
	h.requests[600].Code, h.requests[600].Error = 0, "connection"
	h.requests = append(h.requests, results.Request{Planned: 30 * sec, Phase: "workload", Track: "users", Verb: "GET", Error: "dropped"})
	s := h.summarize(t)
	for _, name := range []string{"achieved", "lag"} {
		c := check(t, s, name)
		if c.Verdict != results.Pass || c.N != 600 || !strings.Contains(c.Text, "100 requests of closed loops are left out") {
			t.Errorf("%+v", c)
		}
	}
	if c := check(t, s, "errors"); c.N != 700 || !near(c.Measured, 1.0/700) {
		t.Errorf("%+v", c)
	}
}
