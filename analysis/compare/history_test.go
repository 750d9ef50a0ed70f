package compare

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func TestHistories(t *testing.T) {
	random := rand.New(rand.NewPCG(51, 53))
	slower := func(f Figure) float64 {
		if f.Row == "GET things-7 resource" && f.Unit == "s" {
			return 1.6
		}
		return 1
	}
	runs := append(makeRuns(random, 12, 0, same), makeRuns(random, 12, 12, slower)...)
	for i := range runs[12:] {
		runs[12+i].Traits["versions.kubernetes"] = "v1.37.0"
	}
	other := makeRuns(random, 3, 30, same)
	for _, r := range other {
		r.Traits["machine.cpu"] = "another"
	}
	runs = append(runs, other...)
	runs[5].Invalid = []string{"lag: too late."}
	random.Shuffle(len(runs), func(i, j int) { runs[i], runs[j] = runs[j], runs[i] })

	hs := Histories(runs, nil, 0)
	if len(hs) != 2 || len(hs[0].Runs) != 23 || len(hs[1].Runs) != 3 || len(hs[0].LeftOut) != 1 {
		t.Fatalf("%d histories: %+v", len(hs), hs)
	}
	h := hs[0]
	if len(h.Changes) != 3 {
		t.Fatalf("%d changes: %+v", len(h.Changes), h.Changes)
	}
	for _, s := range h.Changes {
		if s.Row != "GET things-7 resource" || s.First.ID != "run-012" || s.At != 11 || s.Verdict != Regression || s.Before.N != 11 || s.After.N != 12 ||
			strings.Join(s.Versions, "") != "kubernetes v1.36.3 → v1.37.0" || s.Change.Value < 1.3 || s.P > h.Level/float64(h.Figures) {
			t.Errorf("%+v", s)
		}
	}
	// One run lacks a figure, which is searched over the others; another is in too few runs.
	lacking := slices.IndexFunc(runs, func(r Run) bool { return r.ID == "run-003" })
	runs[lacking].Readings = slices.DeleteFunc(runs[lacking].Readings, func(r Reading) bool { return r.Row == "GET things-7 resource" })
	for i := range 5 {
		at := slices.IndexFunc(runs, func(r Run) bool { return r.ID == fmt.Sprintf("run-%03d", 7+i) })
		runs[at].Readings = append(runs[at].Readings, Reading{latency("GET rare resource", "p50"), Value{Value: float64(i)}})
	}
	runs = append(runs, Unreadable("run-099", errors.New("half a file")))
	hs = Histories(runs, nil, 0)
	if h = hs[0]; len(h.Changes) != 3 || h.Changes[0].At != 11 || h.Changes[0].First.ID != "run-012" || h.Changes[0].Before.N != 10 || strings.Join(h.TooFew, "") != "client GET rare resource p50" {
		t.Errorf("with gaps: %+v", h)
	}
	if len(hs) != 2 || len(hs[0].LeftOut) != 2 || len(hs[1].LeftOut) != 1 || !strings.Contains(hs[1].LeftOut[0].String(), "run-099 is invalid: it cannot be read: half a file") {
		t.Errorf("a run that cannot be read: %+v", hs)
	}
	runs = runs[:len(runs)-1]
	if hs[1].Needed < 6 || len(hs[1].Changes) != 0 {
		t.Errorf("three runs: %+v", hs[1])
	}
	if hs := Histories(runs, []Pattern{ParsePattern("*things-3*")}, 0); len(hs[0].Changes) != 0 || hs[0].Figures > 4 {
		t.Errorf("things-3: %+v", hs[0])
	}
	if got := Histories(nil, nil, 0); len(got) != 0 {
		t.Errorf("of nothing: %v", got)
	}
}

// TestFalseAlarmsOfHistories: of histories of 49 figures in which nothing changed, at most 5 % have a change point in any.
func TestFalseAlarmsOfHistories(t *testing.T) {
	if testing.Short() {
		t.Skip("a simulation, which make test runs without the race detector")
	}
	const trials = 80
	random := rand.New(rand.NewPCG(53, 54))
	alarms := 0
	for range trials {
		if hs := Histories(makeRuns(random, 23, 0, same), nil, 0); len(hs[0].Changes) > 0 {
			alarms++
		}
	}
	if share, limit := float64(alarms)/trials, 0.05+3*math.Sqrt(0.05*0.95/trials); share > limit {
		t.Errorf("%.3f of the histories have a change point, more than %.3f", share, limit)
	}
}
