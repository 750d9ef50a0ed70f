package analysis

import (
	"encoding/json"
	"math/rand/v2"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"windtunnel/profiles"
	"windtunnel/results"
)

// TestOrderChangesNothing: in whatever order the records of a run are read, and however they are cut into batches, the
// answer is the same, to the last digit.
func TestOrderChangesNothing(t *testing.T) {
	h := busyHistory()
	want := answer(t, h, 0)
	for seed := range uint64(20) { // not by rapid: a shuffled run does not shrink, and each is written to the disk
		rng := rand.New(rand.NewPCG(seed, 0))
		g := *h
		g.requests, g.watches, g.pods, g.hollow = shuffled(rng, h.requests), shuffled(rng, h.watches), shuffled(rng, h.pods), shuffled(rng, h.hollow)
		g.nodes, g.samples = shuffled(rng, h.nodes), shuffled(rng, h.samples)
		if diff := cmp.Diff(want, answer(t, &g, 20+rng.IntN(480))); diff != "" {
			t.Fatalf("seed %d: %s", seed, diff)
		}
	}
}

func shuffled[T any](rng *rand.Rand, records []T) []T {
	out := make([]T, len(records))
	for i, j := range rng.Perm(len(records)) {
		out[i] = records[j]
	}
	return out
}

// busyHistory has two measured phases, requests at the same instants, failures, unsent ones, pods that never ran and
// events that are joined with their writes.
func busyHistory() *history {
	h := newHistory()
	h.run.Phases[2].End = 35 * sec
	h.run.Phases = append(h.run.Phases, results.PhaseSpan{Name: "night", Begin: 35 * sec, End: 50 * sec, Measured: true, Outcome: "ok"})
	h.profile.Phases = []profiles.Phase{{Name: "workload", Tracks: []profiles.Track{{Name: "watchers", Steps: []profiles.Step{{Watch: &profiles.Watch{}}}}}}}
	rng := rand.New(rand.NewPCG(5, 6))
	for i := range int64(600) {
		r := results.Request{Planned: 20*sec + i/3*100*ms, Phase: "workload", Track: "users", Verb: "POST", Resource: "pods", Scope: "resource", Code: 201, Attempt: 1, ResourceVersion: i/2 + 1}
		if i >= 300 {
			r.Phase = "night"
		}
		r.Sent = r.Planned + rng.Int64N(5*ms)
		r.FirstByte = r.Sent + rng.Int64N(50*ms)
		r.Done = r.FirstByte
		switch i % 50 {
		case 1:
			r.Code, r.Error = 409, "conflict"
		case 2:
			r.Sent, r.FirstByte, r.Done, r.Code, r.Error = 0, 0, 0, 0, canceled
		}
		h.requests = append(h.requests, r)
		h.watches = append(h.watches, results.WatchEvent{At: r.Planned + 60*ms, ResourceVersion: i/2 + 1, Phase: r.Phase, Track: "watchers", Watcher: int32(i % 4), Resource: "pods", Type: "ADDED", Bytes: i})
	}
	for i := range h.pods {
		if i%100 == 2 && h.pods[i].Event == "running" {
			h.pods[i].Event = "deleted"
		}
	}
	return h
}

// answer is the summary of a history as JSON, its streams cut into batches of so many records; 0: as the writer likes.
func answer(t *testing.T, h *history, batch int) (text string) {
	t.Helper()
	// The writer finishes a batch at least once a second, which in the bubble costs no time.
	synctest.Test(t, func(t *testing.T) {
		h.batch = batch
		data, err := json.MarshalIndent(h.summarize(t), "", " ")
		if err != nil {
			t.Fatal(err)
		}
		text = string(data)
	})
	return text
}
