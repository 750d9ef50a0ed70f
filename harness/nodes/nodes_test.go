package nodes_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"k8s.io/client-go/rest"

	"windtunnel/harness/controlplane"
	"windtunnel/harness/harnesstest"
	"windtunnel/harness/nodes"
	"windtunnel/harness/supervise"
	"windtunnel/profiles"
	"windtunnel/results"
)

// suite shares a control plane that sees sooner than by default (50 s) that a node is gone, yet misses no heartbeat (10 s), and makes
// more pods a second than by default (20), so that a script may pace them.
var suite = harnesstest.Suite{Spec: profiles.ControlPlane{
	ControllerManager: profiles.Client{QPS: 500, Burst: 500, Args: map[string]string{"node-monitor-grace-period": "20s", "node-monitor-period": "1s"}},
	Scheduler:         profiles.Client{QPS: 500, Burst: 500},
}}

func TestMain(m *testing.M) { os.Exit(suite.Run(m, os.Stdin, os.Stdout, os.Stderr)) }

// node is what the tests look at of a node.
type node struct {
	Metadata struct {
		Name   string
		Labels map[string]string
	}
	Spec struct {
		PodCIDR string
		Taints  []profiles.Taint
	}
	Status struct {
		Capacity   map[string]string
		Conditions []struct{ Type, Status string }
	}
}

func (n node) ready() string {
	for _, c := range n.Status.Conditions {
		if c.Type == "Ready" {
			return c.Status
		}
	}
	return ""
}

// api sends a request as an administrator.
func api(t *testing.T, c *controlplane.Cluster, method, path string, into any) {
	t.Helper()
	config, err := c.RESTConfig("admin", "system:masters")
	if err != nil {
		t.Fatal(err)
	}
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		t.Fatal(err)
	}
	defer client.CloseIdleConnections()
	req, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), method, c.Server()+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s %s: %d %v %s", method, path, resp.StatusCode, err, b)
	}
	if into != nil {
		if err := json.Unmarshal(b, into); err != nil {
			t.Fatal(err)
		}
	}
}

// list reads the nodes whose names begin with prefix.
func list(t *testing.T, c *controlplane.Cluster, prefix string) map[string]node {
	t.Helper()
	var all struct{ Items []node }
	api(t, c, http.MethodGet, "/api/v1/nodes", &all)
	found := map[string]node{}
	for _, n := range all.Items {
		if strings.HasPrefix(n.Metadata.Name, prefix) {
			found[n.Metadata.Name] = n
		}
	}
	return found
}

// start starts nodes with a name of their own around the shared control plane.
func start(t *testing.T, opts nodes.Options) (*nodes.Pack, error) {
	t.Helper()
	c := suite.Shared(t)
	opts.KubeBinary, opts.LogDir, opts.SamplesDir, opts.Clock = suite.Kube(t), filepath.Join(t.TempDir(), "logs"), t.TempDir(), results.NewClock()
	if err := os.MkdirAll(opts.LogDir, 0o700); err != nil {
		t.Fatal(err)
	}
	p, err := nodes.Start(t.Context(), suite.SharedSupervisor(t), c, opts)
	t.Cleanup(func() {
		if p != nil {
			if err := p.Stop(context.Background()); err != nil {
				t.Error(err)
			}
		}
		for name := range list(t, c, opts.Spec.NamePrefix) {
			api(t, c, http.MethodDelete, "/api/v1/nodes/"+name, nil)
		}
	})
	return p, err
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); !holds(); {
		if time.Now().After(deadline) {
			t.Fatalf("in vain: %s", what)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

func TestNodesBecomeReadyGoDownAndComeBack(t *testing.T) {
	c := suite.Shared(t)
	begin, last := time.Now(), 0
	p, err := start(t, nodes.Options{
		Spec: profiles.HollowNodes{
			Count: 7, PerProcess: 3, NamePrefix: "wt-", MaxPods: 17, Zones: 2,
			Capacity: map[string]string{"cpu": "8", "example.com/gpu": "4"},
			Labels:   map[string]string{"team": "a"},
			Taints:   []profiles.Taint{{Key: "hollow", Value: "yes", Effect: "NoSchedule"}},
		},
		ExpectedPods: 10,
		Labels:       map[string]string{"windtunnel/run": "r1"},
		Progress:     func(ready, total int) { last = ready },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("7 nodes in 3 processes Ready in %v", time.Since(begin))
	if last != 7 || len(p.Names()) != 7 || p.Names()[6] != "wt-6" {
		t.Errorf("progress %d, names %v", last, p.Names())
	}
	zones, cidrs := map[string]int{}, map[string]bool{}
	for name, n := range list(t, c, "wt-") {
		if n.ready() != "True" {
			t.Errorf("%s is Ready: %q", name, n.ready())
		}
		l := n.Metadata.Labels
		zones[l["topology.kubernetes.io/zone"]]++
		cidrs[n.Spec.PodCIDR] = true
		if l["team"] != "a" || l["windtunnel/run"] != "r1" || n.Status.Capacity["cpu"] != "8" || n.Status.Capacity["memory"] != "256Gi" ||
			n.Status.Capacity["pods"] != "17" || n.Status.Capacity["example.com/gpu"] != "4" {
			t.Errorf("%s: labels %v, capacity %v", name, l, n.Status.Capacity)
		}
		if !slices.Contains(n.Spec.Taints, profiles.Taint{Key: "hollow", Value: "yes", Effect: "NoSchedule"}) {
			t.Errorf("%s: taints %v", name, n.Spec.Taints)
		}
	}
	if zones["zone-0"] != 4 || zones["zone-1"] != 3 || len(cidrs) != 7 || cidrs[""] {
		t.Errorf("zones %v, pod networks %v", zones, cidrs)
	}
	if k := p.Components(); len(k) != 3 || k[0].Name != "hollow-0" || k[0].PID == 0 || k[0].Log != "logs/hollow-0.log" || k[0].Exit != "" {
		t.Errorf("components %+v", k)
	}

	down := []string{"wt-0", "wt-6"}
	if err := p.Down(t.Context(), down); err != nil {
		t.Fatal(err)
	}
	eventually(t, "two nodes are no longer Ready", func() bool {
		all := list(t, c, "wt-")
		return all["wt-0"].ready() == "Unknown" && all["wt-6"].ready() == "Unknown" && all["wt-1"].ready() == "True"
	})
	if err := p.Up(t.Context(), down); err != nil {
		t.Fatal(err)
	}
	eventually(t, "they are back", func() bool {
		all := list(t, c, "wt-")
		return all["wt-0"].ready() == "True" && all["wt-6"].ready() == "True"
	})
	if err := p.Down(t.Context(), []string{"wt-7"}); err == nil {
		t.Error("a node that is not there went down")
	}
	if err := p.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, k := range p.Components() {
		if k.Exit == "" {
			t.Errorf("%s has not ended", k.Name)
		}
		if _, err := os.Stat(filepath.Join(suite.SharedSupervisor(t).Dirs().Memory, k.Name)); err == nil {
			t.Errorf("the directory of %s is left", k.Name)
		}
	}
}

func TestNoNodes(t *testing.T) {
	p, err := nodes.Start(t.Context(), nil, nil, nodes.Options{})
	if err != nil || len(p.Names()) != 0 || len(p.Components()) != 0 {
		t.Errorf("%+v, %v", p, err)
	}
	if err := p.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestTooManyNodesStartNothing(t *testing.T) {
	p, err := start(t, nodes.Options{Spec: profiles.HollowNodes{Count: 60_000, NamePrefix: "many-"}})
	var limit *nodes.LimitError
	if p != nil || !errors.As(err, &limit) {
		t.Fatalf("%v", err)
	}
	if n := len(list(t, suite.Shared(t), "many-")); n != 0 {
		t.Errorf("%d nodes all the same", n)
	}
}

func TestAShardThatDiesIsAComponentError(t *testing.T) {
	sup := suite.SharedSupervisor(t)
	pid := make(chan int, 1)
	go func() { // as soon as the first process is there
		for ctx := t.Context(); ctx.Err() == nil; {
			if p := findShard(sup.PID()); p != 0 {
				_ = syscall.Kill(p, syscall.SIGKILL)
				pid <- p
				return
			}
			time.Sleep(time.Millisecond)
		}
	}()
	_, err := start(t, nodes.Options{Spec: profiles.HollowNodes{Count: 40, NamePrefix: "dying-"}})
	var failure *supervise.ComponentError
	if !errors.As(err, &failure) || failure.Name != "hollow-0" || !strings.Contains(err.Error(), "killed") || failure.Log == "" {
		t.Fatalf("%v", err)
	}
	eventually(t, "nothing of it runs", func() bool { return findShard(sup.PID()) == 0 })
	<-pid
	if left, err := filepath.Glob(filepath.Join(sup.Dirs().Memory, "hollow-*")); err != nil || len(left) != 0 {
		t.Errorf("left of it: %v, %v", left, err)
	}
}

// findShard looks for a process of hollow nodes among the children of the supervisor.
func findShard(parent int) int {
	stats, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		return 0
	}
	for _, file := range stats {
		cmd, err := os.ReadFile(file)
		if err != nil || !strings.Contains(string(cmd), "\x00hollow-nodes\x00") {
			continue
		}
		var pid, ppid int
		var comm, state string
		b, err := os.ReadFile(filepath.Join(filepath.Dir(file), "stat"))
		if err != nil {
			continue
		}
		if _, err := fmt.Sscan(string(b), &pid, &comm, &state, &ppid); err == nil && ppid == parent && state != "Z" {
			return pid
		}
	}
	return 0
}

func TestNodesThatAreTooSlowBlameTheirShard(t *testing.T) {
	_, err := start(t, nodes.Options{Spec: profiles.HollowNodes{
		Count: 30, NamePrefix: "slow-", ReadyTimeout: profiles.Duration(500 * time.Millisecond),
	}})
	var failure *supervise.ComponentError
	if !errors.As(err, &failure) || !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("%v", err)
	}
	for _, want := range []string{"hollow-0: ", " of 30 nodes are Ready: not all are Ready within 500ms", failure.Log} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in: %v", want, err)
		}
	}
}
