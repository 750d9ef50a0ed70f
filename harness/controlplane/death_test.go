package controlplane_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"windtunnel/harness/controlplane"
	"windtunnel/harness/harnesstest"
	"windtunnel/harness/supervise"
)

// killedEnv holds the directory in which the process that is to be killed tells what it has started.
const killedEnv = "WINDTUNNEL_TEST_KILLED"

// TestKilled is no test but the process that TestNothingIsLeftOfAKilledParent kills.
func TestKilled(t *testing.T) {
	dir := os.Getenv(killedEnv)
	if dir == "" {
		t.Skip("only as a process of its own")
	}
	sup, err := supervise.Start(t.Context(), harnesstest.SupervisorOptions(t))
	if err != nil {
		t.Fatal(err)
	}
	c, err := controlplane.Boot(t.Context(), sup, controlplane.Options{KubeBinary: suite.Kube(t), LogDir: filepath.Join(dir, "logs")})
	if err != nil {
		t.Fatal(err)
	}
	told := fmt.Sprintf("/proc/%d\n%s\n%s\n", sup.PID(), sup.Dirs().Disk, sup.Dirs().Memory)
	for _, k := range c.Components() {
		told += fmt.Sprintf("/proc/%d\n", k.PID)
	}
	tmp := filepath.Join(dir, ".told")
	if err := os.WriteFile(tmp, []byte(told), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(tmp, filepath.Join(dir, "told")); err != nil {
		t.Fatal(err)
	}
	<-t.Context().Done() // that is, until it is killed
}

func TestNothingIsLeftOfAKilledParent(t *testing.T) {
	dir := t.TempDir()
	parent := exec.Command(os.Args[0], "-test.run=^TestKilled$")
	parent.Env = append(os.Environ(), killedEnv+"="+dir, "WINDTUNNEL_KUBE="+suite.Kube(t))
	parent.Stdout, parent.Stderr = os.Stderr, os.Stderr
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	var told []string
	up := eventually(func() bool {
		b, err := os.ReadFile(filepath.Join(dir, "told"))
		told = strings.Fields(string(b))
		return err == nil
	})
	if err := parent.Process.Kill(); err != nil {
		t.Error(err)
	}
	_ = parent.Wait()
	if !up || len(told) != 7 {
		t.Fatalf("told %v", told)
	}
	for _, path := range told {
		if !eventually(func() bool { return gone(path) }) {
			t.Errorf("%s is left", path)
		}
	}
}

// gone reports whether a file or the process that a directory of /proc stands for is gone; a zombie is.
func gone(path string) bool {
	if _, err := os.Lstat(path); err != nil {
		return true
	}
	b, err := os.ReadFile(filepath.Join(path, "stat"))
	return err == nil && strings.Contains(string(b), ") Z ")
}

// TestTheHostIsNotChanged looks at the one place outside its directories where a component would write by default.
func TestTheHostIsNotChanged(t *testing.T) {
	c := suite.Shared(t)
	if got := flag(t, c, "kube-controller-manager", "flex-volume-plugin-dir"); !strings.HasPrefix(got, suite.SharedSupervisor(t).Dirs().Memory) {
		t.Errorf("the controller manager makes %s", got)
	}
}
