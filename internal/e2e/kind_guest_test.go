package e2e

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"windtunnel/results"
)

// ownersCluster is a kind cluster with a real node that stands for somebody else's.
type ownersCluster struct {
	kubeconfig string // which says nothing of who made the cluster
	node       string // its container
	logs       string
	before     map[string]bool // what was on it before any guest
}

// TestKindGuest: runs on somebody else's cluster that has a real node, with hollow nodes as pods of an image that the cluster was given.
func TestKindGuest(t *testing.T) {
	up, made, node := upOnKind(t, "-f", filepath.Join(testdata(t), "guest.yaml"), "--set", "controlPlane.apiServer.audit=metadata")
	c := &ownersCluster{kubeconfig: filepath.Join(t.TempDir(), "owner.kubeconfig"), node: node, logs: logsOf(t, up)}
	data, err := os.ReadFile(made)
	if err == nil {
		err = os.WriteFile(c.kubeconfig, data, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	archive := filepath.Join(t.TempDir(), "hollow-node.tar")
	windtunnel(t, "image", "-o", archive, "--tag", "registry.example/hollow-node:1").run(0)
	engine(t, "cp", archive, node+":/hollow-node.tar")
	inNode(t, node, "ctr", "--namespace", "k8s.io", "images", "import", "/hollow-node.tar")
	windtunnel(t, "consent", "on", "--kubeconfig", c.kubeconfig, "--max-nodes", "5").run(0)
	eventually(t, time.Minute, "the owner's namespace is whole", func() bool {
		c.before = c.everything(t)
		return c.before["ConfigMap windtunnel kube-root-ca.crt"] && c.before["ServiceAccount windtunnel default"]
	}, func() string { return "" })
	t.Run("whole", c.whole)
	t.Run("reused", c.reused)
	t.Run("killed", c.killed)
	t.Run("switched off", c.switchedOff)
	windtunnel(t, "down", "--kubeconfig", made).run(0)
	up.nothingLeft()
}

func (c *ownersCluster) whole(t *testing.T) {
	w := c.run(t, "smoke").run(0)
	if s := w.summary(); s.Verdict != results.Pass || s.Run.Provider != "existing" || s.Run.Nodes != 5 {
		t.Errorf("verdict %s, provider %s, %d nodes", s.Verdict, s.Run.Provider, s.Run.Nodes)
	}
	c.unchanged(t)
}

// reused: a run of the provider kind leaves a cluster that was there as it was, plan and hollow nodes included.
func (c *ownersCluster) reused(t *testing.T) {
	name := strings.TrimSuffix(c.node, "-control-plane")
	windtunnel(t, "up", "--provider", "kind", "--set", "controlPlane.kind.reuse="+name).run(2).says("controlPlane.kind.reuse is for runs")
	windtunnel(t, "run", "smoke", "--set", patient, "--set", unjudged, "--provider", "kind", "--set", "controlPlane.kind.reuse="+name).run(0)
	c.unchanged(t)
}

// killed: one down takes what a killed run left, hollow nodes and the pods on them included.
func (c *ownersCluster) killed(t *testing.T) {
	w := c.long(t)
	if err := w.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-w.done
	windtunnel(t, "down", "--kubeconfig", c.kubeconfig, "--dry-run").run(0).
		says("would remove nodes hollow-2", "would remove namespaces team-0", "would remove statefulsets.apps windtunnel/hollow-nodes")
	windtunnel(t, "down", "--kubeconfig", c.kubeconfig).run(0)
	c.unchanged(t)
}

// switchedOff: hollow nodes fall silent with the load, though pods run on them.
func (c *ownersCluster) switchedOff(t *testing.T) {
	w := c.long(t)
	off := time.Now()
	windtunnel(t, "consent", "off", "--kubeconfig", c.kubeconfig).run(0)
	w.wait(130)
	sent, last := 0, time.Duration(0)
	for _, e := range auditedIn(t, filepath.Join(c.logs, "audit.log"), off.Add(-time.Minute)) {
		if strings.HasPrefix(e.User.Username, "system:node:hollow-") {
			sent++
			last = max(last, e.RequestReceivedTimestamp.Sub(off))
		}
	}
	t.Logf("%d requests of hollow nodes, the last %v after the switch", sent, last)
	if sent == 0 || last > 5*time.Second {
		t.Errorf("%d requests of hollow nodes in the audit log, the last %v after the switch", sent, last)
	}
	c.unchanged(t)
}

// run prepares a run of a guest's.
func (c *ownersCluster) run(t *testing.T, args ...string) *invocation {
	return windtunnel(t, append([]string{"run", "--set", patient, "--provider", "existing", "--set", "controlPlane.existing.kubeconfig=" + c.kubeconfig,
		"--set", "controlPlane.existing.image=registry.example/hollow-node:1"}, args...)...)
}

// long starts a run that does not end by itself and waits until its nodes have pods and its load flows.
func (c *ownersCluster) long(t *testing.T) *invocation {
	w := c.run(t, "-f", filepath.Join(testdata(t), "guest-nodes.yaml"))
	w.start()
	w.untilPhase("workload")
	return w
}

// everything is what is on the cluster, but for what comes and goes by itself.
func (c *ownersCluster) everything(t *testing.T) map[string]bool {
	t.Helper()
	text := inNode(t, c.node, "kubectl", "--kubeconfig", "/etc/kubernetes/admin.conf", "get", "-A", "--no-headers", "-o", "custom-columns=KIND:.kind,NAMESPACE:.metadata.namespace,NAME:.metadata.name",
		"namespaces,nodes,clusterroles,clusterrolebindings,flowschemas,prioritylevelconfigurations,certificatesigningrequests,pods,configmaps,secrets,serviceaccounts,leases")
	all := map[string]bool{}
	for line := range strings.Lines(text) {
		all[strings.Join(strings.Fields(line), " ")] = true
	}
	return all
}

func (c *ownersCluster) unchanged(t *testing.T) {
	t.Helper()
	after := c.everything(t)
	for name := range c.before {
		if !after[name] {
			t.Errorf("taken from the cluster: %s", name)
		}
	}
	maps.DeleteFunc(after, func(name string, _ bool) bool { return c.before[name] })
	if len(after) > 0 {
		t.Errorf("left on the cluster: %v", slices.Sorted(maps.Keys(after)))
	}
}
