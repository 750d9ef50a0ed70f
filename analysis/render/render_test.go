package render

import (
	"bytes"
	"encoding/csv"
	"encoding/xml"
	"errors"
	"io"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"windtunnel/internal/golden"
	"windtunnel/results"
)

func number(v float64) *float64 { return &v }

func bounds(value float64, low, high *float64) *results.Bounds {
	return &results.Bounds{Value: value, Low: low, High: high}
}

// example is a summary with one of everything: each verdict, missing numbers, a failed check, damage.
func example() results.Summary {
	return results.Summary{
		Format: 1, Verdict: results.Invalid,
		Run: results.RunInfo{ID: "density-20260102T030405Z-abcdef", Profile: "density", Provider: "embedded", Seed: 1, Outcome: "completed",
			Started: "2026-01-02T03:04:05Z", Seconds: 247.3, Versions: map[string]string{"kubernetes": "v1.36.3", "etcd": "3.6.8"},
			Machine: results.Machine{CPU: "Some CPU", Cores: 2, Kernel: "Linux 6.1", MemoryBytes: 24 << 30}, Nodes: 100, Pods: 3000},
		Validity: results.Validity{Verdict: results.Invalid, Checks: []results.Check{
			{Name: "completed", Verdict: results.Pass, Measured: 1, Limit: 1, Unit: "1", N: 1, Text: "The run was completed; its measured phases lasted 180.0 s."},
			{Name: "lag", Verdict: results.Invalid, Measured: 0.25, Limit: 0.1, Unit: "s", N: 3600, Text: "99 % of the requests were sent within 250.0 ms of their planned instant, the last 900.0 ms after it.",
				Remedy: "The generator could not keep to the plan: plan a lower rate, allow more requests in flight, or give the machine more cores."},
			{Name: "scrapes", Verdict: results.NoData, Limit: 2, Unit: "scrapes", Text: "There is no scrape of kube-apiserver in the measured phases.", Remedy: "See logs/kube-apiserver.log."},
		}},
		SLOs: []results.SLOResult{
			{Expression: "99 % of pods of app running within 5 s of their creation", Measured: number(1), Interval: []float64{0.99877, 1}, N: 3000, Margin: number(0.01),
				Quantile: bounds(1.2345, number(1.2), number(1.3)), Threshold: 5, Verdict: results.Pass, Required: true},
			{Expression: "99 % of PATCH pods/status (resource) within 1 s", Measured: number(0.98), Interval: []float64{0.974, 0.985}, N: 3000, Margin: number(-0.01),
				Quantile: bounds(1.31, number(1.25), number(1.5)), Threshold: 1, Verdict: results.Fail, Required: true},
			{Expression: "99 % of LIST pods (namespace) within 30 s", Threshold: 30, Verdict: results.NoData, Required: true, Note: "the API server's histogram shows no such call in the measured phases"},
			{Expression: "99 % of GET nodes (resource) within 1 s", Measured: number(0.99999), Interval: []float64{0.9999, 1}, N: 100000, Margin: number(0.00999), Threshold: 1, Verdict: results.Pass},
		},
		Conditions: []results.Condition{
			{Name: "churn_mean", Measured: 40.123456, Limit: 20, Unit: "1/s", Text: "pod creations and deletions and user requests a second, over the measured phases"},
			{Name: "etcd_fsync", Measured: 1, Limit: 1, Unit: "1", Holds: true, Text: "etcd flushes its writes to the disk, as in production"},
		},
		PodStartup: map[string]results.StageQuantiles{
			"total":              {N: 3000, P50: *bounds(0.8, number(0.79), number(0.81)), P90: *bounds(1, number(0.99), number(1.01)), P99: *bounds(1.2345, number(1.2), number(1.3)), P100: *bounds(2.5, nil, nil)},
			"create_to_schedule": {N: 30, P50: *bounds(0.01, number(0.009), number(0.011)), P90: *bounds(0.02, nil, nil), P99: results.Bounds{Value: 0.03, Least: 100}, P100: *bounds(0.03, nil, nil), Negative: 2},
			"run_to_observe":     {},
		},
		NodeFaults: []results.NodeFaultRow{{Kind: "partition", Faults: 12, Pods: 40, Evicted: 30, Replaced: 29, Times: map[string]results.StageQuantiles{
			"to_not_ready":           {N: 12, P50: *bounds(22.5, nil, nil), P90: *bounds(24, nil, nil), P99: results.Bounds{Value: 25, Least: 100}, P100: *bounds(25, nil, nil)},
			"to_replacement_running": {N: 29, P50: *bounds(31.5, nil, nil), P90: *bounds(34, nil, nil), P99: results.Bounds{Value: 35, Least: 100}, P100: *bounds(35, nil, nil)},
		}}},
		Throughput: map[string]results.Figure{"scheduled_mean": {Value: 19.96, Unit: "pods/s", N: 3000, Text: "pods scheduled a second, from the first to the last"}},
		Requests: []results.RequestRow{
			{Verb: "GET", Resource: "pods", Scope: "resource", N: 1000, Answered: 990, P50: bounds(0.0021, number(0.002), number(0.0022)), P90: bounds(0.004, number(0.0039), number(0.0041)), P99: bounds(0.0123, number(0.011), number(0.0145)), Max: number(0.5)},
			{Verb: "GET", Resource: "pods", Scope: "resource", ClosedLoop: true, N: 50, Answered: 50, P50: bounds(0.0011, number(0.001), number(0.0012)), P90: bounds(0.002, number(0.0019), nil), Max: number(0.003)},
			{Verb: "LIST", Group: "discovery.k8s.io", Resource: "endpointslices", Scope: "cluster", N: 3, Errors: 3, ErrorsBy: map[string]int64{"timeout": 2, "connection": 1}},
		},
		RequestsByPhase: []results.RequestRow{
			{Phase: "day", Verb: "GET", Resource: "pods", Scope: "resource", N: 950, Answered: 940, P50: bounds(0.002, number(0.0019), number(0.0021)), P90: bounds(0.004, number(0.0038), number(0.0041)), P99: bounds(0.01, number(0.009), nil), Max: number(0.4)},
			{Phase: "night", Verb: "GET", Resource: "pods", Scope: "resource", N: 50, Answered: 50, P50: bounds(0.0022, number(0.0021), number(0.0023)), P90: bounds(0.0042, number(0.0039), number(0.0044)), Max: number(0.5)},
		},
		Server: []results.ServerRow{
			{Verb: "GET", Resource: "pods", Scope: "resource", N: 1000, P50: bounds(0.025, number(0), number(0.05)), P90: bounds(0.045, number(0), number(0.05)), P99: bounds(0.0495, number(0), number(0.05)), Within: 1, Threshold: 1},
			{Verb: "LIST", Resource: "pods", Subresource: "x", Scope: "cluster", N: 2, P50: bounds(60, number(60), nil), Within: 0.5, Threshold: 30},
		},
		Audit: []results.AuditRow{
			{Caller: "kube-controller-manager", Verb: "POST", Resource: "pods", Scope: "resource", N: 3000, Errors: 1, P50: bounds(0.001234, number(0.0012), number(0.0013)), P90: bounds(0.002, number(0.0019), number(0.0021)), P99: bounds(0.0123, number(0.011), number(0.0145)), Max: number(0.5)},
			{Caller: "others", Verb: "GET", Resource: "/openapi", N: 1, Errors: 1},
		},
		ServerSide: &results.ServerSide{
			Figures: []results.ComponentFigure{
				{Component: "etcd", Name: "db_size_end", Value: 74354688, Unit: "bytes", N: 77, Text: "size of its store at the end"},
				{Component: "etcd", Name: "fsync_mean", Value: 0.000906, Unit: "s", N: 20837, Text: "mean time to flush its log to the disk"},
			},
			PriorityLevels: []results.PriorityLevel{{Name: "exempt", Requests: 838, MostSeats: 1, Looks: 16},
				{Name: "workload-low", Requests: 6048, Rejected: 2, MeanWait: number(0.0125), MostSeats: 245, Seats: 245, MostQueued: 31, Looks: 16}},
			WorkQueues: []results.WorkQueue{{Component: "kube-controller-manager", Name: "replicaset", Adds: 6233, N: 6230, MeanWait: number(0.25), Deepest: 31, Looks: 31}},
		},
		Components: []results.ComponentUse{{Name: "kube-apiserver", CPUSeconds: 101.234, CPUTotal: 120.5, PeakBytes: 900 << 20, MeanBytes: 700.5 * (1 << 20), Memory: "pss", Samples: 247}},
		Notes:      []string{"kube-apiserver was restarted in the measured phases (1): its requests between the last scrape and the restart are not counted"},
		Damage:     []string{"samples/pods.arrows: truncated at batch 7: 21000 records read, the last 312 bytes are part of a batch"},
	}
}

func TestGolden(t *testing.T) {
	s := example()
	passed := example()
	passed.Verdict, passed.Validity = results.Pass, results.Validity{Verdict: results.Pass, Checks: s.Validity.Checks[:1]}
	passed.SLOs, passed.Damage, passed.Notes = []results.SLOResult{s.SLOs[0], s.SLOs[3]}, nil, nil
	failed := passed
	failed.Verdict, failed.SLOs = results.Fail, s.SLOs
	for name, write := range map[string]func(io.Writer) error{
		"invalid.txt": func(w io.Writer) error { return Text(w, s, Style{Width: 100, Dir: "results/runs/density-1"}) },
		"pass.txt":    func(w io.Writer) error { return Text(w, passed, Style{}) },
		"colour.txt":  func(w io.Writer) error { return Text(w, failed, Style{Color: true}) },
		"empty.txt":   func(w io.Writer) error { return Text(w, results.Summary{Verdict: results.NoData}, Style{}) },
		"invalid.md":  func(w io.Writer) error { return Markdown(w, s) },
		"invalid.csv": func(w io.Writer) error { return CSV(w, s) },
		"invalid.xml": func(w io.Writer) error { return JUnit(w, s) },
		"fail.xml":    func(w io.Writer) error { return JUnit(w, failed) },
		"pass.xml":    func(w io.Writer) error { return JUnit(w, passed) },
	} {
		t.Run(name, func(t *testing.T) {
			var got bytes.Buffer
			if err := write(&got); err != nil {
				t.Fatal(err)
			}
			golden.Check(t, filepath.Join("testdata", name), got.String())
		})
	}
}

// TestColourSaysNothingMore takes the colours away: the words and marks must be those without colour.
func TestColourSaysNothingMore(t *testing.T) {
	var plain, coloured bytes.Buffer
	if err := errors.Join(Text(&plain, example(), Style{}), Text(&coloured, example(), Style{Color: true})); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(coloured.String(), red) || strings.Contains(plain.String(), "\x1b") {
		t.Error("colours where there should be none, or none where there should be")
	}
	stripped := regexp.MustCompile("\x1b\\[[0-9]*m").ReplaceAllString(coloured.String(), "")
	if d := cmp.Diff(plain.String(), stripped); d != "" {
		t.Error(d)
	}
}

func TestWidth(t *testing.T) {
	s := example()
	s.SLOs, s.Conditions, s.PodStartup, s.Throughput, s.Requests, s.Server, s.Components = nil, nil, nil, nil, nil, nil, nil
	s.Audit, s.ServerSide, s.RequestsByPhase, s.NodeFaults = nil, nil, nil, nil
	var out bytes.Buffer
	if err := Text(&out, s, Style{Width: 60}); err != nil {
		t.Fatal(err)
	}
	for line := range strings.SplitSeq(out.String(), "\n") {
		if n := len([]rune(line)); n > 60 && !strings.Contains(line, "density") {
			t.Errorf("%d columns: %s", n, line)
		}
	}
}

func TestManyRows(t *testing.T) {
	s := example()
	for range manyRows {
		s.Server = append(s.Server, results.ServerRow{Verb: "GET", Resource: "rare", N: fewAnswers - 1})
	}
	var text, markdown bytes.Buffer
	if err := errors.Join(Text(&text, s, Style{}), Markdown(&markdown, s)); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(text.String(), "rare") || !strings.Contains(text.String(), "31 rows of the API server") || !strings.Contains(markdown.String(), "rare") {
		t.Error("the text should leave rare rows out and say so, Markdown should have them")
	}
}

// TestMachineReadable parses what machines will.
func TestMachineReadable(t *testing.T) {
	var out bytes.Buffer
	if err := CSV(&out, example()); err != nil {
		t.Fatal(err)
	}
	lines, err := csv.NewReader(&out).ReadAll() // all lines have the same number of fields, or it fails
	if err != nil || len(lines) < 50 {
		t.Errorf("%d lines, %v", len(lines), err)
	}
	out.Reset()
	if err := JUnit(&out, example()); err != nil {
		t.Fatal(err)
	}
	var doc suites
	if err := xml.Unmarshal(out.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	if doc.Tests != 7 || doc.Failures != 0 || doc.Errors != 2 || doc.Skipped != 4 {
		t.Errorf("%+v", doc)
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestWriteErrors(t *testing.T) {
	s := example()
	for name, err := range map[string]error{"text": Text(fullDisk{}, s, Style{}), "markdown": Markdown(fullDisk{}, s), "csv": CSV(fullDisk{}, s), "junit": JUnit(fullDisk{}, s)} {
		if err == nil || !strings.Contains(err.Error(), "disk full") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestManyKindsAndQueues: tables for people are cut and say so, what machines read is whole.
func TestManyKindsAndQueues(t *testing.T) {
	s := example()
	for range auditRows {
		s.Audit = append(s.Audit, results.AuditRow{Caller: "nodes", Verb: "GET", Resource: "rare"})
	}
	for range queueRows {
		s.ServerSide.WorkQueues = append(s.ServerSide.WorkQueues, results.WorkQueue{Name: "quiet"})
	}
	var text, long bytes.Buffer
	if err := errors.Join(Text(&text, s, Style{}), CSV(&long, s)); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(text.String(), "rare"); n != auditRows-2 || !strings.Contains(text.String(), "2 more are in summary.json") {
		t.Errorf("%d rows", n)
	}
	if n := strings.Count(text.String(), "quiet"); n != queueRows-1 {
		t.Errorf("%d queues", n)
	}
	if strings.Count(long.String(), "rare") != auditRows*5 || strings.Count(long.String(), "quiet") != queueRows*3 {
		t.Error("the CSV must have every row")
	}
}

// TestKernelRelease: only the number of a release is shown; what is none stays as it is.
func TestKernelRelease(t *testing.T) {
	for release, want := range map[string]string{"6.18.44-fc-v669": "6.18.44", "6.1.0+": "6.1.0", "Linux 6.1": "Linux 6.1", "": ""} {
		if got := KernelRelease(release); got != want {
			t.Errorf("%q is shown as %q", release, got)
		}
	}
}
