package clusterloader

import (
	"fmt"
	"strings"
	"testing"

	"windtunnel/results"
)

// hundred are pods that come every 100 ms from 11 s on; the i-th needs i ms to be scheduled and ten times i to run: 10 ms … 1 s.
func hundred(h *history) {
	for i := range int64(100) {
		h.pod(fmt.Sprint("p", i), 11*sec+i*100*ms, (i+1)*ms, (i+1)*10*ms, nil)
	}
}

// TestPodStartupLatency: nearest rank of 1 … 100 at 50, 90 and 99 %; pods that others select, or that came before or after, are left out.
func TestPodStartupLatency(t *testing.T) {
	h := newHistory()
	hundred(h)
	h.pod("other", 20*sec, sec, 60*sec, func(e *results.PodEvent) { e.Labels = "app=web,group=saturation" })
	h.pod("elsewhere", 20*sec, sec, 60*sec, func(e *results.PodEvent) { e.Namespace = "kube-system" })
	h.pod("before", 5*sec, 0, 10*sec, nil)
	h.pod("late", 71*sec, sec, 9*sec, nil)
	h.pod("pending", 30*sec, sec, 0, nil)
	h.measure("PodStartupLatency", "PodStartupLatency", `{"namespace":"test-1","labelSelector":"group = latency","threshold":"1s"}`, "")
	o := h.examine(t)
	m := is(t, o, results.Pass, results.Pass)
	for name, want := range map[string]float64{"p50": 0.5, "p90": 0.9, "p99": 0.99} {
		if v := value(t, m, "pod_startup "+name); v.Value != want || v.N != 100 || *v.Threshold != 1 || v.Verdict != results.Pass {
			t.Errorf("%s: %+v", name, v)
		}
	}
	if notes := strings.Join(m.Notes, "; "); notes != "1 pods were there when it was started and are left out; 1 of 101 pods had not been seen running when it was gathered and are in no figure" {
		t.Error(notes)
	}
	var all PerfData
	file(t, o, "PodStartupLatency_PodStartupLatency_density_2026-01-02T03:05:15Z.json", &all)
	want := map[string]string{"create_to_schedule": "map[Perc50:51 Perc90:91 Perc99:100]", "schedule_to_run": "map[Perc50:450 Perc90:810 Perc99:891]", "run_to_watch": "map[Perc50:0 Perc90:0 Perc99:0]",
		"schedule_to_watch": "map[Perc50:450 Perc90:810 Perc99:891]", "pod_startup": "map[Perc50:500 Perc90:900 Perc99:990]", "create_to_run": "map[Perc50:500 Perc90:900 Perc99:990]"}
	for _, i := range all.DataItems { // create_to_schedule has the pending pod, with its second, as its 101st
		if got := fmt.Sprint(i.Data); got != want[i.Labels["Metric"]] || i.Unit != "ms" {
			t.Errorf("%s: %s", i.Labels["Metric"], got)
		}
	}
	if len(all.DataItems) != 6 || all.Version != "1.0" {
		t.Errorf("%+v", all)
	}
	var none PerfData
	file(t, o, "StatefulPodStartupLatency_PodStartupLatency_", &none)
	if len(none.DataItems) != 0 {
		t.Errorf("figures of no pods: %+v", none)
	}
}

func TestPodStartupLatencyViolations(t *testing.T) {
	for _, c := range []struct{ params, want string }{
		{`{"threshold":"980ms"}`, "p99 is 990ms, more than 980ms"},
		{`{"threshold":"2s","perc90Threshold":"899ms"}`, "p90 is 900ms, more than 899ms"},
		{`{"perc50Threshold":"499ms"}`, "p50 is 500ms, more than 499ms"},
	} {
		h := newHistory()
		hundred(h)
		h.measure("PodStartupLatency", "Pods", c.params, "")
		o := h.examine(t)
		m := is(t, o, results.Fail, results.Fail)
		if len(m.Violations) != 2 || !strings.Contains(m.Violations[0], c.want) { // of all pods and of the stateless ones, which are all
			t.Errorf("%s: %q", c.params, m.Violations)
		}
		if s := o.Result.Steps[1]; s.Verdict != results.Fail || len(s.Errors) != 1 || !strings.Contains(s.Errors[0], "PodStartupLatency Pods: pod start-up of 100 pods") {
			t.Errorf("step: %+v", s)
		}
	}
}

// TestPodStartupLatencyOfStatefulPods: a slow pod with a volume of its own is a violation of those, and of all.
func TestPodStartupLatencyOfStatefulPods(t *testing.T) {
	h := newHistory()
	h.pod("slow", 20*sec, sec, 6*sec, func(e *results.PodEvent) { e.Volumes = results.VolumesStateful })
	h.pod("fast", 20*sec, sec, 2*sec, nil)
	h.measure("PodStartupLatency", "Pods", "", "")
	o := h.examine(t)
	m := is(t, o, results.Fail, results.Fail)
	if len(m.Violations) != 2 || !strings.Contains(m.Violations[1], "1 stateful pods: p50 is 6s") {
		t.Errorf("%q", m.Violations)
	}
	if v := value(t, m, "stateless pod_startup p99"); v.Value != 2 || v.N != 1 {
		t.Errorf("%+v", v)
	}
}

// TestPodStartupLatencyWithoutPods: where the original has zeros and passes, there is no data.
func TestPodStartupLatencyWithoutPods(t *testing.T) {
	h := newHistory()
	hundred(h)
	h.measure("PodStartupLatency", "Pods", `{"labelSelector":"group=typo"}`, "")
	o := h.examine(t)
	is(t, o, results.NoData, results.NoData)
	suite, undecided := readSuite(t, o), []string{} // in JUnit what has not passed is an error
	for _, c := range suite.Cases {
		if c.Error != nil && c.Failure == nil && strings.Contains(c.Error.Text, "there is nothing to decide by; no pod of 0 was seen running") {
			undecided = append(undecided, c.Name)
		}
	}
	if fmt.Sprintf("%q", undecided) != `["density overall (density)" "density: [step: 02] Collecting measurements [00] - Pods"]` || suite.Errors != 2 || suite.Failures != 0 {
		t.Errorf("%q: %+v", undecided, suite)
	}
}

func TestSelectors(t *testing.T) {
	p := &pod{namespace: "a", name: "x", scheduler: "mine", labels: map[string]string{"app": "web", "tier": "1"}}
	for text, want := range map[string]bool{"": true, "app": true, "!app": false, "zone": false, "!zone": true, "app=web": true, "app==web,tier=1": true, "app = db": false,
		"app!=db": true, "zone!=x": true, "app in (db, web)": true, "app notin (db,web)": false, "zone notin (a)": true, "zone in (a)": false, "app=web,tier!=1": false} {
		s, err := readSelector(params{"labelSelector": text})
		if err != nil || s.matches(p) != want {
			t.Errorf("%q: %v, %v", text, !want, err)
		}
	}
	for text, want := range map[string]bool{"metadata.name=x": true, "metadata.namespace!=a": false, "spec.schedulerName=mine,metadata.name==x": true} {
		if s, err := readSelector(params{"fieldSelector": text}); err != nil || s.matches(p) != want {
			t.Errorf("%q: %v", text, err)
		}
	}
	for _, bad := range []params{{"labelSelector": "a b"}, {"labelSelector": "a=1,,b=2"}, {"labelSelector": "a in b, (c)"}, {"labelSelector": "(a)"}, {"fieldSelector": "status.phase=Running"},
		{"fieldSelector": "metadata.name"}, {"namespace": 3.0}} {
		if _, err := readSelector(bad); err == nil {
			t.Errorf("%v is taken", bad)
		}
	}
}
