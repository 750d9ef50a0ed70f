package supervise

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// told is what a harness in a process of its own told: the pids of the supervisor and its children, the directories.
type told struct {
	cmd  *exec.Cmd
	dir  string
	pids []int
	dirs []string
}

func startHarness(t *testing.T) told {
	t.Helper()
	h := told{dir: t.TempDir()}
	h.cmd = exec.Command(os.Args[0])
	h.cmd.Env = append(os.Environ(), asHarness+"="+h.dir)
	h.cmd.Stderr = os.Stderr
	h.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // as a shell does with what runs in the foreground
	if err := h.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = h.cmd.Process.Kill()
		_ = h.cmd.Wait()
	})
	file := filepath.Join(h.dir, "told")
	eventually(t, "the harness is up", func() bool { return exists(file) })
	lines := strings.Split(readLog(t, file), "\n")
	for _, s := range strings.Fields(lines[0]) {
		pid, err := strconv.Atoi(s)
		if err != nil {
			t.Fatal(err)
		}
		h.pids = append(h.pids, pid)
	}
	h.dirs = lines[1:]
	if len(h.pids) != 3 || len(h.dirs) != 2 || !exists(h.dirs[0]) || !exists(h.dirs[1]) {
		t.Fatalf("told %v %v", h.pids, h.dirs)
	}
	return h
}

func TestNothingIsLeftOfAKilledHarness(t *testing.T) {
	h := startHarness(t)
	if err := h.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	for _, pid := range h.pids {
		eventually(t, "process "+strconv.Itoa(pid)+" is gone", func() bool { return !running(pid) })
	}
	for _, dir := range h.dirs {
		if exists(dir) {
			t.Errorf("%s is left", dir)
		}
	}
}

func TestCtrlCReachesTheHarnessOnly(t *testing.T) {
	h := startHarness(t)
	if err := syscall.Kill(-h.cmd.Process.Pid, syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the harness got it", func() bool { return exists(filepath.Join(h.dir, "int-harness")) })
	for _, pid := range h.pids {
		if !running(pid) {
			t.Errorf("process %d is gone", pid)
		}
		group, err := syscall.Getpgid(pid)
		if err != nil || group == h.cmd.Process.Pid {
			t.Errorf("process %d is in the harness' group %d: %v", pid, group, err)
		}
	}
	if exists(filepath.Join(h.dir, "int-child")) {
		t.Error("a child got it")
	}
}

func TestAKilledSupervisorTakesItsChildrenAndTheNextSweeps(t *testing.T) {
	other := start(t)
	sup, err := Start(t.Context(), options())
	if err != nil {
		t.Fatal(err)
	}
	p := launch(t, sup, Spec{Name: "orphan"}, `trap '' TERM HUP; `+forever)
	if err := syscall.Kill(sup.PID(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	exit := <-sup.Exits()
	if exit.Name != SupervisorName || exit.Asked {
		t.Errorf("exit %+v", exit)
	}
	if _, open := <-sup.Exits(); open {
		t.Error("exits go on after the supervisor's end")
	}
	eventually(t, "the child is gone", func() bool { return !running(p.PID) })
	if !exists(sup.Dirs().Disk) {
		t.Fatal("the directory should still be there for the next to sweep")
	}
	next := start(t)
	for _, dir := range []string{sup.Dirs().Disk, sup.Dirs().Memory} {
		if exists(dir) {
			t.Errorf("%s was not swept", dir)
		}
	}
	for _, s := range []*Supervisor{other, next} {
		if !exists(s.Dirs().Disk) || !exists(s.Dirs().Memory) {
			t.Error("the directory of a live supervisor was swept")
		}
	}
	if err := sup.Close(t.Context()); err != nil {
		t.Errorf("close of a dead one: %v", err)
	}
}

func TestCloseCleansUpAfterADeadSupervisor(t *testing.T) {
	sup, err := Start(t.Context(), options())
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(sup.PID(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if err := sup.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if exists(sup.Dirs().Disk) || exists(sup.Dirs().Memory) {
		t.Error("a directory is left")
	}
}

func TestSweepSparesWhatMayBeInUse(t *testing.T) {
	base := t.TempDir()
	dead := exec.Command("true")
	if err := dead.Run(); err != nil {
		t.Fatal(err)
	}
	name := func(pid int, start uint64, rest string) string {
		return filepath.Join(base, dirPrefix+strconv.Itoa(pid)+"-"+strconv.FormatUint(start, 10)+rest)
	}
	start, err := startTime(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	pid := dead.Process.Pid
	spared := []string{
		name(os.Getpid(), start, "-1"), // ours
		name(pid, 1, "-locked"),        // of another namespace
		name(pid, 1, "-young"),         // not locked yet
		filepath.Join(base, "windtunnel-notes"),
		filepath.Join(base, "other"),
	}
	swept := []string{name(pid, 1, "-unlocked"), name(os.Getpid(), start+1, "-reused"), name(pid, 1, "-old")}
	for _, dir := range append(spared, swept...) {
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for _, dir := range []string{spared[0], spared[1], swept[0], swept[1]} {
		f, err := lockFile(filepath.Join(dir, lockName), os.O_CREATE)
		if err != nil {
			t.Fatal(err)
		}
		if dir == spared[1] {
			defer f.Close()
		} else {
			f.Close()
		}
	}
	old := time.Now().Add(-time.Hour)
	if err := os.Chtimes(swept[2], old, old); err != nil {
		t.Fatal(err)
	}
	link := name(pid, 1, "-link")
	if err := os.Symlink(t.TempDir(), link); err != nil {
		t.Fatal(err)
	}
	sweep(base)
	for _, dir := range append(spared, link) {
		if !exists(dir) {
			t.Errorf("%s was swept", dir)
		}
	}
	for _, dir := range swept {
		if exists(dir) {
			t.Errorf("%s is left", dir)
		}
	}
}

func TestStartSaysWhyItCannot(t *testing.T) {
	opts := options()
	opts.Env = append(opts.Env, "TMPDIR=/nonexistent")
	if _, err := Start(t.Context(), opts); err == nil || !strings.Contains(err.Error(), "/nonexistent") {
		t.Errorf("no temporary directory: %v", err)
	}
	if _, err := Start(t.Context(), Options{Executable: "/nonexistent"}); err == nil {
		t.Error("no program, and it started")
	}
	log := filepath.Join(t.TempDir(), "log")
	_, err := Start(t.Context(), Options{Executable: "/bin/sh", Args: []string{"-c", "echo unheard of >&2; exit 7"}, Log: log})
	if err == nil || !strings.Contains(err.Error(), "exit status 7") || !strings.Contains(err.Error(), "unheard of") {
		t.Errorf("a program that is none: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := Start(ctx, Options{Executable: "/bin/sleep", Args: []string{"1000"}}); err == nil {
		t.Error("a program that says nothing was taken for a supervisor")
	}
}

func TestASilentReaderStopsNothing(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	o := newOutbox(w)
	for range 10000 { // far more than a pipe holds
		o.send(message{Error: strings.Repeat("x", 100)})
	}
	o.close(time.Millisecond)
}

// TestStartGivenUp: an interrupt at any instant of the start leaves no directory, also before it was said where they are.
func TestStartGivenUp(t *testing.T) {
	for patience := time.Duration(0); patience < 40*time.Millisecond; patience += 500 * time.Microsecond {
		disk := t.TempDir()
		opts := options()
		opts.Env = append(opts.Env, "TMPDIR="+disk)
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		sup, err := Start(ctx, opts)
		cancel()
		if err == nil {
			err = sup.Close(context.Background())
		} else if errors.Is(err, context.DeadlineExceeded) {
			err = nil
		}
		if err != nil {
			t.Errorf("given up after %v: %v", patience, err)
		}
		if entries, _ := os.ReadDir(disk); len(entries) > 0 {
			t.Fatalf("given up after %v: %v is left", patience, entries)
		}
	}
}
