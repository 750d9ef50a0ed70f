package clusterloader

import (
	"fmt"
	"strings"
	"testing"

	"windtunnel/results"
)

// schedulerHistory has a scheduler whose pods took: 98 up to 0.1 s, 2 from 0.1 s to 0.2 s, between the marks.
func schedulerHistory() *history {
	h := newHistory()
	for _, look := range []struct{ at, n, slow int }{{9, 1000, 0}, {10, 5000, 5000}, {70, 5100, 5002}} {
		h.scrape(int64(look.at)*sec+ms, schedulerComponent,
			buckets(strings.TrimSuffix(podSchedulingMetric, "_bucket"), `attempts="1"`, "0.1", look.n-look.slow, "0.2", look.n, "+Inf", look.n),
			buckets(strings.TrimSuffix(algorithmMetric, "_bucket"), `a="b"`, "0.001", look.n, "+Inf", look.n),
			buckets(strings.TrimSuffix(extensionPointMetric, "_bucket"), `extension_point="Filter",profile="default",status="Success"`, "0.01", look.n, "+Inf", look.n))
	}
	return h
}

// TestSchedulingMetrics: only what happened between the marks counts, and the file has nanoseconds.
func TestSchedulingMetrics(t *testing.T) {
	for method, name := range map[string]string{"SchedulingMetrics": "SchedulingMetrics_density", "PrometheusSchedulingMetrics": "Sched_PrometheusSchedulingMetrics_density"} {
		h := schedulerHistory()
		h.measure(method, "Sched", "", "")
		o := h.examine(t)
		m := is(t, o, results.NotJudged, results.Pass)
		if v := value(t, m, "e2eScheduling p99"); v.Value != 0.15 || v.N != 100 {
			t.Errorf("%+v", v)
		}
		var s struct {
			EP map[string]map[string]int64 `json:"frameworkExtensionPointDuration"`
			E  map[string]int64            `json:"e2eSchedulingLatency"`
			A  map[string]int64            `json:"schedulingLatency"`
			P  map[string]int64            `json:"preemptionEvaluationLatency"`
		}
		file(t, o, name, &s)
		if len(s.EP) != 11 || s.EP["Filter"]["Perc50"] != 5e6 || s.EP["Bind"]["Perc99"] != 0 || s.E["Perc99"] != 15e7 || s.A["Perc90"] != 9e5 || s.P["Perc50"] != 0 {
			t.Errorf("%+v", s)
		}
	}
	h := newHistory()
	h.measure("SchedulingMetrics", "Sched", "", "")
	if m := is(t, h.examine(t), results.NotJudged, results.Pass); len(m.Notes) != 1 {
		t.Errorf("%+v", m)
	}
}

func TestEtcdMetrics(t *testing.T) {
	h := newHistory()
	for _, look := range []struct{ at, n, size int }{{10, 100, 5000}, {40, 150, 9000}, {70, 300, 7000}, {79, 900, 99999}} {
		h.scrape(int64(look.at)*sec, etcdComponent, fmt.Sprintf("%s %d", sizeMetric, look.size),
			buckets(strings.TrimSuffix(fsyncMetric, "_bucket"), "", "0.001", look.n/2, "0.002", look.n, "+Inf", look.n))
	}
	h.measure("EtcdMetrics", "Etcd", "", "")
	o := h.examine(t)
	m := is(t, o, results.NotJudged, results.Pass)
	if v := value(t, m, "maxDatabaseSize"); v.Value != 9000 || v.N != 3 {
		t.Errorf("%+v", v)
	}
	var s etcdSummary
	file(t, o, "EtcdMetrics_density_", &s)
	if len(s.Fsync) != 1 || fmt.Sprint(s.Fsync[0].Buckets) != "map[+Inf:200 0.001:100 0.002:200]" || fmt.Sprint(s.Fsync[0].Labels) != "map[__name__:"+fsyncMetric+"]" || s.MostBytes != 9000 {
		t.Errorf("%+v", s)
	}
}

// processes has an API server that takes half a core and 100 MiB, and is another process from 40 s on.
func processes(h *history) {
	for at := range int64(80) {
		s := results.ProcessSample{At: at * sec, Component: apiServer, PID: 2, CPUSeconds: float64(at) / 2, RSS: 100 << 20}
		if at >= 40 {
			s.PID, s.CPUSeconds = 3, float64(at-40)/2
		}
		h.samples = append(h.samples, s, results.ProcessSample{At: at * sec, Component: "hollow-0", PID: 9, CPUSeconds: float64(at), RSS: 1},
			results.ProcessSample{At: at * sec, Component: "windtunnel", PID: 1, CPUSeconds: float64(at), RSS: 1})
	}
	h.run.Components = []results.Component{{Name: apiServer, PID: 2, Exit: "killed"}, {Name: apiServer, PID: 3}}
}

func TestResourceUsageSummary(t *testing.T) {
	for constraints, want := range map[string]results.Verdict{"": results.NotJudged, "kube-apiserver: {cpuConstraint: 0.6, memoryConstraint: 104857600}": results.Pass,
		"kube-apiserver: {cpuConstraint: 0.4}": results.Fail, "kube-apiserver: {memoryConstraint: 1000}": results.Fail, "density/constraints.yaml": results.NoData,
		`{"kube-dns":{"cpuConstraint":0.1},"kube-apiserver":{}}`: results.NoData, "{}": results.NoData} {
		h := newHistory()
		processes(h)
		h.measure("ResourceUsageSummary", "Use", fmt.Sprintf(`{"resourceConstraints":%q}`, constraints), "")
		o := h.examine(t)
		test := want
		if want == results.NotJudged {
			test = results.Pass
		}
		m := is(t, o, want, test)
		if v := value(t, m, "kube-apiserver CPU p99"); v.Value != 0.5 || v.N != 61 {
			t.Errorf("%+v", v)
		}
		var s map[string][]ContainerUsage
		file(t, o, "ResourceUsageSummary_", &s)
		if u := s["50"]; len(s) != 4 || len(u) != 2 || u[1] != (ContainerUsage{apiServer, 0.5, 100 << 20}) || u[0].Name != "hollow-0" {
			t.Errorf("%+v", s)
		}
	}
}

// TestContainerRestarts: the API server was restarted once.
func TestContainerRestarts(t *testing.T) {
	for params, want := range map[string]results.Verdict{
		`{"enableViolations":true}`:                            results.Fail,
		`{"enableViolations":true,"defaultAllowedRestarts":1}`: results.Pass,
		`{"enableViolations":true,"customAllowedRestarts":"- {container: kube-apiserver, pod: kube-api*, allowedRestarts: 1}"}`: results.Pass,
		`{"enableViolations":true,"customAllowedRestarts":"- {container: kube-apiserver, pod: api*, allowedRestarts: 1}"}`:      results.Fail,
		`{"enableViolations":true,"failureEnabled":false}`:                                                                      results.NotJudged,
		`{}`: results.NotJudged,
	} {
		h := newHistory()
		processes(h)
		h.measure("ContainerRestarts", "Restarts", "", params)
		o := h.examine(t)
		m := only(t, o)
		if m.Verdict != want {
			t.Errorf("%s: %+v", params, m)
		}
		var list []containerRestart
		file(t, o, "ContainerRestarts_", &list)
		if len(list) != 1 || list[0] != (containerRestart{apiServer, apiServer, "kube-system", 1}) {
			t.Errorf("%+v", list)
		}
	}
	h := newHistory()
	h.measure("ContainerRestarts", "Restarts", "", `{"enableViolations":true}`)
	is(t, h.examine(t), results.NoData, results.NoData)
}

func TestSystemPodMetrics(t *testing.T) {
	for params, want := range map[string]results.Verdict{
		`{"systemPodMetricsEnabled":true}`:                                results.NotJudged,
		`{"systemPodMetricsEnabled":true,"enableRestartCountCheck":true}`: results.Fail,
		`{"systemPodMetricsEnabled":true,"enableRestartCountCheck":true,"restartCountThresholdOverrides":"kube-apiserver: 1"}`: results.Pass,
		`{"systemPodMetricsEnabled":true,"enableRestartCountCheck":true,"restartCountThresholdOverrides":"{default: 1}"}`:      results.Pass,
		`{"systemPodMetricsEnabled":true,"enableRestartCountCheck":true,"systemPodsFailureEnabled":false}`:                     results.NotJudged,
	} {
		h := newHistory()
		processes(h)
		h.measure("SystemPodMetrics", "Pods", "", params)
		o := h.examine(t)
		if m := only(t, o); m.Verdict != want {
			t.Errorf("%s: %+v", params, m)
		}
		var s struct{ Pods []systemPod }
		file(t, o, "SystemPodMetrics_", &s)
		if len(s.Pods) != 1 || s.Pods[0].Containers[0] != (systemContainer{Name: apiServer, Restarts: 1, LastReason: "killed"}) {
			t.Errorf("%+v", s)
		}
	}
	h := newHistory()
	processes(h)
	h.mark(10*sec, "SystemPodMetrics", "Pods", "start", "")
	h.mark(30*sec, "SystemPodMetrics", "Pods", "pause", "")
	h.mark(45*sec, "SystemPodMetrics", "Pods", "unpause", "")
	h.mark(70*sec, "SystemPodMetrics", "Pods", "gather", `{"systemPodMetricsEnabled":true,"enableRestartCountCheck":true}`)
	is(t, h.examine(t), results.Pass, results.Pass) // the restart was while it paused
}

// TestTestMetrics: all parts at once, each under its own name; one that fails fails it.
func TestTestMetrics(t *testing.T) {
	build := func(params string) *Outcome {
		h := schedulerHistory()
		processes(h)
		for _, at := range []int64{10, 70} {
			h.scrape(at*sec, etcdComponent, fmt.Sprintf("%s %d", sizeMetric, at))
			h.scrape(at*sec, apiServer, fmt.Sprintf(`apiserver_request_total{code="200",verb="GET"} %d`, at))
		}
		h.measure("TestMetrics", "TestMetrics", params, params)
		return h.examine(t)
	}
	o := build(`{"systemPodMetricsEnabled":true}`)
	m := is(t, o, results.NotJudged, results.Pass)
	for name, want := range map[string]float64{"EtcdMetrics maxDatabaseSize": 70, "SchedulingMetrics e2eScheduling p99": 0.15, "ResourceUsageSummary hollow-0 CPU p99": 1, "SystemPodMetrics kube-apiserver restarts": 1} {
		if v := value(t, m, name); v.Value != want {
			t.Errorf("%+v", v)
		}
	}
	var e struct{ APIServerMetrics map[string][]promSample }
	file(t, o, "MetricsForE2E_", &e)
	if got := fmt.Sprint(e.APIServerMetrics["apiserver_request_total"]); got != "[{map[__name__:apiserver_request_total code:200 verb:GET] [1.767323115e+09 70]}]" {
		t.Error(got)
	}
	if len(o.Files) != 6 { // with the JUnit report; ClusterOOMsTracker is not asked for
		t.Errorf("%v", o.Result.Files)
	}
	if m := is(t, build(`{"systemPodMetricsEnabled":true,"enableRestartCountCheck":true}`), results.Fail, results.Fail); !strings.HasPrefix(m.Violations[0], "SystemPodMetrics: kube-apiserver was restarted 1 times") {
		t.Errorf("%+v", m)
	}
	is(t, build(`{"resourceConstraints":"some/file.yaml"}`), results.NoData, results.NoData)
}

// TestMetricsForE2E: it has no actions, and one that a config gives it all the same changes nothing.
func TestMetricsForE2E(t *testing.T) {
	for _, action := range []string{"", "start", "gather"} {
		h := newHistory()
		h.scrape(70*sec, apiServer, `apiserver_request_total{code="200",verb="GET"} 70`)
		h.mark(70*sec, "MetricsForE2E", "E2E", action, "")
		o := h.examine(t)
		is(t, o, results.NotJudged, results.Pass)
		var e struct{ APIServerMetrics map[string][]promSample }
		if file(t, o, "MetricsForE2E_", &e); len(e.APIServerMetrics["apiserver_request_total"]) != 1 {
			t.Errorf("action %q: %+v", action, e)
		}
	}
}

// TestNodeHealthTracker: 2 of 10 nodes are away together for a moment, one of them by its taint.
func TestNodeHealthTracker(t *testing.T) {
	for params, want := range map[string]results.Verdict{`{"threshold":2}`: results.Pass, `{"threshold":1}`: results.Fail, `{"threshold":1,"ratio":0.2}`: results.Pass, `{}`: results.Pass,
		`{"labelSelector":"a=b"}`: results.NoData} {
		h := newHistory()
		for i := range 10 {
			name := fmt.Sprint("hollow-", i)
			h.nodes = append(h.nodes, results.NodeEvent{At: sec, Name: name, Event: "added"}, results.NodeEvent{At: 2 * sec, Name: name, Event: "ready"})
		}
		h.nodes = append(h.nodes, results.NodeEvent{At: 5 * sec, Name: "hollow-7", Event: "notready"}, results.NodeEvent{At: 6 * sec, Name: "hollow-7", Event: "ready"},
			results.NodeEvent{At: 20 * sec, Name: "hollow-1", Event: "notready"}, results.NodeEvent{At: 21 * sec, Name: "hollow-2", Event: "tainted", Detail: "x"},
			results.NodeEvent{At: 22 * sec, Name: "hollow-1", Event: "ready"}, results.NodeEvent{At: 75 * sec, Name: "hollow-1", Event: "notready"}, results.NodeEvent{At: 76 * sec, Name: "hollow-3", Event: "notready"})
		h.measure("NodeHealthTracker", "Nodes", params, "")
		o := h.examine(t)
		m := is(t, o, want, want)
		if want == results.NoData {
			continue
		}
		if v := value(t, m, "most unhealthy nodes at once"); v.Value != 2 {
			t.Errorf("%+v", v)
		}
		var s nodeHealth
		file(t, o, "NodeHealthTracker_", &s)
		if s != (nodeHealth{9, 10, want == results.Fail}) {
			t.Errorf("%+v", s)
		}
	}
}

// TestNodeHealthLimits: the share is one of the nodes that there are at each moment: 3 bad nodes of 100 are allowed, and 2 of 10 are not. The first
// violation is told of.
func TestNodeHealthLimits(t *testing.T) {
	h := newHistory()
	event := func(at int64, name int, event string) {
		h.nodes = append(h.nodes, results.NodeEvent{At: at, Name: fmt.Sprint("hollow-", name), Event: event})
	}
	for i := range 100 {
		event(sec, i, "added")
		event(2*sec, i, "ready")
	}
	for i := range 3 {
		event(20*sec, i, "notready")
	}
	event(30*sec, 0, "deleted")
	for i := 10; i < 100; i++ {
		event(31*sec, i, "deleted")
	}
	h.measure("NodeHealthTracker", "Nodes", `{"threshold":1,"ratio":0.03}`, "")
	m := is(t, h.examine(t), results.Fail, results.Fail)
	if v := value(t, m, "most unhealthy nodes at once"); v.Value != 2 || v.N != 66 || *v.Threshold != 0.03*66 {
		t.Errorf("%+v, threshold %g", v, *v.Threshold)
	}
	if want := "[2 of 66 nodes were unhealthy at once, more than 1.98]"; fmt.Sprint(m.Violations) != want {
		t.Errorf("%q", m.Violations)
	}
}
