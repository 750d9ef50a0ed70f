package results

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/google/go-cmp/cmp"
)

// exhibit makes the museum's run in the present format: go test ./results -run TestMuseum -exhibit
//
// It is done once for every version of the format, when it is new, and what is there is never written again: every later
// windtunnel has to read it.
var exhibit = flag.Bool("exhibit", false, "add a run in the present format to testdata/museum")

const museum = "testdata/museum"

// exhibited is what the runs of the museum hold, those of format 1 in all fields that it had.
func exhibited() (Run, Summary, []Note) {
	bound := 2.5
	run := Run{Format: FormatVersion, ID: "museum-20260102T030405Z-000000", Profile: json.RawMessage(`{"name":"museum"}`), Name: "museum", Seed: 7, Provider: "embedded",
		Started: "2026-01-02T03:04:05Z", ClockBase: 1234, Ended: "2026-01-02T03:05:05Z", Outcome: "completed", Versions: map[string]string{"kubernetes": "v1.36.3"},
		Machine: Machine{OS: "linux", Cores: 2, MemoryBytes: 8 << 30}, Command: []string{"windtunnel", "run"}, Components: []Component{{Name: "etcd", PID: 3, Args: []string{"--x"}, Log: "logs/etcd.log"}},
		Limits: map[string]float64{"qps": 5}, Phases: []PhaseSpan{{Name: "workload", Begin: 1e9, End: 2e9, Measured: true, Outcome: "ok"}}, Notes: []string{"a note"}, WatchGaps: 1}
	summary := Summary{Format: FormatVersion, Run: RunInfo{ID: run.ID, Profile: "museum", Seconds: 60, Nodes: 2, Pods: 3}, Verdict: Fail, Validity: Validity{Verdict: Pass},
		Requests: []RequestRow{{Verb: "GET", Resource: "pods", Scope: "resource", N: 5, P99: &Bounds{Value: 2, High: &bound}}}}
	return run, summary, []Note{{At: "2026-01-02T03:06:00Z", Text: "kept", Conclusion: true}}
}

func exhibitedRequests() []Request {
	return []Request{{Planned: 1, Sent: 2, FirstByte: 3, Done: 4, Phase: "workload", Track: "main", Verb: "PUT", Group: "apps", Version: "v1", Resource: "deployments", Subresource: "scale",
		Scope: "resource", Variant: "rmw", Object: "a/b", Code: 409, Error: "conflict", BytesOut: 5, BytesIn: 6, Attempt: 2, Identity: "windtunnel:user-0", FlowSchema: "f", PriorityLevel: "p",
		Part: 1, ResourceVersion: 7}, {Planned: 10, Verb: "LIST"}}
}

func exhibitedWatches() []WatchEvent {
	return []WatchEvent{{At: 1, ResourceVersion: 2, Phase: "workload", Track: "main", Watcher: 3, Group: "apps", Version: "v1", Resource: "deployments", Type: "ADDED", Bytes: 4}}
}

func exhibitedPods() []PodEvent {
	return []PodEvent{{At: 1, Source: "watch", Event: "created", Namespace: "n", Name: "p", UID: "u", Object: "web", Node: "hollow-0", Phase: "workload", Created: 1767323045}}
}

func exhibitedNodes() []NodeEvent { return []NodeEvent{{At: 1, Name: "hollow-0", Event: "ready"}} }

func exhibitedSamples() []ProcessSample {
	return []ProcessSample{{At: 1, Component: "etcd", PID: 3, CPUSeconds: 0.25, RSS: 5, PSS: 4, FDs: 6, Threads: 7}}
}

func exhibitedScrapes() []Scrape {
	return []Scrape{{At: 1, Component: "etcd", Phase: "workload", Mark: "begin", Body: []byte("up 1\n")}}
}

func exhibitedMetrics() []Metric {
	return []Metric{{At: 1, Component: "etcd", Name: "up", Labels: `{a="b"}`, Value: 1.5}}
}

func makeExhibit(t *testing.T) {
	dir := filepath.Join(museum, fmt.Sprintf("format-%d", FormatVersion))
	if _, err := os.Stat(dir); err == nil {
		t.Fatalf("%s is there already and stays as it is", dir)
	}
	d, err := Create(filepath.Join(dir, "tmp"), "museum", time.Unix(0, 0))
	if err != nil {
		t.Fatal(err)
	}
	run, summary, notes := exhibited()
	clock := ClockAt(run.ClockBase)
	err = errors.Join(d.WriteRun(run), d.WriteSummary(summary), d.AddNote(notes[0].Text, true, time.Date(2026, 1, 2, 3, 6, 0, 0, time.UTC)),
		store(d.Path(RequestsFile), clock, exhibitedRequests()), store(d.Path(WatchesFile), clock, exhibitedWatches()), store(d.Path(PodsFile), clock, exhibitedPods()),
		store(d.Path(HollowFile(0)), clock, exhibitedPods()), store(d.Path(NodesFile), clock, exhibitedNodes()), store(d.Path(ProcessesFile), clock, exhibitedSamples()),
		store(d.Path(ScrapesFile), clock, exhibitedScrapes()), store(d.Path(MetricsFile), clock, exhibitedMetrics()),
		os.Remove(d.Path("logs")), os.Remove(d.Path("profiles")))
	d.Release()
	final := &Dir{path: filepath.Join(dir, run.ID)}
	err = errors.Join(err, os.Rename(d.Path(), final.path), os.Remove(filepath.Join(dir, "tmp")))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, run.ID+PackSuffix), packOf(t, final), 0o644); err != nil {
		t.Fatal(err)
	}
}

func store[T Record](path string, clock Clock, rs []T) error {
	w, err := NewWriter[T](path, WithClock(clock))
	if err != nil {
		return err
	}
	for _, r := range rs {
		w.Append(r)
	}
	return w.Close()
}

// TestMuseum reads a run of every format there ever was, as a directory and out of its pack.
func TestMuseum(t *testing.T) {
	if *exhibit {
		makeExhibit(t)
	}
	for format := 1; format <= FormatVersion; format++ {
		dir := filepath.Join(museum, fmt.Sprintf("format-%d", format))
		found, err := filepath.Glob(filepath.Join(dir, "*", RunFile))
		packs, err2 := filepath.Glob(filepath.Join(dir, "*"+PackSuffix))
		if err != nil || err2 != nil || len(found) == 0 || len(packs) == 0 {
			t.Fatalf("the museum has no run of format %d: go test ./results -run TestMuseum -exhibit", format)
		}
		root := t.TempDir()
		for _, pack := range packs {
			data, err := os.ReadFile(pack)
			if err != nil {
				t.Fatal(err)
			}
			runs, err := Unpack(bytes.NewReader(data), root, UnpackLimits{})
			if err != nil {
				t.Fatal(err)
			}
			found = append(found, runs[0].Path(RunFile))
		}
		for _, file := range found {
			d, err := Open(filepath.Dir(file))
			if err != nil {
				t.Fatal(err)
			}
			visit(t, d)
		}
	}
}

// visit compares one run of the museum with what it was made of.
func visit(t *testing.T, d *Dir) {
	t.Helper()
	run, summary, notes := exhibited()
	gotRun, err1 := d.ReadRun()
	gotSummary, err2 := d.ReadSummary()
	gotNotes, err3 := d.Notes()
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, gotRun.Profile); err != nil {
		t.Fatal(err)
	}
	gotRun.Profile = compact.Bytes()
	run.Format, summary.Format = gotRun.Format, gotSummary.Format
	for _, diff := range []string{cmp.Diff(run, gotRun), cmp.Diff(summary, gotSummary), cmp.Diff(notes, gotNotes)} {
		if diff != "" {
			t.Errorf("%s: %s", d.path, diff)
		}
	}
	reads(t, d.Path(RequestsFile), exhibitedRequests())
	reads(t, d.Path(WatchesFile), exhibitedWatches())
	reads(t, d.Path(PodsFile), exhibitedPods())
	reads(t, d.Path(HollowFile(0)), exhibitedPods())
	reads(t, d.Path(NodesFile), exhibitedNodes())
	reads(t, d.Path(ProcessesFile), exhibitedSamples())
	reads(t, d.Path(ScrapesFile), exhibitedScrapes())
	reads(t, d.Path(MetricsFile), exhibitedMetrics())
	for _, file := range d.StreamFiles() { // as an export reads them
		s, err := OpenStream(d.Path(file))
		if err != nil {
			t.Fatal(err)
		}
		if base, _ := s.Schema.Metadata().GetValue(metaClockBase); base != "1234" {
			t.Errorf("%s: clock base %q", file, base)
		}
		for _, err := range s.Batches() {
			if err != nil {
				t.Error(err)
			}
		}
	}
}

func reads[T Record](t *testing.T, path string, want []T) {
	t.Helper()
	got, err := collect[T](t, path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s: %s", path, diff)
	}
}

// TestNewerFormatIsRefused: a column may mean something else there.
func TestNewerFormatIsRefused(t *testing.T) {
	old := schemaOf(columnsOf[NodeEvent](), nil)
	keys, values := old.Metadata().Keys(), slices.Clone(old.Metadata().Values())
	values[slices.Index(keys, metaFormat)] = fmt.Sprint(FormatVersion + 1)
	meta := arrow.NewMetadata(keys, values)
	var b bytes.Buffer
	if err := ipc.NewWriter(&b, ipc.WithSchema(arrow.NewSchema(old.Fields(), &meta))).Close(); err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf(`has format "%d"; this windtunnel reads up to %d`, FormatVersion+1, FormatVersion)
	var damage *Damage
	if _, err := readBytes[NodeEvent](b.Bytes()); !errors.As(err, &damage) || damage.Kind != WrongSchema || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v", err)
	}
	d := storedRun(t, t.TempDir(), "later", time.Now())
	if err := errors.Join(d.WriteFile(RunFile, []byte(`{"format":2}`)), d.WriteFile(SummaryFile, []byte(`{"format":2}`))); err != nil {
		t.Fatal(err)
	}
	_, err1 := d.ReadRun()
	_, err2 := d.ReadSummary()
	for _, err := range []error{err1, err2} {
		if err == nil || !strings.Contains(err.Error(), "newer than this windtunnel's 1: read it with the version that wrote it") {
			t.Errorf("error %v", err)
		}
	}
}

// FuzzRunFiles gives the readers of run.json, summary.json and notes.jsonl anything: an entry of the list comes out of it,
// and no crash.
func FuzzRunFiles(f *testing.F) {
	run, summary, _ := exhibited()
	r, _ := json.Marshal(run)
	s, _ := json.Marshal(summary)
	f.Add(r, s, []byte(`{"at":"x","text":"y"}`))
	f.Add([]byte(`{"format":99}`), []byte("null"), []byte("\n\n{"))
	f.Add([]byte(`{"started":"2026-01-02T03:04:05Z","ended":"0001-01-01T00:00:00Z"}`), []byte(`{"server":[{"n":299,"p99":null}],"podStartup":{"total":{"n":1}}}`), []byte(""))
	f.Fuzz(func(t *testing.T, run, summary, notes []byte) {
		d := &Dir{path: t.TempDir()}
		for name, data := range map[string][]byte{RunFile: run, SummaryFile: summary, NotesFile: notes} {
			if err := os.WriteFile(d.Path(name), data, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		e := d.Entry()
		if !json.Valid(run) && e.State != StateDamaged || e.State == StateDamaged && len(e.Problems) == 0 {
			t.Fatalf("%+v", e)
		}
	})
}
