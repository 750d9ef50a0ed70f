package cli

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

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
