package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"windtunnel/analysis/capacity"
	"windtunnel/results"
)

// TestCapacity searches a real control plane for an edge that lies where the profile puts it, is interrupted in its second run
// and goes on.
func TestCapacity(t *testing.T) {
	long(t)
	root := t.TempDir()
	first := windtunnel(t, "capacity", "-f", filepath.Join(testdata(t), "capacity.yaml"), "--axis", "pods", "--resolution", "3", "--repeats", "1", "--results", root)
	first.start()
	var dir string
	eventually(t, 2*time.Minute, "the second run has begun", func() bool {
		runs, _ := filepath.Glob(filepath.Join(root, "*", "runs", "*", results.RunFile))
		if len(runs) < 2 {
			return false
		}
		dir = filepath.Dir(filepath.Dir(filepath.Dir(runs[0])))
		return true
	}, first.stderr.String)
	if err := first.cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	first.wait(130)
	first.says("--resume "+dir, "is not confirmed")
	if r := searchIn(t, dir); len(r.Runs) != 1 || r.Finished {
		t.Fatalf("the interrupted search has %d runs, finished %v", len(r.Runs), r.Finished)
	}

	w := windtunnel(t, "capacity", "--resume", dir, "-o", "json").run(0)
	var r capacity.Report
	if err := json.Unmarshal(w.stdout.Bytes(), &r); err != nil {
		t.Fatal(err)
	}
	a := r.Answer
	if !r.Finished || a.Inside == nil || !a.Confirmed || a.Outside == nil || *a.Inside < 3 || *a.Outside > 12 || *a.Inside >= *a.Outside {
		t.Fatalf("answer %+v\n%s", a, &w.stderr)
	}
	for _, p := range r.Runs {
		run, err := results.Open(filepath.Join(dir, "runs", p.Run))
		if err != nil {
			t.Fatal(err)
		}
		summary, err := run.ReadSummary()
		if err != nil || summary.Verdict != p.Verdict || float64(summary.Run.Pods) != p.Level || summary.Run.Seed != p.Seed {
			t.Errorf("the run at %g says %s with %d pods and seed %d (%v), its summary %s", p.Level, p.Verdict, summary.Run.Pods, p.Seed, err, summary.Verdict)
		}
	}
	if !slices.ContainsFunc(r.Findings, func(f capacity.Finding) bool { return f.Rank == capacity.Violated }) {
		t.Error("no finding says which row was violated")
	}
	if !slices.ContainsFunc(r.Findings, func(f capacity.Finding) bool { return f.Component == "kube-scheduler" }) {
		t.Errorf("nothing points to the scheduler: %+v", r.Findings)
	}
	if page, err := os.ReadFile(filepath.Join(dir, "capacity.html")); err != nil || !strings.Contains(string(page), "The largest pods inside the SLO") {
		t.Errorf("capacity.html: %v", err)
	}
	if charts, _ := filepath.Glob(filepath.Join(dir, "charts", "capacity-*.svg")); len(charts) == 0 {
		t.Errorf("charts: %v", charts)
	}
	if stored := searchIn(t, dir); len(stored.Runs) != len(r.Runs) || !stored.Finished {
		t.Errorf("capacity.json has %d runs, what was printed %d", len(stored.Runs), len(r.Runs))
	}
}

// TestCapacityEndsWhereTheSystemDoesNotComeUp: a level whose run times out before its measured phase counts, and the search
// comes to its answer.
func TestCapacityEndsWhereTheSystemDoesNotComeUp(t *testing.T) {
	long(t)
	text, err := os.ReadFile(filepath.Join(testdata(t), "capacity.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	// The slow scheduler fills the cluster before the measured phase now, and has too little time for a dozen pods.
	filled := strings.NewReplacer("  - name: workload\n    measured: true\n", "  - name: fill\n", "timeout: 1m", "timeout: 5s", "slo:", `  - name: workload
    measured: true
    tracks: [{name: one, steps: [{reconcile: {object: web, count: 2}}, {wait: {object: web, podsRunning: -1, timeout: 1m}}]}]
slo:`).Replace(string(text))
	file := filepath.Join(t.TempDir(), "filled.yaml")
	if err := os.WriteFile(file, []byte(filled), 0o644); err != nil {
		t.Fatal(err)
	}
	w := windtunnel(t, "capacity", "-f", file, "--axis", "pods", "--levels", "12,1", "--repeats", "1", "--retries", "0", "--results", t.TempDir(), "-o", "json").run(0)
	var r capacity.Report
	if err := json.Unmarshal(w.stdout.Bytes(), &r); err != nil {
		t.Fatal(err)
	}
	a := r.Answer
	if !r.Finished || a.Inside == nil || *a.Inside != 1 || a.Outside == nil || *a.Outside != 12 || !a.OutsideUndecided || len(r.Runs) != 2 || !r.Runs[0].Failed {
		t.Errorf("answer %+v\n%s", a, &w.stderr)
	}
	if why := strings.Join(r.Sentences(), "\n"); !strings.Contains(why, "the harness or the machine gave out") || !strings.Contains(why, "timed out") {
		t.Error(why)
	}
}

// searchIn reads the record of a search.
func searchIn(t *testing.T, dir string) (r capacity.Report) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, capacity.File))
	if err == nil {
		err = json.Unmarshal(data, &r)
	}
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestCapacityRefuses: what cannot be searched is bad input, found before anything is booted.
func TestCapacityRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ args, want string }{
		{"smoke", "which axis?"},
		{"smoke --axis rat", "did you mean rate?"},
		{"smoke --axis rate --from 10 --to 5", "from --from up to --to"},
		{"smoke --axis rate --step 0", "--step must be more than 0"},
		{"smoke --axis rate --levels 100,100", "differ"},
		{"smoke --axis rate --repeats 0", "--repeats must be at least 1"},
		{"smoke --axis rate --confidence 1", "--confidence must be between 0 and 1"},
		{"smoke --axis size --set-axis hollowNodes.cuont=level --to 9", `did you mean "count"?`},
		{"smoke --axis size --set-axis hollowNodes.count=level", "needs --to"},
		{"density --axis podsPerNode --levels 10.5", "must be a whole number"},
		{"--resume nowhere", "is not the directory of a search"},
		{"smoke --resume nowhere", "goes on with what was asked before"},
	} {
		w := windtunnel(t, append([]string{"capacity"}, strings.Fields(c.args)...)...).run(2)
		if !strings.Contains(w.stderr.String(), c.want) {
			t.Errorf("capacity %s does not say %q:\n%s", c.args, c.want, &w.stderr)
		}
		if _, err := os.Stat(filepath.Join(w.cmd.Dir, "results")); err == nil {
			t.Errorf("capacity %s wrote something", c.args)
		}
	}
}

// TestCapacityExamples: every command of the documentation is one, as a dry run shows.
func TestCapacityExamples(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join(testdata(t), "..", "..", "..", "docs", "capacity.md"))
	if err != nil {
		t.Fatal(err)
	}
	commands := 0
	for line := range strings.Lines(string(text)) {
		line, isCommand := strings.CutPrefix(line, "bin/windtunnel ")
		if !isCommand {
			continue
		}
		commands++
		line, _, _ = strings.Cut(line, "#")
		args := slices.DeleteFunc(strings.Fields(line), func(s string) bool { return s == "-o" || s == "markdown" })
		windtunnel(t, append(args, "--plan")...).run(0)
	}
	if commands < 5 {
		t.Errorf("only %d commands", commands)
	}
}

// TestCapacityPlan: a dry run says what would be run and touches nothing.
func TestCapacityPlan(t *testing.T) {
	t.Parallel()
	w := windtunnel(t, "capacity", "density", "--axis", "podsPerNode", "--from", "10", "--to", "60", "--step", "10", "--repeats", "3", "--plan").run(0)
	w.says("6 levels, 3 runs of each: 18 runs", "objects.web.manifest.spec.replicas=60", "at least 36.8 % of runs do")
	w = windtunnel(t, "capacity", "smoke", "--axis", "rate", "--plan", "-o", "json").run(0)
	var plan struct{ Least, Most struct{ Runs int } }
	if err := json.Unmarshal(w.stdout.Bytes(), &plan); err != nil || plan.Least.Runs < 2 || plan.Most.Runs <= plan.Least.Runs {
		t.Errorf("%v: %+v", err, plan)
	}
	if _, err := os.Stat(filepath.Join(w.cmd.Dir, "results")); err == nil {
		t.Error("a plan wrote something")
	}
}
