package e2e

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"windtunnel/results"
)

// Accidents are tested side by side, after everything whose latencies count: they hold nothing against a clock.

// slow is smoke with a measured phase that lasts until the test ends it.
func slow(t *testing.T, sets ...string) *invocation {
	args := []string{"run", "-f", filepath.Join(testdata(t), "slow.yaml")}
	for _, set := range sets {
		args = append(args, "--set", set)
	}
	return windtunnel(t, args...)
}

func testdata(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("testdata")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestInterrupt: Ctrl-C in every phase ends the run in order, with a report.
func TestInterrupt(t *testing.T) {
	t.Parallel()
	for _, phase := range []string{"boot", "hollow", "prepare", "workload"} {
		t.Run(phase, func(t *testing.T) {
			t.Parallel()
			w := slow(t)
			w.start()
			w.untilPhase(phase)
			if err := syscall.Kill(-w.cmd.Process.Pid, syscall.SIGINT); err != nil {
				t.Fatal(err)
			}
			w.wait(130)
			if run, ok := w.record(); !ok || run.Outcome != "interrupted" || run.Ended == "" {
				t.Errorf("run.json: outcome %q, ended %q, readable %v", run.Outcome, run.Ended, ok)
			}
			if v := w.summary().Verdict; v != results.Invalid {
				t.Errorf("verdict %q: an interrupted run is invalid", v)
			}
		})
	}
}

// TestSecondInterrupt quits at once, and still nothing is left.
func TestSecondInterrupt(t *testing.T) {
	t.Parallel()
	w := slow(t)
	w.start()
	w.untilPhase("workload")
	for range 2 {
		syscall.Kill(-w.cmd.Process.Pid, syscall.SIGINT)
		time.Sleep(20 * time.Millisecond) // two signals at one instant are delivered as one
	}
	w.wait(130)
}

// TestKilledParent: nothing survives kill -9 of windtunnel, and its records up to there can be read.
func TestKilledParent(t *testing.T) {
	t.Parallel()
	w := slow(t)
	w.start()
	w.untilPhase("workload")
	time.Sleep(3 * time.Second) // a batch of records is written at least once a second
	if err := w.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-w.done
	w.nothingLeft()
	report := windtunnel(t, "report", w.dir()).run(0)
	report.says("invalid")
	if n := w.summary().Requests; len(n) == 0 {
		t.Error("no request of the seconds before the kill is in the report")
	}
}

// TestKilledSupervisor: even without the supervisor nothing survives, and the run says what happened.
func TestKilledSupervisor(t *testing.T) {
	t.Parallel()
	w := slow(t)
	w.start()
	w.untilPhase("workload")
	var supervisor int
	for _, pid := range w.processes() {
		if line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid)); strings.HasSuffix(string(line), "\x00supervise\x00") {
			supervisor = pid
		}
	}
	if supervisor == 0 {
		t.Fatal("no supervisor")
	}
	syscall.Kill(supervisor, syscall.SIGKILL)
	w.wait(5)
}

// TestComponentDies names the component, its last lines and its log.
func TestComponentDies(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"kube-controller-manager", "etcd", "hollow-0"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := slow(t)
			w.start()
			run := w.untilPhase("workload")
			pid := 0
			for _, c := range run.Components {
				if c.Name == name {
					pid = c.PID
				}
			}
			if pid == 0 {
				t.Fatalf("%s is not in run.json", name)
			}
			syscall.Kill(pid, syscall.SIGKILL)
			w.wait(5)
			w.says(name, filepath.Join("logs", name+".log"))
			if run, _ := w.record(); run.Outcome != "failed" || !strings.Contains(run.Error, name) {
				t.Errorf("run.json: outcome %q, error %q", run.Outcome, run.Error)
			}
		})
	}
}

// TestComponentNeverStarts shows what it said.
func TestComponentNeverStarts(t *testing.T) {
	t.Parallel()
	w := slow(t, "controlPlane.apiServer.args.no-such-flag=1").run(5)
	w.says("kube-apiserver", "unknown flag: --no-such-flag", filepath.Join("logs", "kube-apiserver.log"))
	if w.stdout.Len() > 0 {
		t.Errorf("a run that never came to its plan has a report:\n%s", &w.stdout)
	}
}

// TestComponentNeverReady: a component that lives and never answers is given up in time.
func TestComponentNeverReady(t *testing.T) {
	t.Parallel()
	w := slow(t, "controlPlane.readyTimeout=20s", "controlPlane.scheduler.args.kubeconfig=/dev/null").run(5)
	w.says("kube-scheduler", filepath.Join("logs", "kube-scheduler.log"))
}

// TestPortTaken names the port.
func TestPortTaken(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	port := listener.Addr().(*net.TCPAddr).Port
	w := slow(t, fmt.Sprintf("controlPlane.port=%d", port)).run(5)
	w.says(fmt.Sprint(port))
}

// TestFewFiles: with 1 024 descriptors a small run works, and a large one is refused with the arithmetic before anything joins.
func TestFewFiles(t *testing.T) {
	t.Parallel()
	limited := func(w *invocation) *invocation {
		w.cmd.Args = append([]string{"sh", "-c", `ulimit -n 1024 && exec "$0" "$@"`, w.cmd.Path}, w.cmd.Args[1:]...)
		w.cmd.Path = "/bin/sh"
		return w
	}
	limited(windtunnel(t, "run", "smoke", "--set", patient, "--set", unjudged)).run(0)
	w := limited(windtunnel(t, "run", "smoke", "--set", "hollowNodes.count=1000", "--set", "hollowNodes.perProcess=1000")).run(5)
	w.says("1 024", "ulimit -Hn", "nodes fit")
}

// TestFullDisk: the run ends with a clear word, and what was written is readable.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	w := slow(t)
	disk := t.TempDir()
	mount := exec.Command("mount", "-t", "tmpfs", "-o", "size=1536k", "tmpfs", disk)
	if out, err := mount.CombinedOutput(); err != nil {
		t.Skipf("FULL DISK NOT TESTED: cannot mount a small tmpfs here: %v: %s", err, out)
	}
	t.Cleanup(func() { exec.Command("umount", "-l", disk).Run() })
	w.root = disk
	w.cmd.Args[len(w.cmd.Args)-1] = disk
	w.start()
	w.wait(5)
	w.says("no space left on device")
	if _, ok := w.record(); !ok {
		t.Error("run.json is not readable")
	}
	windtunnel(t, "report", w.dir())
}
