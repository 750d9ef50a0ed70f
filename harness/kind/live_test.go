package kind_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"windtunnel/harness/harnesstest"
	"windtunnel/harness/harnesstest/kindtest"
	"windtunnel/harness/kind"
	"windtunnel/harness/supervise"
	"windtunnel/profiles"
)

// eventually waits until something holds, for as long as a boot may take on a busy machine.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); !holds(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within two minutes", what)
		}
	}
}

// options are those of a cluster from the local image.
func options(t *testing.T, change func(*profiles.ControlPlane)) kind.Options {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := profiles.Profile{ControlPlane: profiles.ControlPlane{Provider: profiles.ProviderKind,
		Kind: &profiles.KindCluster{NodeImage: kindtest.NodeImage(t)}}}
	change(&p.ControlPlane)
	p.Default()
	return kind.Options{Spec: p.ControlPlane, Executable: self, LogDir: filepath.Join(t.TempDir(), "logs"), Progress: func(s string) { t.Log(s) }}
}

// containers are the nodes of the clusters of a supervisor.
func containers(t *testing.T, sup *supervise.Supervisor) []string {
	t.Helper()
	return nodesOf(t, "windtunnel-"+sup.Mark())
}

func nodesOf(t *testing.T, cluster string) []string {
	t.Helper()
	engine, err := kind.FindEngine(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(engine.Name(), "ps", "--all", "--filter", "label=io.x-k8s.kind.cluster="+cluster, "--format", "{{.Names}} {{.Ports}}").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.FieldsFunc(string(out), func(r rune) bool { return r == '\n' })
}

// ask sends a request and returns the answer's status, header and body.
func ask(t *testing.T, config *rest.Config, path string) (int, http.Header, string) {
	t.Helper()
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		t.Fatal(err)
	}
	defer client.CloseIdleConnections()
	return read(t, client, config.Host+path)
}

func read(t *testing.T, client *http.Client, url string) (int, http.Header, string) {
	t.Helper()
	resp, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(b)
}

// user is the configuration of a client of a user of the load.
func user(t *testing.T, c *kind.Cluster, number int) *rest.Config {
	t.Helper()
	id, err := c.User(t.Context(), number)
	if err != nil {
		t.Fatal(err)
	}
	return &rest.Config{Host: c.Server(), TLSClientConfig: rest.TLSClientConfig{CAData: c.CA(), CertData: id.Cert, KeyData: id.Key}}
}

// TestKindCanBeTested says by itself, for make test-kind, whether it can.
func TestKindCanBeTested(t *testing.T) { t.Log("kind is tested with " + kindtest.NodeImage(t)) }

// TestCluster boots one cluster and looks at all of it.
func TestCluster(t *testing.T) {
	sup := harnesstest.Supervisor(t)
	opts := options(t, func(c *profiles.ControlPlane) {
		c.APIServer = profiles.APIServer{Audit: "metadata", Args: map[string]string{"max-requests-inflight": "321"}}
		c.ControllerManager.QPS = 77
	})
	c, err := kind.Boot(t.Context(), sup, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Run("identities", func(t *testing.T) { identities(t, c) })
	t.Run("audit", func(t *testing.T) { auditLog(t, c, opts.LogDir) })
	t.Run("components", func(t *testing.T) { components(t, c) })
	t.Run("metrics", func(t *testing.T) { metrics(t, c) })
	t.Run("shares", func(t *testing.T) { shares(t, c) })
	t.Run("loopback only", func(t *testing.T) {
		for _, line := range containers(t, sup) {
			if strings.Count(line, "->") != 4 || strings.Count(line, "127.0.0.1:") != 4 {
				t.Errorf("%s", line)
			}
		}
	})
	for _, name := range []string{"kube-scheduler", "kube-apiserver"} {
		t.Run("kill and restart "+name, func(t *testing.T) { killAndRestart(t, c, name) })
	}
	t.Run("no key is written", func(t *testing.T) { noKeys(t, opts.LogDir, sup.Dirs().Memory) })

	if err := c.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if left := containers(t, sup); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
	for name, want := range map[string]string{"etcd": "snapshot-count", "kube-apiserver": "Version", "kube-controller-manager": "controller", "kube-scheduler": "scheduler",
		"kube-proxy": "proxy", "kind-kubelet": "kubelet", "kind-containerd": "containerd", "kind": "Starting control-plane"} {
		if b, err := os.ReadFile(filepath.Join(opts.LogDir, name+".log")); err != nil || !bytes.Contains(b, []byte(want)) {
			t.Errorf("%s.log: %v, %d bytes, without %q", name, err, len(b), want)
		}
	}
	noKeys(t, opts.LogDir, sup.Dirs().Memory)
}

func identities(t *testing.T, c *kind.Cluster) {
	code, header, body := ask(t, user(t, c, 3), "/api/v1/namespaces/kube-system/secrets")
	if code != http.StatusOK {
		t.Fatalf("a user: %d %s", code, body)
	}
	level := header.Get("X-Kubernetes-PF-PriorityLevel-UID")
	observer, err := c.Observer(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if observer.QPS >= 0 {
		t.Errorf("the observer has a limit of its own: %v", observer.QPS)
	}
	code, header, body = ask(t, observer, "/api/v1/nodes")
	if code != http.StatusOK || level == "" || header.Get("X-Kubernetes-PF-PriorityLevel-UID") == level {
		t.Errorf("the observer: %d %s; its level is that of a user, %q", code, body, level)
	}
	anonymous := &rest.Config{Host: c.Server(), TLSClientConfig: rest.TLSClientConfig{CAData: c.CA()}}
	if code, _, _ := ask(t, anonymous, "/api/v1/nodes"); code != http.StatusForbidden {
		t.Errorf("anonymous: %d", code)
	}
	b, err := c.Kubeconfig(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	admin, err := clientcmd.RESTConfigFromKubeConfig(b)
	if err != nil {
		t.Fatal(err)
	}
	if code, _, body := ask(t, admin, "/version"); code != http.StatusOK || !strings.Contains(body, c.Version()) {
		t.Errorf("%d %s, want %s", code, body, c.Version())
	}
}

func auditLog(t *testing.T, c *kind.Cluster, logs string) {
	ask(t, user(t, c, 4), "/api/v1/namespaces/default/configmaps/audited")
	eventually(t, "the audit log has the request", func() bool {
		b, err := os.ReadFile(filepath.Join(logs, "audit.log"))
		return err == nil && bytes.Contains(b, []byte("configmaps/audited")) && bytes.Contains(b, []byte("windtunnel:user-4"))
	})
	if info, err := os.Stat(filepath.Join(logs, "audit.log")); err != nil || info.Mode().Perm()&0o004 == 0 {
		t.Errorf("others cannot read it: %v %v", info, err)
	}
}

func components(t *testing.T, c *kind.Cluster) {
	var names []string
	for _, k := range c.Components() {
		names = append(names, k.Name)
		line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", k.PID))
		program := strings.TrimPrefix(k.Name, "kind-")
		if err != nil || k.Name != "kind" && !strings.Contains(string(line), program) || k.Name != "kind" && len(k.Args) == 0 {
			t.Errorf("%+v: process %d is %q, %v", k, k.PID, line, err)
		}
	}
	if got := strings.Join(names, " "); got != "kind etcd kube-apiserver kube-controller-manager kube-scheduler kind-kubelet kind-containerd kube-proxy" {
		t.Errorf("components: %s", got)
	}
	limits := c.Limits()
	for name, want := range map[string]float64{"kube-controller-manager qps": 77, "kube-controller-manager burst": 77, "kube-scheduler qps": 50,
		"kube-apiserver max-requests-inflight": 321, "kube-apiserver max-mutating-requests-inflight": 200} {
		if limits[name] != want {
			t.Errorf("%s is %v, want %v", name, limits[name], want)
		}
	}
}

// shares holds that kubeadm has taken the request for CPU.
func shares(t *testing.T, c *kind.Cluster) {
	observer, err := c.Observer(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, _, body := ask(t, observer, "/api/v1/namespaces/kube-system/pods?labelSelector=component%3Detcd")
	if !strings.Contains(body, `"requests":{"cpu":"250m"`) {
		t.Errorf("etcd does not ask for 250m: %s", body)
	}
}

func metrics(t *testing.T, c *kind.Cluster) {
	want := map[string]string{"etcd": "etcd_disk_wal_fsync_duration_seconds", "kube-apiserver": "apiserver_request_sli_duration_seconds",
		"kube-controller-manager": "workqueue_depth", "kube-scheduler": "scheduler_pending_pods"}
	targets := c.MetricsTargets()
	if len(targets) != len(want) {
		t.Errorf("%d targets", len(targets))
	}
	for _, target := range targets {
		code, _, body := read(t, target.Client, target.URL)
		if code != http.StatusOK || !strings.Contains(body, want[target.Component]) {
			t.Errorf("%s: HTTP %d, %q is missing", target.Component, code, want[target.Component])
		}
	}
}

func killAndRestart(t *testing.T, c *kind.Cluster, name string) {
	pid := func() int {
		for _, k := range c.Components() {
			if k.Name == name {
				return k.PID
			}
		}
		return 0
	}
	before := pid()
	if err := c.Kill(t.Context(), name); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(before, 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("process %d of %s: %v", before, name, err)
	}
	if err := c.Restart(t.Context(), name); err != nil {
		t.Fatal(err)
	}
	if after := pid(); after == 0 || after == before {
		t.Errorf("%s was process %d and is %d", name, before, after)
	}
	if err := c.Restart(t.Context(), name); err == nil || !strings.Contains(err.Error(), "it was not killed") {
		t.Errorf("a second restart: %v", err)
	}
	if err := c.Kill(t.Context(), "kubelet"); err == nil {
		t.Error("killed what is no component of the control plane")
	}
}

// noKeys holds that no file has a private key in it. The kubeconfig that kind insists on writing lies in memory.
func noKeys(t *testing.T, dirs ...string) {
	t.Helper()
	files := 0
	for _, dir := range dirs {
		err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() || strings.HasSuffix(path, ".kubeconfig") {
				return err
			}
			files++
			b, err := os.ReadFile(path)
			if bytes.Contains(b, []byte("PRIVATE KEY")) || bytes.Contains(b, []byte("client-key-data")) {
				t.Errorf("%s holds a key", path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if files == 0 {
		t.Error("no file was looked at")
	}
}
