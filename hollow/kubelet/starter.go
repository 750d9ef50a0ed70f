package kubelet

import (
	"context"
	"fmt"
	"math"
	"os"
	"sync"

	"golang.org/x/sys/unix"
	apinet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	internalapi "k8s.io/cri-api/pkg/apis"
	"k8s.io/klog/v2"
	kubeletapp "k8s.io/kubernetes/cmd/kubelet/app"

	"windtunnel/hollow"
	"windtunnel/profiles"
)

// Options are what the nodes of a Starter have in common.
type Options struct {
	// MaxPods is the most pods that a node admits.
	MaxPods int
	// Capacity is what a node has.
	Capacity hollow.Capacity
	// Taints are what a node registers with.
	Taints []profiles.Taint
}

// Node is one kubelet.
type Node struct {
	// Name is the node's name.
	Name string
	// RootDir is the kubelet's directory; it is made.
	RootDir string
	// Labels are what the node registers with.
	Labels map[string]string
	// Client is how the kubelet reaches the API server: as system:node:NAME, at its own rate limit. The client of its
	// heartbeats is made from it, with a timeout and no limit, over the same connection.
	Client *rest.Config
	// Runtime and Images are its container runtime.
	Runtime internalapi.RuntimeService
	Images  internalapi.ImageManagerService
}

// Starter starts the kubelets of this process; there is one in a process. It is safe for concurrent use.
type Starter struct {
	options  Options
	nodeIP   string // empty: each kubelet finds out by itself, over and over
	maxFiles int64

	mu         sync.Mutex
	collectors *collectors
}

// NewStarter prepares this process for kubelets: it makes Prometheus' default registry, to which Kubernetes also registers
// every collector and which nothing reads, take anything.
func NewStarter(options Options) (*Starter, error) {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return nil, fmt.Errorf("read limit of open files: %w", err)
	}
	s := &Starter{options: options, maxFiles: int64(min(limit.Cur, math.MaxInt64)), collectors: newCollectors()}
	// Without a node IP the kubelet asks DNS for its name and then looks at the machine's routes, at every node status. All
	// nodes of a machine have the machine's address: it accepts no other. Where there is none but loopback it is left out.
	if ip, err := apinet.ResolveBindAddress(nil); err == nil && !ip.IsLoopback() {
		s.nodeIP = ip.String()
	}
	return s, nil
}

// Start starts one kubelet and returns when it is under way. It cannot be stopped; ctx carries its logger. What goes wrong
// later shows in the log, or ends the process.
func (s *Starter) Start(ctx context.Context, n Node) error {
	if err := s.start(ctx, n); err != nil {
		return fmt.Errorf("start kubelet of %s: %w", n.Name, err)
	}
	return nil
}

func (s *Starter) start(ctx context.Context, n Node) error {
	if err := os.MkdirAll(n.RootDir, 0o750); err != nil {
		return err
	}
	server, err := s.configure(n)
	if err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(n.Client)
	if err != nil {
		return err
	}
	heartbeat := rest.CopyConfig(n.Client)
	heartbeat.QPS = -1
	heartbeat.Timeout = heartbeatTimeout(&server.KubeletConfiguration)
	heartbeatClient, err := kubernetes.NewForConfig(heartbeat)
	if err != nil {
		return err
	}
	dependencies, err := s.dependencies(ctx, n)
	if err != nil {
		return err
	}
	dependencies.KubeClient, dependencies.HeartbeatClient = client, heartbeatClient

	s.mu.Lock()
	defer s.mu.Unlock()
	ctx = klog.NewContext(context.WithoutCancel(ctx), klog.LoggerWithValues(klog.FromContext(ctx), "node", n.Name))
	if err := kubeletapp.RunKubelet(ctx, server, dependencies); err != nil {
		return err
	}
	return s.collectors.forget(ctx)
}
