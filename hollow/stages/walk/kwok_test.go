package walk

import (
	"math/rand/v2"
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

// BenchmarkKWOKsDocuments is the choice of what comes next on KWOK's own stages and inputs: what BenchmarkStageCRs measures in KWOK,
// which converts the object once, before it measures.
func BenchmarkKWOKsDocuments(b *testing.B) {
	dir := kwokDir(b)
	for _, name := range []string{"fast/testdata/pod-pending", "fast/testdata/pod-running-with-job", "general/testdata/pod-create", "general/testdata/pod-complete"} {
		input := filepath.Join(dir, "kustomize", "stage", "pod", name+InputSuffix)
		data, err := os.ReadFile(input)
		if err != nil {
			b.Fatal(err)
		}
		in, err := ParseInput(input, data)
		if err != nil {
			b.Fatal(err)
		}
		files, err := stageFiles(filepath.Dir(filepath.Dir(input)))
		if err != nil {
			b.Fatal(err)
		}
		set, err := ReadStages(files...)
		if err != nil {
			b.Fatal(err)
		}
		life, random := set.For(stages.ResourceOf(in.Object)), rand.New(rand.NewPCG(1, 2))
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, ok, err := life.Next(in.Object, Begin(), random); !ok || err != nil {
					b.Fatal(ok, err)
				}
			}
		})
	}
}
