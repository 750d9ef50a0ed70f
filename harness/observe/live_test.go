package observe

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"windtunnel/harness/internal/live"
	"windtunnel/results"
)

// TestLive watches a real API server while a test takes pods and nodes through their lives by hand.
func TestLive(t *testing.T) {
	cluster := live.Use(t, suite.Shared(t))
	r := &rig{Cluster: cluster, clock: results.NewClock()}
	t.Run("pods", r.pods)
	t.Run("nodes", r.nodes)
	t.Run("restart of the API server", r.restart)
	t.Run("events that are gone", r.expired)
	t.Run("scrapes", r.scrapes)
	t.Run("refused", r.refused)
}

// rig is a control plane with what was recorded of it.
type rig struct {
	*live.Cluster
	clock results.Clock

	mu    sync.Mutex
	seen  map[string][]string // transitions by name
	times map[string]results.Instant
}

func (r *rig) transition(name, event string, at results.Instant) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.seen == nil {
		r.seen, r.times = map[string][]string{}, map[string]results.Instant{}
	}
	r.seen[name] = append(r.seen[name], event)
	r.times[name+" "+event] = at
}

func (r *rig) of(name string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Join(r.seen[name], " ")
}

func (r *rig) watchPods(t *testing.T) *PodWatch {
	t.Helper()
	p, err := Pods(t.Context(), r.Observer(), r.clock, func(e results.PodEvent) { r.transition(e.Name, e.Event, e.At) })
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// must sends a request that has to succeed.
func (r *rig) must(t *testing.T, method, path, body string) {
	t.Helper()
	kind := "application/json"
	if method == http.MethodPatch {
		kind = "application/merge-patch+json"
	}
	if code, said := r.Do(method, path, kind, strings.NewReader(body)); code >= 300 {
		t.Fatalf("%s %s: %d %s", method, path, code, said)
	}
}

const inDefault = "/api/v1/namespaces/default/pods"

func (r *rig) create(t *testing.T, name string) {
	t.Helper()
	r.must(t, "POST", inDefault, fmt.Sprintf(`{"apiVersion":"v1","kind":"Pod","metadata":{"name":%q,"labels":{"windtunnel/object":"web"}},
		"spec":{"nodeName":"hollow-0","containers":[{"name":"c","image":"i"}]}}`, name))
}

func (r *rig) status(t *testing.T, name, status string) {
	t.Helper()
	r.must(t, "PATCH", inDefault+"/"+name+"/status", `{"status":`+status+`}`)
}

func (r *rig) remove(t *testing.T, name string) {
	t.Helper()
	r.must(t, "DELETE", inDefault+"/"+name, `{"gracePeriodSeconds":0}`)
}

const (
	isRunning = `{"phase":"Running"}`
	isReady   = `{"phase":"Running","conditions":[{"type":"Ready","status":"True"}]}`
)

func (r *rig) pods(t *testing.T) {
	r.create(t, "before") // there when the watch begins: counted, and its past is not recorded
	p := r.watchPods(t)
	defer p.Close()
	for i := range 3 {
		r.create(t, fmt.Sprintf("web-%d", i))
	}
	sent := r.clock.Now()
	r.status(t, "web-0", isRunning)
	done := r.clock.Now()
	r.status(t, "web-0", isReady)
	r.status(t, "web-1", isReady)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := p.WaitRunning(ctx, "web", 2); err != nil {
		t.Fatal(err)
	}
	if present := p.Present("web"); present != 4 {
		t.Errorf("%d pods, want 4", present)
	}
	for _, name := range []string{"before", "web-0", "web-1", "web-2"} {
		r.remove(t, name)
	}
	if err := p.WaitGone(ctx, "web"); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"before": "deleted", "web-0": "created scheduled running ready deleted",
		"web-1": "created scheduled running ready deleted", "web-2": "created scheduled deleted",
	} {
		// A pod without a grace period goes at once; whether an event says so before is the API server's choice.
		if got := strings.ReplaceAll(r.of(name), "deleting ", ""); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if at := r.times["web-0 running"]; at < sent || at > done+int64(time.Second) {
		t.Errorf("running was received at %d; the request took from %d to %d", at, sent, done)
	}
	if got := p.Interruptions(); len(got) != 0 {
		t.Errorf("interruptions %v", got)
	}
}

func (r *rig) nodes(t *testing.T) {
	var mu sync.Mutex
	var events []string
	n, err := Nodes(t.Context(), r.Observer(), "hollow-", r.clock, func(e results.NodeEvent) {
		mu.Lock()
		defer mu.Unlock()
		events = append(events, e.Name+" "+e.Event)
	})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	condition := func(name, status, heartbeat string) {
		r.must(t, "PATCH", "/api/v1/nodes/"+name+"/status", fmt.Sprintf(
			`{"status":{"conditions":[{"type":"Ready","status":%q,"reason":"r","lastHeartbeatTime":%q}]}}`, status, heartbeat))
	}
	for _, name := range []string{"hollow-1", "hollow-2", "other-1"} {
		r.must(t, "POST", "/api/v1/nodes", fmt.Sprintf(`{"apiVersion":"v1","kind":"Node","metadata":{"name":%q}}`, name))
		condition(name, "True", "2026-01-01T00:00:00Z")
		condition(name, "True", "2026-01-01T00:00:10Z")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := n.WaitReady(ctx, 2); err != nil {
		t.Fatal(err)
	}
	condition("hollow-1", "Unknown", "2026-01-01T00:00:10Z")
	condition("hollow-1", "True", "2026-01-01T00:00:20Z")
	for _, name := range []string{"hollow-1", "hollow-2", "other-1"} {
		r.must(t, "DELETE", "/api/v1/nodes/"+name, "")
	}
	until(t, "all nodes are gone", func() bool { return n.Present() == 0 })
	if n.Ready() != 0 {
		t.Errorf("%d nodes are Ready", n.Ready())
	}
	mu.Lock()
	defer mu.Unlock()
	want := []string{"hollow-1 added", "hollow-1 ready", "hollow-2 added", "hollow-2 ready", "hollow-1 notready", "hollow-1 ready", "hollow-1 deleted", "hollow-2 deleted"}
	if !slices.Equal(events, want) {
		t.Errorf("events %q,\nwant %q", events, want)
	}
}

func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within 20 s: %s", what)
		}
	}
}

// restart kills the API server under a watch.
func (r *rig) restart(t *testing.T) {
	p := r.watchPods(t)
	defer p.Close()
	r.create(t, "survivor")
	until(t, "the pod is seen", func() bool { return p.Present("web") == 1 })
	if err := r.Kill(t.Context(), "kube-apiserver"); err != nil {
		t.Fatal(err)
	}
	if err := r.Restart(t.Context(), "kube-apiserver"); err != nil {
		t.Fatal(err)
	}
	r.status(t, "survivor", isReady)
	until(t, "the pod runs", func() bool { return p.Running("web") == 1 })
	r.remove(t, "survivor")
	until(t, "the pod is gone", func() bool { return p.Present("web") == 0 })
	got := p.Interruptions()
	if len(got) == 0 || got[0].From <= 0 || got[0].To <= got[0].From {
		t.Fatalf("interruptions %v", got)
	}
	t.Logf("interruptions %v, transitions %q", got, r.of("survivor"))
	missed := 0
	for _, one := range got {
		missed += one.Missed
	}
	events := r.of("survivor")
	if !strings.HasPrefix(events, "created scheduled") || !strings.HasSuffix(events, "deleted") {
		t.Errorf("transitions %q", events)
	}
	if !strings.Contains(events, "running ready") && missed == 0 {
		t.Errorf("transitions %q, and nothing is said to have been missed", events)
	}
}

// expired resumes at a resourceVersion that the API server has forgotten.
func (r *rig) expired(t *testing.T) {
	p := r.watchPods(t)
	p.Close() // its goroutine is the only one to use the watch
	r.create(t, "unseen")
	defer r.remove(t, "unseen")
	p.resourceVersion = "1"
	ctx, cancel := context.WithCancel(t.Context())
	p.cancel, p.done = cancel, make(chan struct{})
	go func() {
		defer close(p.done)
		p.run(ctx)
	}()
	defer p.Close()
	until(t, "the pod is found by a new list", func() bool { return p.Present("web") == 1 })
	until(t, "the interruption is over", func() bool {
		all := p.Interruptions()
		return len(all) > 0 && all[len(all)-1].Missed == 1
	})
	if got := r.of("unseen"); got != "" {
		t.Errorf("transitions %q were made up", got)
	}
	if text := p.Interruptions()[0].String(); !strings.Contains(text, "too old") {
		t.Errorf("interruption: %s", text)
	}
}

// targets are where the metrics of all components are read.
func (r *rig) targets() (targets []Target) {
	for _, one := range r.MetricsTargets() {
		targets = append(targets, Target{Component: one.Component, URL: one.URL, Client: one.Client})
	}
	return targets
}

// scrapes reads the metrics of every component.
func (r *rig) scrapes(t *testing.T) {
	var got scrapes
	s := Scrapes(t.Context(), r.targets(), time.Hour, r.clock, got.sink())
	defer s.Close()
	begin := time.Now()
	s.Mark(t.Context(), "boot", "end")
	t.Logf("a mark of all components took %v", time.Since(begin))
	for component, metric := range map[string]string{
		"etcd": "etcd_mvcc_put_total", "kube-apiserver": "apiserver_request_sli_duration_seconds_bucket",
		"kube-controller-manager": "workqueue_depth", "kube-scheduler": "scheduler_pending_pods",
	} {
		all := got.of(component)
		if len(all) != 1 || !strings.Contains(string(all[0].Body), "\n"+metric) {
			t.Errorf("%d scrapes of %s, with or without %s; failures %v", len(all), component, metric, s.Failures())
			continue
		}
		t.Logf("%s: %d bytes", component, len(all[0].Body))
	}
	for _, component := range []string{"etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"} {
		for _, f := range families(component) {
			if found := got.has(component, f); !found && !f.late {
				t.Errorf("%s shows no %s", component, f.name)
			}
		}
	}
}

// has tells whether any value of a family was kept. Most counters of a component have moved by the time that it is ready.
func (s *scrapes) has(component string, f family) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.ContainsFunc(s.metrics, func(m results.Metric) bool {
		return m.Component == component && (m.Name == f.name || f.kind == histogram && m.Name == f.name+"_count") && m.At > 0
	})
}

// refused begins a watch that the API server does not allow, and one of nobody.
func (r *rig) refused(t *testing.T) {
	config, err := r.RESTConfig("windtunnel:stranger")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Pods(t.Context(), config, r.clock, nil); err == nil || !strings.Contains(err.Error(), "list /api/v1/pods: HTTP 403") || !strings.Contains(err.Error(), "stranger") {
		t.Errorf("error %v", err)
	}
	config.Host = "https://127.0.0.1:1"
	if _, err := Nodes(t.Context(), config, "", r.clock, nil); err == nil || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("error %v", err)
	}
}
