package cli

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"windtunnel/results"
	"windtunnel/results/resultstest"
)

// quietRun is a valid run of 100 requests of 20 ms and nothing else.
func quietRun(t *testing.T) *results.Dir {
	t.Helper()
	d, err := results.Create(t.TempDir(), "quiet", time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	const sec = int64(1e9)
	err = d.WriteRun(results.Run{Format: results.FormatVersion, ID: d.ID(), Name: "quiet", Started: "2026-01-02T03:04:05Z", Outcome: "completed", Machine: results.Machine{Cores: 2},
		Profile: []byte(`{"name":"quiet"}`), Phases: []results.PhaseSpan{{Name: "workload", End: 10 * sec, Measured: true}}})
	if err != nil {
		t.Fatal(err)
	}
	var requests []results.Request
	for i := range int64(100) {
		at := (i + 1) * sec / 10 // 0 stands for never
		requests = append(requests, results.Request{Planned: at, Sent: at, FirstByte: at + sec/50, Done: at + sec/50, Phase: "workload", Verb: "GET", Resource: "pods", Scope: "resource", Code: 200})
	}
	body := []byte("process_start_time_seconds 1\n")
	resultstest.Fill(t, d, results.RequestsFile, requests)
	resultstest.Fill(t, d, results.ScrapesFile, []results.Scrape{{Component: "kube-apiserver", Phase: "workload", Mark: "begin", Body: body},
		{At: 10 * sec, Component: "kube-apiserver", Phase: "workload", Mark: "end", Body: body}})
	resultstest.Fill(t, d, results.ProcessesFile, []results.ProcessSample{{Component: "windtunnel", PID: 1}, {At: 5 * sec, Component: "windtunnel", PID: 1}})
	resultstest.Fill[results.PodEvent](t, d, results.PodsFile, nil)
	resultstest.Fill[results.NodeEvent](t, d, results.NodesFile, nil)
	return d
}

// invoke runs one invocation and returns its exit code and what it printed.
func invoke(args ...string) (code int, out, errs string) {
	var stdout, stderr bytes.Buffer
	a := &app{in: os.Stdin, out: &stdout, err: &stderr, args: append([]string{"windtunnel"}, args...)}
	root := a.root()
	root.SetArgs(args)
	root.SetOut(&stdout)
	root.SetErr(&stderr)
	err := root.ExecuteContext(context.Background())
	if err != nil {
		stderr.WriteString(err.Error())
	}
	return exitCode(err), stdout.String(), stderr.String()
}

// TestSLO: the verdict is the exit code, the run stays as it is, and a mistake in the file is bad input.
func TestSLO(t *testing.T) {
	d := quietRun(t)
	before := listing(t, d.Path())
	file := filepath.Join(t.TempDir(), "mine.yaml")
	for _, c := range []struct {
		expression string
		code       int
		says       string
	}{
		{`rate(requests) >= 10/s`, codePass, "✓ PASS"},
		{`max(request_latency) <= 10ms`, codeViolated, "✗ FAIL"},
		{`quantile(0.99, request_latency) <= 1s`, codeInvalid, "100 samples, 299 are needed"},
		{`rate(requests{resource="pod"}) >= 10/s`, codeInvalid, `did you mean "pods"?`},
		{`rate(requests) >= 10`, codeUsage, "mine.yaml:5:35: objectives[0].expression: 10 has no unit"},
	} {
		text := "apiVersion: windtunnel/v1alpha1\nkind: SLO\nname: mine\nobjectives:\n  - expression: " + c.expression + "\n"
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		for _, format := range outputFormats() {
			code, out, errs := invoke("slo", d.Path(), "--slo", file, "-o", format)
			if code != c.code || format == "text" && !strings.Contains(out+errs, c.says) || code != codeUsage && out == "" {
				t.Errorf("%s -o %s: exit code %d\n%s%s", c.expression, format, code, out, errs)
			}
		}
		if code, _, errs := invoke("validate", file); (code == codeUsage) != (c.code == codeUsage) {
			t.Errorf("validate %s: exit code %d\n%s", c.expression, code, errs)
		}
	}
	if code, out, _ := invoke("slo", d.Path()); code != codeInvalid || !strings.Contains(out, "by official") {
		t.Errorf("the official set on a run without data: exit code %d\n%s", code, out)
	}
	if after := listing(t, d.Path()); after != before {
		t.Errorf("the run directory has changed:\n%s\nwas\n%s", after, before)
	}
	for _, bad := range [][]string{{"slo", d.Path(), "--slo", "oficial"}, {"slo", d.Path(), "--slo", "./none.yaml"}, {"slo", "nowhere"}, {"slo"}, {"slo", "show", "oficial"}} {
		if code, _, errs := invoke(bad...); code != codeUsage || errs == "" {
			t.Errorf("%v: exit code %d, %s", bad, code, errs)
		}
	}
	if code, out, _ := invoke("slo", "show", "official"); code != codePass || !strings.Contains(out, "name: official") {
		t.Errorf("show: exit code %d\n%s", code, out)
	}
	if code, out, _ := invoke("slo", "list"); code != codePass || strings.Count(out, "\n") != 3 {
		t.Errorf("list: exit code %d\n%s", code, out)
	}
}

// listing are the files of a directory with their sizes and times.
func listing(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err == nil {
			b.WriteString(path + " " + info.ModTime().String() + "\n")
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}
