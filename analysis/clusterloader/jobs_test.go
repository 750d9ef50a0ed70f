package clusterloader

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"windtunnel/results"
)

// TestJobLifecycleLatency: the file has the Jobs' own times, the values have those of the watch, too; other measurements' Jobs, what came
// after the gather and Jobs that never completed are in no figure.
func TestJobLifecycleLatency(t *testing.T) {
	h := newHistory()
	h.measure("JobLifecycleLatency", "jobs", "", "")
	add := func(measure, uid, event string, at, stamp int64) {
		h.objects = append(h.objects, results.ObjectEvent{At: at, Measure: measure, UID: uid, Event: event, Stamp: stamp})
	}
	const mine = "JobLifecycleLatency/jobs"
	for i, uid := range []string{"a", "b", "c"} {
		begin, n := 20*sec, int64(i)
		add(mine, uid, "created", begin, 1000)
		add(mine, uid, "started", begin+100*ms, 1000+n)
		add(mine, uid, "completed", begin+(10+n)*sec, 1010)
	}
	add(mine, "d", "created", 20*sec, 1000)
	add(mine, "d", "started", 21*sec, 1002)
	add(mine, "d", "failed", 30*sec, 0)
	add(mine, "d", "completed", 75*sec, 1055) // after the gather
	add("JobLifecycleLatency/others", "e", "created", 20*sec, 1000)
	add("JobLifecycleLatency/others", "e", "started", 60*sec, 1040)
	o := h.examine(t)
	m := is(t, o, results.NotJudged, results.Pass)
	for name, want := range map[string]float64{
		"create_to_start p50": 1, "create_to_start p99": 2, "start_to_complete p50": 9, "start_to_complete p99": 10,
		"create_to_start as watched p50": 0.1, "create_to_start as watched p99": 1, "start_to_complete as watched p99": 11.9,
	} {
		if got := value(t, m, name); got.Value != want || got.N != map[bool]int64{true: 4, false: 3}[name[0] == 'c'] {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	var data PerfData
	file(t, o, "JobLifecycleLatency_jobs_density_", &data)
	want := []DataItem{{map[string]float64{"Perc50": 1000, "Perc90": 2000, "Perc99": 2000}, "ms", map[string]string{"Metric": "create_to_start"}},
		{map[string]float64{"Perc50": 9000, "Perc90": 10000, "Perc99": 10000}, "ms", map[string]string{"Metric": "start_to_complete"}}}
	if diff := cmp.Diff(want, data.DataItems); diff != "" {
		t.Error(diff)
	}
	if len(m.Notes) != 2 {
		t.Errorf("notes %q: want the number of Jobs, and that one failed", m.Notes)
	}
}

// TestJobsThatDidNotComplete: a gather whose time ran out fails, and the figures of the Jobs that completed are there all the same.
func TestJobsThatDidNotComplete(t *testing.T) {
	h := newHistory()
	h.measure("JobLifecycleLatency", "jobs", "", "")
	h.run.Marks[1].Error = "1 of 2 Jobs have not ended in 10m0s"
	for _, e := range []results.ObjectEvent{
		{At: 20 * sec, UID: "a", Event: "created", Stamp: 1000}, {At: 21 * sec, UID: "a", Event: "started", Stamp: 1001}, {At: 30 * sec, UID: "a", Event: "completed", Stamp: 1010},
		{At: 20 * sec, UID: "b", Event: "created", Stamp: 1000},
	} {
		e.Measure = "JobLifecycleLatency/jobs"
		h.objects = append(h.objects, e)
	}
	o := h.examine(t)
	m := is(t, o, results.Fail, results.Fail)
	if v := value(t, m, "start_to_complete p99"); v.Value != 9 || v.N != 1 {
		t.Errorf("%+v", v)
	}
	if len(m.Errors) != 1 || m.Errors[0] != h.run.Marks[1].Error || len(o.Result.Steps[1].Errors) != 1 {
		t.Errorf("errors %q of the measurement, %q of the step", m.Errors, o.Result.Steps[1].Errors)
	}
	var data PerfData
	file(t, o, "JobLifecycleLatency_jobs_density_", &data)
	if len(data.DataItems) != 2 {
		t.Errorf("%+v", data.DataItems)
	}
	h.run.Marks = h.run.Marks[1:] // a gather without a start has nothing to be partly about
	if m := only(t, h.examine(t)); len(m.Values) != 0 || len(m.Errors) != 1 {
		t.Errorf("%+v", m)
	}
}
