package nodes

import (
	"fmt"
	"math"
	"sort"
	"strconv"
	"strings"

	"windtunnel/hollow"
)

// What the nodes ask of the machine outside their own processes, measured with v1.36.3 (docs/performance.md has the
// commands).
const (
	// controlPlaneNodeBytes and controlPlanePodBytes are what all components of the control plane together grow by, at
	// most, for a hollow node with its proxy, and for a pod that is made while users work: more than half of the latter is
	// etcd's history, which is only compacted every five minutes.
	controlPlaneNodeBytes = 1200 << 10
	controlPlanePodBytes  = 600 << 10
	// controlPlaneBareNodeBytes is the same for a node without connections and watches of its own.
	controlPlaneBareNodeBytes = 150 << 10
	// sharedConnections is how many connections a process has whose nodes share them.
	sharedConnections = 8
	// apiServerFiles is what the API server holds open without a node; each connection is one more.
	apiServerFiles = 200
	// shardInotify is how many inotify instances are left to a shard of tier kubelet. Its kubelets make none as they are configured.
	shardInotify = 1
	// sparePorts are the outgoing ports that are left to everybody else.
	sparePorts = 1000
	// mostNodes is how many pod networks the controller manager has to give: /24 out of 10.0.0.0/8.
	mostNodes = 1 << 16
)

// LimitError says that the machine cannot carry the hollow nodes, and why.
type LimitError struct {
	// Nodes is how many were asked for, Fit how many fit.
	Nodes, Fit int
	// Reasons is one sentence with its arithmetic for every limit that does not suffice.
	Reasons []string
}

// Error names the limits and how many nodes would fit.
func (e *LimitError) Error() string {
	fit := fmt.Sprintf("at most %s nodes fit", thousands(e.Fit))
	if e.Fit == 0 {
		fit = "not one node fits"
	}
	return fmt.Sprintf("%s hollow nodes do not fit on this machine: %s: %s", thousands(e.Nodes), strings.Join(e.Reasons, "; "), fit)
}

// demand is what is asked of the machine.
type demand struct {
	nodes, pods, perProcess int
	proxy, light, minimal   bool
}

// of scales the demand to another number of nodes with as many pods each.
func (d demand) of(nodes int) demand {
	if d.nodes > 0 {
		d.pods = int(math.Ceil(float64(d.pods) * float64(nodes) / float64(d.nodes)))
	}
	d.nodes = nodes
	return d
}

// shards is how many processes there are, and largest the nodes and pods of the fullest.
func (d demand) shards() int { return divideUp(d.nodes, d.perProcess) }

func (d demand) largest() hollow.Size {
	n := max(1, d.shards())
	return hollow.Size{Nodes: divideUp(d.nodes, n), Pods: divideUp(d.pods, n), Proxy: d.proxy, Light: d.light, Minimal: d.minimal}
}

func (d demand) connections() int {
	switch {
	case d.minimal:
		return sharedConnections * d.shards()
	case d.proxy:
		return 2 * d.nodes
	}
	return d.nodes
}

// memory is what all hollow processes, and the control plane on top of what it takes already, need.
func (d demand) memory() int64 {
	if d.nodes == 0 {
		return 0
	}
	one, _ := hollow.Need(d.largest())
	return int64(d.shards())*one + d.controlPlane()
}

func (d demand) controlPlane() int64 {
	node := int64(controlPlaneNodeBytes)
	if d.minimal {
		node = controlPlaneBareNodeBytes
	}
	return int64(d.nodes)*node + int64(d.pods)*controlPlanePodBytes
}

// shortfalls lists what the machine lacks for the demand, a sentence each.
func (d demand) shortfalls(m machine) []string {
	var reasons []string
	add := func(format string, args ...any) { reasons = append(reasons, fmt.Sprintf(format, args...)) }
	if need := d.memory(); need > m.memory {
		add("memory: they need %s (%s in %d hollow processes with %s pods, %s more in the control plane), %s are free",
			bytesText(need), bytesText(need-d.controlPlane()), d.shards(), thousands(d.pods), bytesText(d.controlPlane()), bytesText(m.memory))
	}
	if _, need := hollow.Need(d.largest()); need > m.files {
		add("open files: a process with %s of them needs %s, its limit is %s (ulimit -Hn; or set hollowNodes.perProcess lower)",
			thousands(d.largest().Nodes), thousands(need), thousands(m.files))
	}
	if need := apiServerFiles + d.connections(); need > m.files {
		add("open files: the API server needs %s for their connections, its limit is %s (ulimit -Hn)", thousands(need), thousands(m.files))
	}
	if need := d.shards() * shardInotify; need > m.inotify && !d.light {
		add("inotify instances: %d processes need %d, %d are left (/proc/sys/fs/inotify/max_user_instances)", d.shards(), need, max(0, m.inotify))
	}
	if need := d.connections() + sparePorts; need > m.ports {
		add("ports: they need %s outgoing connections, there are %s ports (/proc/sys/net/ipv4/ip_local_port_range)", thousands(need), thousands(m.ports))
	}
	if d.nodes > mostNodes {
		add("pod networks: there are %s", thousands(mostNodes))
	}
	return reasons
}

// check fails with a LimitError when the machine cannot carry the demand.
func (d demand) check(m machine) error {
	reasons := d.shortfalls(m)
	if len(reasons) == 0 {
		return nil
	}
	// What n nodes need, n+1 need as well, save for the rounding of shards, so a binary search finds the most.
	fit := sort.Search(d.nodes, func(n int) bool { return len(d.of(n+1).shortfalls(m)) > 0 })
	return &LimitError{Nodes: d.nodes, Fit: fit, Reasons: reasons}
}

func divideUp(a, b int) int { return (a + b - 1) / b }

// bytesText writes an amount of memory as people do: 3.6 GB, 240 MB.
func bytesText(n int64) string {
	if n >= 1e9 {
		return fmt.Sprintf("%.1f GB", float64(n)/1e9)
	}
	return fmt.Sprintf("%.0f MB", float64(n)/1e6)
}

// thousands writes a number with spaces between groups of three digits.
func thousands(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + " " + s[i:]
	}
	return s
}
