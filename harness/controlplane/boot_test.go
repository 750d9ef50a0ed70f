package controlplane_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"windtunnel/harness/cluster"
	"windtunnel/harness/controlplane"
	"windtunnel/harness/harnesstest"
	"windtunnel/harness/supervise"
	"windtunnel/profiles"
)

// eventually waits until something holds, for as long as a boot may take on a busy machine.
func eventually(holds func() bool) bool {
	for deadline := time.Now().Add(time.Minute); !holds(); {
		if time.Now().After(deadline) {
			return false
		}
		time.Sleep(20 * time.Millisecond)
	}
	return true
}

// flag returns the value of a flag that a component was given, and fails unless it was given exactly once.
func flag(t *testing.T, c *controlplane.Cluster, component, name string) string {
	t.Helper()
	var values []string
	for _, k := range c.Components() {
		for _, arg := range k.Args {
			if value, ok := strings.CutPrefix(arg, "--"+name+"="); ok && k.Name == component {
				values = append(values, value)
			}
		}
	}
	if len(values) != 1 {
		t.Fatalf("%s was given --%s %d times", component, name, len(values))
	}
	return values[0]
}

// boot starts a control plane of its own for a test.
func boot(t *testing.T, sup *supervise.Supervisor, spec profiles.ControlPlane) (*controlplane.Cluster, error) {
	t.Helper()
	return controlplane.Boot(t.Context(), sup, controlplane.Options{
		Spec: spec, KubeBinary: suite.Kube(t), LogDir: t.TempDir(), Progress: func(s string) { t.Log(s) },
	})
}

func TestVersionIsKubernetesOwn(t *testing.T) {
	c := suite.Shared(t)
	mod, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	want := regexp.MustCompile(`(?m)^\s*k8s\.io/kubernetes (v\S+)`).FindSubmatch(mod)
	if want == nil || c.Version() != string(want[1]) {
		t.Errorf("version %s, go.mod says %s", c.Version(), want)
	}
}

func TestComponentsAndLimits(t *testing.T) {
	c := suite.Shared(t)
	var names []string
	for _, k := range c.Components() {
		names = append(names, k.Name)
		if k.PID == 0 || k.Exit != "" || k.Log != "logs/"+k.Name+".log" {
			t.Errorf("%+v", k)
		}
	}
	if len(names) != 4 || names[0] != "etcd" || names[1] != "kube-apiserver" {
		t.Errorf("components %v", names)
	}
	limits := c.Limits()
	for name, want := range map[string]float64{
		"kube-controller-manager qps": 20, "kube-controller-manager burst": 30, "kube-scheduler qps": 50, "kube-scheduler burst": 100,
		"kube-apiserver max-requests-inflight": 400, "kube-apiserver max-mutating-requests-inflight": 200,
	} {
		if limits[name] != want {
			t.Errorf("%s is %v, want %v", name, limits[name], want)
		}
	}
	if !strings.HasPrefix(c.Server(), "https://127.0.0.1:") {
		t.Errorf("server %s", c.Server())
	}
}

func TestAuditLogHasEveryRequest(t *testing.T) {
	c := suite.Shared(t)
	const path = "/api/v1/namespaces/default/configmaps/audited"
	ask(t, c, http.MethodGet, path, "", "windtunnel:auditor", cluster.UsersGroup)
	if !eventually(func() bool {
		b, err := os.ReadFile(c.AuditLog())
		return err == nil && strings.Contains(string(b), path) && strings.Contains(string(b), "windtunnel:auditor")
	}) {
		t.Errorf("%s is not in %s", path, c.AuditLog())
	}
}

// TestFlagsCrashAndRestart boots a control plane of its own: flags of the profile, a chosen port, a component that is
// killed and started again, the store's directory afterwards.
func TestFlagsCrashAndRestart(t *testing.T) {
	sup := harnesstest.Supervisor(t)
	fsync := false
	port := freePort(t)
	c, err := boot(t, sup, profiles.ControlPlane{
		Port:              port,
		Etcd:              profiles.Etcd{Fsync: &fsync, Args: map[string]string{"snapshot-count": "5000"}},
		APIServer:         profiles.APIServer{Args: map[string]string{"--max_requests_inflight": "123", "profiling": "false"}},
		ControllerManager: profiles.Client{QPS: 500, Burst: 1000, Args: map[string]string{"kube-api-burst": "2000"}},
		Scheduler:         profiles.Client{QPS: 0.5},
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprintf("https://127.0.0.1:%d", port); c.Server() != want {
		t.Errorf("server %s, want %s", c.Server(), want)
	}
	// The shared one runs beside it; neither knows the other's users.
	foreign, err := suite.Shared(t).RESTConfig("admin", "system:masters")
	if err != nil {
		t.Fatal(err)
	}
	foreign.Host, foreign.CAData = c.Server(), c.CA()
	if a := askWith(t, foreign, http.MethodGet, "/api/v1/nodes", ""); a.code != http.StatusUnauthorized {
		t.Errorf("an administrator of another control plane: %d", a.code)
	}
	for _, f := range [][3]string{
		{"etcd", "unsafe-no-fsync", "true"}, {"etcd", "snapshot-count", "5000"},
		{"kube-apiserver", "max-requests-inflight", "123"}, {"kube-apiserver", "profiling", "false"},
		{"kube-controller-manager", "kube-api-qps", "500"}, {"kube-controller-manager", "kube-api-burst", "2000"},
		{"kube-scheduler", "kube-api-qps", "0.5"},
	} {
		if got := flag(t, c, f[0], f[1]); got != f[2] {
			t.Errorf("%s --%s=%s, want %s", f[0], f[1], got, f[2])
		}
	}
	if l := c.Limits(); l["kube-controller-manager burst"] != 2000 || l["kube-apiserver max-requests-inflight"] != 123 {
		t.Errorf("limits %v", l)
	}
	if c.AuditLog() != "" {
		t.Error("an audit log that nobody asked for")
	}
	const kept = `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"kept"}}`
	if a := ask(t, c, http.MethodPost, "/api/v1/namespaces/default/configmaps", kept, "admin", "system:masters"); a.code != http.StatusCreated {
		t.Fatalf("create: %d %s", a.code, a.body)
	}
	for _, name := range []string{"kube-apiserver", "etcd", "kube-scheduler", "kube-controller-manager"} {
		restart(t, sup, c, name)
	}
	if !eventually(func() bool {
		return ask(t, c, http.MethodGet, "/api/v1/namespaces/default/configmaps/kept", "", "admin", "system:masters").code == http.StatusOK
	}) {
		t.Error("the store has lost an object")
	}
	if err := c.Kill(t.Context(), "kube-proxy"); err == nil {
		t.Error("killed what is not there")
	}
	begin := time.Now()
	if err := c.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	t.Logf("stopped in %v", time.Since(begin))
	for _, k := range c.Components() {
		if k.Exit == "" || strings.Contains(k.Exit, "killed") {
			t.Errorf("%s did not end by itself: %q", k.Name, k.Exit)
		}
	}
}

// restart kills a component, starts it again and checks that it is another process with the same flags.
func restart(t *testing.T, sup *supervise.Supervisor, c *controlplane.Cluster, name string) {
	t.Helper()
	before := find(c, name)
	if err := c.Kill(t.Context(), name); err != nil {
		t.Fatal(err)
	}
	if k := find(c, name); !strings.Contains(k.Exit, "killed") {
		t.Errorf("%s after kill: %q", name, k.Exit)
	}
	if exit, ok := sup.Exited(name); !ok || !exit.Asked {
		t.Errorf("the exit of %s was asked for: %+v", name, exit)
	}
	begin := time.Now()
	if err := c.Restart(t.Context(), name); err != nil {
		t.Fatal(err)
	}
	t.Logf("%s restarted in %v", name, time.Since(begin))
	after := find(c, name)
	if after.PID == before.PID || after.Exit != "" || strings.Join(after.Args, " ") != strings.Join(before.Args, " ") {
		t.Errorf("%s before %+v and after %+v", name, before, after)
	}
}

func find(c *controlplane.Cluster, name string) (k struct {
	PID  int
	Args []string
	Exit string
}) {
	for _, r := range c.Components() {
		if r.Name == name {
			k.PID, k.Args, k.Exit = r.PID, r.Args, r.Exit
		}
	}
	return k
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func TestPortTakenNamesPortAndOwner(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	port := l.Addr().(*net.TCPAddr).Port
	_, err = boot(t, harnesstest.Supervisor(t), profiles.ControlPlane{Port: port})
	var taken *controlplane.PortTakenError
	if !errors.As(err, &taken) || taken.Port != port || taken.PID != os.Getpid() {
		t.Fatalf("%v", err)
	}
	if want := fmt.Sprintf("port %d on 127.0.0.1 is taken by process %d", port, os.Getpid()); !strings.Contains(err.Error(), want) {
		t.Errorf("%v does not say: %s", err, want)
	}
}

func TestABadFlagIsAComponentError(t *testing.T) {
	for name, spec := range map[string]profiles.ControlPlane{
		"etcd":           {Etcd: profiles.Etcd{Args: map[string]string{"no-such-flag": "1"}}},
		"kube-apiserver": {APIServer: profiles.APIServer{Args: map[string]string{"no-such-flag": "1"}}},
		"kube-scheduler": {Scheduler: profiles.Client{Args: map[string]string{"no-such-flag": "1"}}},
	} {
		t.Run(name, func(t *testing.T) {
			sup := harnesstest.Supervisor(t)
			_, err := boot(t, sup, spec)
			var failure *supervise.ComponentError
			if !errors.As(err, &failure) || failure.Name != name || !strings.Contains(err.Error(), "no-such-flag") {
				t.Fatalf("%v", err)
			}
			if b, err := os.ReadFile(failure.Log); err != nil || !bytes.Contains(b, []byte("no-such-flag")) {
				t.Errorf("log %s: %v", failure.Log, err)
			}
			for _, k := range []string{"etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"} {
				if _, ended := sup.Exited(k); !ended && sup.Stop(t.Context(), k) == nil {
					if exit, ran := sup.Exited(k); ran {
						t.Errorf("%s was still running: %+v", k, exit)
					}
				}
			}
		})
	}
}

func TestAFlagThatWouldCutUsOffIsRefused(t *testing.T) {
	sup := harnesstest.Supervisor(t)
	_, err := boot(t, sup, profiles.ControlPlane{
		APIServer: profiles.APIServer{Args: map[string]string{"secure_port": "1", "v": "2", "--v": "3"}},
		Etcd:      profiles.Etcd{Args: map[string]string{"a=b": "1"}},
	})
	for _, want := range []string{`controlPlane.apiServer.args: "secure_port" cannot be set`, `"v" is given twice`, `controlPlane.etcd.args: "a=b" is no flag name`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s is not in: %v", want, err)
		}
	}
	if _, ran := sup.Exited("etcd"); ran {
		t.Error("something was started all the same")
	}
}

// TestNeverReady uses a store that lives and never answers, from a directory of other binaries.
func TestNeverReady(t *testing.T) {
	bin := t.TempDir()
	if err := os.WriteFile(filepath.Join(bin, "etcd"), []byte("#!/bin/sh\necho thinking\nwhile :; do sleep 0.05; done\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	_, err := boot(t, harnesstest.Supervisor(t), profiles.ControlPlane{BinDir: bin, ReadyTimeout: profiles.Duration(300 * time.Millisecond)})
	var failure *supervise.ComponentError
	if !errors.As(err, &failure) || !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("%v", err)
	}
	for _, want := range []string{"etcd: not ready within 300ms", "thinking", failure.Log} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in: %v", want, err)
		}
	}
}

func TestBinDirWithoutTheBinary(t *testing.T) {
	_, err := boot(t, harnesstest.Supervisor(t), profiles.ControlPlane{BinDir: t.TempDir()})
	if err == nil || !strings.Contains(err.Error(), "start etcd") {
		t.Errorf("%v", err)
	}
}

func TestAnInterruptedBootIsNoComponentError(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	_, err := controlplane.Boot(ctx, harnesstest.Supervisor(t), controlplane.Options{
		KubeBinary: suite.Kube(t), LogDir: t.TempDir(), Progress: func(string) { cancel() }, // when etcd is up
	})
	var failure *supervise.ComponentError
	if !errors.Is(err, context.Canceled) || errors.As(err, &failure) {
		t.Errorf("%v", err)
	}
}
