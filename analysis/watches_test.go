package analysis

import (
	"testing"

	"windtunnel/profiles"
	"windtunnel/results"
)

// TestWatches joins events with the writes that caused them: by resourceVersion, from the write's sending to each arrival.
func TestWatches(t *testing.T) {
	h := newHistory()
	h.profile.Phases = []profiles.Phase{{Name: "workload", Tracks: []profiles.Track{{Name: "eyes", Steps: []profiles.Step{{Watch: &profiles.Watch{Watchers: 2}}}}}}}
	write := results.Request{Planned: 21 * sec, Sent: 21*sec + ms, Done: 21*sec + 5*ms, Phase: "workload", Track: "users", Verb: "PATCH",
		Version: "v1", Resource: "pods", Scope: "resource", Code: 200, Attempt: 1, ResourceVersion: 100}
	same := write // a write that changed nothing shows the version of the one before
	same.Planned, same.Sent, same.Done = 22*sec, 22*sec, 22*sec+ms
	opened := results.Request{Planned: 20 * sec, Sent: 20 * sec, FirstByte: 20*sec + 3*ms, Done: 50 * sec, Phase: "workload", Track: "eyes", Verb: "WATCH",
		Version: "v1", Resource: "pods", Scope: "cluster", Code: 200, Attempt: 1}
	again := opened
	again.Attempt = 2
	h.requests = append(h.requests, write, same, opened, again)
	event := func(at int64, watcher int32, kind string, version int64) {
		h.watches = append(h.watches, results.WatchEvent{At: at, ResourceVersion: version, Phase: "workload", Track: "eyes", Watcher: watcher,
			Version: "v1", Resource: "pods", Type: kind, Bytes: 10})
	}
	event(21*sec+11*ms, 0, "MODIFIED", 100)
	event(21*sec+31*ms, 1, "MODIFIED", 100)
	event(21*sec+40*ms, 0, "MODIFIED", 101) // somebody else's write
	event(21*sec+50*ms, 0, "BOOKMARK", 101)
	h.watches = append(h.watches, results.WatchEvent{At: 55 * sec, ResourceVersion: 100, Phase: "cleanup", Track: "eyes", Type: "MODIFIED"})

	s := h.summarize(t)
	if len(s.Watches) != 1 {
		t.Fatalf("rows %+v", s.Watches)
	}
	row := s.Watches[0]
	if row.Watchers != 2 || row.Opened != 2 || row.Reopened != 1 || row.Events != 4 || row.EventsByType["MODIFIED"] != 3 || row.Bytes != 40 || row.N != 2 {
		t.Errorf("row %+v", row)
	}
	if row.P50 == nil || row.P50.Value != 0.010 || *row.Max != 0.030 {
		t.Errorf("latency p50 %v, max %v; want 10 ms and 30 ms", row.P50, *row.Max)
	}
	for _, r := range s.Requests {
		if r.Verb == "WATCH" && (r.N != 2 || r.P50.Value != 0.003) {
			t.Errorf("a watch is answered when it is open: %+v", r)
		}
	}
}

// TestFollowersAreNotPlanned: what follows a request at once can be neither late nor left out, and so says nothing of the generator.
func TestFollowersAreNotPlanned(t *testing.T) {
	h := newHistory()
	follow := results.Request{Planned: 30 * sec, Sent: 31 * sec, FirstByte: 31*sec + ms, Done: 31*sec + ms, Phase: "workload", Track: "users",
		Verb: "LIST", Version: "v1", Resource: "pods", Scope: "namespace", Code: 200, Attempt: 1}
	plain := h.summarize(t).Validity
	for _, change := range []func(*results.Request){
		func(r *results.Request) { r.Part = 1 },
		func(r *results.Request) { r.Attempt = 2 },
		func(r *results.Request) { r.Variant = "targets" },
		func(r *results.Request) { r.Verb = "WATCH" },
	} {
		one := follow
		change(&one)
		h.requests = append(h.requests, one, one, one, one, one, one, one, one, one, one)
	}
	got := h.summarize(t).Validity
	for i, name := range []string{"achieved", "lag"} {
		var before, after results.Check
		for _, c := range plain.Checks {
			if c.Name == name {
				before = c
			}
		}
		for _, c := range got.Checks {
			if c.Name == name {
				after = c
			}
		}
		if before.N != after.N || before.Measured != after.Measured || before.N == 0 {
			t.Errorf("%d: %+v, was %+v", i, after, before)
		}
	}
}

// TestReconcileIsAClosedLoop where nothing but the answers paces it.
func TestReconcileIsAClosedLoop(t *testing.T) {
	step := func(a *profiles.Arrivals) profiles.Step {
		return profiles.Step{Reconcile: &profiles.Reconcile{Arrivals: a}}
	}
	planned := profiles.Step{Requests: &profiles.Requests{Arrivals: &profiles.Arrivals{Rate: 1}}}
	p := profiles.Profile{Phases: []profiles.Phase{{Name: "w", Tracks: []profiles.Track{
		{Name: "fast", Steps: []profiles.Step{step(nil)}},
		{Name: "paced", Steps: []profiles.Step{step(&profiles.Arrivals{Rate: 1})}},
		{Name: "both", Steps: []profiles.Step{step(nil), planned}},
	}}}}
	got := closedLoops(p, nil)
	if len(got) != 1 || !got[stream{"w", "fast"}] {
		t.Errorf("closed loops %v", got)
	}
	got = closedLoops(p, []results.StepSpan{{Number: 1}, {Number: 2, ClosedLoops: []string{"step-2.1"}}})
	if len(got) != 2 || !got[stream{"w", "step-2.1"}] {
		t.Errorf("closed loops with those of a script: %v", got)
	}
}
