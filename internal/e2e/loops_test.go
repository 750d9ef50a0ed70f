package e2e

import (
	"path/filepath"
	"slices"
	"testing"

	"windtunnel/results"
)

// TestLoopsAndWatches runs users who wait for their answers beside a stream that does not, and watches of what both write.
func TestLoopsAndWatches(t *testing.T) {
	const users = 3 // of the closed loop, as in the profile
	w := windtunnel(t, "run", "-f", filepath.Join(testdata(t), "loops.yaml")).run(0)
	summary := w.summary()
	if summary.Validity.Verdict != results.Pass {
		t.Errorf("validity %q", summary.Validity.Verdict)
	}
	people, programs := w.requests("load", "people"), w.requests("load", "programs")
	if len(people) == 0 || len(programs) != 5*20 {
		t.Errorf("%d requests of people, %d of programs", len(people), len(programs))
	}
	// With three users, request i is sent when i-2 of those before it have been answered.
	var done []results.Instant
	for i, r := range people {
		if i >= users && r.Sent < done[i-users] || r.Error != "" {
			t.Errorf("more than %d requests under way, or one failed: %+v", users, r)
		}
		at, _ := slices.BinarySearch(done, r.Done)
		done = slices.Insert(done, at, r.Done)
	}
	looped, open, written := int64(0), int64(0), int64(0)
	for _, r := range summary.Requests {
		if r.Verb != "GET" && r.Verb != "PATCH" {
			continue
		}
		if r.P50 == nil || r.Errors > 0 {
			t.Errorf("%+v", r)
		}
		if r.ClosedLoop {
			looped += r.N
		} else {
			open += r.N
		}
		if r.Verb == "PATCH" {
			written += r.N
		}
	}
	if looped != int64(len(people)) || open != int64(len(programs)) {
		t.Errorf("the rows have %d requests of closed loops and %d others; the records %d and %d", looped, open, len(people), len(programs))
	}

	watchers := map[string]int64{"dashboards": 6, "informers": 4} // as in the profile
	if len(summary.Watches) != len(watchers) {
		t.Errorf("rows of watches: %+v", summary.Watches)
	}
	for _, row := range summary.Watches {
		if row.Watchers != watchers[row.Track] || row.Opened != row.Watchers || row.Reopened != 0 {
			t.Errorf("watches of %s: %+v; want %d watchers, all of which received something", row.Track, row, watchers[row.Track])
		}
		if row.Events < row.N || row.N == 0 || row.P50 == nil || row.P50.Value <= 0 {
			t.Errorf("events of %s: %+v", row.Track, row)
		}
		// Whoever watches everything receives every write once; what came before the watch was open is not received.
		if most := written * row.Watchers; row.Track == "dashboards" && (row.N > most || row.N <= most/2) {
			t.Errorf("%d events of %d writes at %d watchers", row.N, written, row.Watchers)
		}
	}
}
