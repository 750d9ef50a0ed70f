package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"windtunnel/analysis/compare"
	"windtunnel/internal/golden"
	"windtunnel/results"
)

// exampleRun is a reduced run of an invented system: four kinds of requests and four components. factor makes POSTs slower, and with them the
// API server's work.
type exampleRun struct {
	folder     string
	minute     int
	factor     float64
	kubernetes string
	invalid    bool
}

func (e exampleRun) write(t *testing.T, random *rand.Rand) {
	t.Helper()
	started := time.Date(2026, 1, 2, 3, e.minute, 0, 0, time.UTC)
	id := fmt.Sprintf("smoke-%s-%06x", started.Format("20060102T150405Z"), 0xabc000+e.minute)
	scatter := func(v, by float64) float64 { return v * math.Exp(by*random.NormFloat64()) }
	run := results.Run{Format: results.FormatVersion, ID: id, Name: "smoke", Seed: 1, Provider: "embedded", Started: started.Format(time.RFC3339), Outcome: "completed",
		Profile:  json.RawMessage(`{"name": "smoke", "hollowNodes": {"count": 5}, "controlPlane": {"apiServer": {"audit": "none"}}}`),
		Versions: map[string]string{"kubernetes": e.kubernetes, "windtunnel": "0.1.0"}, Machine: results.Machine{OS: "linux/amd64", CPU: "Some CPU", Cores: 2, MemoryBytes: 8 << 30}}
	s := results.Summary{Format: results.FormatVersion, Verdict: results.Pass, Validity: results.Validity{Verdict: results.Pass},
		Throughput: map[string]results.Figure{}, PodStartup: map[string]results.StageQuantiles{}}
	if e.invalid {
		s.Validity = results.Validity{Verdict: results.Invalid, Checks: []results.Check{{Name: "lag", Verdict: results.Fail, Text: "99 % of the requests were sent within 812.0 ms of their planned instant."}}}
	}
	luck := scatter(1, 0.02)
	bounds := func(v float64) *results.Bounds {
		low, high := v*0.94, v*1.07
		return &results.Bounds{Value: v, Low: &low, High: &high}
	}
	ds := []compare.Distribution{}
	for _, k := range []struct {
		verb, resource, scope string
		p50                   float64
	}{{"DELETE", "configmaps", "resource", 0.0079}, {"LIST", "configmaps", "namespace", 0.0068}, {"POST", "configmaps", "resource", 0.0075}, {"GET", "pods", "resource", 0.0047}} {
		v := scatter(k.p50*luck, 0.03)
		if k.verb == "POST" {
			v *= e.factor
		}
		s.Requests = append(s.Requests, results.RequestRow{Verb: k.verb, Resource: k.resource, Scope: k.scope, N: 345,
			P50: bounds(v), P90: bounds(scatter(3*v, 0.06)), P99: bounds(scatter(9*v, 0.15))})
		d := compare.Distribution{Section: "client", Row: k.verb + " " + k.resource + " " + k.scope, Unit: "s", N: 345}
		for n := range 61 {
			d.Values = append(d.Values, v*math.Pow(compare.OneIn(n)/2, 0.5))
		}
		ds = append(ds, d)
	}
	for _, c := range []struct {
		name   string
		cpu    float64
		memory float64
	}{{"etcd", 2.2, 66e6}, {"kube-apiserver", 5.6, 280e6}, {"kube-controller-manager", 0.55, 80e6}, {"kube-scheduler", 0.09, 46e6}} {
		cpu := scatter(c.cpu*luck, 0.02)
		if c.name == "kube-apiserver" {
			cpu *= 1 + (e.factor-1)/3
		}
		s.Components = append(s.Components, results.ComponentUse{Name: c.name, CPUSeconds: cpu, PeakBytes: int64(scatter(c.memory, 0.01)), MeanBytes: scatter(0.92*c.memory, 0.01), Memory: "pss"})
	}
	dir := filepath.Join(e.folder, id)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, v := range map[string]any{results.RunFile: run, results.SummaryFile: s, compare.DistributionsFile: ds} {
		data, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// exampleRuns writes the folders of the examples to the working directory, runs made in turns: before and after, of which after
// is slower; again, made of the same system as before; upgraded, of another version; nightly, a history.
func exampleRuns(t *testing.T) {
	t.Helper()
	t.Chdir(t.TempDir())
	random := rand.New(rand.NewPCG(61, 62))
	for i := range 8 {
		exampleRun{"before", 4 * i, 1, "v1.36.3", false}.write(t, random)
		exampleRun{"after", 4*i + 1, 1.35, "v1.36.3", false}.write(t, random)
		exampleRun{"again", 4*i + 2, 1, "v1.36.3", i == 3}.write(t, random)
		exampleRun{"upgraded", 4*i + 3, 0.8, "v1.37.0", false}.write(t, random)
	}
	for i := range 24 {
		e := exampleRun{"nightly", 40 + i, 1, "v1.36.3", false}
		if i >= 13 {
			e.factor, e.kubernetes = 1.35, "v1.37.0"
		}
		e.write(t, random)
	}
}

// windtunnel runs a command line in the working directory and gives what it wrote to stdout, to stderr, and its exit code.
func windtunnel(t *testing.T, line string) (stdout, stderr string, code int) {
	t.Helper()
	var args []string
	for _, word := range regexp.MustCompile(`'[^']*'|\S+`).FindAllString(line, -1) {
		found, _ := filepath.Glob(word)
		switch {
		case strings.HasPrefix(word, "'"):
			args = append(args, strings.Trim(word, "'"))
		case len(found) > 0:
			args = append(args, found...)
		default:
			args = append(args, word)
		}
	}
	var out, errs bytes.Buffer
	a := &app{out: &out, err: &errs, args: append([]string{"windtunnel"}, args...)}
	root := a.root()
	root.SetArgs(args)
	root.SetOut(&out)
	root.SetErr(&errs)
	err := root.Execute()
	if _, quiet := err.(silent); err != nil && !quiet {
		fmt.Fprintf(&errs, "windtunnel: %v\n", err)
	}
	return out.String(), errs.String(), exitCode(err)
}

// TestExamplesOfCompare runs every example of docs/compare.md and holds its output against the document.
func TestExamplesOfCompare(t *testing.T) {
	doc, err := filepath.Abs("../../docs/compare.md")
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(doc)
	if err != nil {
		t.Fatal(err)
	}
	exampleRuns(t)
	block := regexp.MustCompile("(?s)```console\n\\$ windtunnel ([^\n]*)\n(.*?)```\n")
	examples := 0
	made := block.ReplaceAllStringFunc(string(data), func(text string) string {
		examples++
		line := block.FindStringSubmatch(text)[1]
		command, echo, _ := strings.Cut(line, "; echo")
		stdout, stderr, code := windtunnel(t, command)
		out := stdout + stderr
		if echo != "" {
			out += fmt.Sprintf("%d\n", code)
		}
		return "```console\n$ windtunnel " + line + "\n" + out + "```\n"
	})
	if examples < 5 {
		t.Errorf("the document has only %d examples", examples)
	}
	golden.Check(t, doc, made)
}

func TestCompareExitCodes(t *testing.T) {
	exampleRuns(t)
	if err := os.CopyFS("damaged", os.DirFS("again")); err != nil {
		t.Fatal(err)
	}
	for id, remove := range map[string]bool{"smoke-20260102T031400Z-abc00e": true, "smoke-20260102T032600Z-abc01a": false} {
		if remove { // the invalid one
			if err := os.RemoveAll(filepath.Join("damaged", id)); err != nil {
				t.Fatal(err)
			}
		} else if err := os.WriteFile(filepath.Join("damaged", id, results.RunFile), []byte(`{"format": 1, "id`), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		line string
		code int
		want string // in stdout or stderr
	}{
		{"compare before after", 0, "✗ REGRESSION"},
		{"compare before again", 0, "~ NOT SHOWN"},
		{"compare before after --fail-on regression", 7, "--fail-on regression: client POST configmaps resource p50"},
		{"compare before after --fail-on 'regression>5%'", 7, ""},
		{"compare before after --fail-on 'regression>90%'", 0, "not shown in any of"},
		{"compare before after --fail-on 'client LIST*: regression'", 0, ""},
		{"compare before again --fail-on regression", 4, "1 run of new left out: smoke-20260102T031400Z-abc00e"},
		{"compare again before --fail-on regression", 0, ""}, // the base has enough others
		{"compare before after --fail-on 'clients *: regression'", 4, "no figure is called so"},
		{"compare before damaged", 0, "smoke-20260102T032600Z-abc01a is invalid: it cannot be read:"},
		{"compare before damaged --fail-on regression", 4, "1 run of new left out"},
		{"history damaged", 0, "smoke-20260102T032600Z-abc01a is invalid: it cannot be read:"},
		{"history damaged/smoke-20260102T032600Z-abc01a", 0, "unreadable: 0 runs"},
		{"history nightly --figures 'clients *'", 2, "no figure is called clients *"},
		{"reference again --out kept", 4, "smoke-20260102T031400Z-abc00e is invalid: lag"},
		{"reference damaged --out kept", 4, "smoke-20260102T032600Z-abc01a is invalid: it cannot be read"},
		{"history kept", 2, "kept is not a run directory"}, // nothing of them was written
		{"compare before/* -- after/* --fail-on regression", 2, "flags go before --"},
		{"compare --fail-on regression before/* -- after/*", 7, ""},
		{"compare before/smoke-20260102T030000Z-abc000 after/smoke-20260102T030100Z-abc001 --fail-on regression", 4, "could not be judged"},
		{"compare before upgraded", 2, "versions.kubernetes  v1.36.3 | v1.37.0"},
		{"compare before upgraded --differ versions", 0, "✓ IMPROVEMENT"},
		{"compare before upgraded --force", 0, "(forced)"},
		{"compare before before", 2, "is given twice"},
		{"compare before", 2, "give two runs"},
		{"compare before after again", 2, "which of the 3 are the base?"},
		{"compare before nowhere", 2, "nowhere is not a run directory"},
		{"compare before . ", 2, "neither a run directory nor a folder of runs"},
		{"compare before after --fail-on improvement", 2, "is no condition"},
		{"compare before after --figures 'clients *'", 2, "no figure is called clients *"},
		{"compare before after --least ten", 2, "must be a percentage"},
		{"compare before after --level 2", 2, "between 0 and 1"},
		{"compare before again/smoke-20260102T031400Z-abc00e", 4, "new: no valid run"},
		{"history before --level 0", 2, "between 0 and 1"},
		{"history nightly", 0, "kubernetes v1.36.3 → v1.37.0"},
		{"reference before", 2, "Give --out DIR"},
	} {
		out, errs, code := windtunnel(t, c.line)
		if code != c.code || !strings.Contains(out+errs, c.want) {
			t.Errorf("%s: exit code %d, want %d with %q:\n%s%s", c.line, code, c.code, c.want, out, errs)
		}
	}
}

// TestCompareFormats: every format is well formed and says the same; the same input gives the same bytes.
func TestCompareFormats(t *testing.T) {
	exampleRuns(t)
	for _, format := range []string{"text", "json", "csv", "markdown", "html"} {
		first, errs, code := windtunnel(t, "compare before after -o "+format)
		second, _, _ := windtunnel(t, "compare before after -o "+format)
		if code != 0 || errs != "" || first != second || !strings.Contains(first, "regression") && !strings.Contains(first, "REGRESSION") {
			t.Errorf("%s: exit code %d, the same bytes: %v; %s", format, code, first == second, errs)
		}
	}
	out, _, _ := windtunnel(t, "compare before after -o json")
	var c compare.Comparison
	decoder := json.NewDecoder(strings.NewReader(out))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&c); err != nil || c.Verdict != compare.Regression || len(c.Rows) == 0 {
		t.Errorf("%v: %s, %d rows", err, c.Verdict, len(c.Rows))
	}
	html, _, _ := windtunnel(t, "compare before after -o html")
	for _, foreign := range []string{"http://", "https://", "<script", "src="} {
		if strings.Contains(strings.ReplaceAll(html, "http://www.w3.org/2000/svg", ""), foreign) {
			t.Errorf("the page has %q", foreign)
		}
	}
	if n := strings.Count(html, "<svg"); n < 4 {
		t.Errorf("the page has %d charts", n)
	}
	for _, format := range []string{"text", "json", "csv", "markdown"} {
		if out, errs, code := windtunnel(t, "history nightly -o "+format); code != 0 || !strings.Contains(out, "POST configmaps resource") {
			t.Errorf("history as %s: exit code %d\n%s%s", format, code, out, errs)
		}
	}
}

// TestReferenceOfAReference is the same run again, and never overwrites.
func TestReferenceOfAReference(t *testing.T) {
	exampleRuns(t)
	if _, errs, code := windtunnel(t, "reference before --out kept"); code != 0 || strings.Count(errs, "kept smoke-") != 8 {
		t.Fatalf("exit code %d: %s", code, errs)
	}
	a, _, _ := windtunnel(t, "compare before after -o json")
	b, _, _ := windtunnel(t, "compare kept after -o json")
	if a != b {
		t.Errorf("kept runs compare otherwise: %s", cmp.Diff(a, b))
	}
	if _, errs, code := windtunnel(t, "reference before --out kept"); code != 1 || !strings.Contains(errs, "exists") {
		t.Errorf("over what is there: exit code %d: %s", code, errs)
	}
}

// TestReferenceScripts: where windtunnel can make no run, the old reference stays and a regression test says that it is the environment (5).
func TestReferenceScripts(t *testing.T) {
	root := t.TempDir()
	for name, text := range map[string]string{"bin/windtunnel": "#!/bin/sh\n[ $1 != reference ] || { mkdir -p $4/new; exit ${REFERENCE-0}; }\nexit ${RUN-0}\n", "results/reference/smoke/old/run.json": "{}"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(root, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.CopyFS(filepath.Join(root, ".ci"), os.DirFS("../../.ci")); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		script, env string
		code        int
		left        string
	}{
		{"regression", "RUN=5", 5, "old"},
		{"reference", "RUN=4", 4, "old"},
		{"reference", "REFERENCE=4", 4, "old"},
		{"reference", "REFERENCE=0", 0, "new"},
	} {
		cmd := exec.Command("bash", filepath.Join(root, ".ci", c.script))
		cmd.Env = append(os.Environ(), c.env)
		out, _ := cmd.CombinedOutput() // the code says how it ended
		kept, err := filepath.Glob(filepath.Join(root, "results/reference/smoke/*"))
		if code := cmd.ProcessState.ExitCode(); code != c.code || err != nil || len(kept) != 1 || filepath.Base(kept[0]) != c.left {
			t.Errorf("%s with %s: exit code %d, left %v:\n%s", c.script, c.env, code, kept, out)
		}
	}
}
