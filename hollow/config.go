// Package hollow says who is simulated. Of tier kubelet: nodes that run the real kubelet's code over a container runtime that only
// pretends (hollow/cri), and the real kube-proxy's code over rules that go nowhere. Of tier light: nodes that are a state machine of
// our own (hollow/light). This package is what both sides of it share, the
// harness and the process that holds a shard of the nodes: how a shard is described, what it answers on its control socket,
// and what memory and files it needs. The nodes themselves are in hollow/shard and hollow/light, behind `windtunnel-kube
// hollow-nodes`; nothing here links a Kubernetes component.
//
// What a hollow node of tier kubelet cannot show (docs/fidelity.md says it of tier light), against a node that carries workloads:
//
//   - no container runs, so there is no image pull time, no CNI or CSI time, no container that exits by itself, no CPU or
//     memory pressure, no log, and no traffic;
//   - the kubelet's probes are those of kubemark: every container is ready as soon as it runs;
//   - the kubelet posts no events (kubemark's FakeRecorder; a real kubelet posts three or four a container); kube-proxy posts
//     its one at the start;
//   - the kubelet serves no API (no logs, exec, metrics), does not rotate certificates and watches no plugin directory, so
//     no CSI or device plugin can register; its CSINode object is there, without drivers;
//   - kube-proxy does not watch its Node, as kubemark's does not;
//   - all nodes of a machine give that machine's address as their InternalIP.
package hollow

import (
	"encoding/json"
	"fmt"
	"os"
	"time"

	"windtunnel/profiles"
)

// ShardConfig describes one shard: a process that holds some of the hollow nodes. It holds private keys.
type ShardConfig struct {
	// Name is the shard's name, such as hollow-0.
	Name string `json:"name"`
	// Tier and Fidelity are profiles.HollowNodes' own; empty for the defaults.
	Tier     string `json:"tier,omitempty"`
	Fidelity string `json:"fidelity,omitempty"`
	// Shared is the one identity of all nodes of tier light at fidelity minimal, whose nodes have none of their own; where there are stages,
	// also the one that writes what they say of pods and no kubelet may write.
	Shared Identity `json:"shared,omitzero"`
	// Server is the API server's URL, https://HOST:PORT.
	Server string `json:"server"`
	// CA is the certificate authority of the server's certificate, PEM.
	CA []byte `json:"ca"`
	// ClockBase is the run's base, results.Clock.Base().
	ClockBase int64 `json:"clockBase"`
	// RootDir is an existing directory for the kubelets' own, best in memory. Its path is at most MaxRootDir bytes long.
	RootDir string `json:"rootDir"`
	// Samples is the file that the runtimes' pod events are written to (results.PodEvent); empty for none.
	Samples string `json:"samples,omitempty"`
	// Socket is the path of the unix socket that the shard listens on for its control.
	Socket string `json:"socket"`
	// Nodes are the nodes, in the order in which they join.
	Nodes []Node `json:"nodes"`
	// MaxPods is the most pods that a node admits.
	MaxPods int `json:"maxPods"`
	// Capacity is every node's capacity by resource name, as Kubernetes quantities; see ParseCapacity.
	Capacity map[string]string `json:"capacity"`
	// Labels are set on every node when it registers.
	Labels map[string]string `json:"labels,omitempty"`
	// Taints are set on every node when it registers.
	Taints []profiles.Taint `json:"taints,omitempty"`
	// PaddingBytes is the size of an annotation that makes the node objects larger; 0 for none.
	PaddingBytes int `json:"paddingBytes,omitempty"`
	// QPS and Burst are each kubelet's client limit; 0 for Kubernetes' own, 50 and 100. Heartbeats are not limited by it.
	QPS   float64 `json:"qps,omitempty"`
	Burst int     `json:"burst,omitempty"`
	// SandboxStart, ContainerStart and ContainerStop are the container runtimes' latencies, in nanoseconds.
	SandboxStart   time.Duration `json:"sandboxStart,omitempty"`
	ContainerStart time.Duration `json:"containerStart,omitempty"`
	ContainerStop  time.Duration `json:"containerStop,omitempty"`
	// SandboxStartP99, ContainerStartP99 and ContainerStopP99 make these times vary on nodes of tier light: see Latency.
	SandboxStartP99   time.Duration `json:"sandboxStartP99,omitempty"`
	ContainerStartP99 time.Duration `json:"containerStartP99,omitempty"`
	ContainerStopP99  time.Duration `json:"containerStopP99,omitempty"`
	// Stages are the texts of the life cycles that pods go through, all together one set; none for the tier's own.
	Stages []profiles.StageSource `json:"stages,omitempty"`
	// Usage has nodes of tier light serve what their pods use; nil: they serve nothing.
	Usage *profiles.Usage `json:"usage,omitempty"`
	// Seed decides what stages, latencies and usage leave to chance.
	Seed uint64 `json:"seed,omitempty"`
	// Proxy gives every node a hollow kube-proxy.
	Proxy bool `json:"proxy,omitempty"`
	// JoinWindow is the most nodes of this shard that are between their start and Ready at one time; 0 for
	// DefaultJoinWindow.
	JoinWindow int `json:"joinWindow,omitempty"`
	// ExpectedPods is how many pods are expected on this shard's nodes at one time, from which its memory limit follows.
	ExpectedPods int `json:"expectedPods,omitempty"`
}

// Node is one hollow node.
type Node struct {
	// Name is the node's name, a DNS subdomain.
	Name string `json:"name"`
	// Index is the node's number in the run, unique in the shard.
	Index int `json:"index"`
	// Labels are set besides the shard's, over which they win.
	Labels map[string]string `json:"labels,omitempty"`
	// Kubelet is the identity system:node:NAME in group system:nodes.
	Kubelet Identity `json:"kubelet"`
	// Proxy is the identity of its kube-proxy, system:kube-proxy; unused without one. Nodes may share it: each has a
	// connection of its own all the same.
	Proxy Identity `json:"proxy"`
}

// Identity is a client certificate and its key, PEM, or a file with a bearer token, which is read again as it is renewed.
type Identity struct {
	Cert      []byte `json:"cert,omitempty"`
	Key       []byte `json:"key,omitempty"`
	TokenFile string `json:"tokenFile,omitempty"`
}

// Light says whether the nodes are of tier light, and Minimal whether they behave as little like a kubelet as that allows.
func (c ShardConfig) Light() bool { return c.Tier == profiles.TierLight }

// Environment is what the process of a shard is to have in its environment, as NAME=VALUE. Light nodes do a little work at each of very many
// instants, so what Go's scheduler does around an instant is most of what they cost. schedtrace, which prints one line at the start and
// the next in 23 days, keeps the runtime's monitor from falling asleep with the last goroutine: it would be woken by the next one, and
// look every 20 µs (sysmon in runtime/proc.go). Together with Processors it halves a light node's CPU time. Nothing for tier kubelet, which
// does not gain by it.
func (c ShardConfig) Environment() []string {
	if !c.Light() {
		return nil
	}
	return []string{"GODEBUG=schedtrace=2000000000"}
}

// Processors is GOMAXPROCS of the process of a shard on a machine with that many cores; 0 to leave it as it is. One for each four cores, which
// are the control plane's, spares light nodes the waking of a second thread that finds nothing to do.
func (c ShardConfig) Processors(cores int) int {
	if !c.Light() {
		return 0
	}
	return max(1, cores/4)
}

// Minimal says whether the nodes are of tier light at fidelity minimal.
func (c ShardConfig) Minimal() bool { return c.Light() && c.Fidelity == profiles.FidelityMinimal }

// Size is what the shard's needs follow from.
func (c ShardConfig) Size() Size {
	return Size{Nodes: len(c.Nodes), Pods: c.ExpectedPods, Proxy: c.Proxy, Light: c.Light(), Minimal: c.Minimal()}
}

// DefaultJoinWindow is how many nodes of a shard may be joining at one time where nothing else is said.
const DefaultJoinWindow = 16

// Write writes the description to a new file that only its owner can read.
func (c ShardConfig) Write(path string) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("write configuration of shard %s: %w", c.Name, err)
	}
	err = json.NewEncoder(file).Encode(c)
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return fmt.Errorf("write configuration of shard %s: %w", c.Name, err)
	}
	return nil
}

// ReadShardConfig reads a description and checks it.
func ReadShardConfig(path string) (ShardConfig, error) {
	file, err := os.Open(path)
	if err != nil {
		return ShardConfig{}, fmt.Errorf("read shard configuration: %w", err)
	}
	defer file.Close()
	decoder := json.NewDecoder(file)
	decoder.DisallowUnknownFields()
	var c ShardConfig
	if err := decoder.Decode(&c); err != nil {
		return ShardConfig{}, fmt.Errorf("read shard configuration %s: %w", path, err)
	}
	if err := c.Validate(); err != nil {
		return ShardConfig{}, fmt.Errorf("shard configuration %s: %w", path, err)
	}
	return c, nil
}
