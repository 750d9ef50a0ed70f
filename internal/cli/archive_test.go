package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"windtunnel/harness/run"
	"windtunnel/results"
)

// archive makes the working directory one with a stored run results/runs/RUN, that of the museum.
func archive(t *testing.T) {
	t.Helper()
	museum, err := filepath.Abs("../../results/testdata/museum/format-1")
	if err != nil {
		t.Fatal(err)
	}
	found, err := filepath.Glob(filepath.Join(museum, "*", results.RunFile))
	if err != nil || len(found) != 1 {
		t.Fatal(found, err)
	}
	source := os.DirFS(filepath.Dir(found[0]))
	t.Chdir(t.TempDir())
	if err := os.CopyFS("results/runs/RUN", source); err != nil {
		t.Fatal(err)
	}
}

// words splits a command line at blanks, but not within quotes.
func words(line string) []string {
	var out []string
	for _, w := range regexp.MustCompile(`"[^"]*"|'[^']*'|[^ ]+`).FindAllString(line, -1) {
		if q := w[0]; q == '"' || q == '\'' {
			w = w[1 : len(w)-1]
		} else if found, err := filepath.Glob(w); err == nil && len(found) > 0 {
			out = append(out, found...)
			continue
		}
		out = append(out, w)
	}
	return out
}

// TestDocumentedCommands carries out every windtunnel command of the documents, one after another.
func TestDocumentedCommands(t *testing.T) {
	for _, name := range []string{"archive.md", "export.md"} {
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join("..", "..", "docs", name))
			if err != nil {
				t.Fatal(err)
			}
			archive(t)
			n := 0
			for _, block := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
				for line := range strings.Lines(block[1]) {
					command, ok := strings.CutPrefix(strings.TrimSpace(line), "windtunnel ")
					if !ok {
						continue
					}
					n++
					if code, out, errs := invoke(words(command)...); code != codePass || strings.Contains(errs, "not all records") {
						t.Errorf("windtunnel %s: exit code %d\n%s%s", command, code, out, errs)
					}
				}
			}
			if n < 5 {
				t.Errorf("only %d commands were found", n)
			}
		})
	}
}

func TestListFiltersAndSays(t *testing.T) {
	archive(t)
	if err := os.MkdirAll("results/runs/killed-20260102T030405Z-abcdef/samples", 0o755); err != nil {
		t.Fatal(err)
	}
	for args, want := range map[string][]string{
		"list":                                     {"RUN", "killed", "! killed-20260102T030405Z-abcdef: read run: open run.json"},
		"list --state damaged":                     {"killed"},
		"list --verdict fail":                      {"RUN", "kept"},
		"list --verdict none":                      {"killed"},
		"list --verdict pass":                      {"no runs"},
		"list --profile mus*":                      {"RUN"},
		"list --since 2026-01-03":                  {"no runs"},
		"list -o json --verdict fail":              {`"state": "finished"`, `"conclusion": true`},
		"list -o csv --verdict fail":               {"run,path,state", "RUN,"},
		"list -o markdown":                         {"| RUN |", "## Problems"},
		"list --results none":                      {"no runs"},
		"list --sort name --reverse -o csv":        {"killed"},
		"list --since 2026-01-02T03:04:05Z -ojson": {"RUN", "killed"},
	} {
		code, out, errs := invoke(strings.Fields(args)...)
		for _, part := range want {
			if code != codePass || !strings.Contains(out, part) {
				t.Errorf("%s: exit code %d, no %q\n%s%s", args, code, part, out, errs)
			}
		}
		if strings.Contains(args, "fail") && strings.Contains(out, "killed") || strings.Contains(args, "damaged") && strings.Contains(out, "RUN") {
			t.Errorf("%s lists too much:\n%s", args, out)
		}
	}
}

func TestArchiveUsageErrors(t *testing.T) {
	archive(t)
	running, err := results.Create("results/runs", "running", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	defer running.Release() // and until then nobody else can have it
	if err := running.WriteRun(results.Run{Format: 1, Outcome: "running"}); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("RUN.tar.zst", []byte("mine"), 0o644); err != nil {
		t.Fatal(err)
	}
	for args, want := range map[string]string{
		"list --since 3x":                                                             "give a length of time",
		"list --verdict good":                                                         "must be one of pass, fail",
		"list --profile [":                                                            "syntax error",
		"note results/runs/none x":                                                    "not a run directory",
		"pack results/runs/RUN":                                                       "RUN.tar.zst: file already exists",
		"pack results/runs/RUN results/runs/RUN":                                      "give -o FILE",
		"pack results/runs/RUN results/runs/RUN -o x":                                 "two runs",
		"pack -o running.tar.zst " + running.Path():                                   "still going on",
		"pack -o missing/dir/x results/runs/RUN":                                      "no such file or directory",
		"unpack RUN.tar.zst":                                                          "no pack",
		"unpack none":                                                                 "no such file",
		"export results/runs/RUN --format xml":                                        "must be one of parquet",
		"export results/runs/RUN --format csv --out -":                                "choose it with --stream",
		"export results/runs/RUN --format csv --stream samples/x":                     "the run has samples/",
		"export results/runs/RUN --format csv --out results":                          "file already exists",
		"export results/runs/RUN --format perfdata --out p --job ../x":                "cannot be the name of a folder",
		"export results/runs/RUN --format openmetrics --stream samples/requests":      "--stream is for raw records",
		"export results/runs/RUN --format perfdata --out p --stream samples/requests": "--stream is for raw records",
		"export results/runs/RUN --format csv --out p --job x":                        "--job is for --format perfdata",
		"export results/runs/RUN --format perfdata --out -":                           "perfdata is a folder of files",
		"export RUN.tar.zst":                                                          "a file, not a run directory",
	} {
		code, out, errs := invoke(strings.Fields(args)...)
		if code != codeUsage && !strings.Contains(want, "two runs") || code == codePass || !strings.Contains(errs, want) || out != "" {
			t.Errorf("%s: exit code %d, %q\n%s", args, code, want, out+errs)
		}
	}
	if data, _ := os.ReadFile("RUN.tar.zst"); string(data) != "mine" {
		t.Error("a file was overwritten")
	}
	for _, left := range []string{"x", "p", "running.tar.zst", "RUN-csv"} {
		if _, err := os.Stat(left); err == nil {
			t.Errorf("%s was left behind", left)
		}
	}
}

// TestNoteOnABadLine: the notes that can be read are printed, and the line that cannot is a warning.
func TestNoteOnABadLine(t *testing.T) {
	archive(t)
	if err := os.WriteFile("results/runs/RUN/notes.jsonl", []byte("{\"at\":\"2026-01-02T03:04:05Z\",\"text\":\"good\"}\nbad\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	code, out, errs := invoke("note", "results/runs/RUN")
	if code != codePass || !strings.Contains(out, "good") || !strings.Contains(errs, "notes.jsonl:2") {
		t.Errorf("exit code %d\n%s%s", code, out, errs)
	}
}

// TestPackOfALink: a run that is given through a symbolic link is that run.
func TestPackOfALink(t *testing.T) {
	archive(t)
	if err := os.Symlink("results/runs/RUN", "link"); err != nil {
		t.Fatal(err)
	}
	if code, out, errs := invoke("pack", "link"); code != codePass || !strings.HasPrefix(out, "RUN.tar.zst") {
		t.Errorf("exit code %d\n%s%s", code, out, errs)
	}
}

// TestPackErrors: a full disk is the environment's.
func TestPackErrors(t *testing.T) {
	for want, err := range map[int]error{codePass: nil, codeEnvironment: fmt.Errorf("unpack: %w", unix.ENOSPC), codeUsage: fmt.Errorf("pack: %w", results.ErrInUse),
		codeInterrupted: fmt.Errorf("unpack: %w", run.ErrInterrupted), codeInternal: errors.New("else")} {
		if got := exitCode(packError(err)); got != want {
			t.Errorf("%v: exit code %d, want %d", err, got, want)
		}
	}
}

// TestInterruptedUnpack: an unpacking that is interrupted leaves nothing behind, and neither does a packing.
func TestInterruptedUnpack(t *testing.T) {
	archive(t)
	if code, _, errs := invoke("pack", "results/runs/RUN"); code != codePass {
		t.Fatal(errs)
	}
	f, err := os.Open("RUN.tar.zst")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	ctx, cancel := context.WithCancelCause(t.Context())
	_, err = results.Unpack(io.MultiReader(io.LimitReader(stoppable{ctx, f, nil}, 100), interrupting{cancel}, stoppable{ctx, f, nil}), "elsewhere", results.UnpackLimits{})
	if !errors.Is(err, run.ErrInterrupted) {
		t.Errorf("unpack: %v", err)
	}
	if left, _ := os.ReadDir("elsewhere"); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	a := &app{out: io.Discard, err: io.Discard}
	dir, err := results.Open("results/runs/RUN")
	if err != nil {
		t.Fatal(err)
	}
	if err := a.pack(ctx, "again.tar.zst", []*results.Dir{dir}); !errors.Is(err, run.ErrInterrupted) {
		t.Errorf("pack: %v", err)
	}
	if left, _ := filepath.Glob("*again*"); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// interrupting is a reader at whose place an interrupt comes.
type interrupting struct{ cancel context.CancelCauseFunc }

func (i interrupting) Read([]byte) (int, error) {
	i.cancel(run.ErrInterrupted)
	return 0, io.EOF
}
