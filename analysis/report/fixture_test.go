package report

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"windtunnel/analysis"
	"windtunnel/results"
	"windtunnel/results/resultstest"
)

// hostile is a name that would be markup if anything failed to escape it.
const hostile = `</script><script>alert("x")</script><img src=x onerror=alert(1)>&'`

const sec = int64(1e9)

// recorded writes a run of a minute that has a bit of everything: pods of which one never runs, requests of several kinds of
// which some fail, nodes, a component that is restarted, and metrics. Names are hostile.
func recorded(t testing.TB) *results.Dir {
	t.Helper()
	d, err := results.Create(t.TempDir(), "test", time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	profile, err := json.Marshal(map[string]any{"name": "test", "description": hostile, "hollowNodes": map[string]any{"count": 2, "tier": "kubelet"},
		"slo": map[string]any{"podStartup": "web", "apiCalls": []any{map[string]any{"verb": "GET", "resource": "pods"}}}})
	if err != nil {
		t.Fatal(err)
	}
	run := results.Run{Format: results.FormatVersion, ID: d.ID(), Name: "test", Seed: 7, Provider: "embedded", Profile: profile, Command: []string{"/somewhere/bin/windtunnel", "run", "-f", "it's.yaml"},
		Started: "2026-01-02T03:04:05Z", Ended: "2026-01-02T03:05:05Z", Outcome: "completed", Notes: []string{hostile},
		Versions: map[string]string{"kubernetes": "v1.36.3"}, Machine: results.Machine{Cores: 2, CPU: hostile, Kernel: "6.1", MemoryBytes: 8 << 30},
		Components: []results.Component{{Name: "etcd", PID: 2, Args: []string{"/somewhere/etcd", "--name=" + hostile}}},
		Phases:     []results.PhaseSpan{{Name: hostile, End: 10 * sec, Outcome: "ok"}, {Name: "workload", Begin: 10 * sec, End: 60 * sec, Measured: true, Outcome: "ok"}}}
	if err := d.WriteRun(run); err != nil {
		t.Fatal(err)
	}
	resultstest.Fill(t, d, results.RequestsFile, requests())
	resultstest.Fill(t, d, results.PodsFile, pods())
	resultstest.Fill(t, d, results.NodesFile, []results.NodeEvent{{At: 5 * sec, Name: "hollow-0", Event: "ready"}, {At: 6 * sec, Name: "hollow-1", Event: "ready"}, {At: 40 * sec, Name: "hollow-1", Event: "notready"}})
	resultstest.Fill(t, d, results.ProcessesFile, samples())
	resultstest.Fill(t, d, results.MetricsFile, metrics())
	resultstest.Fill(t, d, results.ScrapesFile, []results.Scrape{})
	return d
}

func requests() []results.Request {
	var rs []results.Request
	for i := range int64(600) {
		at := 10*sec + i*80e6
		r := results.Request{Planned: at, Sent: at + 1e6, FirstByte: at + 3e6 + i*1e4, Done: at + 4e6 + i*2e4, Phase: "workload", Track: "users", Verb: []string{"GET", "PATCH", "LIST"}[i%3], Version: "v1",
			Resource: []string{"pods", "configmaps"}[i/3%2], Scope: []string{"resource", "resource", "namespace"}[i%3], Object: hostile, Code: 200, Attempt: 1, Identity: "user"}
		switch {
		case i%97 == 0:
			r.Code, r.Error = 409, "conflict"
		case i%101 == 0:
			r.Code, r.Error = 0, "timeout"
		}
		rs = append(rs, r)
	}
	return rs
}

func pods() []results.PodEvent {
	var es []results.PodEvent
	for i := range int64(120) {
		at := 10*sec + i*sec/4
		e := results.PodEvent{Source: "watch", Namespace: "load", Name: fmt.Sprintf("pod-%d", i), UID: fmt.Sprintf("uid-%d", i), Object: "web", Phase: "workload"}
		for j, event := range []string{"created", "scheduled", "running", "deleting", "deleted"} {
			if j == 2 && i == 50 || j > 2 && i > 60 {
				break // one never runs; half are not deleted
			}
			e.At, e.Event = at+int64(j)*(sec/5+i*1e6), event
			es = append(es, e)
		}
	}
	return es
}

func samples() []results.ProcessSample {
	var ss []results.ProcessSample
	for t := range int64(61) {
		ss = append(ss, results.ProcessSample{At: t * sec, Component: "windtunnel", PID: 1, CPUSeconds: float64(t) * 0.1, RSS: 50 << 20})
		if t < 30 {
			ss = append(ss, results.ProcessSample{At: t * sec, Component: "etcd", PID: 2, CPUSeconds: float64(t) * 0.2, RSS: 80 << 20})
		} else if t > 33 {
			ss = append(ss, results.ProcessSample{At: t * sec, Component: "etcd", PID: 9, CPUSeconds: float64(t-34) * 0.2, RSS: 80 << 20})
		}
	}
	return ss
}

func metrics() []results.Metric {
	var ms []results.Metric
	for t := int64(0); t <= 60; t += 2 {
		look := func(component, name, labels string, v float64) {
			ms = append(ms, results.Metric{At: t * sec, Component: component, Name: name, Labels: labels, Value: v})
		}
		look("etcd", "etcd_mvcc_db_total_size_in_bytes", "", float64(10+t)*(1<<20))
		look("etcd", "etcd_disk_wal_fsync_duration_seconds_sum", "", float64(t)*0.01)
		look("etcd", "etcd_disk_wal_fsync_duration_seconds_count", "", float64(t)*10)
		look("kube-apiserver", "apiserver_flowcontrol_current_executing_seats", `{priority_level="global-default"}`, float64(t%7))
		look("kube-apiserver", "apiserver_flowcontrol_rejected_requests_total", `{priority_level="catch-all",reason="queue-full"}`, float64(t))
		look("kube-controller-manager", "workqueue_depth", `{name="replicaset"}`, float64(t%5))
		look("kube-scheduler", "scheduler_pending_pods", `{queue="active"}`, float64(t%3))
	}
	return ms
}

func study(t testing.TB, d *results.Dir) analysis.Study {
	t.Helper()
	s, err := analysis.Examine(d)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
