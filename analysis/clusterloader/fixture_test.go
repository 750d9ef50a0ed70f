package clusterloader

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"windtunnel/results"
	"windtunnel/results/resultstest"
)

const (
	ms  = int64(1e6)
	sec = int64(1e9)
)

// history is a run written by hand: a test of two steps, from 10 s to 70 s and from 70 s to 80 s. A test adds what it is about.
type history struct {
	run     results.Run
	pods    []results.PodEvent
	nodes   []results.NodeEvent
	samples []results.ProcessSample
	scrapes []results.Scrape
	asked   []results.Request // nil: no file
	objects []results.ObjectEvent
}

func newHistory() *history {
	return &history{run: results.Run{Format: results.FormatVersion, ID: "density-20260102T030405Z-abcdef", Name: "density", Provider: "embedded",
		Started: "2026-01-02T03:04:05Z", Ended: "2026-01-02T03:05:35Z", Outcome: "completed", Profile: json.RawMessage(`{}`),
		Versions: map[string]string{"kubernetes": "v1.36.3"},
		Steps:    []results.StepSpan{{Number: 1, Name: "Starting measurements", Begin: 10 * sec, End: 70 * sec}, {Number: 2, Name: "Collecting measurements", Begin: 70 * sec, End: 80 * sec}}}}
}

// mark adds a call that takes 10 ms.
func (h *history) mark(at int64, method, identifier, action, params string) *results.Mark {
	step := 1
	if at >= 70*sec {
		step = 2
	}
	if params == "" {
		params = "{}"
	}
	h.run.Marks = append(h.run.Marks, results.Mark{At: at, End: at + 10*ms, Step: step, Method: method, Identifier: identifier, Action: action, Params: json.RawMessage(params)})
	return &h.run.Marks[len(h.run.Marks)-1]
}

// measure adds the start of a measurement at 10 s and its gathering at 70 s.
func (h *history) measure(method, identifier, start, gather string) {
	h.mark(10*sec, method, identifier, "start", start)
	h.mark(70*sec, method, identifier, "gather", gather)
}

// pod adds a pod that is created at an instant, and scheduled and running so long after it; 0: never.
func (h *history) pod(name string, created, scheduled, running int64, change func(*results.PodEvent)) {
	e := results.PodEvent{At: created, Source: "watch", Event: "created", Namespace: "test-1", Name: name, UID: "uid-" + name, Labels: "app=web,group=latency",
		Scheduler: "default-scheduler", Volumes: results.VolumesEphemeral}
	if change != nil {
		change(&e)
	}
	h.pods = append(h.pods, e)
	e.Labels, e.Scheduler, e.Volumes = "", "", ""
	for event, after := range map[string]int64{"scheduled": scheduled, "running": running} {
		if after > 0 {
			e.At, e.Event = created+after, event
			h.pods = append(h.pods, e)
		}
	}
}

// scrape adds a look at a component, which was started at Unix second 1000.
func (h *history) scrape(at int64, component string, lines ...string) {
	h.scrapes = append(h.scrapes, results.Scrape{At: at, Component: component,
		Body: []byte("# HELP x y\n" + startMetric + " 1000\n" + strings.Join(lines, "\n") + "\n")})
}

// buckets are the lines of a histogram: pairs of an upper bound and a count.
func buckets(name, labels string, pairs ...any) string {
	var b strings.Builder
	if labels != "" {
		labels += ","
	}
	for i := 0; i < len(pairs); i += 2 {
		fmt.Fprintf(&b, "%s_bucket{%sle=\"%v\"} %v\n", name, labels, pairs[i], pairs[i+1])
	}
	fmt.Fprintf(&b, "%s_count{%s} %v", name, labels, pairs[len(pairs)-1])
	return b.String()
}

func (h *history) write(t testing.TB) *results.Dir {
	t.Helper()
	d, err := results.Create(t.TempDir(), "density", time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	if err := d.WriteRun(h.run); err != nil {
		t.Fatal(err)
	}
	resultstest.Fill(t, d, results.PodsFile, h.pods)
	resultstest.Fill(t, d, results.NodesFile, h.nodes)
	resultstest.Fill(t, d, results.ProcessesFile, h.samples)
	resultstest.Fill(t, d, results.ScrapesFile, h.scrapes)
	resultstest.Fill(t, d, results.ObjectsFile, h.objects)
	if h.asked != nil {
		resultstest.Fill(t, d, results.RequestsFile, h.asked)
	}
	return d
}

func (h *history) examine(t testing.TB) *Outcome {
	t.Helper()
	o := Examine(h.write(t), h.run)
	if o == nil {
		t.Fatal("the run is no test")
	}
	return o
}

// only is the only measurement of an outcome.
func only(t testing.TB, o *Outcome) results.Measurement {
	t.Helper()
	if len(o.Result.Measurements) != 1 {
		t.Fatalf("%d measurements: %+v", len(o.Result.Measurements), o.Result.Measurements)
	}
	return o.Result.Measurements[0]
}

// value is a value of a measurement by its name.
func value(t testing.TB, m results.Measurement, name string) results.MeasuredValue {
	t.Helper()
	for _, v := range m.Values {
		if v.Name == name {
			return v
		}
	}
	t.Fatalf("there is no %q among %+v", name, m.Values)
	return results.MeasuredValue{}
}

// file decodes the only file whose name begins so.
func file(t testing.TB, o *Outcome, prefix string, v any) {
	t.Helper()
	n := 0
	for _, f := range o.Files {
		if strings.HasPrefix(f.Name, Folder+"/"+prefix) {
			n++
			if err := json.Unmarshal(f.Data, v); err != nil {
				t.Fatalf("%s: %v", f.Name, err)
			}
		}
	}
	if n != 1 {
		t.Fatalf("%d files begin with %s", n, prefix)
	}
}

// is fails unless the verdicts of the only measurement and of the test are these.
func is(t testing.TB, o *Outcome, measurement, test results.Verdict) results.Measurement {
	t.Helper()
	m := only(t, o)
	if m.Verdict != measurement || o.Result.Verdict != test {
		t.Errorf("measurement %s, test %s; want %s, %s: %+v", m.Verdict, o.Result.Verdict, measurement, test, m)
	}
	return m
}
