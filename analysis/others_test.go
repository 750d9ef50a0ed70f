package analysis

import (
	"path/filepath"
	"testing"

	"windtunnel/results"
)

// TestOthers gives the other users of a shared cluster a baseline of 10 s and the measured phase, 20 s to 50 s.
func TestOthers(t *testing.T) {
	h := newHistory()
	h.run.Shared = &results.Shared{Level: "windtunnel", Baseline: "warm-up"}
	h.run.Phases = append(h.run.Phases, results.PhaseSpan{Name: "warm-up", Begin: 50 * sec, End: 60 * sec}) // the profile's own of that name
	level := func(name, label string) string { return flowPrefix + name + `{priority_level="` + label + `"}` }
	look := func(at int64, low, wait, rejected, own float64) {
		h.metrics = append(h.metrics, lookAt(at, "kube-apiserver", 1, map[string]float64{
			level("nominal_limit_seats", "workload-low"): 245, level("current_executing_seats", "workload-low"): low / 10,
			level("dispatched_requests_total", "workload-low"): low, level("request_wait_duration_seconds_count", "workload-low"): low,
			level("request_wait_duration_seconds_sum", "workload-low"): wait, level("rejected_requests_total", "workload-low"): rejected,
			level("nominal_limit_seats", "windtunnel"): 85, level("dispatched_requests_total", "windtunnel"): own,
			level("nominal_limit_seats", "catch-all"): 13, level("dispatched_requests_total", "catch-all"): own,
		})...)
	}
	look(5*sec, 10, 9, 0, 0)
	look(10*sec, 100, 10, 0, 0)
	look(20*sec, 200, 11, 0, 0)
	look(21*sec, 210, 11, 0, 0)
	look(49*sec, 510, 71, 4, 900)
	look(59*sec, 999, 99, 9, 999)
	d := h.write(t)
	w, err := results.NewWriter[results.Request](filepath.Join(d.Path(), results.BystanderFile))
	if err != nil {
		t.Fatal(err)
	}
	ask := func(at, took int64, class string) {
		w.Append(results.Request{Planned: at, Sent: at + ms, Done: at + took, Verb: "GET", Error: class, Attempt: 1})
	}
	ask(9*sec, 999*ms, "")
	for i := range int64(10) {
		ask(10*sec+i*sec, (i+1)*ms, "")
	}
	for i := range int64(30) {
		ask(20*sec+ms+i*sec-ms*i/100, 20*ms, map[bool]string{true: "timeout"}[i >= 28])
	}
	ask(55*sec, 999*ms, "")
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	s, err := Summarize(d)
	if err != nil || len(s.Damage) > 0 {
		t.Fatal(err, s.Damage)
	}
	o := s.Others
	if o == nil || o.Level != "windtunnel" || o.BeforeSeconds != 10 || o.DuringSeconds != 30 || len(o.Levels) != 2 {
		t.Fatalf("%+v", o)
	}
	if idle := o.Levels[0]; idle.Name != "catch-all" || idle.Before != nil || idle.During == nil || idle.During.Requests != 900 {
		t.Errorf("%+v", idle)
	}
	low := o.Levels[1]
	if low.Name != "workload-low" || low.Before.Requests != 100 || low.Before.Rejected != 0 || *low.Before.MeanWait != 0.01 || low.Before.MostSeats != 20 {
		t.Errorf("before: %+v", low.Before)
	}
	if low.During.Requests != 310 || low.During.Rejected != 4 || *low.During.MeanWait != 60.0/310 || low.During.MostSeats != 51 {
		t.Errorf("during: %+v", low.During)
	}
	before, during := o.Bystander.Before, o.Bystander.During
	if before.N != 10 || before.Errors != 0 || before.P50 == nil || before.P50.Value != 0.005 || before.P99 != nil || *before.Max != 0.01 {
		t.Errorf("before: %+v", before)
	}
	if during.N != 30 || during.Errors != 2 || during.P50.Value != 0.02 || *during.Max != 0.02 {
		t.Errorf("during: %+v", during)
	}
}

// TestNoOthers: a run that had its cluster to itself says nothing of others.
func TestNoOthers(t *testing.T) {
	if s, err := Summarize(newHistory().write(t)); err != nil || s.Others != nil {
		t.Errorf("%+v, %v", s.Others, err)
	}
}
