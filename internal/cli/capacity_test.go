package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"windtunnel/analysis/capacity"
	"windtunnel/harness/run"
	"windtunnel/results"
)

// TestCapacityChecksEveryLevel: a level between the ends that is no profile is found before anything is run, and so is a
// profile that no run could pass.
func TestCapacityChecksEveryLevel(t *testing.T) {
	t.Chdir(t.TempDir())
	for args, want := range map[string]string{
		// 1.5 nodes at level 3, while the ends, 2 and 8, are whole.
		"smoke --axis size --from 2 --to 8 --set-axis hollowNodes.count=level/2":                   "size at 1",
		"smoke --axis size --from 2 --to 8 --set-axis hollowNodes.count=max(1,round(1/(level-5)))": "level 5",
		"smoke --axis rate --set slo.judged=false":                                                 "not judged",
	} {
		code, out, errs := invoke(append([]string{"capacity"}, strings.Fields(args)...)...)
		if code != codeUsage || !strings.Contains(errs, want) || out != "" {
			t.Errorf("capacity %s: exit code %d, no %q\n%s%s", args, code, want, out, errs)
		}
	}
	if left, _ := os.ReadDir("."); len(left) > 0 {
		t.Errorf("something was written: %v", left)
	}
	for _, args := range []string{"smoke --axis rate", "density --axis podsPerNode", "density --axis nodes"} {
		if code, _, errs := invoke(append([]string{"capacity", "--plan"}, strings.Fields(args)...)...); code != codePass {
			t.Errorf("capacity --plan %s: exit code %d\n%s", args, code, errs)
		}
	}
}

// storedSearch writes a search without a run.
func storedSearch(t *testing.T) string {
	t.Helper()
	data, err := builtin("smoke")
	if err != nil {
		t.Fatal(err)
	}
	r := capacity.Record{Format: capacity.Format, ID: "x", Profile: "smoke", Axis: "rate", Source: capacity.Source{File: "smoke.yaml", Text: string(data)},
		Search: capacity.Search{From: 100, To: 200, Step: 10, Repeats: 1, Confidence: 0.95}}
	text, err := json.Marshal(capacity.Analyse(r, nil))
	dir := t.TempDir()
	if err := errors.Join(err, os.WriteFile(filepath.Join(dir, capacity.File), text, 0o644)); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestOneProcessASearch: a search that another process carries on is not gone on with, and a new one is held from the start.
func TestOneProcessASearch(t *testing.T) {
	dir := storedSearch(t)
	other, err := results.Claim(dir)
	if err != nil {
		t.Fatal(err)
	}
	if code, _, errs := invoke("capacity", "--resume", dir); code != codeUsage || !strings.Contains(errs, "another process") {
		t.Errorf("exit code %d: %s", code, errs)
	}
	other.Release()
	s := search{root: t.TempDir(), record: capacity.Record{Profile: "smoke", Axis: "rate"}}
	if err := s.open(time.Now()); err != nil {
		t.Fatal(err)
	}
	if _, err := results.Claim(s.dir); !errors.Is(err, results.ErrInUse) {
		t.Errorf("the new search can be taken: %v", err)
	}
	s.claim.Release()
}

// TestWhichRunsCount: a run that the environment or a time-out ended before its measured phases is an invalid one that failed;
// other errors there end the search, and so does an interrupt anywhere.
func TestWhichRunsCount(t *testing.T) {
	environment := fmt.Errorf("hollow: %w", &run.EnvironmentError{Err: errors.New("12 of 300 nodes are not Ready")})
	for _, c := range []struct {
		name           string
		err            error
		seconds        float64
		counts, failed bool
	}{
		{"completed", nil, 10, true, false},
		{"nodes not ready", environment, 0, true, true},
		{"prepare timed out", fmt.Errorf("prepare: %w", run.ErrTimeout), 0, true, true},
		{"died while measured", environment, 3, true, false},
		{"a mistake in the profile", errors.New("prepare: no such object"), 0, false, false},
		{"interrupted at boot", run.ErrInterrupted, 0, false, false},
		{"interrupted while measured", run.ErrInterrupted, 3, false, false},
	} {
		p := capacity.Point{Outcome: capacity.Outcome{Verdict: results.NoData}, Seconds: c.seconds}
		if counts := isRun(&p, c.err); counts != c.counts || p.Failed != c.failed || c.failed && p.Verdict != results.Invalid {
			t.Errorf("%s: counts %v, %+v", c.name, counts, p.Outcome)
		}
	}
}

// TestDrawingErrorsAreWarnings: a search whose page and charts cannot be written goes on, one whose record cannot does not.
func TestDrawingErrorsAreWarnings(t *testing.T) {
	dir := storedSearch(t)
	for _, name := range []string{"capacity.html", "charts"} { // in the way of a file and of a folder
		if err := os.MkdirAll(filepath.Join(dir, name, "x"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	var warnings strings.Builder
	a, s := &app{err: &warnings}, &search{dir: dir}
	r := capacity.Report{Record: capacity.Record{Runs: []capacity.Point{{}}}}
	if err := a.save(s, r); err != nil || !strings.Contains(warnings.String(), "capacity.html") {
		t.Errorf("error %v, warnings %q", err, &warnings)
	}
	if err := a.save(&search{dir: filepath.Join(dir, "none")}, r); err == nil {
		t.Error("a record that was not written is no error")
	}
}
