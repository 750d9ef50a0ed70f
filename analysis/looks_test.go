package analysis

import (
	"testing"

	"windtunnel/results"
)

// lookAt makes the values of one look.
func lookAt(at int64, component string, start float64, values map[string]float64) []results.Metric {
	all := []results.Metric{{At: at, Component: component, Name: startMetric, Value: start}}
	for key, v := range values {
		name, labels := key, ""
		for i := range key {
			if key[i] == '{' {
				name, labels = key[:i], key[i:]
				break
			}
		}
		all = append(all, results.Metric{At: at, Component: component, Name: name, Labels: labels, Value: v})
	}
	return all
}

func figure(t *testing.T, s results.Summary, component, name string) results.ComponentFigure {
	t.Helper()
	for _, f := range s.ServerSide.Figures {
		if f.Component == component && f.Name == name {
			return f
		}
	}
	t.Fatalf("no figure %s of %s in %+v", name, component, s.ServerSide.Figures)
	return results.ComponentFigure{}
}

// TestServerSide gives each component looks before, at the edges of and after the measured phase, 20 s to 50 s.
func TestServerSide(t *testing.T) {
	h := newHistory()
	const fsync, size = "etcd_disk_wal_fsync_duration_seconds", "etcd_mvcc_db_total_size_in_bytes"
	etcdLook := func(at int64, start, n, sum, bytes float64) {
		h.metrics = append(h.metrics, lookAt(at, "etcd", start, map[string]float64{fsync + "_count": n, fsync + "_sum": sum, size: bytes})...)
	}
	etcdLook(10*sec, 1, 1000, 900, 9e9)
	etcdLook(20*sec, 1, 2000, 1000, 1e6)
	etcdLook(30*sec, 1, 2100, 1001, 5e6)
	h.metrics = append(h.metrics, lookAt(25*sec, "etcd", 1, map[string]float64{fsync + "_count": 2150, fsync + "_sum": 1001.5})...) // overlapped, answered late
	etcdLook(40*sec, 2, 50, 2, 4e6)                                                                                                 // restarted, and counts from 0
	etcdLook(50*sec, 2, 100, 3, 3e6)
	etcdLook(55*sec, 2, 9000, 90, 8e9)

	level := func(name, label string) string {
		return "apiserver_flowcontrol_" + name + `{priority_level="` + label + `"}`
	}
	for i, at := range []int64{20 * sec, 35 * sec, 50 * sec} {
		f := float64(i)
		values := map[string]float64{
			level("nominal_limit_seats", "workload-low"): 245, level("current_executing_seats", "workload-low"): []float64{3, 200, 7}[i],
			level("dispatched_requests_total", "workload-low"): 100 + 50*f, level("request_wait_duration_seconds_count", "workload-low"): 100 + 50*f,
			level("request_wait_duration_seconds_sum", "workload-low"): 10 + f, level("current_inqueue_requests", "workload-low"): 5 * f,
			level("nominal_limit_seats", "exempt"): 0, level("dispatched_requests_total", "exempt"): 40 + f, level("nominal_limit_seats", "catch-all"): 13,
			`apiserver_current_inflight_requests{request_kind="mutating"}`: 9 - f,
		}
		if i == 2 { // these appear within the phase: they were 0 before
			values[`apiserver_flowcontrol_rejected_requests_total{priority_level="workload-low",reason="queue-full"}`] = 4
			values[`apiserver_terminated_watchers_total{group="",resource="pods"}`] = 2
			values[`apiserver_terminated_watchers_total{group="apps",resource="deployments"}`] = 1
		}
		h.metrics = append(h.metrics, lookAt(at, apiServer, 1, values)...)
		h.metrics = append(h.metrics, lookAt(at, scheduler, 1, map[string]float64{
			`scheduler_pending_pods{queue="active"}`: []float64{1, 50, 0}[i], `scheduler_pending_pods{queue="backoff"}`: []float64{60, 20, 0}[i],
		})...)
		queue := func(metric, name string) string { return "workqueue_" + metric + `{name="` + name + `"}` }
		h.metrics = append(h.metrics, lookAt(at, controllerManager, 1, map[string]float64{
			queue("depth", "replicaset"): []float64{0, 30, 0}[i], queue("adds_total", "replicaset"): 100 * f,
			queue("queue_duration_seconds_count", "replicaset"): 100 * f, queue("queue_duration_seconds_sum", "replicaset"): 20 * f,
			queue("depth", "job"): 1, queue("adds_total", "job"): f, queue("queue_duration_seconds_count", "job"): f, queue("queue_duration_seconds_sum", "job"): 0.5 * f,
			queue("depth", "idle"): 0,
		})...)
	}
	s := h.summarize(t)
	if s.Verdict != results.Pass || len(s.Damage) > 0 {
		t.Errorf("verdict %s, damage %v", s.Verdict, s.Damage)
	}
	if f := figure(t, s, "etcd", "fsync_mean"); f.N != 100+50+50 || !near(f.Value, (1.0+2+1)/200) {
		t.Errorf("%+v", f)
	}
	if f := figure(t, s, "etcd", "db_size_end"); f.Value != 3e6 || f.N != 5 {
		t.Errorf("%+v", f)
	}
	if f := figure(t, s, apiServer, "watchers_terminated"); f.Value != 3 || f.N != 3 {
		t.Errorf("%+v", f)
	}
	if f := figure(t, s, apiServer, "inflight_mutating_max"); f.Value != 9 {
		t.Errorf("%+v", f)
	}
	if f := figure(t, s, scheduler, "pending_max"); f.Value != 70 { // of both queues at one look
		t.Errorf("%+v", f)
	}
	if f := figure(t, s, controllerManager, "queue_depth_max"); f.Value != 30 {
		t.Errorf("%+v", f)
	}
	if f := figure(t, s, controllerManager, "queue_mean_max"); !near(f.Value, 0.5) || f.N != 2 {
		t.Errorf("%+v", f)
	}
	levels := s.ServerSide.PriorityLevels
	if len(levels) != 2 || levels[0].Name != "exempt" || levels[0].Requests != 2 || levels[0].MeanWait != nil {
		t.Fatalf("%+v", levels)
	}
	if l := levels[1]; l.Requests != 100 || l.Rejected != 4 || !near(*l.MeanWait, 0.02) || l.MostSeats != 200 || l.Seats != 245 || l.MostQueued != 10 || l.Looks != 3 {
		t.Errorf("%+v", l)
	}
	queues := s.ServerSide.WorkQueues
	if len(queues) != 2 || queues[0].Name != "replicaset" || queues[0].N != 200 || !near(*queues[0].MeanWait, 0.2) || queues[0].Adds != 200 || queues[1].Deepest != 1 {
		t.Errorf("%+v", queues)
	}
}

// TestNoMetrics: the run of an older windtunnel has no such file, and nothing is wrong with it.
func TestNoMetrics(t *testing.T) {
	if s := newHistory().summarize(t); s.ServerSide != nil || len(s.Damage) > 0 || s.Verdict != results.Pass {
		t.Errorf("%+v, damage %v, verdict %s", s.ServerSide, s.Damage, s.Verdict)
	}
}

func TestLabelValue(t *testing.T) {
	const labels = `{a="x,b=\"y\"",b="z\\",c="line\nend"}`
	for name, want := range map[string]string{"a": `x,b="y"`, "b": `z\`, "c": "line\nend", "d": "", "": ""} {
		if got := labelValue(labels, name); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
	for _, broken := range []string{"", "{}", "{a}", "{a=", `{a="x`} {
		if got := labelValue(broken, "a"); got != "" {
			t.Errorf("%s: %q", broken, got)
		}
	}
}
