package results

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestCreate(t *testing.T) {
	root := filepath.Join(t.TempDir(), "results", "runs")
	now := time.Date(2026, 11, 2, 3, 4, 5, 0, time.FixedZone("", 3600))
	d, err := Create(root, "density", now)
	if err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`^density-20261102T020405Z-[0-9a-f]{6}$`).MatchString(d.ID()) {
		t.Errorf("directory is called %s", d.ID())
	}
	for _, sub := range []string{"samples", "series", "logs", "profiles"} {
		if info, err := os.Stat(d.Path(sub)); err != nil || !info.IsDir() {
			t.Errorf("%s: %v", sub, err)
		}
	}
	if again, err := Create(root, "density", now); err != nil || again.ID() == d.ID() {
		t.Errorf("a second run of the same second: %v, %v", again, err)
	}
	for _, name := range []string{"", "a/b", "..", ".hidden"} {
		if _, err := Create(root, name, now); err == nil {
			t.Errorf("a run called %q was created", name)
		}
	}
}

func TestRunAndSummary(t *testing.T) {
	d, err := Create(t.TempDir(), "smoke", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(d.Path()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a directory without run.json was opened: %v", err)
	}
	run := Run{Format: FormatVersion, ID: d.ID(), Profile: json.RawMessage(`{"name": "smoke"}`), Name: "smoke", Seed: 7,
		Versions: map[string]string{"go": "go1.26"}, Phases: []PhaseSpan{{Name: "workload", Begin: 1, End: 2, Measured: true}}}
	for range 2 { // it is rewritten as the run goes on
		if err := d.WriteRun(run); err != nil {
			t.Fatal(err)
		}
	}
	opened, err := Open(d.Path())
	if err != nil {
		t.Fatal(err)
	}
	got, err := opened.ReadRun()
	if err != nil {
		t.Fatal(err)
	}
	got.Profile = run.Profile // indented by now
	if diff := cmp.Diff(run, got); diff != "" {
		t.Error(diff)
	}
	summary := Summary{Format: FormatVersion, Verdict: Pass}
	if err := d.WriteSummary(summary); err != nil {
		t.Fatal(err)
	}
	if got, err := d.ReadSummary(); err != nil || got.Verdict != Pass {
		t.Errorf("%+v, %v", got, err)
	}
	entries, err := os.ReadDir(d.Path())
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") {
			t.Errorf("%s was left behind", e.Name())
		}
	}
	if info, err := os.Stat(d.Path(RunFile)); err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("run.json has mode %v (%v)", info.Mode(), err)
	}
}

func TestReadRunRefuses(t *testing.T) {
	d, err := Create(t.TempDir(), "smoke", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{`{"format": 99}`: "newer", `{"format": `: "run.json", "\x00\xff": "run.json"} {
		if err := os.WriteFile(d.Path(RunFile), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := d.ReadRun(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v", text, err)
		}
	}
}

func TestWriteFileLeavesTheOldOneOnError(t *testing.T) {
	d, err := Create(t.TempDir(), "smoke", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if err := d.WriteFile("none/x", nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v", err)
	}
}

func TestList(t *testing.T) {
	root := filepath.Join(t.TempDir(), "odd[name]*") // characters of glob patterns
	if dirs, err := List(root); err != nil || len(dirs) > 0 {
		t.Fatalf("%v, %v", dirs, err)
	}
	day := time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)
	var want []string
	for i, name := range []string{"zeta", "alpha-run", "middle"} {
		d, err := Create(root, name, day.AddDate(0, 0, i))
		if err != nil {
			t.Fatal(err)
		}
		if err := d.WriteRun(Run{}); err != nil {
			t.Fatal(err)
		}
		want = append(want, d.ID())
		writeAll(t, d.Path(HollowFile(i)), []PodEvent{{At: 1}})
		if got := d.HollowFiles(); len(got) != 1 || got[0] != HollowFile(i) {
			t.Errorf("hollow files %v", got)
		}
	}
	if _, err := Create(root, "unwritten", day); err != nil {
		t.Fatal(err)
	}
	dirs, err := List(root)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, d := range dirs {
		got = append(got, d.ID())
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
