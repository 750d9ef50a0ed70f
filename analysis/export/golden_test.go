package export

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"windtunnel/analysis/clusterloader"
	"windtunnel/internal/golden"
	"windtunnel/results"
	"windtunnel/results/resultstest"
)

const second = int64(time.Second)

// run is a small run with every kind of figure: two components, one of them restarted; pods scheduled at 1 a second.
func run(t testing.TB) (*results.Dir, results.Summary) {
	t.Helper()
	d, err := results.Create(t.TempDir(), "density", time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	phases := []results.PhaseSpan{{Name: "boot", End: 2 * second}, {Name: "workload", Begin: 2 * second, End: 22 * second, Measured: true}, {Name: "cleanup", Begin: 22 * second}}
	if err := d.WriteRun(results.Run{Format: results.FormatVersion, ID: d.ID(), Name: "density", Started: "2026-01-02T03:04:05.5Z", Phases: phases}); err != nil {
		t.Fatal(err)
	}
	var samples []results.ProcessSample
	var metrics []results.Metric
	var pods []results.PodEvent
	for i := range int64(25) {
		pid := int32(7)
		if i >= 12 {
			pid = 8
		}
		samples = append(samples, results.ProcessSample{At: i * second, Component: "etcd", PID: pid, CPUSeconds: float64(i) / 4, RSS: (100 + i) << 20, FDs: 9, Threads: 5},
			results.ProcessSample{At: i*second + 1, Component: "windtunnel", PID: 1, CPUSeconds: float64(i) / 8, RSS: 50 << 20, PSS: (i % 2) * (40 << 20), FDs: 3, Threads: 2})
		metrics = append(metrics, results.Metric{At: i * second, Component: "kube-apiserver", Name: "apiserver_request_total", Labels: `{code="200",verb="GET"}`, Value: float64(10 * i)},
			results.Metric{At: i * second, Component: "kube-apiserver", Name: "apiserver_current_inflight_requests", Labels: `{request_kind="mut\"a\\t\ning"}`, Value: 2})
		pods = append(pods, results.PodEvent{At: i * second, Event: "scheduled", UID: fmt.Sprint("pod-", i)}, results.PodEvent{At: i * second, Event: "running", UID: fmt.Sprint("pod-", i)})
	}
	// Within the millisecond of the one before: Prometheus would refuse two values at one time.
	samples = append(samples, results.ProcessSample{At: 24*second + 9, Component: "windtunnel", PID: 1, CPUSeconds: 3.5, RSS: 51 << 20, FDs: 4, Threads: 2})
	resultstest.Fill(t, d, results.ProcessesFile, samples)
	resultstest.Fill(t, d, results.MetricsFile, metrics)
	resultstest.Fill(t, d, results.PodsFile, pods)
	d.Release()
	bounds := func(v float64) *results.Bounds {
		low, high := v/2, v*2
		return &results.Bounds{Value: v, Low: &low, High: &high}
	}
	within, margin := 0.995, 0.005
	return d, results.Summary{
		Run: results.RunInfo{ID: d.ID(), Profile: "density", Provider: "embedded", Seed: 7, Outcome: "completed", Started: "2026-01-02T03:04:05.5Z", Seconds: 24,
			Versions: map[string]string{"kubernetes": "v1.36.3", "client-go": "v0.36.3"}, Nodes: 10, Pods: 25},
		Verdict: results.Fail, Phases: phases,
		Validity:   results.Validity{Verdict: results.Pass, Checks: []results.Check{{Name: "lag", Verdict: results.Pass}, {Name: "watch", Verdict: results.Invalid}}},
		SLOs:       []results.SLOResult{{Expression: `99 % of "GET" pods within 1 s`, Verdict: results.Fail, Required: true, N: 400, Measured: &within, Margin: &margin}, {Expression: "none", Verdict: results.NoData}},
		PodStartup: map[string]results.StageQuantiles{"total": {N: 25, P50: *bounds(1), P90: *bounds(2), P99: results.Bounds{Value: 3}, P100: *bounds(4)}, "run_to_observe": {N: 25, P50: *bounds(0.1), P90: *bounds(0.2), P99: results.Bounds{Value: 0.5, Least: 100}}, "schedule_to_run": {}},
		Requests: []results.RequestRow{
			{Verb: "GET", Resource: "pods", Scope: "resource", N: 400, Answered: 398, Errors: 2, ErrorsBy: map[string]int64{"conflict": 2}, P50: bounds(0.001), P90: bounds(0.01), P99: bounds(0.1)},
			{Verb: "GET", Resource: "pods", Scope: "resource", Variant: "rmw", ClosedLoop: true, N: 1},
			{Verb: "PATCH", Resource: "pods", Subresource: "status", Scope: "resource", ClosedLoop: true, N: 5, Answered: 5, P50: bounds(0.002), P90: bounds(0.02), P99: bounds(0.2)},
		},
		Server: []results.ServerRow{
			{Verb: "LIST", Resource: "events", Scope: "cluster", N: 400, P50: bounds(0.1), P90: bounds(0.2), P99: bounds(0.3), Within: 0.9975, Threshold: 30},
			{Verb: "LIST", Group: "events.k8s.io", Resource: "events", Scope: "cluster", N: 10, P50: bounds(0.2), P90: bounds(0.3), P99: bounds(0.4), Within: 1, Threshold: 30},
			{Verb: "GET", Group: "apps", Resource: "deployments", Scope: "resource", N: 10, P50: bounds(0.2), P90: bounds(0.3), P99: bounds(0.5), Within: 1, Threshold: 1},
		},
	}
}

// check compares text in which the run's random id has been replaced.
func check(t *testing.T, name string, got []byte, id string) {
	t.Helper()
	golden.Check(t, filepath.Join("testdata", name), strings.ReplaceAll(string(got), id, "density-20260102T030405Z-abcdef"))
}

func metricsOf(t testing.TB, d *results.Dir, s results.Summary) []byte {
	t.Helper()
	var b bytes.Buffer
	if damage, err := OpenMetrics(&b, d, s); err != nil || damage != nil {
		t.Fatal(damage, err)
	}
	return b.Bytes()
}

func TestOpenMetricsGolden(t *testing.T) {
	d, s := run(t)
	check(t, "openmetrics.txt", metricsOf(t, d, s), d.ID())
}

// TestOpenMetricsGrammar checks what a reader relies on: every family and every series in one piece with its TYPE first,
// times that rise, a counter's suffix, a unit that the name ends with, and # EOF at the end.
func TestOpenMetricsGrammar(t *testing.T) {
	d, s := run(t)
	text := string(metricsOf(t, d, s))
	if !strings.HasSuffix(text, "\n# EOF\n") || strings.Count(text, "# EOF") != 1 {
		t.Error("it does not end with # EOF")
	}
	types, seen := map[string]string{}, map[string]bool{}
	family, series, last := "", "", ""
	for _, line := range strings.Split(strings.TrimSuffix(text, "# EOF\n"), "\n") {
		if line == "" {
			continue
		}
		if meta, ok := strings.CutPrefix(line, "# "); ok {
			f := strings.SplitN(meta, " ", 3)
			if f[0] == "TYPE" {
				if types[f[1]] != "" {
					t.Errorf("%s has two types", f[1])
				}
				types[f[1]], family = f[2], f[1]
			}
			if f[0] == "UNIT" && (f[1] != family || !strings.HasSuffix(f[1], "_"+f[2])) {
				t.Errorf("unit: %s", line)
			}
			continue
		}
		at := strings.LastIndex(line, " ")
		value := strings.LastIndex(line[:at], " ")
		name, _, _ := strings.Cut(line[:value], "{")
		want := family
		if types[family] == "counter" {
			want += "_total"
		}
		if name != want {
			t.Errorf("%s in the family %s of type %s", name, family, types[family])
		}
		if line[:value] != series {
			if seen[line[:value]] {
				t.Errorf("%s is in two pieces", line[:value])
			}
			series, last = line[:value], ""
			seen[series] = true
		}
		if last != "" && line[at+1:] <= last { // of the same length, so that text compares as the numbers do
			t.Errorf("%s: %s after %s", series, line[at+1:], last)
		}
		last = line[at+1:]
	}
	if len(types) < 25 || len(seen) < 50 {
		t.Errorf("only %d families and %d series", len(types), len(seen))
	}
}

// TestPrometheusTakesIt has Prometheus' own tool make a database of it.
func TestPrometheusTakesIt(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("promtool is not installed")
	}
	d, s := run(t)
	text := metricsOf(t, d, s)
	dir := t.TempDir()
	file := filepath.Join(dir, "run.om")
	if err := os.WriteFile(file, text, 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(promtool, "tsdb", "create-blocks-from", "openmetrics", file, filepath.Join(dir, "tsdb")).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	// A line a block: ULID, times, duration and then the number of samples.
	got := 0
	for line := range strings.Lines(string(out)) {
		if f := strings.Fields(line); len(f) > 4 && len(f[0]) == 26 {
			n, err := strconv.Atoi(f[4])
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			got += n
		}
	}
	samples := 0
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, "#") {
			samples++
		}
	}
	if got != samples {
		t.Errorf("the database has %d of %d samples\n%s", got, samples, out)
	}
}

func TestPerfDataGolden(t *testing.T) {
	d, s := run(t)
	files, damage, err := PerfData(d, s, "windtunnel-density")
	if err != nil || damage != nil {
		t.Fatal(damage, err)
	}
	var all bytes.Buffer
	for _, f := range append(files, PerfdashConfig("windtunnel-density")) {
		fmt.Fprintf(&all, "== %s\n%s", f.Path, f.Data)
	}
	check(t, "perfdata.txt", all.Bytes(), d.ID())
}

// TestPerfDataOfTest: a test of ClusterLoader2's has its own summaries among the artifacts, byte for byte, and none of ours under their names.
func TestPerfDataOfTest(t *testing.T) {
	d, s := run(t)
	info, err := d.ReadRun()
	if err != nil {
		t.Fatal(err)
	}
	info.Name, info.Steps = "density", []results.StepSpan{{Number: 1, Name: "all", Begin: 2 * second, End: 22 * second}}
	for at, action := range map[int64]string{3 * second: "start", 21 * second: "gather"} {
		info.Marks = append(info.Marks, results.Mark{At: at, End: at + 1, Step: 1, Method: "ResourceUsageSummary", Identifier: "usage", Action: action, Params: json.RawMessage(`{}`)})
	}
	if err := d.WriteRun(info); err != nil {
		t.Fatal(err)
	}
	test := clusterloader.Examine(d, info)
	s.ClusterLoader = &test.Result
	files, damage, err := PerfData(d, s, "job")
	if err != nil || damage != nil {
		t.Fatal(damage, err)
	}
	by := map[string]string{}
	for _, f := range files {
		by[strings.SplitN(f.Path, "/", 3)[2]] = string(f.Data)
	}
	if len(test.Files) != 2 {
		t.Fatalf("%d files of the test, want its summary and junit.xml", len(test.Files))
	}
	for _, f := range test.Files {
		if got := by["artifacts/"+filepath.Base(f.Name)]; got != string(f.Data) {
			t.Errorf("%s is %q", f.Name, got)
		}
	}
	usage := 0
	for name := range by {
		if strings.Contains(name, "ResourceUsageSummary") {
			usage++
		}
		if strings.Contains(name, "PodStartupLatency") {
			t.Errorf("%s is not the test's", name)
		}
	}
	if usage != 1 || by["finished.json"] == "" || len(by) != len(files) {
		t.Errorf("%d summaries of usage among %d files", usage, len(files))
	}
}

// TestPerfDataReadsAsPerfdashReadsIt decodes the files into the types that perfdash has, and checks values worked out by hand.
func TestPerfDataReadsAsPerfdashReadsIt(t *testing.T) {
	d, s := run(t)
	files, _, err := PerfData(d, s, "job")
	if err != nil {
		t.Fatal(err)
	}
	find := func(prefix string) []byte {
		for _, f := range files {
			if strings.HasPrefix(f.Path, "job/20260102030405/artifacts/"+prefix+"_density_") {
				return f.Data
			}
		}
		t.Fatalf("no file begins with %s", prefix)
		return nil
	}
	decode := func(prefix string, v any) {
		if err := json.Unmarshal(find(prefix), v); err != nil {
			t.Fatal(err)
		}
	}
	type data struct {
		Version   string
		DataItems []struct {
			Data   map[string]float64
			Unit   string
			Labels map[string]string
		}
	}
	var pods data
	decode("PodStartupLatency_PodStartupLatency", &pods)
	if len(pods.DataItems) != 1 || pods.DataItems[0].Labels["Metric"] != "pod_startup" || pods.DataItems[0].Data["Perc99"] != 3000 { // too few for run_to_watch
		t.Errorf("%+v", pods)
	}
	var api data
	decode("APIResponsivenessPrometheus_simple", &api)
	if len(api.DataItems) != 3 || api.DataItems[0].Data["Perc99"] != 500 || api.DataItems[0].Unit != "ms" || api.DataItems[0].Labels["Resource"] != "deployments" ||
		api.DataItems[1].Labels["Resource"] != "events.events.k8s.io" || api.DataItems[2].Labels["SlowCount"] != "1" || api.DataItems[2].Labels["Count"] != "400" {
		t.Errorf("%+v", api)
	}
	var client data
	decode("ClientAPIResponsiveness", &client)
	if len(client.DataItems) != 2 { // the row without answers has no figures
		t.Errorf("%+v", client)
	}
	var throughput map[string]float64
	decode("SchedulingThroughput", &throughput)
	// 21 pods from 2 s to 22 s: 5 in each interval of 5 s but the last, which has 1.
	if throughput["perc50"] != 1 || throughput["max"] != 1 || throughput["perc99"] != 1 {
		t.Errorf("%v", throughput)
	}
	var usage map[string][]struct {
		Name string
		CPU  float64
		Mem  int
	}
	decode("ResourceUsageSummary", &usage)
	// etcd takes a quarter of a core; what passed between its two processes is no usage.
	if u := usage["100"]; len(u) != 2 || u[0].Name != "etcd" || u[0].CPU != 0.25 || u[0].Mem != 122<<20 || u[1].Mem != 40<<20 || usage["50"][0].CPU != 0.25 {
		t.Errorf("%+v", usage)
	}
}

// TestExportsNameDamage: a file that is cut is used up to there, and named.
func TestExportsNameDamage(t *testing.T) {
	d, s := run(t)
	for _, file := range []string{results.ProcessesFile, results.PodsFile} {
		data, err := os.ReadFile(d.Path(file))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(d.Path(file), data[:len(data)-9], 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var b bytes.Buffer
	damage, err := OpenMetrics(&b, d, s)
	if err != nil || damage == nil || !strings.HasPrefix(damage.Error(), "series/processes.arrows: ") || !strings.HasSuffix(b.String(), "# EOF\n") {
		t.Errorf("%v, %v", damage, err)
	}
	files, damage, err := PerfData(d, s, "job")
	if err != nil || damage == nil || !strings.Contains(damage.Error(), "series/processes.arrows: ") || !strings.Contains(damage.Error(), "samples/pods.arrows: ") || len(files) < 5 {
		t.Errorf("%d files, %v, %v", len(files), damage, err)
	}
}

func TestParseLabels(t *testing.T) {
	for text, want := range map[string][]label{
		"": nil, "{}": nil, `{a="b"}`: {{"a", "b"}}, `{a="b,c=\"d\"",e="\\\n"}`: {{"a", `b,c="d"`}, {"e", "\\\n"}}, `{a=""}`: {{"a", ""}},
	} {
		got, err := parseLabels(text)
		if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"a", "{", `{a}`, `{a=b}`, `{a="b}`, `{a="b",}`, `{a="b"c="d"}`, `{="b"}`, `{1="b"}`, `{a="b",a="c"}`, "{a=`b`}", `{a='b'}`, `{a="b"} `} {
		if got, err := parseLabels(text); err == nil {
			t.Errorf("%s: %v", text, got)
		}
	}
}

// FuzzParseLabels: whatever is taken can be written and read again.
func FuzzParseLabels(f *testing.F) {
	for _, seed := range []string{`{code="200",verb="GET"}`, `{a="b,c=\"d\"",e="\\\n"}`, "{}", `{a="\x00"}`, "{"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		labels, err := parseLabels(text)
		if err != nil {
			return
		}
		pairs := labelsOf(key(labels))
		filled := 0
		for _, l := range labels {
			if l.value != "" {
				filled++
			}
		}
		if len(pairs) != filled {
			t.Fatalf("%q: %d labels became %d", text, filled, len(pairs))
		}
	})
}
