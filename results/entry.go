package results

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// State says how far a run in the archive got and whether its directory can be read.
type State string

// The states. Every directory of an archive has one: none is passed over.
const (
	StateFinished   State = "finished"   // it ended by itself, whatever its outcome
	StateRunning    State = "running"    // the process that runs it is there
	StateUnfinished State = "unfinished" // its run.json has no end and no process holds it: it was killed
	StateDamaged    State = "damaged"    // run.json or summary.json cannot be read, or records were lost
)

// Entry is one run of an archive, as far as it can be told from its directory without reading its records.
type Entry struct {
	ID       string   `json:"id"`
	Path     string   `json:"path"`
	State    State    `json:"state"`
	Profile  string   `json:"profile"`
	Outcome  string   `json:"outcome"`           // of run.json
	Started  string   `json:"started"`           // RFC 3339; by the directory's name where run.json cannot be read
	Seconds  float64  `json:"seconds"`           // 0 while it is not known
	Verdict  Verdict  `json:"verdict,omitempty"` // of summary.json; empty where there is none yet
	Nodes    int      `json:"nodes"`
	Pods     int      `json:"pods"`
	Bytes    int64    `json:"bytes"`    // of all its files
	StartP99 *float64 `json:"startP99"` // seconds, 99th percentile of the pods' start-up; null when there are too few
	APIP99   *float64 `json:"apiP99"`   // seconds, the largest 99th percentile among API calls with at least 299 answers, by the API server's histogram
	Notes    []Note   `json:"notes"`
	Problems []string `json:"problems"` // what is damaged or missing
}

// Entries returns every run below root, oldest first by the time in their names: also those that are damaged, unfinished or
// still going on, which say so. A link to a run is that run. A folder counts as a run when it has a run.json, a folder of samples or a name as Create
// gives it; others are no runs. A root that is missing has none.
func Entries(root string) ([]Entry, error) {
	found, err := os.ReadDir(root)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list runs: %w", err)
	}
	var dirs []*Dir
	for _, f := range found {
		path := filepath.Join(root, f.Name())
		info, err := os.Stat(path)
		if err != nil || !info.IsDir() || !looksLikeRun(path) {
			continue
		}
		if f.Type()&fs.ModeSymlink != 0 { // else walking it would end at the link
			if path, err = filepath.EvalSymlinks(path); err != nil {
				return nil, fmt.Errorf("list runs: %w", err)
			}
		}
		if !slices.ContainsFunc(dirs, func(d *Dir) bool { return d.path == path }) {
			dirs = append(dirs, &Dir{path: path})
		}
	}
	sortByTime(dirs)
	entries := []Entry{}
	for _, d := range dirs {
		entries = append(entries, d.Entry())
	}
	return entries, nil
}

func looksLikeRun(path string) bool {
	name := filepath.Base(path)
	if strings.HasPrefix(name, ".") {
		return false // of an unpacking that did not end
	}
	for _, part := range []string{RunFile, "samples"} {
		if _, err := os.Lstat(filepath.Join(path, part)); err == nil {
			return true
		}
	}
	return startedByName(name) != ""
}

// startedByName is the time in a directory's name in RFC 3339, "" where there is none.
func startedByName(id string) string {
	t, err := time.Parse("20060102T150405Z", stamp(id))
	if err != nil {
		return ""
	}
	return t.Format(time.RFC3339)
}

// Entry says what can be told of the run without reading its records. Nothing that is wrong with the directory is an
// error: it is among the problems.
func (d *Dir) Entry() Entry {
	e := Entry{ID: d.ID(), Path: d.path, State: StateFinished, Notes: []Note{}, Problems: []string{}}
	problem := func(err error) {
		if err != nil {
			e.Problems = append(e.Problems, strings.ReplaceAll(err.Error(), d.path+string(filepath.Separator), ""))
		}
	}
	run, err := d.ReadRun()
	if err != nil {
		e.State, e.Started = StateDamaged, startedByName(d.ID())
		problem(err)
	} else {
		e.fromRun(run)
		if run.Ended == "" {
			e.State = StateUnfinished
		}
	}
	summary, err := d.ReadSummary()
	switch {
	case err == nil:
		e.fromSummary(summary)
	case !errors.Is(err, fs.ErrNotExist):
		e.State = StateDamaged
		problem(err)
	}
	if len(summary.Damage) > 0 {
		e.Problems = append(e.Problems, summary.Damage...)
		if e.State == StateFinished {
			e.State = StateDamaged
		}
	}
	if e.State != StateFinished && d.InUse() {
		e.State = StateRunning
	}
	notes, err := d.Notes()
	problem(err)
	e.Notes = append(e.Notes, notes...)
	e.Bytes, err = d.size()
	problem(err)
	return e
}

func (e *Entry) fromRun(run Run) {
	e.Profile, e.Outcome, e.Started = run.Name, run.Outcome, run.Started
	started, err1 := time.Parse(time.RFC3339, run.Started)
	ended, err2 := time.Parse(time.RFC3339, run.Ended)
	if err1 == nil && err2 == nil {
		e.Seconds = ended.Sub(started).Seconds()
	}
}

func (e *Entry) fromSummary(s Summary) {
	e.Verdict, e.Nodes, e.Pods = s.Verdict, s.Run.Nodes, s.Run.Pods
	if e.Seconds == 0 {
		e.Seconds = s.Run.Seconds
	}
	if q, ok := s.PodStartup["total"]; ok && q.N > 0 && q.P99.Least == 0 {
		e.StartP99 = &q.P99.Value
	}
	for _, r := range s.Server {
		if r.N >= enoughForP99 && r.P99 != nil && (e.APIP99 == nil || r.P99.Value > *e.APIP99) {
			e.APIP99 = &r.P99.Value
		}
	}
}

// enoughForP99 is the least number of answers at which, with none outside, 95 % confidence in 99 % can be had.
const enoughForP99 = 299

// size is the sum of the sizes of all files.
func (d *Dir) size() (int64, error) {
	var sum int64
	err := filepath.WalkDir(d.path, func(_ string, f fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if !f.Type().IsRegular() {
			return nil
		}
		info, err := f.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil // replaced meanwhile
		}
		if err == nil {
			sum += info.Size()
		}
		return err
	})
	if err != nil {
		return sum, fmt.Errorf("add up the sizes of the files: %w", err)
	}
	return sum, nil
}

// SortKey is what entries can be sorted by.
type SortKey string

// The sort keys. Those that are sizes and times come largest first, as one looks for the worst; names come A to Z and starts
// oldest first.
const (
	ByStarted  SortKey = "started"
	ByName     SortKey = "name"
	ByProfile  SortKey = "profile"
	ByVerdict  SortKey = "verdict" // the worst first: fail, invalid, no data, pass, not judged, none
	BySize     SortKey = "size"
	ByDuration SortKey = "duration"
	ByStartP99 SortKey = "start-p99"
	ByAPIP99   SortKey = "api-p99"
)

// SortKeys are all of them, in the order in which a help text names them.
func SortKeys() []SortKey {
	return []SortKey{ByStarted, ByName, ByProfile, ByVerdict, BySize, ByDuration, ByStartP99, ByAPIP99}
}

// SortEntries sorts by a key; those that are equal in it, or have no such figure and come last, stay as they were.
func SortEntries(entries []Entry, by SortKey) {
	number := func(get func(Entry) *float64) {
		slices.SortStableFunc(entries, func(a, b Entry) int { return largestFirst(get(a), get(b)) })
	}
	text := func(get func(Entry) string) {
		slices.SortStableFunc(entries, func(a, b Entry) int { return strings.Compare(get(a), get(b)) })
	}
	switch by {
	case ByStarted:
		text(func(e Entry) string { return e.Started })
	case ByName:
		text(func(e Entry) string { return e.ID })
	case ByProfile:
		text(func(e Entry) string { return e.Profile })
	case ByVerdict:
		slices.SortStableFunc(entries, func(a, b Entry) int { return severity(a.Verdict) - severity(b.Verdict) })
	case BySize:
		slices.SortStableFunc(entries, func(a, b Entry) int { return cmp.Compare(b.Bytes, a.Bytes) })
	case ByDuration:
		number(func(e Entry) *float64 { return &e.Seconds })
	case ByStartP99:
		number(func(e Entry) *float64 { return e.StartP99 })
	case ByAPIP99:
		number(func(e Entry) *float64 { return e.APIP99 })
	}
}

// largestFirst compares figures of which some are not known.
func largestFirst(a, b *float64) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return 1
	case b == nil:
		return -1
	}
	return cmp.Compare(*b, *a)
}

// severity orders verdicts, the worst first.
func severity(v Verdict) int {
	order := []Verdict{Fail, Invalid, NoData, Pass, NotJudged}
	if i := slices.Index(order, v); i >= 0 {
		return i
	}
	return len(order)
}
