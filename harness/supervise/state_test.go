package supervise

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// detached starts a supervisor with a child and detaches it.
func detached(t *testing.T, grace time.Duration, script string) (file string, p Process, dirs Dirs) {
	t.Helper()
	sup, err := Start(t.Context(), options())
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	log := filepath.Join(dir, "server.log")
	p = launch(t, sup, Spec{Name: "server", Grace: grace, Log: log}, script)
	eventually(t, "the child is up", func() bool { return exists(log) && readLog(t, log) == "up" })
	file = filepath.Join(dir, "state.json")
	if err := sup.Detach(t.Context(), file, map[string]string{"server": "https://127.0.0.1:1"}); err != nil {
		t.Fatal(err)
	}
	if err := sup.Close(t.Context()); err != nil {
		t.Errorf("close after detach: %v", err)
	}
	t.Cleanup(func() {
		if st, err := ReadState(file); err == nil && st.Alive() {
			_ = syscall.Kill(st.PID, syscall.SIGKILL)
		}
	})
	return file, p, sup.Dirs()
}

func TestDetachLivesOnAndDownEndsIt(t *testing.T) {
	file, p, dirs := detached(t, 0, "echo up; "+forever)
	st, err := ReadState(file)
	if err != nil {
		t.Fatal(err)
	}
	if !st.Alive() || !running(p.PID) || st.Dirs != dirs || st.Info["server"] != "https://127.0.0.1:1" {
		t.Errorf("state %+v", st)
	}
	if len(st.Processes) != 1 || st.Processes[0].PID != p.PID || st.Processes[0].Exit != "" {
		t.Errorf("processes %+v", st.Processes)
	}
	if err := Down(t.Context(), file); err != nil {
		t.Fatal(err)
	}
	if st.Alive() || running(p.PID) || exists(dirs.Disk) || exists(dirs.Memory) || exists(file) {
		t.Error("something is left")
	}
	if err := Down(t.Context(), file); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("down of nothing: %v", err)
	}
}

func TestStateFileTellsOfAnExit(t *testing.T) {
	file, p, _ := detached(t, 0, "echo up; "+forever)
	if err := syscall.Kill(p.PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the state file tells", func() bool {
		st, err := ReadState(file)
		return err == nil && strings.Contains(st.Processes[0].Exit, "killed")
	})
	if err := Down(t.Context(), file); err != nil {
		t.Error(err)
	}
}

func TestDownKillsWhenItsTimeIsOver(t *testing.T) {
	file, p, dirs := detached(t, time.Hour, "trap '' TERM; echo up; "+forever)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := Down(ctx, file); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the child is gone", func() bool { return !running(p.PID) })
	if exists(dirs.Disk) || exists(dirs.Memory) || exists(file) {
		t.Error("something is left")
	}
}

func TestDownTouchesNoStranger(t *testing.T) {
	stranger := t.TempDir() // no supervisor's directory by its name
	dir := t.TempDir()
	st := State{PID: os.Getpid(), Start: 1, Dirs: Dirs{Disk: stranger, Memory: "/"}}
	file := filepath.Join(dir, "state.json")
	if err := st.write(file); err != nil {
		t.Fatal(err)
	}
	if err := Down(t.Context(), file); err != nil { // SIGTERM would have ended this test
		t.Fatal(err)
	}
	if !exists(stranger) || exists(file) {
		t.Error("the wrong things were removed")
	}
	if err := os.WriteFile(file, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Down(t.Context(), file); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("a damaged state file: %v", err)
	}
}

func TestDetachRefusesAStateFileInUse(t *testing.T) {
	file, _, _ := detached(t, 0, "echo up; "+forever)
	sup := start(t)
	if err := sup.Detach(t.Context(), file, nil); err == nil || !strings.Contains(err.Error(), "running") {
		t.Errorf("detach: %v", err)
	}
	if err := sup.Detach(t.Context(), "/nonexistent/state", nil); err == nil {
		t.Error("detached without a state file")
	}
	if err := Down(t.Context(), file); err != nil {
		t.Error(err)
	}
}
