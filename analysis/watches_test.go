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
