package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"windtunnel/profiles"
	"windtunnel/results"
)

// brokenRun is a run directory with nothing but its run.json.
func brokenRun(t *testing.T) string {
	t.Helper()
	d := t.TempDir()
	profile, err := json.Marshal(profiles.Profile{Name: "made-up"})
	if err != nil {
		t.Fatal(err)
	}
	run, err := json.Marshal(results.Run{Format: results.FormatVersion, ID: "made-up-1", Name: "made-up", Profile: profile, Outcome: "failed"})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(d, results.RunFile), run, 0o644); err != nil {
		t.Fatal(err)
	}
	return d
}

// TestPaperUsage: what is wrong with the flags is said at once, with exit code 2, and nothing is written.
func TestPaperUsage(t *testing.T) {
	out := filepath.Join(t.TempDir(), "paper")
	for _, c := range []struct {
		args []string
		says []string
	}{
		{nil, []string{"which runs?"}},
		{[]string{"--format", "word,html"}, []string{"which runs?", `"word" is none of latex, html, markdown`}},
		{[]string{"a", "--load", "b"}, []string{"not both"}},
		{[]string{"a", "b", "c"}, []string{"usage: windtunnel paper"}},
		{[]string{"no-such-run", "nor-this"}, []string{"no-such-run is not a run directory", "nor-this is not a run directory"}},
		{[]string{"--density", brokenRun(t), "--capacity", "no-such-search"}, []string{"no-such-search/capacity.json"}},
	} {
		code, _, errs := invoke(append([]string{"paper", "--out", out}, c.args...)...)
		if code != codeUsage {
			t.Errorf("%v: exit code %d", c.args, code)
		}
		for _, say := range c.says {
			if !strings.Contains(errs, say) {
				t.Errorf("%v: it does not say %q:\n%s", c.args, say, errs)
			}
		}
	}
	if _, err := os.Stat(out); err == nil {
		t.Error("something was written")
	}
}

// TestPaperInvalid: a paper about an invalid run is refused with exit code 4 unless it is asked for, and then marked.
func TestPaperInvalid(t *testing.T) {
	run, out := brokenRun(t), filepath.Join(t.TempDir(), "paper")
	code, _, errs := invoke("paper", run, "--out", out)
	if code != codeInvalid || !strings.Contains(errs, "made-up-1 is invalid") || !strings.Contains(errs, "completed: ") || !strings.Contains(errs, "--allow-invalid") {
		t.Errorf("exit code %d:\n%s", code, errs)
	}
	if _, err := os.Stat(out); err == nil {
		t.Error("something was written")
	}
	code, stdout, errs := invoke("paper", run, "--out", out, "--allow-invalid", "--format", "html,markdown,latex")
	if code != codePass {
		t.Fatalf("exit code %d:\n%s", code, errs)
	}
	if !strings.Contains(errs, "left out: no load run was given") {
		t.Errorf("it does not say what is left out:\n%s", errs)
	}
	for _, name := range []string{"paper.html", "paper.md", "paper.tex"} {
		data, err := os.ReadFile(filepath.Join(out, name))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(data), "Invalid: made-up-1") {
			t.Errorf("%s has no mark", name)
		}
		if !strings.Contains(stdout, filepath.Join(out, name)) {
			t.Errorf("%s is not named on stdout: %s", name, stdout)
		}
	}
}

// TestPaperExamples runs the command lines of docs/paper.md.
func TestPaperExamples(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "paper.md"))
	if err != nil {
		t.Fatal(err)
	}
	search := t.TempDir()
	if err := os.WriteFile(filepath.Join(search, "capacity.json"), []byte(`{"axis":"rate","answer":{}}`), 0o644); err != nil {
		t.Fatal(err)
	}
	run, n := brokenRun(t), 0
	for line := range strings.Lines(string(text)) {
		line, _, _ = strings.Cut(line, "#")
		argv := strings.Fields(line)
		if len(argv) < 2 || argv[0] != "bin/windtunnel" || argv[1] != "paper" {
			continue
		}
		for i, arg := range argv {
			switch base := filepath.Base(arg); {
			case base == "SEARCH":
				argv[i] = search
			case base == strings.ToUpper(base):
				argv[i] = run
			}
		}
		n++
		argv = append(argv[1:], "--allow-invalid", "--out", filepath.Join(t.TempDir(), "paper"))
		if code, _, errs := invoke(argv...); code != codePass {
			t.Errorf("%s: exit code %d:\n%s", line, code, errs)
		}
	}
	if n < 4 {
		t.Errorf("%d examples", n)
	}
}
