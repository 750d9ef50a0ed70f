package results

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// The files and folders of a run directory that have a fixed name.
const (
	RunFile     = "run.json"
	SummaryFile = "summary.json"
	NotesFile   = "notes.jsonl"

	RequestsFile  = "samples/requests.arrows"
	WatchesFile   = "samples/watches.arrows"
	PodsFile      = "samples/pods.arrows"
	NodesFile     = "samples/nodes.arrows"
	ProcessesFile = "series/processes.arrows"
	ScrapesFile   = "series/scrapes.arrows"
	MetricsFile   = "series/metrics.arrows" // absent in runs of windtunnels that did not write it yet

	// ObjectsFile has the transitions of objects that measurements of a script follow; a run without a script has none.
	ObjectsFile = "samples/objects.arrows"
	// BystanderFile has the requests of the bystander, which is there on a cluster that others use as well.
	BystanderFile = "samples/bystander.arrows"

	// AuditFile is the API server's audit log, which is there when the profile asks for it.
	AuditFile = "logs/audit.log"
)

// HollowFile is the file of the container runtime's pod events of one shard of hollow nodes.
func HollowFile(shard int) string { return fmt.Sprintf("samples/hollow-%d.arrows", shard) }

// hollowPattern matches every HollowFile.
const hollowPattern = "samples/hollow-*.arrows"

// Dir is a run directory: one run's records, logs, profiles and results. Folders are made with mode 0755 and files with
// 0644: a run directory is there to be passed on, and nothing secret (keys, tokens, kubeconfigs) is ever written to it.
type Dir struct {
	path  string
	claim *os.File // of the process that created it, until it ends or calls Release; nil for one that was opened
}

// Create makes a new run directory <name>-<UTC time>-<6 hex digits> below root, with its folders samples, series, logs
// and profiles; root is made where it is missing. The name must be usable as one element of a path. The directory counts
// as in use until this process ends or calls Release.
func Create(root, name string, now time.Time) (*Dir, error) {
	return create(root, name, now, "samples", "series", "logs", "profiles")
}

func create(root, name string, now time.Time, folders ...string) (*Dir, error) {
	if name == "" || strings.ContainsAny(name, "/\\\x00") || strings.HasPrefix(name, ".") {
		return nil, fmt.Errorf("create run directory: %q cannot begin the name of a directory", name)
	}
	if err := os.MkdirAll(root, 0o755); err != nil {
		return nil, fmt.Errorf("create run directory: %w", err)
	}
	for {
		var random [3]byte
		rand.Read(random[:]) // never fails
		id := fmt.Sprintf("%s-%s-%s", name, now.UTC().Format("20060102T150405Z"), hex.EncodeToString(random[:]))
		d := &Dir{path: filepath.Join(root, id)}
		err := os.Mkdir(d.path, 0o755)
		if errors.Is(err, fs.ErrExist) {
			continue // one in 16 million, and only within the same second
		}
		if err != nil {
			return nil, fmt.Errorf("create run directory: %w", err)
		}
		// A list that looks whether the new directory is in use holds it for a moment: wait for that.
		if d.claim, err = lock(d.path, unix.LOCK_EX); err != nil {
			return nil, fmt.Errorf("create run directory: %w", err)
		}
		for _, sub := range folders {
			if err := os.Mkdir(d.Path(sub), 0o755); err != nil {
				return nil, fmt.Errorf("create run directory: %w", err)
			}
		}
		return d, nil
	}
}

// CreateSearch makes a directory <name>-<UTC time>-<6 hex digits> below root for something that holds run directories, with a
// folder runs. The name must be usable as one element of a path. It counts as in use until this process ends or calls Release.
func CreateSearch(root, name string, now time.Time) (*Dir, error) {
	return create(root, name, now, "runs")
}

// Open returns the run directory at path, or that a symbolic link at path leads to. It must hold a run.json, whether or not
// that can be read.
func Open(path string) (*Dir, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("open run directory %s: %w", path, err)
	}
	if info, err := os.Stat(abs); err == nil && info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is a file, not a run directory%s", path, packHint(abs))
	}
	if _, err := os.Stat(filepath.Join(abs, RunFile)); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("%s is not a run directory: it has no %s: %w", path, RunFile, fs.ErrNotExist)
		}
		return nil, fmt.Errorf("open run directory %s: %w", path, err)
	}
	if abs, err = filepath.EvalSymlinks(abs); err != nil {
		return nil, fmt.Errorf("open run directory %s: %w", path, err)
	}
	return &Dir{path: abs}, nil
}

// List returns the run directories below root, oldest first by the time in their names. A root that is missing has none.
func List(root string) ([]*Dir, error) {
	found, err := filepath.Glob(filepath.Join(globQuote(root), "*", RunFile))
	if err != nil {
		return nil, fmt.Errorf("list runs in %s: %w", root, err)
	}
	var dirs []*Dir
	for _, file := range found {
		d, err := Open(filepath.Dir(file))
		if err != nil {
			return nil, err
		}
		dirs = append(dirs, d)
	}
	sortByTime(dirs)
	return dirs, nil
}

// ID is the directory's own name, which identifies the run.
func (d *Dir) ID() string { return filepath.Base(d.path) }

// Path joins elem to the directory's path; without arguments it is the directory itself.
func (d *Dir) Path(elem ...string) string {
	return filepath.Join(append([]string{d.path}, elem...)...)
}

// HollowFiles are the paths of the runtime records of all shards, relative to the directory, in order of their names.
func (d *Dir) HollowFiles() []string {
	found, _ := filepath.Glob(d.globPath(hollowPattern)) // the pattern is a constant: it cannot be malformed
	for i, f := range found {
		found[i] = "samples/" + filepath.Base(f)
	}
	return found
}

// WriteRun replaces run.json. A reader sees the old or the new one, never half of it, also when the machine fails.
func (d *Dir) WriteRun(r Run) error { return d.writeJSON(RunFile, r) }

// ReadRun returns run.json. A version of the format that is newer than FormatVersion is an error.
func (d *Dir) ReadRun() (Run, error) {
	var r Run
	if err := d.readJSON(RunFile, &r); err != nil {
		return Run{}, err
	}
	return r, checkFormat(d.Path(RunFile), r.Format)
}

// WriteSummary replaces summary.json, as WriteRun does.
func (d *Dir) WriteSummary(s Summary) error { return d.writeJSON(SummaryFile, s) }

// ReadSummary returns summary.json. A version of the format that is newer than FormatVersion is an error.
func (d *Dir) ReadSummary() (Summary, error) {
	var s Summary
	if err := d.readJSON(SummaryFile, &s); err != nil {
		return Summary{}, err
	}
	return s, checkFormat(d.Path(SummaryFile), s.Format)
}

// WriteFile replaces a file of the directory, as ReplaceFile does.
func (d *Dir) WriteFile(name string, data []byte) error { return ReplaceFile(d.Path(name), data) }

// ReplaceFile replaces a file as a whole: a temporary file beside it is filled, flushed and renamed.
func ReplaceFile(target string, data []byte) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("write %s: %w", target, err)
		}
	}()
	f, err := os.CreateTemp(filepath.Dir(target), "."+filepath.Base(target)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // after the rename there is nothing left to remove
	_, werr := f.Write(data)
	if err := errors.Join(werr, f.Chmod(0o644), f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), target)
}

func (d *Dir) writeJSON(name string, v any) error {
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("write %s: %w", d.Path(name), err)
	}
	return d.WriteFile(name, append(data, '\n'))
}

func (d *Dir) readJSON(name string, v any) error {
	data, err := os.ReadFile(d.Path(name))
	if err != nil {
		return fmt.Errorf("read run: %w", err)
	}
	if err := json.Unmarshal(data, v); err != nil {
		return fmt.Errorf("read %s: %w", d.Path(name), err)
	}
	return nil
}

// checkFormat refuses what a newer windtunnel wrote: a column or field may mean something else there.
func checkFormat(path string, format int) error {
	if format > FormatVersion {
		return fmt.Errorf("%s has format %d, newer than this windtunnel's %d: read it with the version that wrote it", path, format, FormatVersion)
	}
	return nil
}
