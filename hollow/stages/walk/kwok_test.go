package walk

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"windtunnel/hollow/stages"
)

// kwokDir is KWOK's module in the module cache. Its documents are not ours to keep, so these tests run only where somebody has
// fetched it: go mod download sigs.k8s.io/kwok@v0.8.0 in any module.
func kwokDir(t testing.TB) string {
	t.Helper()
	out, err := exec.Command("go", "env", "GOMODCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(strings.TrimSpace(string(out)), "sigs.k8s.io", "kwok@v0.8.0")
	if _, err := os.Stat(dir); err != nil {
		t.Skip("KWOK 0.8.0 is not in the module cache: go mod download sigs.k8s.io/kwok@v0.8.0")
	}
	return dir
}

// TestKWOKAgrees: every stage that KWOK ships is read without a note, and each of KWOK's own test inputs gives the stages, weights,
// delays, patches and deletions of KWOK's own test outputs.
func TestKWOKAgrees(t *testing.T) {
	dir := kwokDir(t)
	inputs, err := filepath.Glob(filepath.Join(dir, "kustomize", "stage", "*", "*", testdata, "*"+InputSuffix))
	if err != nil {
		t.Fatal(err)
	}
	if len(inputs) < 10 {
		t.Fatalf("only %d inputs", len(inputs))
	}
	for _, input := range inputs {
		t.Run(strings.TrimPrefix(input, dir), func(t *testing.T) {
			result, err := Test(input, false)
			if err != nil {
				t.Fatal(err)
			}
			if result.Diff != "" {
				t.Error(result.Diff)
			}
		})
	}
}

// TestKWOKStagesHaveNoNotes reads every stage of KWOK's module.
func TestKWOKStagesHaveNoNotes(t *testing.T) {
	dir := kwokDir(t)
	read := 0
	for _, pattern := range []string{"*/*", "*/*/*"} {
		files, err := filepath.Glob(filepath.Join(dir, "kustomize", "stage", pattern+".yaml"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if !stages.IsFile(data) {
				continue
			}
			read++
			all, err := stages.Parse(file, data)
			if err != nil {
				t.Error(err)
			}
			for _, s := range all {
				for _, n := range s.Notes {
					t.Error(n)
				}
			}
		}
	}
	if read < 15 {
		t.Errorf("read only %d files of stages", read)
	}
}
