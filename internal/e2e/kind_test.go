package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"windtunnel/harness/harnesstest/kindtest"
	"windtunnel/harness/kind"
	"windtunnel/results"
)

// patient lets a run be valid on a machine that is busy with other things: what the tests look at are no latencies.
const patient = "validity.maxLag=5s"

// unjudged lets a run on such a machine end well whatever its latencies were.
const unjudged = "slo.judged=false"

// onKind is an invocation with the provider kind and the image of make node-image; what is left of its clusters fails the test.
func onKind(t *testing.T, args ...string) *invocation {
	t.Helper()
	image := kindtest.NodeImage(t)
	before := nodes(t)
	t.Cleanup(func() {
		for _, name := range nodes(t) {
			if !slices.Contains(before, name) && strings.HasPrefix(name, "windtunnel-") {
				t.Errorf("the container %s is left", name)
			}
		}
	})
	return windtunnel(t, append(args, "--provider", "kind", "--node-image", image)...)
}

// nodes are the names of the containers of all kind clusters.
func nodes(t *testing.T) []string {
	t.Helper()
	engine, err := kind.FindEngine(t.Context())
	if err != nil {
		// The test's own context is over in a cleanup.
		engine, err = kind.NewEngine("docker")
	}
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(engine.Name(), "ps", "--all", "--filter", "label=io.x-k8s.kind.cluster", "--format", "{{.Names}}").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(string(out))
}

// own are the containers of the clusters of this invocation's supervisor.
func (w *invocation) own() (names []string) {
	w.t.Helper()
	dirs, err := filepath.Glob(filepath.Join(w.tmp, "windtunnel-*"))
	if err != nil || len(dirs) == 0 {
		return nil
	}
	mark := strings.Join(strings.Split(filepath.Base(dirs[0]), "-")[:3], "-") // windtunnel-PID-START
	for _, name := range nodes(w.t) {
		if strings.HasPrefix(name, mark+"-") {
			names = append(names, name)
		}
	}
	return names
}

// TestKindSmoke: a built-in profile passes on kind as it is, its components and logs are there under their own names, and nothing is left.
func TestKindSmoke(t *testing.T) {
	w := onKind(t, "run", "smoke", "--set", "controlPlane.apiServer.audit=metadata", "--set", patient).run(0)
	s := w.summary()
	if s.Verdict != results.Pass || s.Run.Provider != "kind" {
		t.Errorf("verdict %s, provider %s", s.Verdict, s.Run.Provider)
	}
	names := map[string]bool{}
	for _, c := range s.Components {
		names[c.Name] = c.CPUSeconds > 0
	}
	for _, want := range []string{"etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kind-kubelet", "kind-containerd"} {
		if !names[want] {
			t.Errorf("no CPU time of %s: %v", want, names)
		}
		if info, err := os.Stat(filepath.Join(w.dir(), "logs", want+".log")); err != nil || info.Size() == 0 {
			t.Errorf("the log of %s: %v", want, err)
		}
	}
	if len(s.Server) == 0 || s.Audit == nil {
		t.Errorf("%d figures of the server, audit %v", len(s.Server), s.Audit)
	}
}

// TestKindDensity: a short density with hollow nodes as pods. It sends too few requests of its own for the profile's rows, so those are
// required that starting 300 pods makes often enough.
func TestKindDensity(t *testing.T) {
	w := onKind(t, "run", "density", "--set", patient, "--set", "hollowNodes.count=10", "--set", "phases[1].tracks[0].steps[0].reconcile.count=10",
		"--set", "slo.apiCalls=[{verb: POST, resource: pods/binding}, {verb: POST, resource: serviceaccounts/token}]").run(0)
	s := w.summary()
	if s.Verdict != results.Pass || s.Run.Nodes != 10 {
		t.Errorf("verdict %s, %d nodes", s.Verdict, s.Run.Nodes)
	}
	if total := s.PodStartup["total"]; total.N != 300 {
		t.Errorf("%d pods were seen starting, not 300", total.N)
	}
}

// TestKindInterrupt: Ctrl-C while kind makes the cluster ends in order, and no container is left.
func TestKindInterrupt(t *testing.T) {
	w := onKind(t, "run", "smoke")
	w.start()
	w.untilPhase("boot")
	eventually(t, time.Minute, "a node is there", func() bool { return len(w.own()) > 0 }, w.stderr.String)
	if err := syscall.Kill(-w.cmd.Process.Pid, syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	w.wait(130)
	if run, ok := w.record(); !ok || run.Outcome != "interrupted" {
		t.Errorf("run.json: outcome %q, readable %v", run.Outcome, ok)
	}
}

// TestKindKilledParent: kill -9 of windtunnel leaves no container, wherever it was.
func TestKindKilledParent(t *testing.T) {
	for _, phase := range []string{"boot", "hollow"} {
		t.Run(phase, func(t *testing.T) {
			w := onKind(t, "run", "smoke")
			w.start()
			w.untilPhase(phase)
			eventually(t, time.Minute, "a node is there", func() bool { return len(w.own()) > 0 }, w.stderr.String)
			own := w.own()
			if err := w.cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			<-w.done
			eventually(t, time.Minute, "the containers are gone", func() bool {
				return !slices.ContainsFunc(nodes(t), func(name string) bool { return slices.Contains(own, name) })
			}, w.stderr.String)
			w.nothingLeft()
		})
	}
}

// TestKindUpAndDown: up leaves the cluster with its nodes, scale makes them more and fewer, down removes all.
func TestKindUpAndDown(t *testing.T) {
	up, kubeconfig, node := upOnKind(t, "--set", "hollowNodes.count=2")
	hollow := func() int {
		return strings.Count(inNode(t, node, "kubectl", "--kubeconfig", "/etc/kubernetes/admin.conf", "get", "nodes", "-l", "windtunnel/hollow=true"), " Ready ")
	}
	for _, count := range []int{2, 5, 1} {
		windtunnel(t, "scale", strconv.Itoa(count), "--kubeconfig", kubeconfig).run(0)
		if n := hollow(); n != count {
			t.Errorf("%d hollow nodes are Ready, want %d", n, count)
		}
	}
	windtunnel(t, "down", "--kubeconfig", kubeconfig).run(0)
	up.nothingLeft()
	if left := nodes(t); slices.Contains(left, node) {
		t.Errorf("%v", left)
	}
}

// upOnKind leaves a kind cluster up.
func upOnKind(t *testing.T, args ...string) (up *invocation, kubeconfig, node string) {
	t.Helper()
	kubeconfig = filepath.Join(t.TempDir(), "kubeconfig")
	up = onKind(t, append([]string{"up", "--kubeconfig", kubeconfig}, args...)...)
	up.start()
	if err := <-up.done; err != nil {
		t.Fatalf("%v\n%s", err, &up.stderr)
	}
	own := up.own()
	if len(own) != 1 {
		t.Fatalf("nodes %v", own)
	}
	return up, kubeconfig, own[0]
}

// inNode runs a command in a node of kind and returns what it prints.
func inNode(t *testing.T, node string, command ...string) string {
	t.Helper()
	return engine(t, append([]string{"exec", node}, command...)...)
}

// engine runs a command of the container engine and returns what it prints.
func engine(t *testing.T, args ...string) string {
	t.Helper()
	found, err := kind.FindEngine(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(found.Name(), args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", found.Name(), args, err, out)
	}
	return string(out)
}

// TestKindUsage: what cannot be is said before anything is started.
func TestKindUsage(t *testing.T) {
	windtunnel(t, "run", "smoke", "--node-image", "some/image").run(2).says("--node-image is for the provider kind")
	windtunnel(t, "run", "smoke", "--provider", "kind", "--set", "controlPlane.port=6443").run(2).says("cannot be set with the provider kind")
	windtunnel(t, "run", "smoke", "--provider", "knid").run(2).says(`did you mean "kind"?`)
}
