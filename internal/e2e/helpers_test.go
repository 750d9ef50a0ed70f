package e2e

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"windtunnel/results"
)

// long leaves a test that makes many runs to make test-long.
func long(t *testing.T) {
	t.Helper()
	if os.Getenv("WINDTUNNEL_LONG") == "" {
		t.Skip("it makes many runs: make test-long")
	}
}

// invocation is one windtunnel under test, in directories of its own.
type invocation struct {
	t              *testing.T
	cmd            *exec.Cmd
	root           string // results directory
	tmp            string // TMPDIR, which also marks its processes
	shm            []string
	stdout, stderr bytes.Buffer
	done           chan error
}

// windtunnel prepares an invocation; start or run it.
func windtunnel(t *testing.T, args ...string) *invocation {
	t.Helper()
	binary := os.Getenv("WINDTUNNEL")
	if binary == "" || os.Getenv("WINDTUNNEL_KUBE") == "" {
		t.Fatal("WINDTUNNEL and WINDTUNNEL_KUBE must name the built binaries: use make test")
	}
	w := &invocation{t: t, root: t.TempDir(), tmp: t.TempDir(), shm: memoryDirs(t), done: make(chan error, 1)}
	if args[0] == "run" || args[0] == "fidelity" {
		args = append(args, "--results", w.root)
	}
	w.cmd = exec.Command(binary, args...)
	w.cmd.Env = append(os.Environ(), "TMPDIR="+w.tmp)
	w.cmd.Dir = t.TempDir()
	w.cmd.Stdout, w.cmd.Stderr = &w.stdout, &w.stderr
	// A terminal's Ctrl-C goes to the whole process group; tests send it so.
	w.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return w
}

// run runs it to its end and checks the exit code, and that nothing is left.
func (w *invocation) run(code int) *invocation {
	w.t.Helper()
	w.start()
	w.wait(code)
	return w
}

func (w *invocation) start() {
	w.t.Helper()
	if err := w.cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	go func() { w.done <- w.cmd.Wait() }()
	w.t.Cleanup(func() {
		for _, pid := range w.processes() { // a failed test must not load the next one's machine
			syscall.Kill(pid, syscall.SIGKILL)
		}
	})
}

func (w *invocation) wait(code int) {
	w.t.Helper()
	select {
	case err := <-w.done:
		got := 0
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			got = exit.ExitCode()
		} else if err != nil {
			w.t.Fatal(err)
		}
		if got != code {
			w.t.Fatalf("exit code %d, want %d\nstdout:\n%s\nstderr:\n%s", got, code, &w.stdout, &w.stderr)
		}
	case <-time.After(5 * time.Minute):
		w.t.Fatalf("still running\nstderr:\n%s", &w.stderr)
	}
	w.nothingLeft()
}

// nothingLeft checks that no process and no temporary directory outlives the invocation by more than a few seconds.
func (w *invocation) nothingLeft() {
	w.t.Helper()
	left := func() string {
		var all []string
		for _, pid := range w.processes() {
			line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
			all = append(all, fmt.Sprintf("process %d: %s", pid, bytes.ReplaceAll(line, []byte{0}, []byte{' '})))
		}
		entries, _ := os.ReadDir(w.tmp)
		for _, e := range entries {
			all = append(all, filepath.Join(w.tmp, e.Name()))
		}
		for _, dir := range memoryDirs(w.t) {
			if !slices.Contains(w.shm, dir) && !w.another(dir) {
				all = append(all, dir)
			}
		}
		return strings.Join(all, "\n")
	}
	eventually(w.t, 30*time.Second, "nothing is left", func() bool { return left() == "" }, left)
}

// another says whether a directory belongs to a supervisor that lives and is not this invocation's: packages are tested side by side.
func (w *invocation) another(dir string) bool {
	var pid int
	if n, _ := fmt.Sscanf(filepath.Base(dir), "windtunnel-%d-", &pid); n != 1 {
		return false
	}
	_, err := os.Stat(fmt.Sprintf("/proc/%d", pid))
	return err == nil && !slices.Contains(w.processes(), pid)
}

// processes are those of this invocation: they inherit its TMPDIR.
func (w *invocation) processes() (pids []int) {
	mark := []byte("TMPDIR=" + w.tmp + "\x00")
	entries, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, path := range entries {
		environ, err := os.ReadFile(path)
		if err != nil || !bytes.Contains(environ, mark) {
			continue
		}
		var pid int
		fmt.Sscanf(path, "/proc/%d/environ", &pid)
		if stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid)); err != nil || bytes.Contains(stat, []byte(") Z ")) {
			continue // a zombie has ended; only its parent has not looked yet
		}
		pids = append(pids, pid)
	}
	return pids
}

func memoryDirs(t *testing.T) []string {
	t.Helper()
	dirs, err := filepath.Glob("/dev/shm/windtunnel-*")
	if err != nil {
		t.Fatal(err)
	}
	return dirs
}

// dir is the run directory.
func (w *invocation) dir() string {
	w.t.Helper()
	entries, err := os.ReadDir(w.root)
	if err != nil || len(entries) != 1 {
		w.t.Fatalf("want one run directory in %s, have %v (%v)\nstderr:\n%s", w.root, entries, err, &w.stderr)
	}
	return filepath.Join(w.root, entries[0].Name())
}

// record is run.json as it is now.
func (w *invocation) record() (run results.Run, ok bool) {
	paths, _ := filepath.Glob(filepath.Join(w.root, "*", "run.json"))
	if len(paths) == 0 {
		return run, false
	}
	data, err := os.ReadFile(paths[0])
	return run, err == nil && json.Unmarshal(data, &run) == nil
}

// untilPhase waits until a phase has begun.
func (w *invocation) untilPhase(name string) results.Run {
	w.t.Helper()
	var run results.Run
	eventually(w.t, 2*time.Minute, "phase "+name, func() (ok bool) {
		run, ok = w.record()
		return ok && slices.ContainsFunc(run.Phases, func(p results.PhaseSpan) bool { return p.Name == name })
	}, w.stderr.String)
	return run
}

// summary reads summary.json.
func (w *invocation) summary() results.Summary {
	w.t.Helper()
	dir, err := results.Open(w.dir())
	if err != nil {
		w.t.Fatal(err)
	}
	summary, err := dir.ReadSummary()
	if err != nil {
		w.t.Fatal(err)
	}
	return summary
}

func (w *invocation) says(want ...string) {
	w.t.Helper()
	for _, text := range want {
		if !strings.Contains(w.stderr.String()+w.stdout.String(), text) {
			w.t.Errorf("the output does not say %q:\n%s%s", text, &w.stdout, &w.stderr)
		}
	}
}

func eventually(t *testing.T, within time.Duration, what string, condition func() bool, state func() string) {
	t.Helper()
	for deadline := time.Now().Add(within); !condition(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s\n%s", within, what, state())
		}
	}
}

// requests are the records of a track, in the order of the plan.
func (w *invocation) requests(phase, track string) (all []results.Request) {
	w.t.Helper()
	for r, err := range results.Read[results.Request](filepath.Join(w.dir(), results.RequestsFile)) {
		if err != nil {
			w.t.Fatal(err)
		}
		if r.Phase == phase && r.Track == track {
			all = append(all, r)
		}
	}
	slices.SortStableFunc(all, func(a, b results.Request) int { return cmp.Compare(a.Planned, b.Planned) })
	return all
}
