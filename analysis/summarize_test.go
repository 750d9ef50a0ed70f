package analysis

import (
	"encoding/json"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"windtunnel/profiles"
	"windtunnel/results"
)

func near(a, b float64) bool { return math.Abs(a-b) < 1e-9 }

func TestSummarizeGoodRun(t *testing.T) {
	s := newHistory().summarize(t)
	if s.Verdict != results.Pass || s.Validity.Verdict != results.Pass || len(s.Damage) > 0 || len(s.Notes) > 0 {
		t.Errorf("verdict %s, validity %+v, damage %v, notes %v", s.Verdict, s.Validity, s.Damage, s.Notes)
	}
	if _, err := json.Marshal(s); err != nil { // no NaN, no infinity
		t.Error(err)
	}
	if s.Run.Pods != 300 || s.Run.Nodes != 2 || s.Run.Seconds != 60 {
		t.Errorf("run %+v", s.Run)
	}
	total := s.PodStartup["total"]
	if total.N != 300 || !near(total.P50.Value, 1.149) || !near(total.P99.Value, 1.296) || !near(total.P100.Value, 1.299) {
		t.Errorf("total %+v", total)
	}
	if total.P99.High != nil || total.P99.Low == nil { // 300 are too few for the upper bound
		t.Errorf("interval of p99 with 300 samples: %+v", total.P99)
	}
	if q := s.PodStartup["run_to_observe"]; q.N != 300 || !near(q.P50.Value, 0.1) || q.Negative != 0 {
		t.Errorf("run_to_observe %+v", q)
	}
	if q := s.PodStartup["create_to_schedule"]; !near(q.P100.Value, 0.2598) {
		t.Errorf("create_to_schedule %+v", q)
	}
	if q := s.PodStartup["schedule_to_run"]; !near(q.P100.Value, 1.299-0.2598-0.1) {
		t.Errorf("schedule_to_run %+v", q)
	}
	if len(s.Requests) != 1 || s.Requests[0].N != 600 || !near(s.Requests[0].P99.Value, 0.002) {
		t.Errorf("requests %+v", s.Requests)
	}
	if len(s.Server) != 1 || s.Server[0].N != 400 || s.Server[0].Within != 0.99 || *s.Server[0].P99.High != 1 || *s.Server[0].P99.Low != 0.1 {
		t.Errorf("server %+v", s.Server)
	}
	if f := s.Throughput["scheduled_max_1s"]; f.Value < 19 || f.Value > 21 {
		t.Errorf("scheduled_max_1s %+v", f)
	}
	if f := s.Throughput["created_to_last_running"]; !near(f.Value, 299*0.05+1.299) {
		t.Errorf("created_to_last_running %+v", f)
	}
	for _, c := range s.Components {
		if c.Name == "kube-apiserver" && (!near(c.CPUSeconds, 15) || !near(c.CPUTotal, 30) || c.PeakBytes != 360<<20 || c.Memory != "pss") {
			t.Errorf("component %+v", c)
		}
	}
	if c := check(t, s, "generator_cpu"); !near(c.Measured, 3.0/60) {
		t.Errorf("generator %+v", c)
	}
	churn := s.Conditions[0]
	if churn.Name != "churn_mean" || !near(churn.Measured, 30) || churn.Holds { // 600 requests and 300 pods in 30 s
		t.Errorf("churn %+v", churn)
	}
}

// TestVerdict changes one thing of the good run at a time.
func TestVerdict(t *testing.T) {
	no := false
	for name, c := range map[string]struct {
		change func(*history)
		want   results.Verdict
		failed string // check that must fail, when the run is invalid
	}{
		"as it is": {func(*history) {}, results.Pass, ""},
		"one answer too slow": {func(h *history) {
			h.scrapes[1].Body = exposition(1000, sli("PATCH", "pods", "status", "resource", 310, 405, 410))
		}, results.Fail, ""},
		"too few answers": {func(h *history) {
			h.scrapes[1].Body = exposition(1000, sli("PATCH", "pods", "status", "resource", 100, 308, 308))
		}, results.NoData, ""},
		"just enough answers": {func(h *history) {
			h.scrapes[1].Body = exposition(1000, sli("PATCH", "pods", "status", "resource", 100, 309, 309))
		}, results.Pass, ""},
		"no such call": {func(h *history) { h.profile.SLO.APICalls[0].Verb = "APPLY" }, results.NoData, ""},
		"nothing required": {func(h *history) {
			h.profile.SLO.APICalls, h.profile.SLO.PodStartup = nil, ""
		}, results.NoData, ""},
		"not judged": {func(h *history) { h.profile.SLO.Judged = &no }, results.NotJudged, ""},
		"not judged and invalid": {func(h *history) {
			h.profile.SLO.Judged, h.run.Outcome = &no, "interrupted"
		}, results.Invalid, "completed"},
		"failed and invalid": {func(h *history) {
			h.scrapes[1].Body = exposition(1000, sli("PATCH", "pods", "status", "resource", 310, 400, 410))
			h.run.WatchGaps = 1
		}, results.Invalid, "watch"},
		"3 pods at 5 s sharp, 3 above": {func(h *history) {
			h.pods, h.hollow = h.pods[:294*3], h.hollow[:294]
			for i := range int64(3) {
				h.addPod("sharp-"+string(rune('a'+i)), "app", 30*sec, 5*sec)
				h.addPod("above-"+string(rune('a'+i)), "app", 30*sec, 5*sec+1)
			}
		}, results.Pass, ""},
		"4 pods above 5 s": {func(h *history) {
			h.pods, h.hollow = h.pods[:296*3], h.hollow[:296]
			for i := range int64(4) {
				h.addPod("above-"+string(rune('a'+i)), "app", 30*sec, 5*sec+1)
			}
		}, results.Fail, ""},
		"pods that never run": {func(h *history) {
			for i := range int64(4) {
				h.pods = append(h.pods, results.PodEvent{At: 44 * sec, Source: "watch", Event: "created", UID: "stuck-" + string(rune('a'+i)), Object: "app"})
			}
		}, results.Fail, ""},
		"pods that had no time to run": {func(h *history) {
			for i := range int64(4) {
				h.pods = append(h.pods, results.PodEvent{At: 45 * sec, Source: "watch", Event: "created", UID: "late-" + string(rune('a'+i)), Object: "app"})
			}
		}, results.Pass, ""},
		"pods of another template": {func(h *history) {
			for i := range int64(9) {
				h.addPod("other-"+string(rune('a'+i)), "other", 30*sec, 9*sec)
			}
		}, results.Pass, ""},
		"a slow generator": {func(h *history) {
			for i := range h.requests[:7] {
				h.requests[i].Sent += 200 * ms
				h.requests[i].FirstByte += 200 * ms
				h.requests[i].Done += 200 * ms
			}
		}, results.Invalid, "lag"},
		"an unsent request": {func(h *history) {
			h.requests[3].Sent, h.requests[3].FirstByte, h.requests[3].Done, h.requests[3].Error = 0, 0, 0, "internal"
		}, results.Invalid, "achieved"},
		"a request cut off by the end": {func(h *history) { // the last one was planned for 49.95 s
			h.requests = append(h.requests, results.Request{Planned: 49_850 * ms, Phase: "workload", Verb: "GET", Error: "dropped"})
		}, results.Pass, ""},
		"a request that waited for the end": {func(h *history) {
			h.requests = append(h.requests, results.Request{Planned: 49_849 * ms, Phase: "workload", Verb: "GET", Error: "dropped"})
		}, results.Invalid, "achieved"},
		"a request canceled under way": {func(h *history) {
			for i := range h.requests[:20] {
				h.requests[i].Code, h.requests[i].FirstByte, h.requests[i].Error = 0, 0, "canceled"
			}
		}, results.Pass, ""},
		"no target": {func(h *history) {
			for i := range h.requests[:50] {
				h.requests[i].Sent, h.requests[i].FirstByte, h.requests[i].Done, h.requests[i].Error = 0, 0, 0, "no_target"
			}
		}, results.Pass, ""},
		"too many errors": {func(h *history) {
			for i := range h.requests[:7] {
				h.requests[i].Code, h.requests[i].Error = 429, "too_many_requests"
			}
		}, results.Invalid, "errors"},
		"as many errors as allowed": {func(h *history) {
			for i := range h.requests[:6] {
				h.requests[i].Code, h.requests[i].Error = 429, "too_many_requests"
			}
		}, results.Pass, ""},
		"no error is allowed": {func(h *history) {
			h.profile.Validity.MaxErrors = 0
			h.requests[0].Code, h.requests[0].Error = 429, "too_many_requests"
		}, results.Invalid, "errors"},
		"no request need be sent": {func(h *history) {
			h.profile.Validity.MinAchieved = 0
			h.requests = append(h.requests, results.Request{Planned: 30 * sec, Phase: "workload", Verb: "GET", Error: "internal"})
		}, results.Pass, ""},
		"errors outside of the measured phases": {func(h *history) {
			for range 100 {
				h.requests = append(h.requests, results.Request{Planned: 15 * sec, Phase: "warm-up", Error: "timeout"})
			}
		}, results.Pass, ""},
		"a busy generator": {func(h *history) {
			for i := range h.samples {
				if h.samples[i].Component == "windtunnel" {
					h.samples[i].CPUSeconds *= 6
				}
			}
		}, results.Invalid, "generator_cpu"},
		"no samples": {func(h *history) { h.samples = nil }, results.Invalid, "generator_cpu"},
		"a node that fell out": {func(h *history) {
			h.nodes = append(h.nodes, results.NodeEvent{At: 30 * sec, Name: "hollow-1", Event: "notready"}, results.NodeEvent{At: 31 * sec, Name: "hollow-1", Event: "ready"})
		}, results.Invalid, "nodes_ready"},
		"a node that fell out later": {func(h *history) {
			h.nodes = append(h.nodes, results.NodeEvent{At: 55 * sec, Name: "hollow-1", Event: "notready"})
		}, results.Pass, ""},
		"a node that came late": {func(h *history) {
			h.nodes[3].At = 21 * sec
		}, results.Invalid, "nodes_ready"},
		"a node that was meant to fall out": {func(h *history) {
			h.nodes = append(h.nodes, results.NodeEvent{At: 30 * sec, Name: "hollow-1", Event: "notready"})
			h.profile.Phases = []profiles.Phase{{Tracks: []profiles.Track{{Steps: []profiles.Step{{Fault: &profiles.Fault{NodesDown: 1}}}}}}}
		}, results.Pass, ""},
		"no scrapes": {func(h *history) { h.scrapes = nil }, results.Invalid, "scrapes"},
		"no scrape at the end": {func(h *history) {
			h.scrapes[1].Mark = ""
		}, results.Invalid, "scrapes"},
		"a clock that jumps": {func(h *history) { h.requests[0].Sent = h.requests[0].Planned - 1 }, results.Invalid, "clock"},
		"killed":             {func(h *history) { h.run.Outcome, h.run.Phases = "running", h.run.Phases[:3] }, results.Invalid, "completed"},
		"nothing measured":   {func(h *history) { h.run.Phases[2].Measured = false }, results.Invalid, "completed"},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHistory()
			c.change(h)
			s := h.summarize(t)
			if s.Verdict != c.want {
				t.Errorf("verdict %s, not %s: %+v\n%+v", s.Verdict, c.want, s.SLOs, s.Validity)
			}
			if _, err := json.Marshal(s); err != nil {
				t.Error(err)
			}
			for _, k := range s.Validity.Checks {
				if (k.Verdict == results.Pass) == (k.Remedy != "") {
					t.Errorf("check %s is %s with the remedy %q", k.Name, k.Verdict, k.Remedy)
				}
			}
			if c.failed == "" {
				if s.Validity.Verdict != results.Pass {
					t.Errorf("validity %+v", s.Validity)
				}
			} else if got := check(t, s, c.failed).Verdict; got == results.Pass {
				t.Errorf("check %s passed", c.failed)
			}
		})
	}
}

// TestDamaged destroys or removes each file; the summary must name it, be invalid and never an error.
func TestDamaged(t *testing.T) {
	files := []string{results.RequestsFile, results.PodsFile, results.HollowFile(0), results.NodesFile, results.ProcessesFile, results.ScrapesFile}
	ways := map[string]func(string) error{
		"missing": os.Remove,
		"empty":   func(p string) error { return os.Truncate(p, 0) },
		"garbage": func(p string) error { return os.WriteFile(p, []byte(strings.Repeat("\x00garbage", 99)), 0o644) },
		"cut": func(p string) error {
			info, err := os.Stat(p)
			if err != nil {
				return err
			}
			return os.Truncate(p, info.Size()-20)
		},
	}
	for _, file := range files {
		for way, ruin := range ways {
			if file == results.HollowFile(0) && way == "missing" {
				continue // there need not be any
			}
			d := newHistory().write(t)
			if err := ruin(d.Path(file)); err != nil {
				t.Fatal(err)
			}
			s, err := Summarize(d)
			if err != nil {
				t.Fatalf("%s %s: %v", file, way, err)
			}
			if s.Verdict != results.Invalid || len(s.Damage) != 1 || !strings.HasPrefix(s.Damage[0], file+": ") {
				t.Errorf("%s %s: verdict %s, damage %q", file, way, s.Verdict, s.Damage)
			}
		}
	}
	d := newHistory().write(t)
	for _, file := range files {
		if err := os.Remove(d.Path(file)); err != nil {
			t.Fatal(err)
		}
	}
	if s, err := Summarize(d); err != nil || s.Verdict != results.Invalid {
		t.Errorf("nothing but run.json: %s, %v", s.Verdict, err)
	}
	if err := os.WriteFile(d.Path(results.RunFile), []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Summarize(d); err == nil || !strings.Contains(err.Error(), results.RunFile) {
		t.Errorf("run.json cut off: %v", err)
	}
}

func TestUnreadableProfile(t *testing.T) {
	d := newHistory().write(t)
	run, err := d.ReadRun()
	if err != nil {
		t.Fatal(err)
	}
	run.Profile = json.RawMessage(`{"phases": 3}`)
	if err := d.WriteRun(run); err != nil {
		t.Fatal(err)
	}
	s, err := Summarize(d)
	if err != nil || s.Verdict != results.Invalid || len(s.Damage) != 1 {
		t.Errorf("%s, %v, %v", s.Verdict, s.Damage, err)
	}
}

// TestOrderDoesNotMatter shuffles the pods' events and splits them over files: the start-up figures must stay the same.
func TestOrderDoesNotMatter(t *testing.T) {
	h := newHistory()
	w := measuredWindow(h.run, 0)
	whole := lives{}
	all := append(slices.Clone(h.pods), h.hollow...)
	for _, e := range all {
		whole.add(e)
	}
	ref := startupOf(whole, "app", w)
	want := ref.quantiles()
	rapid.Check(t, func(t *rapid.T) {
		mixed := lives{}
		for _, e := range rapid.Permutation(all).Draw(t, "events") {
			mixed.add(e)
		}
		s := startupOf(mixed, "app", w)
		for stage, q := range s.quantiles() {
			if q.N != want[stage].N || q.P50.Value != want[stage].P50.Value || q.P99.Value != want[stage].P99.Value {
				t.Fatalf("%s: %+v, not %+v", stage, q, want[stage])
			}
		}
	})
}

func TestRestartedContainersAndCrossSourceOrder(t *testing.T) {
	p := &podLife{running: 100, started: []int64{90, 40, 150}}
	if got := p.lastStart(); got != 90 {
		t.Errorf("last start before running is %d", got)
	}
	p.started = []int64{130, 110} // the watch outran the runtime's record
	if got := p.lastStart(); got != 110 {
		t.Errorf("earliest start is %d", got)
	}
	h := newHistory()
	h.hollow[0].At = h.pods[2].At + 5*ms
	s := h.summarize(t)
	if q := s.PodStartup["run_to_observe"]; q.Negative != 1 || !slices.ContainsFunc(s.Notes, func(n string) bool { return strings.Contains(n, "1 stage times are negative") }) {
		t.Errorf("%+v, notes %v", q, s.Notes)
	}
}

func TestDeletedBeforeRunning(t *testing.T) {
	h := newHistory()
	pod := func(uid string, created, deleting int64) {
		h.pods = append(h.pods, results.PodEvent{At: created, Source: "watch", Event: "created", UID: uid, Object: "app"},
			results.PodEvent{At: deleting, Source: "watch", Event: "deleting", UID: uid, Object: "app"})
	}
	pod("short", 30*sec, 34*sec)
	pod("long", 30*sec, 36*sec)
	s := h.summarize(t)
	slo := s.SLOs[1]
	if slo.N != 301 || !strings.Contains(slo.Note, "1 never ran") || !strings.Contains(slo.Note, "1 were deleted within 5 s") {
		t.Errorf("%+v", slo)
	}
}

// FuzzRequestsFile puts anything in place of a stream.
func FuzzRequestsFile(f *testing.F) {
	d := newHistory().write(f)
	data, err := os.ReadFile(d.Path(results.RequestsFile))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add(data[:len(data)/2])
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := os.WriteFile(d.Path(results.RequestsFile), data, 0o644); err != nil {
			t.Fatal(err)
		}
		s, err := Summarize(d)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := json.Marshal(s); err != nil {
			t.Fatal(err)
		}
	})
}
