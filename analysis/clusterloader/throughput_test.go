package clusterloader

import (
	"fmt"
	"strings"
	"testing"

	"windtunnel/results"
)

// scheduled adds pods that are scheduled within the interval of 5 s that begins so many seconds after the start.
func scheduled(h *history, after int64, n int) {
	for i := range n {
		h.pod(fmt.Sprintf("p%d-%d", after, i), 5*sec, 5*sec+10*ms+after*sec+int64(i+1)*ms, 0, nil)
	}
}

// TestSchedulingThroughput: of the 11 whole intervals between 10.01 s and 70 s one has 50 pods and one 20.
func TestSchedulingThroughput(t *testing.T) {
	for threshold, want := range map[string]results.Verdict{"10": results.Pass, "10.5": results.Fail, "0": results.NotJudged} {
		h := newHistory()
		scheduled(h, 0, 50)
		scheduled(h, 20, 20)
		scheduled(h, 56, 99) // in the interval that was not over
		h.pod("before", 5*sec, sec, 0, nil)
		h.measure("SchedulingThroughput", "Throughput", "", fmt.Sprintf(`{"threshold":%s}`, threshold))
		o := h.examine(t)
		test := results.Pass
		if want == results.Fail {
			test = want
		}
		m := is(t, o, want, test)
		if v := value(t, m, "max"); v.Value != 10 || v.N != 70 {
			t.Errorf("%+v", v)
		}
		var s map[string]float64
		file(t, o, "SchedulingThroughput_density_", &s)
		if got := fmt.Sprint(s); got != "map[max:10 perc50:0 perc90:4 perc99:10]" {
			t.Error(got)
		}
	}
}

func TestSchedulingThroughputNotEnforced(t *testing.T) {
	h := newHistory()
	scheduled(h, 0, 50)
	h.measure("SchedulingThroughput", "Throughput", `{"measurmentInterval":"10s"}`, `{"threshold":100,"enableViolations":false}`)
	m := is(t, h.examine(t), results.NotJudged, results.Pass)
	if len(m.Violations) != 1 || !strings.Contains(m.Violations[0], "5.00 pods a second, less than 100") || !m.NotEnforced {
		t.Errorf("%+v", m)
	}
}

// TestSchedulingThroughputTooShort: no interval was over, so nothing is known.
func TestSchedulingThroughputTooShort(t *testing.T) {
	h := newHistory()
	h.measure("SchedulingThroughput", "Throughput", `{"measurmentInterval":"2m"}`, `{"threshold":1}`)
	is(t, h.examine(t), results.NoData, results.NoData)
}

func TestTimer(t *testing.T) {
	h := newHistory()
	for _, c := range []struct {
		at            int64
		action, label string
	}{{10, "start", "a"}, {12, "start", "b"}, {20, "stop", "a"}, {75, "gather", ""}} {
		h.mark(c.at*sec, "Timer", "Timer", c.action, fmt.Sprintf(`{"label":%q}`, c.label))
	}
	o := h.examine(t)
	is(t, o, results.NotJudged, results.Pass)
	var d PerfData
	file(t, o, "Timer_density_2026-01-02T03:05:20Z", &d)
	if i := d.DataItems[0]; len(i.Data) != 1 || i.Data["a"] != 10 || i.Unit != "s" || i.Labels["test"] != "phases" {
		t.Errorf("%+v", d)
	}
	h.mark(71*sec, "Timer", "Timer", "stop", `{"label":"c"}`)
	if m := is(t, h.examine(t), results.Fail, results.Fail); !strings.Contains(m.Errors[0], "c was stopped") {
		t.Errorf("%+v", m)
	}
}

// TestWaits: a wait that came passes, one that failed fails its measurement, its step and the test.
func TestWaits(t *testing.T) {
	h := newHistory()
	h.mark(20*sec, "WaitForControlledPodsRunning", "Wait", "gather", "")
	if m := is(t, h.examine(t), results.Pass, results.Pass); value(t, m, "time in its calls").Value != 0.01 {
		t.Errorf("%+v", m)
	}
	h.mark(30*sec, "WaitForControlledPodsRunning", "Wait", "gather", "").Error = "2 objects timed out"
	o := h.examine(t)
	is(t, o, results.Fail, results.Fail)
	if s := o.Result.Steps[0]; s.Verdict != results.Fail || fmt.Sprint(s.Errors) != "[WaitForControlledPodsRunning Wait: 2 objects timed out]" {
		t.Errorf("%+v", s)
	}
	h.run.Steps[0].Error = "Wait: 2 objects timed out" // the step repeats it
	if s := h.examine(t).Result.Steps[0]; fmt.Sprint(s.Errors) != "[Wait: 2 objects timed out]" {
		t.Errorf("%+v", s)
	}
}

// TestStepError: an error of a phase fails the test though every measurement passes.
func TestStepError(t *testing.T) {
	h := newHistory()
	h.mark(20*sec, "WaitForRunningPods", "Wait", "", "")
	h.run.Steps[1].Error = "3 of 10 creations failed"
	is(t, h.examine(t), results.Pass, results.Fail)
}

// TestSkipped: what is skipped says why and decides nothing.
func TestSkipped(t *testing.T) {
	h := newHistory()
	for _, action := range []string{"start", "gather"} {
		h.mark(20*sec, "InClusterNetworkLatency", "Net", action, "").Skip = "no network"
	}
	if m := is(t, h.examine(t), results.NotJudged, results.Pass); m.Skip != "no network" || len(m.Values) != 0 {
		t.Errorf("%+v", m)
	}
}

// TestNeverStarted: a gather without a start is an error, as in the original.
func TestNeverStarted(t *testing.T) {
	h := newHistory()
	h.mark(70*sec, "PodStartupLatency", "Pods", "gather", "")
	is(t, h.examine(t), results.Fail, results.Fail)
}

// TestGatheredAgain: only some measurements end with a gather, so that another one is an error; the others look again from the same start.
func TestGatheredAgain(t *testing.T) {
	for method, want := range map[string]string{"PodStartupLatency": "had not been started", "SchedulingThroughput": "had not been started", "NodeHealthTracker": "had not been started",
		"Timer": "", "EtcdMetrics": "", "GenericPrometheusQuery": "", "APIAvailability": ""} {
		h := newHistory()
		params := `{"label":"a","metricName":"M","metricVersion":"v1","unit":"1"}`
		h.measure(method, "M", params, "")
		h.mark(75*sec, method, "M", "gather", "")
		h.mark(76*sec, method, "M", "start", params) // begins anew in any case
		h.mark(79*sec, method, "M", "gather", "")
		ms := h.examine(t).Result.Measurements
		var errs []string
		for _, m := range ms {
			errs = append(errs, m.Errors...)
		}
		if text := strings.Join(errs, "; "); len(ms) != 3 || len(errs) > 1 || want == "" && text != "" || !strings.Contains(text, want) {
			t.Errorf("%s: %q of %+v", method, errs, ms)
		}
	}
	h := newHistory()
	h.mark(70*sec, "APIAvailability", "API", "gather", "")
	if m := is(t, h.examine(t), results.NotJudged, results.Pass); len(m.Notes) != 1 {
		t.Errorf("%+v", m)
	}
}

// TestStartedAgain: a start after a gather begins anew also where one before it would do nothing.
func TestStartedAgain(t *testing.T) {
	h := newHistory()
	for at, size := range map[int64]int{10: 9000, 40: 9000, 75: 5000, 79: 5000} {
		h.scrape(at*sec, etcdComponent, fmt.Sprintf("%s %d", sizeMetric, size))
	}
	h.measure("EtcdMetrics", "Etcd", "", "")
	h.mark(75*sec, "EtcdMetrics", "Etcd", "start", "")
	h.mark(79*sec, "EtcdMetrics", "Etcd", "gather", "")
	ms := h.examine(t).Result.Measurements
	if len(ms) != 2 || value(t, ms[1], "maxDatabaseSize").Value != 5000 {
		t.Errorf("%+v", ms)
	}
}

// TestWaitNotGathered: what was only started has waited for nothing, and passes nothing.
func TestWaitNotGathered(t *testing.T) {
	h := newHistory()
	h.mark(20*sec, "WaitForControlledPodsRunning", "Wait", "start", "")
	is(t, h.examine(t), results.NotJudged, results.Pass)
	h.mark(70*sec, "WaitForControlledPodsRunning", "Wait", "gather", "")
	is(t, h.examine(t), results.Pass, results.Pass)
}

// TestKilledInAWait: a call that never came to its end fails, and so does its step.
func TestKilledInAWait(t *testing.T) {
	for method, action := range map[string]string{"WaitForControlledPodsRunning": "gather", "WaitForRunningPods": "", "Timer": "gather"} {
		h := newHistory()
		h.mark(20*sec, method, "M", "start", `{"label":"a"}`)
		h.mark(70*sec, method, "M", action, "").End = 0
		h.run.Steps[1].End = 0
		o := h.examine(t)
		if m := is(t, o, results.Fail, results.Fail); len(m.Errors) != 1 || m.Errors[0] != "the call never came to its end" {
			t.Errorf("%+v", m)
		}
		if s := o.Result.Steps[1]; fmt.Sprintf("%q", s.Errors) != fmt.Sprintf(`["the step never came to its end" "%s M: the call never came to its end"]`, method) {
			t.Errorf("%q", s.Errors)
		}
		if suite := readSuite(t, o); suite.Failures != 3 { // the whole, the call, and the step
			t.Errorf("%+v", suite)
		}
		if h.run.Steps[1].Error != "" {
			t.Error("the run itself was changed")
		}
	}
}

// TestNothingRan: a test none of whose steps came to its end has not passed.
func TestNothingRan(t *testing.T) {
	h := newHistory()
	h.run.Steps = nil
	h.mark(20*sec, "WaitForRunningPods", "Wait", "", "")
	o := h.examine(t)
	is(t, o, results.Pass, results.NoData)
	if suite := readSuite(t, o); suite.Errors != 1 || suite.Failures != 0 {
		t.Errorf("%+v", suite)
	}
	h.run.Marks = nil
	h.run.Steps = []results.StepSpan{{Number: 1, Name: "x", Begin: 10 * sec}}
	if o := h.examine(t); o.Result.Verdict != results.Fail || fmt.Sprint(o.Result.Steps[0].Errors) != "[the step never came to its end]" {
		t.Errorf("%+v", o.Result)
	}
	if o := Examine(h.write(t), results.Run{Profile: h.run.Profile}); o != nil {
		t.Errorf("a run without steps is a test: %+v", o)
	}
}
