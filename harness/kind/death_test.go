package kind_test

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"windtunnel/harness/harnesstest"
	"windtunnel/harness/kind"
	"windtunnel/harness/supervise"
	"windtunnel/profiles"
)

func plain(*profiles.ControlPlane) {}

// TestCancelledBoot: a boot whose context ends leaves nothing, however far it was.
func TestCancelledBoot(t *testing.T) {
	opts := options(t, plain)
	for _, stage := range []string{"Preparing nodes", "Starting control-plane"} {
		t.Run(stage, func(t *testing.T) {
			sup := harnesstest.Supervisor(t)
			ctx, cancel := context.WithCancel(t.Context())
			opts.LogDir = t.TempDir()
			opts.Progress = func(text string) {
				if strings.HasPrefix(text, stage) {
					cancel()
				}
			}
			if _, err := kind.Boot(ctx, sup, opts); !errors.Is(err, context.Canceled) {
				t.Errorf("boot: %v", err)
			}
			if left := containers(t, sup); len(left) != 0 {
				t.Errorf("left: %v", left)
			}
		})
	}
}

// TestKilledSupervisor: the kernel tells the process that owns the cluster, which deletes it.
func TestKilledSupervisor(t *testing.T) {
	opts := options(t, plain)
	sup, err := supervise.Start(t.Context(), harnesstest.SupervisorOptions(t))
	if err != nil {
		t.Fatal(err)
	}
	mark := sup.Mark()
	began := make(chan struct{})
	opts.Progress = func(text string) {
		if strings.HasPrefix(text, "Starting control-plane") {
			close(began)
		}
	}
	done := make(chan error)
	go func() {
		_, err := kind.Boot(t.Context(), sup, opts)
		done <- err
	}()
	select {
	case <-began:
	case err := <-done:
		t.Fatalf("boot ended before it could be broken: %v", err)
	}
	if len(nodesOf(t, "windtunnel-"+mark)) == 0 {
		t.Fatal("there is no node yet")
	}
	if err := syscall.Kill(sup.PID(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err == nil {
		t.Error("boot did not notice")
	}
	eventually(t, "the nodes are gone", func() bool { return len(nodesOf(t, "windtunnel-"+mark)) == 0 })
	_ = sup.Close(t.Context()) // it is dead; this removes its directories
}

// TestKilledOwner: when the very process that owns the cluster is killed, Stop deletes the cluster.
func TestKilledOwner(t *testing.T) {
	opts := options(t, plain)
	sup := harnesstest.Supervisor(t)
	c, err := kind.Boot(t.Context(), sup, opts)
	if err != nil {
		t.Fatal(err)
	}
	if err := sup.Signal(t.Context(), "kind", syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if _, err := sup.Wait(t.Context(), "kind"); err != nil {
		t.Fatal(err)
	}
	if len(containers(t, sup)) == 0 {
		t.Fatal("the nodes went by themselves: this test shows nothing")
	}
	if err := c.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	if left := containers(t, sup); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}

// TestKeepAndReuse: a kept cluster stays, can be used by another run and is left as it was found, and is listed as left.
func TestKeepAndReuse(t *testing.T) {
	engine, err := kind.FindEngine(t.Context())
	opts := options(t, func(c *profiles.ControlPlane) { c.Kind.Keep = true })
	if err != nil {
		t.Fatal(err)
	}
	sup, err := supervise.Start(t.Context(), harnesstest.SupervisorOptions(t))
	if err != nil {
		t.Fatal(err)
	}
	c, err := kind.Boot(t.Context(), sup, opts)
	if err != nil {
		t.Fatal(errors.Join(err, sup.Close(context.Background())))
	}
	name := c.Name()
	t.Cleanup(func() {
		if err := kind.Delete(context.Background(), engine, name); err != nil {
			t.Error(err)
		}
		if left := nodesOf(t, name); len(left) != 0 {
			t.Errorf("left after Delete: %v", left)
		}
	})
	if left, err := kind.Left(t.Context(), engine); err != nil || strings.Contains(strings.Join(left, " "), name) {
		t.Errorf("a cluster in use is listed as left: %v %v", left, err)
	}
	if err := errors.Join(c.Stop(t.Context()), sup.Close(t.Context())); err != nil {
		t.Fatal(err)
	}
	if left, err := kind.Left(t.Context(), engine); err != nil || !strings.Contains(strings.Join(left, " "), name) {
		t.Errorf("the kept cluster is not listed: %v %v", left, err)
	}

	again := options(t, func(c *profiles.ControlPlane) { c.Kind = &profiles.KindCluster{Reuse: name} })
	r, err := kind.Boot(t.Context(), harnesstest.Supervisor(t), again)
	if err != nil {
		t.Fatal(err)
	}
	observer, err := r.Observer(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	const binding = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/windtunnel:users"
	if code, _, _ := ask(t, observer, binding); code != http.StatusOK {
		t.Errorf("%s: %d", binding, code)
	}
	if targets := r.MetricsTargets(); len(targets) != 1 || targets[0].Component != "kube-apiserver" {
		t.Errorf("metrics of a cluster that was there: %v", targets)
	}
	if err := r.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	if code, _, _ := ask(t, observer, binding); code != http.StatusNotFound {
		t.Errorf("after Stop %s: %d", binding, code)
	}
	if b, err := os.ReadFile(filepath.Join(again.LogDir, "kube-apiserver.log")); err == nil && strings.Contains(string(b), "Version: v1") {
		t.Error("the log has what was before the run")
	}
}

// TestUnknownNames: what is not there is said with what to do.
func TestUnknownNames(t *testing.T) {
	opts := options(t, plain)
	for want, change := range map[string]func(*profiles.KindCluster){
		"make node-image builds it": func(k *profiles.KindCluster) { k.NodeImage = kind.LocalImage + ":nonexistent" },
		"--node-image windtunnel/node": func(k *profiles.KindCluster) {
			k.NodeImage = "127.0.0.1:1/nonexistent:v1" // nobody listens there
		},
		"there is no kind cluster nonexistent": func(k *profiles.KindCluster) { *k = profiles.KindCluster{Reuse: "nonexistent"} },
	} {
		sup := harnesstest.Supervisor(t)
		o, k := opts, *opts.Spec.Kind
		change(&k)
		o.Spec.Kind, o.LogDir = &k, t.TempDir()
		if _, err := kind.Boot(t.Context(), sup, o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// TestFailedBoot: kubeadm fails on a flag that no component knows; the error says which component, and its log is kept.
func TestFailedBoot(t *testing.T) {
	sup := harnesstest.Supervisor(t)
	opts := options(t, func(c *profiles.ControlPlane) {
		c.Scheduler.Args = map[string]string{"no-such-flag": "1"}
		c.ReadyTimeout = profiles.Duration(20e9)
	})
	_, err := kind.Boot(t.Context(), sup, opts)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("%v", err)
	}
	if left := containers(t, sup); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
	if b, err := os.ReadFile(filepath.Join(opts.LogDir, "kube-scheduler.log")); err != nil || !strings.Contains(string(b), "no-such-flag") {
		t.Errorf("kube-scheduler.log: %v %.200s", err, b)
	}
}
