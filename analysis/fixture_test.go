package analysis

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"windtunnel/profiles"
	"windtunnel/results"
)

const (
	ms  = int64(1e6)
	sec = int64(1e9)
)

// history is a run written by hand. The zero of newHistory passes everything; a test changes what it is about.
type history struct {
	run      results.Run
	profile  profiles.Profile
	requests []results.Request
	watches  []results.WatchEvent
	pods     []results.PodEvent
	hollow   []results.PodEvent
	nodes    []results.NodeEvent
	samples  []results.ProcessSample
	scrapes  []results.Scrape
	metrics  []results.Metric // nil: no file, as in the runs of older windtunnels
	audit    string           // "": no file
	batch    int              // records to a batch, in a synctest bubble; 0: as the writer likes
}

// newHistory is a run of 60 s whose phase workload, from 20 s to 50 s, is measured: 300 pods on 2 nodes that need 1.000 s
// to 1.299 s each, 600 GETs of 2 ms, and 400 PATCHes of pods/status on the server, 396 of them within 1 s: exactly 99 %.
func newHistory() *history {
	h := &history{
		run: results.Run{Format: results.FormatVersion, ID: "test-20260102T030405Z-abcdef", Name: "test", Seed: 7, Provider: "embedded",
			Started: "2026-01-02T03:04:05Z", Ended: "2026-01-02T03:05:05Z", Outcome: "completed",
			Versions: map[string]string{"kubernetes": "v1.36.3"}, Machine: results.Machine{Cores: 2, CPU: "test CPU", Kernel: "6.1", MemoryBytes: 8 << 30},
			Phases: []results.PhaseSpan{
				{Name: "boot", Begin: 0, End: 10 * sec, Outcome: "ok"},
				{Name: "warm-up", Begin: 10 * sec, End: 20 * sec, Outcome: "ok"},
				{Name: "workload", Begin: 20 * sec, End: 50 * sec, Measured: true, Outcome: "ok"},
				{Name: "cleanup", Begin: 50 * sec, End: 60 * sec, Outcome: "ok"},
			}},
		profile: profiles.Profile{Name: "test", HollowNodes: profiles.HollowNodes{Count: 2},
			Validity: profiles.Validity{MinAchieved: 1, MaxErrors: 0.01},
			SLO:      profiles.SLO{PodStartup: "app", APICalls: []profiles.APICallSLO{{Verb: "PATCH", Resource: "pods/status"}}}},
	}
	for i := range int64(300) {
		h.addPod(fmt.Sprintf("uid-%d", i), "app", 20*sec+i*50*ms, 1000*ms+i*ms)
	}
	for i := range int64(600) {
		at := 20*sec + i*50*ms
		h.requests = append(h.requests, results.Request{Planned: at, Sent: at + ms, FirstByte: at + 2*ms, Done: at + 2*ms, Phase: "workload",
			Verb: "GET", Version: "v1", Resource: "pods", Scope: "resource", Code: 200, Attempt: 1})
	}
	for _, name := range []string{"hollow-0", "hollow-1"} {
		h.nodes = append(h.nodes, results.NodeEvent{At: 5 * sec, Name: name, Event: "added"}, results.NodeEvent{At: 6 * sec, Name: name, Event: "ready"})
	}
	for t := range int64(61) {
		h.samples = append(h.samples,
			results.ProcessSample{At: t * sec, Component: "windtunnel", PID: 1, CPUSeconds: float64(t) * 0.1, RSS: 50 << 20},
			results.ProcessSample{At: t * sec, Component: "kube-apiserver", PID: 2, CPUSeconds: float64(t) * 0.5, RSS: 400 << 20, PSS: (300 + t) << 20})
	}
	h.scrapes = []results.Scrape{
		{At: 20 * sec, Component: "kube-apiserver", Phase: "workload", Mark: "begin", Body: exposition(1000, sli("PATCH", "pods", "status", "resource", 10, 10, 10))},
		{At: 50 * sec, Component: "kube-apiserver", Phase: "workload", Mark: "end", Body: exposition(1000, sli("PATCH", "pods", "status", "resource", 310, 406, 410))},
	}
	return h
}

// addPod adds the life of a pod that runs: scheduled after a fifth of its start-up, started 100 ms before its end.
func (h *history) addPod(uid, object string, created, startup int64) {
	e := results.PodEvent{Source: "watch", Namespace: "load-0", Name: uid, UID: uid, Object: object, Phase: "workload"}
	watch := func(event string, at int64, node string) {
		e.Event, e.At, e.Node = event, at, node
		h.pods = append(h.pods, e)
	}
	node := fmt.Sprintf("hollow-%d", len(uid)%2)
	watch("created", created, "")
	watch("scheduled", created+startup/5, node)
	watch("running", created+startup, node)
	h.hollow = append(h.hollow, results.PodEvent{At: created + startup - 100*ms, Source: "runtime", Event: "started", UID: uid, Name: uid, Namespace: "load-0"})
}

// sli is a histogram of the SLI: how many observations were within 0.1 s, within 1 s, and in all (of which none took more
// than 30 s).
func sli(verb, resource, subresource, scope string, fast, second, all int64) string {
	labels := fmt.Sprintf(`component="apiserver",group="",resource=%q,scope=%q,subresource=%q,verb=%q,version="v1"`, resource, scope, subresource, verb)
	var b strings.Builder
	for _, bucket := range []struct {
		le string
		n  int64
	}{{"0.05", fast / 2}, {"0.1", fast}, {"1", second}, {"30", all}, {"+Inf", all}} {
		fmt.Fprintf(&b, "%s_bucket{%s,le=%q} %d\n", sliMetric, labels, bucket.le, bucket.n)
	}
	fmt.Fprintf(&b, "%s_sum{%s} 1.5\n%s_count{%s} %d\n", sliMetric, labels, sliMetric, labels, all)
	return b.String()
}

// exposition is a scrape of a process that started at that Unix second.
func exposition(start float64, histograms ...string) []byte {
	return []byte(fmt.Sprintf("# HELP other_total other\n# TYPE other_total counter\nother_total 7\n# TYPE %s histogram\n%s# TYPE %s gauge\n%s %g\n",
		sliMetric, strings.Join(histograms, ""), startMetric, startMetric, start))
}

// write puts the history on disk as a run directory.
func (h *history) write(t testing.TB) *results.Dir {
	t.Helper()
	d, err := results.Create(t.TempDir(), "test", time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	if h.run.Profile, err = json.Marshal(h.profile); err != nil {
		t.Fatal(err)
	}
	if err := d.WriteRun(h.run); err != nil {
		t.Fatal(err)
	}
	fill(t, d, results.RequestsFile, h.requests, h.batch)
	if h.watches != nil {
		fill(t, d, results.WatchesFile, h.watches, h.batch)
	}
	fill(t, d, results.PodsFile, h.pods, h.batch)
	fill(t, d, results.HollowFile(0), h.hollow, h.batch)
	fill(t, d, results.NodesFile, h.nodes, h.batch)
	fill(t, d, results.ProcessesFile, h.samples, h.batch)
	fill(t, d, results.ScrapesFile, h.scrapes, h.batch)
	if h.metrics != nil {
		fill(t, d, results.MetricsFile, h.metrics, h.batch)
	}
	if h.audit != "" {
		if err := d.WriteFile(results.AuditFile, []byte(h.audit)); err != nil {
			t.Fatal(err)
		}
	}
	return d
}

func fill[T results.Record](t testing.TB, d *results.Dir, file string, rs []T, batch int) {
	t.Helper()
	w, err := results.NewWriter[T](d.Path(file))
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range rs {
		w.Append(r)
		if batch > 0 && i%batch == batch-1 {
			time.Sleep(1100 * time.Millisecond)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

// summarize writes the history and sums it up.
func (h *history) summarize(t testing.TB) results.Summary {
	t.Helper()
	s, err := Summarize(h.write(t))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// check returns a check of the validity by name.
func check(t testing.TB, s results.Summary, name string) results.Check {
	t.Helper()
	for _, c := range s.Validity.Checks {
		if c.Name == name {
			return c
		}
	}
	t.Fatalf("no check is called %s", name)
	return results.Check{}
}

func apiCall(verb, resource string) profiles.APICallSLO {
	return profiles.APICallSLO{Verb: verb, Resource: resource}
}
