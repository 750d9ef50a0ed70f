package e2e

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"windtunnel/results"
)

// everything are the arguments of a run of the config that uses everything once, on nodes of a tier.
func everything(t *testing.T, tier string) []string {
	return []string{"run", "-f", filepath.Join(testdata(t), "script", "config.yaml"), "--set", "hollowNodes.count=4", "--set", "hollowNodes.tier=" + tier,
		"--set", "validity.maxErrors=0.05", "--set", patient, "-o", "json", "--seed", "3"}
}

// TestScript runs a config of ClusterLoader2's that uses everything once: what the steps do, that one which fails is recorded and the
// next is carried out, that a fatal one is the last, and what the run directory keeps for the measurements.
func TestScript(t *testing.T) {
	scriptRun(t, windtunnel(t, everything(t, "light")...).run(3))
}

// TestKindScript: on kind the same config does the same, and its pods run on hollow nodes alone.
func TestKindScript(t *testing.T) {
	w := onKind(t, everything(t, "kubelet")...).run(3)
	scriptRun(t, w)
	placed := 0
	for e, err := range results.Read[results.PodEvent](filepath.Join(w.dir(), results.PodsFile)) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Event != "scheduled" || !strings.HasPrefix(e.Namespace, "every-") {
			continue
		}
		if placed++; !strings.HasPrefix(e.Node, "hollow-") {
			t.Errorf("%s/%s is on %s", e.Namespace, e.Name, e.Node)
		}
	}
	if placed < 20 {
		t.Errorf("%d pods were scheduled", placed)
	}
}

// scriptRun checks a run of that config.
func scriptRun(t *testing.T, w *invocation) {
	t.Helper()
	run, ok := w.record()
	if !ok || run.Outcome != "completed" || run.Name != "everything" {
		t.Fatalf("run %q, outcome %q, error %q", run.Name, run.Outcome, run.Error)
	}
	w.says("2 of 16 steps failed")
	scriptSteps(t, run)
	scriptMarks(t, run)
	var tracks []string
	for track := range scriptTracks(w, "workload") {
		tracks = append(tracks, track)
	}
	for _, want := range []string{"step-2.1", "step-2.8", "step-3.1", "step-14"} {
		if !slices.Contains(tracks, want) && !slices.Contains(tracks, want+".1") {
			t.Errorf("no requests of %s, only of %v", want, tracks)
		}
	}
	scriptRequests(t, w)
	scriptPods(t, w)
	scriptOutcome(t, w)
	nodes := map[string]int{}
	for e, err := range results.Read[results.NodeEvent](filepath.Join(w.dir(), results.NodesFile)) {
		if err != nil {
			t.Fatal(err)
		}
		nodes[e.Event]++
	}
	if nodes["broken"] < 2 || nodes["mended"] != nodes["broken"] {
		t.Errorf("node events %v: 0.3 of 4 nodes, rounded up, were to go down, and all to come back", nodes)
	}
}

// scriptSteps: all steps to the fatal one have ended, and the two that fail say why.
func scriptSteps(t *testing.T, run results.Run) {
	t.Helper()
	for i, step := range run.Steps {
		want := ""
		switch step.Name {
		case "refused":
			want = "2 of 2 actions failed: create configmaps every-"
		case "fatal":
			want = "the script cannot go on: 0 of 1 pods run, 0 exist: timed out after 1s"
		}
		if step.Number != i+1 || step.End < step.Begin || want == "" != (step.Error == "") || !strings.Contains(step.Error, want) {
			t.Errorf("step %+v: want the error %q", step, want)
		}
	}
	if last := run.Steps[len(run.Steps)-1]; len(run.Steps) != 16 || last.Name != "fatal" {
		t.Errorf("%d steps, the last %s: the one after the fatal one was not to be carried out", len(run.Steps), last.Name)
	}
	if closed := run.Steps[1].ClosedLoops; !slices.Equal(closed, []string{"step-2.6"}) {
		t.Errorf("closed loops of step 2: %v", closed)
	}
}

// scriptMarks: every call of a measurement is there, with its parameters; those that cannot be are skipped with the reason.
func scriptMarks(t *testing.T, run results.Run) {
	t.Helper()
	calls := map[string]results.Mark{}
	for _, m := range run.Marks {
		calls[m.Method+"/"+m.Identifier+"/"+m.Action] = m
		step := run.Steps[m.Step-1]
		if m.At < step.Begin || m.End > step.End || m.End < m.At {
			t.Errorf("%s from %d to %d, its step from %d to %d", m.Method, m.At, m.End, step.Begin, step.End)
		}
	}
	for key, skip := range map[string]string{
		"PodStartupLatency/latency/start": "", "PodStartupLatency/latency/gather": "", "Sleep/pause/": "", "WaitForControlledPodsRunning/Jobs/gather": "",
		"InClusterNetworkLatency/network/start": "no network between pods", "Exec/command/": "not executed on this machine",
	} {
		m, ok := calls[key]
		if !ok || skip == "" != (m.Skip == "") || !strings.Contains(m.Skip, skip) {
			t.Errorf("%s: %+v, want it to be skipped because of %q", key, m, skip)
		}
	}
	var params map[string]any
	if err := json.Unmarshal(calls["PodStartupLatency/latency/start"].Params, &params); err != nil || params["labelSelector"] != "group = web" {
		t.Errorf("parameters %v, error %v", params, err)
	}
	if m := calls["Sleep/pause/"]; m.End-m.At < 11e8 {
		t.Errorf("the pause of 1.1 s took %d ns", m.End-m.At)
	}
}

// scriptTracks counts the requests of a phase by track.
func scriptTracks(w *invocation, phase string) map[string]int {
	all := map[string]int{}
	for r, err := range results.Read[results.Request](filepath.Join(w.dir(), results.RequestsFile)) {
		if err != nil {
			w.t.Fatal(err)
		}
		if r.Phase == phase {
			all[r.Track]++
		}
	}
	return all
}

// scriptRequests: each tuning set has made its six objects, deletions went by what a list had counted, and nothing of what had to follow a
// refused object was sent.
func scriptRequests(t *testing.T, w *invocation) {
	t.Helper()
	counts := map[string]int{}
	for r, err := range results.Read[results.Request](filepath.Join(w.dir(), results.RequestsFile)) {
		if err != nil {
			t.Fatal(err)
		}
		_, name, _ := strings.Cut(r.Object, "/")
		if i := strings.LastIndexByte(name, '-'); i > 0 {
			name = name[:i]
		}
		counts[strings.Join([]string{r.Verb, r.Resource, name, r.Error}, " ")]++
	}
	want := map[string]int{
		"POST namespaces  ": 2, "POST deployments web ": 4, "GET deployments web ": 4, "PATCH deployments web ": 4, "DELETE deployments web ": 4, "DELETE services web ": 4,
		"POST configmaps refused invalid": 2, "POST configmaps never ": 0, "DELETE persistentvolumeclaims data-store-0 ": 4, "DELETE jobs batch ": 2,
	}
	for _, set := range []string{"even", "uniform", "bursts", "spread", "scatter", "parallel", "bucket", "poisson"} {
		want["POST configmaps "+set+" "] = 6
	}
	for key, n := range want {
		if counts[key] != n {
			t.Errorf("%d of %q, want %d", counts[key], key, n)
		}
	}
}

// scriptPods: the records choose pods by their labels, and say when their containers started.
func scriptPods(t *testing.T, w *invocation) {
	t.Helper()
	var created, running int
	for e, err := range results.Read[results.PodEvent](filepath.Join(w.dir(), results.PodsFile)) {
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case e.Event == "created" && strings.Contains(","+e.Labels+",", ",group=web,") && e.Scheduler == "default-scheduler":
			created++
		case e.Event == "running" && e.Started >= e.Created && e.Created > 0:
			running++
		}
	}
	if created < 8+4+4+4 || running < created/2 {
		t.Errorf("%d pods with their labels were created, %d have run", created, running)
	}
}

// scriptOutcome: what was computed of the measurements is in the summary and in files, and the steps that failed fail the test.
func scriptOutcome(t *testing.T, w *invocation) {
	t.Helper()
	dir, err := results.Open(w.dir())
	if err != nil {
		t.Fatal(err)
	}
	s, err := dir.ReadSummary()
	if err != nil || s.ClusterLoader == nil {
		t.Fatalf("summary %+v, %v", s.ClusterLoader, err)
	}
	c := s.ClusterLoader
	if c.Verdict != results.Fail || c.Test != "everything" || len(c.Steps) != 16 {
		t.Errorf("verdict %s of %s with %d steps", c.Verdict, c.Test, len(c.Steps))
	}
	by := map[string]results.Measurement{}
	for _, m := range c.Measurements {
		by[m.Method+"/"+m.Identifier] = m
	}
	pods := by["PodStartupLatency/latency"]
	if len(pods.Errors) > 0 || len(pods.Values) == 0 || pods.Values[0].N < 4 || pods.Values[0].Value <= 0 {
		t.Errorf("pod start-up %+v", pods)
	}
	if m := by["InClusterNetworkLatency/network"]; m.Verdict != results.NotJudged || m.Skip == "" {
		t.Errorf("network %+v", m)
	}
	found, err := filepath.Glob(dir.Path("profiles", "127.0.0.1_kube-apiserver_MemoryProfile_everything_*.pprof"))
	if err != nil || len(found) != 1 {
		t.Errorf("profiles %v, %v; want one", found, err)
	}
	for _, name := range found {
		if data, err := os.ReadFile(name); err != nil || !bytes.HasPrefix(data, []byte{0x1f, 0x8b}) { // gzip, as of every profile of Go's
			t.Errorf("%s is no profile: %v", name, err)
		}
	}
	for _, name := range append(slices.Clone(c.Files), "clusterloader2/junit.xml") {
		if info, err := os.Stat(dir.Path(name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestScriptRestart: the API server is killed and comes back, what asks for it meanwhile is on record and in none of the load's figures, and
// the script goes on.
func TestScriptRestart(t *testing.T) {
	w := windtunnel(t, "run", "-f", filepath.Join(testdata(t), "script", "restart.yaml"), "--set", "hollowNodes.count=1", "--set", "hollowNodes.tier=light", "-o", "json").run(0)
	var good, bad int
	for _, r := range w.requests("probe", "APIAvailability/ready") {
		if r.Code == 200 {
			good++
		} else {
			bad++
		}
	}
	if good < 5 || bad < 5 {
		t.Errorf("%d probes were answered and %d not; the API server was down for a second, and there were ten a second", good, bad)
	}
	if made := len(w.requests("workload", "step-6")); made != 5 {
		t.Errorf("%d requests behind the restart, want 5", made)
	}
	for _, m := range w.summary().ClusterLoader.Measurements {
		if m.Method == "APIAvailability" && (len(m.Values) != 2 || m.Values[0].Value >= 95 || m.Values[0].N != int64(good+bad) || m.Values[1].Value < 1) {
			t.Errorf("availability %+v", m)
		}
	}
	for _, row := range w.summary().Requests {
		if row.Resource != "configmaps" {
			t.Errorf("a row of %s %s among the figures of the load", row.Verb, row.Resource)
		}
	}
}
