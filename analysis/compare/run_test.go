package compare

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"windtunnel/results"
)

const sec = int64(1e9)

// recorded is a run directory with the records of 400 GETs of 1 … 400 ms, 20 of which failed, and of 40 pods of which 36
// ran, and nothing else.
func recorded(t *testing.T) *results.Dir {
	t.Helper()
	d, err := results.Create(t.TempDir(), "test", time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	run := results.Run{Format: results.FormatVersion, ID: d.ID(), Name: "test", Seed: 7, Provider: "embedded", Started: "2026-01-02T03:04:05Z", Ended: "2026-01-02T03:05:05Z", Outcome: "completed",
		Profile:  json.RawMessage(`{"name": "test", "description": "of a test", "seed": 7, "slo": {"judged": false, "podStartup": "web"}, "axes": {"nodes": {"set": ["a"]}}, "phases": [{"name": "load"}], "hollowNodes": {"count": 5}}`),
		Versions: map[string]string{"kubernetes": "v1.36.3", "windtunnel": "0.1.0"}, Machine: results.Machine{CPU: "test", Cores: 2, MemoryBytes: 25276502016},
		Command: []string{"/home/somebody/windtunnel"}, Test: &results.TestSource{Name: "density", Path: "/home/somebody/config.yaml"}, Components: []results.Component{{Name: "etcd", Args: []string{"--data-dir=/tmp/x"}}},
		Phases: []results.PhaseSpan{{Name: "load", Begin: 0, End: 50 * sec, Measured: true, Outcome: "ok"}}}
	if err := d.WriteRun(run); err != nil {
		t.Fatal(err)
	}
	requests, err := results.NewWriter[results.Request](d.Path(results.RequestsFile))
	if err != nil {
		t.Fatal(err)
	}
	for i := range int64(400) {
		r := results.Request{Planned: i * 1e8, Sent: i*1e8 + 1000, FirstByte: i*1e8 + 2000, Done: i*1e8 + (i+1)*1e6, Phase: "load", Verb: "GET", Version: "v1", Resource: "pods", Scope: "resource", Code: 200, Attempt: 1}
		if i%20 == 0 {
			r.Code, r.Error = 500, "internal"
		}
		requests.Append(r)
	}
	pods, err := results.NewWriter[results.PodEvent](d.Path(results.PodsFile))
	if err != nil {
		t.Fatal(err)
	}
	for i := range int64(40) {
		e := results.PodEvent{Source: "watch", UID: string(rune('a' + i)), Name: "p", Object: "web", Phase: "load"}
		for _, at := range []struct {
			event string
			at    int64
		}{{"created", sec}, {"scheduled", 2 * sec}, {"running", 3*sec + i*1e6}} {
			e.Event, e.At, e.Node = at.event, at.at, "n"
			if i < 36 || at.event == "created" { // the last 4 never run
				pods.Append(e)
			}
		}
		pods.Append(results.PodEvent{Source: "runtime", Event: "started", UID: e.UID, Name: "p", At: 2*sec + 5e8})
	}
	for _, err := range []error{requests.Close(), pods.Close()} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return d
}

func read(t *testing.T, d *results.Dir) Run {
	t.Helper()
	r, err := Read(d)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRead(t *testing.T) {
	r := read(t, recorded(t))
	want := map[string]string{"provider": "embedded", "machine.os": "", "machine.kernel": "", "machine.cpu": "test", "machine.cores": "2", "machine.memory": "24 GiB",
		"machine.filesystem": "", "slo.podStartup": `"web"`, "versions.kubernetes": "v1.36.3", "phases[0].name": `"load"`, "hollowNodes.count": "5"}
	if diff := cmp.Diff(want, r.Traits); diff != "" {
		t.Error(diff)
	}
	if len(r.Invalid) == 0 || !strings.Contains(strings.Join(r.Invalid, "\n"), "records: ") {
		t.Errorf("most records are missing, but it is valid: %v", r.Invalid)
	}
	values := map[string]float64{}
	for _, reading := range r.Readings {
		values[reading.Figure.String()] = reading.Value.Value
	}
	// Nearest ranks of 380 answers: the 190th is the one of 200 ms, because every 20th failed.
	for name, want := range map[string]float64{"client GET pods resource p50": 0.200, "client GET pods resource errors": 0.05, "pod_startup total p50": 2.017, "pod_startup pods never_ran": 0.1, "throughput pods created_to_last_running": 2.035} {
		if got, ok := values[name]; !ok || got < want-1e-9 || got > want+1e-9 {
			t.Errorf("%s = %g, %v; want %g", name, got, ok, want)
		}
	}
	if _, ok := values["pod_startup total p99"]; ok {
		t.Error("40 pods have a p99")
	}
}

// TestReducedRunsReadAlike: what a comparison needs of a run survives its reduction, and nothing of the machine's paths does.
func TestReducedRunsReadAlike(t *testing.T) {
	dir, root := recorded(t), t.TempDir()
	if err := Reduce(dir, root); err != nil {
		t.Fatal(err)
	}
	dirs, err := results.List(root)
	if err != nil || len(dirs) != 1 {
		t.Fatalf("%v, %v", dirs, err)
	}
	whole, reduced := read(t, dir), read(t, dirs[0])
	a, errA := whole.Distributions()
	b, errB := reduced.Distributions()
	if errA != nil || errB != nil || len(a) != 5 {
		t.Fatalf("%d distributions, %v, %v", len(a), errA, errB)
	}
	if diff := cmp.Diff(a, b); diff != "" {
		t.Error(diff)
	}
	whole.dir, reduced.dir = nil, nil
	if diff := cmp.Diff(whole, reduced, cmp.AllowUnexported(Run{}, results.Dir{})); diff != "" {
		t.Error(diff)
	}
	data, err := os.ReadFile(dirs[0].Path(results.RunFile))
	if err != nil || strings.Contains(string(data), "/home") || strings.Contains(string(data), "/tmp") {
		t.Errorf("%v: %s", err, data)
	}
	if err := Reduce(dir, root); err == nil {
		t.Error("a reference was written over another")
	}
}

// TestDistributionIsTheQuantileFunction: its value at one in 10 and in 100 is the summary's p90 and p99.
func TestDistributionIsTheQuantileFunction(t *testing.T) {
	values := make([]float64, 1000)
	for i := range values {
		values[i] = float64(1000 - i)
	}
	d := distribution("client", "x", values)
	for k, want := range map[int]float64{0: 1, perDecade: 900, 2 * perDecade: 990, 3 * perDecade: 999} {
		if d.Values[k] != want {
			t.Errorf("one in %g: %g, want %g", OneIn(k), d.Values[k], want)
		}
	}
	if len(d.Values) != 3*perDecade+1 || !slices.IsSorted(d.Values) || d.N != 1000 {
		t.Errorf("%d values of %d", len(d.Values), d.N)
	}
	if d := distribution("client", "x", []float64{5}); len(d.Values) != 1 || d.Values[0] != 5 {
		t.Errorf("of one value: %+v", d)
	}
}

// TestCharts of a change: every figure that changed run by run, every row once with both distributions.
func TestCharts(t *testing.T) {
	d := recorded(t)
	make8 := func(from int, factor float64) []Run {
		var runs []Run
		for i := range 8 {
			r := read(t, d)
			r.ID, r.Invalid, r.Started = string(rune('a'+from+i)), nil, r.Started.Add(time.Duration(2*i+from)*time.Minute)
			r.Readings = slices.Clone(r.Readings)
			for n := range r.Readings {
				r.Readings[n].Value.Value *= factor * (1 + 0.001*float64(i))
			}
			runs = append(runs, r)
		}
		return runs
	}
	base, new := make8(0, 1), make8(9, 1.5)
	c := must(t, base, new, Options{Figures: []Pattern{ParsePattern("client *")}})
	charts, err := Charts(c, base, new)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, ch := range charts {
		names = append(names, ch.Name)
		if svg, err := ch.HTML(); err != nil || !strings.Contains(svg, "<svg") {
			t.Errorf("%s: %v", ch.Name, err)
		}
	}
	want := []string{"runs-client-get-pods-resource-p50", "distribution-client-get-pods-resource", "runs-client-get-pods-resource-p90", "runs-client-get-pods-resource-p99", "runs-client-get-pods-resource-errors"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Error(diff)
	}
}
