package supervise

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The test binary plays other parts when these are set: the supervisor, and a harness that starts one.
const (
	asSupervisor = "WINDTUNNEL_TEST_SUPERVISE"
	asHarness    = "WINDTUNNEL_TEST_HARNESS" // the directory for what it tells
)

func TestMain(m *testing.M) {
	switch {
	case os.Getenv(asSupervisor) != "":
		if err := Serve(context.Background(), os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	case os.Getenv(asHarness) != "":
		if err := harness(os.Getenv(asHarness)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	default:
		os.Exit(m.Run())
	}
}

// harness starts a supervisor with two children, one of which clings to life, writes down who and where they are and
// waits to be killed. It notes when it gets SIGINT, as its children would.
func harness(dir string) error {
	ctx := context.Background()
	sup, err := Start(ctx, options())
	if err != nil {
		return err
	}
	pids := fmt.Sprint(sup.PID())
	for name, script := range map[string]string{
		"plain":    `trap 'echo x > ` + dir + `/int-child' INT; while :; do sleep 0.02; done`,
		"clinging": `trap '' TERM; while :; do sleep 0.02; done`,
	} {
		p, err := sup.Launch(ctx, Spec{Name: name, Argv: []string{"sh", "-c", script}, Grace: 100 * time.Millisecond})
		if err != nil {
			return err
		}
		pids += fmt.Sprint(" ", p.PID)
	}
	sigs := make(chan os.Signal, 1)
	signal.Notify(sigs, syscall.SIGINT)
	if err := writeFile(dir, "told", pids+"\n"+sup.Dirs().Disk+"\n"+sup.Dirs().Memory); err != nil {
		return err
	}
	for range sigs {
		if err := writeFile(dir, "int-harness", "x"); err != nil {
			return err
		}
	}
	return nil
}

// writeFile writes a file that appears whole.
func writeFile(dir, name, text string) error {
	tmp := filepath.Join(dir, "."+name)
	if err := os.WriteFile(tmp, []byte(text), 0o600); err != nil {
		return err
	}
	return os.Rename(tmp, filepath.Join(dir, name))
}

func options() Options {
	return Options{Executable: os.Args[0], Args: []string{}, Env: []string{asSupervisor + "=1"}}
}

// start starts a supervisor that ends with the test.
func start(t *testing.T, env ...string) *Supervisor {
	t.Helper()
	opts := options()
	opts.Env = append(opts.Env, env...)
	sup, err := Start(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := sup.Close(context.Background()); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return sup
}

// launch starts a shell script as a child.
func launch(t *testing.T, sup *Supervisor, spec Spec, script string) Process {
	t.Helper()
	spec.Argv = []string{"sh", "-c", script}
	p, err := sup.Launch(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// eventually waits until something holds and fails the test when it does not in time.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for !holds() {
		if time.Now().After(deadline) {
			t.Fatalf("in vain: %s", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// running reports whether the process is there and no zombie.
func running(pid int) bool {
	_, err := startTime(pid)
	return err == nil
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// readLog returns a log's text.
func readLog(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(b))
}
