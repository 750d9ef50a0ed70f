package results

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// storedRun makes a finished run directory with a few files, as run leaves it behind.
func storedRun(t testing.TB, root, name string, started time.Time) *Dir {
	t.Helper()
	d, err := Create(root, name, started)
	if err != nil {
		t.Fatal(err)
	}
	run := Run{Format: FormatVersion, ID: d.ID(), Name: name, Profile: json.RawMessage(`{}`), Outcome: "completed",
		Started: started.UTC().Format(time.RFC3339), Ended: started.Add(time.Minute).UTC().Format(time.RFC3339)}
	summary := Summary{Format: FormatVersion, Verdict: Pass, Run: RunInfo{Nodes: 10, Pods: 30},
		PodStartup: map[string]StageQuantiles{"total": {N: 30, P99: Bounds{Value: 1.5}}},
		Server:     []ServerRow{{N: 299, P99: &Bounds{Value: 0.25}}, {N: 298, P99: &Bounds{Value: 9}}, {N: 5000, P99: &Bounds{Value: 0.125}}}}
	if err := d.WriteRun(run); err != nil {
		t.Fatal(err)
	}
	if err := d.WriteSummary(summary); err != nil {
		t.Fatal(err)
	}
	data, _ := threeBatches(t)
	if err := d.WriteFile(NodesFile, data); err != nil {
		t.Fatal(err)
	}
	d.Release()
	return d
}

func entryOf(t *testing.T, root, id string) Entry {
	t.Helper()
	entries, err := Entries(root)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(entries, func(e Entry) bool { return e.ID == id })
	if i < 0 {
		t.Fatalf("%s is not listed", id)
	}
	return entries[i]
}

func TestEntriesPassesNothingOver(t *testing.T) {
	root := t.TempDir()
	at := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	whole := storedRun(t, root, "density", at)
	badRun := storedRun(t, root, "load", at.Add(time.Hour))
	badSummary := storedRun(t, root, "peak", at.Add(2*time.Hour))
	noRun := storedRun(t, root, "smoke", at.Add(3*time.Hour))
	newer := storedRun(t, root, "later", at.Add(4*time.Hour))
	killed := storedRun(t, root, "killed", at.Add(5*time.Hour))
	write := func(d *Dir, name, content string) {
		if err := os.WriteFile(d.Path(name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write(badRun, RunFile, `{"format": 1, "id`)
	write(badSummary, SummaryFile, "")
	if err := os.Remove(noRun.Path(RunFile)); err != nil {
		t.Fatal(err)
	}
	write(newer, RunFile, `{"format": 99}`)
	write(killed, RunFile, `{"format": 1, "outcome": "running"}`)
	if err := os.Remove(killed.Path(SummaryFile)); err != nil {
		t.Fatal(err)
	}
	for _, no := range []string{"no-run-at-all", ".unpack-1"} {
		if err := os.Mkdir(filepath.Join(root, no), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	want := []struct {
		d       *Dir
		state   State
		problem string
	}{{whole, StateFinished, ""}, {badRun, StateDamaged, "run.json"}, {badSummary, StateDamaged, "summary.json"},
		{noRun, StateDamaged, "run.json"}, {newer, StateDamaged, "newer"}, {killed, StateUnfinished, ""}}
	entries, err := Entries(root)
	if err != nil || len(entries) != len(want) {
		t.Fatalf("%d entries, error %v", len(entries), err)
	}
	for i, w := range want {
		e := entries[i]
		if e.ID != w.d.ID() || e.State != w.state || !strings.Contains(strings.Join(e.Problems, "\n"), w.problem) || (w.problem == "") != (len(e.Problems) == 0) {
			t.Errorf("entry %d is %s, %s, %q; want %s, %s, %q", i, e.ID, e.State, e.Problems, w.d.ID(), w.state, w.problem)
		}
		if strings.Contains(strings.Join(e.Problems, ""), root) {
			t.Errorf("a problem names the place of the archive: %q", e.Problems)
		}
		if e.Started == "" && w.d != newer && w.d != killed {
			t.Errorf("%s has no time", e.ID)
		}
	}
	e := entries[0]
	if e.Profile != "density" || e.Seconds != 60 || e.Verdict != Pass || e.Nodes != 10 || e.Pods != 30 || *e.StartP99 != 1.5 || *e.APIP99 != 0.25 {
		t.Errorf("%+v", e)
	}
	few := Summary{Format: FormatVersion, PodStartup: map[string]StageQuantiles{"total": {N: 3, P99: Bounds{Value: 1, Least: 100}}}}
	if err := killed.WriteSummary(few); err != nil {
		t.Fatal(err)
	}
	if e := entryOf(t, root, killed.ID()); e.StartP99 != nil {
		t.Errorf("a p99 of 3 pods: %v", *e.StartP99)
	}
	size := int64(0)
	for _, name := range []string{RunFile, SummaryFile, NodesFile} {
		info, err := os.Stat(whole.Path(name))
		if err != nil {
			t.Fatal(err)
		}
		size += info.Size()
	}
	if e.Bytes != size {
		t.Errorf("%d bytes, not %d", e.Bytes, size)
	}
}

func TestEntriesOfNothing(t *testing.T) {
	if entries, err := Entries(filepath.Join(t.TempDir(), "none")); err != nil || len(entries) != 0 {
		t.Errorf("%v, %v", entries, err)
	}
}

func TestRunningIsTold(t *testing.T) {
	root := t.TempDir()
	d, err := Create(root, "smoke", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if e := entryOf(t, root, d.ID()); e.State != StateRunning {
		t.Errorf("before run.json is there: %s", e.State)
	}
	if err := d.WriteRun(Run{Format: FormatVersion, Outcome: "running"}); err != nil {
		t.Fatal(err)
	}
	if e := entryOf(t, root, d.ID()); e.State != StateRunning {
		t.Errorf("while it runs: %s", e.State)
	}
	d.Release()
	if e := entryOf(t, root, d.ID()); e.State != StateUnfinished {
		t.Errorf("after its process is gone: %s", e.State)
	}
}

func TestSortEntries(t *testing.T) {
	number := func(v float64) *float64 { return &v }
	entries := []Entry{
		{ID: "a", Profile: "z", Started: "3", Verdict: Pass, Bytes: 1, Seconds: 1},
		{ID: "b", Profile: "y", Started: "1", Verdict: Fail, Bytes: 3, Seconds: 2, StartP99: number(1), APIP99: number(2)},
		{ID: "c", Profile: "x", Started: "2", Bytes: 2, Seconds: 3, StartP99: number(2), APIP99: number(1)},
	}
	want := map[SortKey]string{ByStarted: "bca", ByName: "abc", ByProfile: "cba", ByVerdict: "bac", BySize: "bca", ByDuration: "cba",
		ByStartP99: "cba", ByAPIP99: "bca"}
	for _, key := range SortKeys() {
		sorted := slices.Clone(entries)
		SortEntries(sorted, key)
		got := ""
		for _, e := range sorted {
			got += e.ID
		}
		if got != want[key] {
			t.Errorf("by %s: %s, not %s", key, got, want[key])
		}
	}
}

func TestNotes(t *testing.T) {
	d := storedRun(t, t.TempDir(), "density", time.Now())
	if notes, err := d.Notes(); len(notes) != 0 || err != nil {
		t.Errorf("%v, %v", notes, err)
	}
	at := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	for i, text := range []string{"  the disk was slow\n", "it holds 3 000 pods", "and\nmore"} {
		if err := d.AddNote(text, i == 1, at); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.AddNote(" \n", false, at); err == nil {
		t.Error("a note without a text was taken")
	}
	notes, err := d.Notes()
	want := []Note{{At: "2026-03-04T05:06:07Z", Text: "the disk was slow"}, {At: "2026-03-04T05:06:07Z", Text: "it holds 3 000 pods", Conclusion: true},
		{At: "2026-03-04T05:06:07Z", Text: "and\nmore"}}
	if err != nil || !slices.Equal(notes, want) || Conclusion(notes) != "it holds 3 000 pods" {
		t.Errorf("%v, %v", notes, err)
	}
}

// TestDamagedNotes: a writer that was killed leaves half a line, and the next note must not be lost with it.
func TestDamagedNotes(t *testing.T) {
	d := storedRun(t, t.TempDir(), "density", time.Now())
	if err := os.WriteFile(d.Path(NotesFile), []byte("{\"at\":\"x\",\"text\":\"one\"}\n\n{\"at\":\"y\",\"te"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := d.AddNote("two", false, time.Now()); err != nil {
		t.Fatal(err)
	}
	notes, err := d.Notes()
	if len(notes) != 2 || notes[0].Text != "one" || notes[1].Text != "two" {
		t.Errorf("%v", notes)
	}
	if err == nil || !strings.Contains(err.Error(), "notes.jsonl:3:") {
		t.Errorf("error %v does not name the line", err)
	}
	if e := d.Entry(); len(e.Problems) != 1 || len(e.Notes) != 2 {
		t.Errorf("%+v", e)
	}
}

// TestLinkedRun: a run that is linked into an archive is listed with all that it has.
func TestLinkedRun(t *testing.T) {
	root := t.TempDir()
	d := storedRun(t, t.TempDir(), "density", time.Now())
	if err := os.Symlink(d.Path(), filepath.Join(root, "linked")); err != nil {
		t.Fatal(err)
	}
	if e := entryOf(t, root, d.ID()); e.Bytes == 0 || e.Bytes != d.Entry().Bytes {
		t.Errorf("%d bytes, want %d", e.Bytes, d.Entry().Bytes)
	}
}

// TestCreateBesideLists: lists that look whether new runs are in use do not keep them from being made.
func TestCreateBesideLists(t *testing.T) {
	root := t.TempDir()
	done, lists := make(chan struct{}), sync.WaitGroup{}
	for range 4 {
		lists.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
					found, _ := os.ReadDir(root)
					for _, f := range found[max(0, len(found)-3):] {
						(&Dir{path: filepath.Join(root, f.Name())}).InUse()
					}
				}
			}
		})
	}
	for i := range 500 {
		d, err := Create(root, fmt.Sprintf("r%03d", i), packTime)
		if err != nil {
			t.Fatal(err)
		}
		if !d.InUse() {
			t.Fatal("a run that was made is not in use")
		}
		d.Release()
	}
	close(done)
	lists.Wait()
}
