package supervise

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

const forever = `while :; do sleep 0.02; done`

func TestExitTellsCodeTailAndLog(t *testing.T) {
	sup := start(t)
	log := filepath.Join(t.TempDir(), "flaky.log")
	for life, want := range []string{"first", "second"} {
		p := launch(t, sup, Spec{Name: "flaky", Log: log}, "echo "+want+" life; exit "+strconv.Itoa(life+3))
		exit := <-sup.Exits()
		if exit.Name != "flaky" || exit.PID != p.PID || exit.Code != life+3 || exit.Asked || exit.Signal != "" {
			t.Errorf("exit %+v of process %d", exit, p.PID)
		}
		if got := strings.Join(exit.Tail, "|"); got != want+" life" {
			t.Errorf("tail %q shows another life", got)
		}
		if again, err := sup.Wait(t.Context(), "flaky"); err != nil || again.PID != p.PID {
			t.Errorf("Wait: %+v, %v", again, err)
		}
	}
	if got := readLog(t, log); got != "first life\nsecond life" {
		t.Errorf("log %q", got)
	}
}

func TestFailureNamesComponentReasonAndLog(t *testing.T) {
	sup := start(t)
	log := filepath.Join(t.TempDir(), "etcd.log")
	launch(t, sup, Spec{Name: "etcd", Log: log}, "seq 1 50; echo no such flag >&2; exit 2")
	exit, err := sup.Wait(t.Context(), "etcd")
	if err != nil {
		t.Fatal(err)
	}
	failure := fmt.Errorf("boot: %w", exit.Failure())
	var component *ComponentError
	if !errors.As(failure, &component) || len(component.Tail) != tailLines {
		t.Fatalf("%#v", failure)
	}
	for _, want := range []string{"etcd: exit status 2", "no such flag", "\n    50\n", log} {
		if !strings.Contains(failure.Error(), want) {
			t.Errorf("%q is not in: %v", want, failure)
		}
	}
}

func TestTailBeginsWithThePanic(t *testing.T) {
	log := filepath.Join(t.TempDir(), "log")
	text := "start\npanic: nil map\n\ngoroutine 1:\n" + strings.Repeat("\tframe\n", 100)
	if err := os.WriteFile(log, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if tail := Tail(log, 0); len(tail) != tailLines || tail[0] != "panic: nil map" {
		t.Errorf("%q", tail)
	}
	if tail := Tail(log, int64(len(text))); tail != nil {
		t.Errorf("nothing was written since, yet there is %q", tail)
	}
}

func TestLaunchRefuses(t *testing.T) {
	sup := start(t)
	check := func(what, want string, spec Spec) {
		t.Helper()
		if _, err := sup.Launch(t.Context(), spec); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", what, err)
		}
	}
	launch(t, sup, Spec{Name: "busy"}, forever)
	check("a name in use", "start busy: already running", Spec{Name: "busy", Argv: []string{"true"}})
	check("no such program", "start ghost: ", Spec{Name: "ghost", Argv: []string{"/nonexistent/program"}})
	check("no program", "no program given", Spec{Name: "empty"})
	check("no name", "needs a name", Spec{Argv: []string{"true"}})
	check("no place for the log", "open log", Spec{Name: "mute", Argv: []string{"true"}, Log: "/nonexistent/log"})
}

func TestStopOfWhatNeverRan(t *testing.T) {
	sup := start(t)
	if err := sup.Stop(t.Context(), "nobody"); err != nil {
		t.Error(err)
	}
	if err := sup.Signal(t.Context(), "nobody", syscall.SIGTERM); err == nil {
		t.Error("a signal to nobody arrived")
	}
	if _, err := sup.Wait(t.Context(), "nobody"); err == nil {
		t.Error("nobody has ended")
	}
	launch(t, sup, Spec{Name: "short"}, "exit 0")
	if _, err := sup.Wait(t.Context(), "short"); err != nil {
		t.Fatal(err)
	}
	if err := sup.Stop(t.Context(), "short"); err != nil {
		t.Error(err)
	}
}

func TestStopKillsWhatIgnoresTerm(t *testing.T) {
	sup := start(t)
	log := filepath.Join(t.TempDir(), "log")
	// The grandchild would outlive a signal to the leader alone.
	launch(t, sup, Spec{Name: "deaf", Log: log, Grace: 100 * time.Millisecond}, `trap '' TERM; sleep 1000 & echo $!; `+forever)
	eventually(t, "the child is up", func() bool { return readLog(t, log) != "" })
	if err := sup.Stop(t.Context(), "deaf"); err != nil {
		t.Fatal(err)
	}
	exit, ok := sup.Exited("deaf")
	if !ok || exit.Signal != "killed" || !exit.Asked {
		t.Errorf("exit %+v", exit)
	}
	grandchild, err := strconv.Atoi(readLog(t, log))
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the grandchild is gone", func() bool { return !running(grandchild) })
}

func TestAGrandchildGoesWithItsParent(t *testing.T) {
	sup := start(t)
	log := filepath.Join(t.TempDir(), "log")
	launch(t, sup, Spec{Name: "father", Log: log}, `sleep 1000 & echo $!`)
	if _, err := sup.Wait(t.Context(), "father"); err != nil {
		t.Fatal(err)
	}
	grandchild, err := strconv.Atoi(readLog(t, log))
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the grandchild is gone", func() bool { return !running(grandchild) })
}

func TestCloseStopsInReverseOrderAndGroupsTogether(t *testing.T) {
	sup := start(t)
	order := filepath.Join(t.TempDir(), "order")
	stoppable := func(name, group, onTerm string) {
		log := filepath.Join(t.TempDir(), name)
		launch(t, sup, Spec{Name: name, Group: group, Log: log}, fmt.Sprintf(`trap '%s' TERM; echo up; %s`, onTerm, forever))
		eventually(t, name+" is up", func() bool { return readLog(t, log) == "up" })
	}
	note := func(name string) string { return "echo " + name + " >> " + order + "; exit 0" }
	stoppable("store", "", note("store"))
	stoppable("server", "", note("server"))
	// Each of the two ends only when the other one was told to end, too.
	meet := func(name, other string) string {
		dir := filepath.Dir(order)
		return fmt.Sprintf("touch %s/%s; until [ -e %s/%s ]; do sleep 0.01; done; %s", dir, name, dir, other, note(name))
	}
	stoppable("client-a", "clients", meet("client-a", "client-b"))
	stoppable("client-b", "clients", meet("client-b", "client-a"))

	if err := sup.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := strings.Fields(readLog(t, order))
	if len(got) != 4 || got[2] != "server" || got[3] != "store" {
		t.Errorf("stopped in the order %v", got)
	}
	for _, dir := range []string{sup.Dirs().Disk, sup.Dirs().Memory} {
		if exists(dir) {
			t.Errorf("%s is left", dir)
		}
	}
	if _, err := sup.Launch(t.Context(), Spec{Name: "late", Argv: []string{"true"}}); !errors.Is(err, ErrGone) {
		t.Errorf("launch after close: %v", err)
	}
}

func TestCloseWithoutPatience(t *testing.T) {
	sup := start(t)
	log := filepath.Join(t.TempDir(), "log")
	p := launch(t, sup, Spec{Name: "deaf", Grace: time.Hour, Log: log}, `trap '' TERM; echo up; `+forever)
	eventually(t, "the child is up", func() bool { return readLog(t, log) == "up" })
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := sup.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("close: %v", err)
	}
	eventually(t, "the child is gone", func() bool { return !running(p.PID) })
	if exists(sup.Dirs().Disk) || exists(sup.Dirs().Memory) {
		t.Error("a directory is left")
	}
}

func TestAFullDiskCostsLogLinesOnly(t *testing.T) {
	sup := start(t)
	done := filepath.Join(t.TempDir(), "done")
	launch(t, sup, Spec{Name: "chatty", Log: "/dev/full"}, `echo lost; echo lost >&2; touch `+done+`; `+forever)
	eventually(t, "the child went on", func() bool { return exists(done) })
	if err := sup.Stop(t.Context(), "chatty"); err != nil {
		t.Error(err)
	}
}

func TestChildrenMayOpenAsManyFilesAsTheHardLimitAllows(t *testing.T) {
	opts := options()
	opts.Args = []string{"-c", "ulimit -S -n 200; exec " + os.Args[0]}
	opts.Executable = "/bin/sh"
	sup, err := Start(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	defer sup.Close(context.Background())
	log := filepath.Join(t.TempDir(), "log")
	launch(t, sup, Spec{Name: "asker", Log: log}, "ulimit -S -n; ulimit -H -n")
	if _, err := sup.Wait(t.Context(), "asker"); err != nil {
		t.Fatal(err)
	}
	if limits := strings.Fields(readLog(t, log)); len(limits) != 2 || limits[0] != limits[1] || limits[0] == "200" {
		t.Errorf("soft and hard limit: %v", limits)
	}
}
