package cri

import (
	"context"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	internalapi "k8s.io/cri-api/pkg/apis"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"

	"windtunnel/hollow/ipam"
)

const (
	// kubeletAPIVersion is the only runtime API version that the kubelet accepts.
	kubeletAPIVersion = "0.1.0"
	runtimeName       = "windtunnel"
	runtimeVersion    = "1.0.0"

	// networkNotReady is the message of a runtime whose CNI configuration has not been written yet, as containerd gives it.
	networkNotReady = "no pod CIDR yet"
)

// Options are the latencies of a runtime and who is told what happens in it. The zero value is a runtime that is
// as quick as can be and tells nobody.
type Options struct {
	// SandboxStart is the time to set up a pod's sandbox.
	SandboxStart time.Duration
	// ContainerStart is the time from the start call, or from the report that it waits for, until a container runs.
	ContainerStart time.Duration
	// ContainerStop is the time a container takes to end after it was asked to. One that would take longer than its grace
	// period is killed at the end of that.
	ContainerStop time.Duration
	// Reports says when a pod's first container may start; nil: at once.
	Reports *Reports
	// Observe is called once for each container that has started or stopped, with no lock held, from any goroutine, and for a
	// stop perhaps after StopContainer has returned. It must not block.
	Observe func(Event)
}

// EventKind says what happened to a container.
type EventKind string

const (
	// Started: the container runs.
	Started EventKind = "started"
	// Stopped: the container has ended.
	Stopped EventKind = "stopped"
)

// Event is one container's start or end.
type Event struct {
	// At is the instant, with a monotonic reading.
	At time.Time
	// Kind is what happened.
	Kind EventKind
	// Namespace, Pod and UID are the pod's.
	Namespace, Pod, UID string
	// Container is the container's name in the pod.
	Container string
	// Labels are the pod's labels and the kubelet's own; read only.
	Labels map[string]string
}

// Runtime is one node's container runtime. It is safe for concurrent use. Its cost is proportional to the pods that are on
// the node, never to those that have been.
type Runtime struct {
	options Options

	mu         sync.Mutex
	addresses  *ipam.Addresses // nil until the node has a pod CIDR
	status     *runtimeapi.StatusResponse
	sandboxes  map[string]*sandbox
	containers map[string]*container
	pods       map[string][]*sandbox // by the pod's UID, oldest first
}

var _ internalapi.RuntimeService = (*Runtime)(nil)

// New returns a runtime without pods, whose network is not ready until UpdateRuntimeConfig has brought a pod CIDR.
func New(options Options) *Runtime {
	if options.Observe == nil {
		options.Observe = func(Event) {}
	}
	return &Runtime{
		options:    options,
		status:     statusResponse(false),
		sandboxes:  make(map[string]*sandbox),
		containers: make(map[string]*container),
		pods:       make(map[string][]*sandbox),
	}
}

// Version implements internalapi.RuntimeVersioner.
func (r *Runtime) Version(context.Context, string) (*runtimeapi.VersionResponse, error) {
	return &runtimeapi.VersionResponse{
		Version:           kubeletAPIVersion,
		RuntimeName:       runtimeName,
		RuntimeVersion:    runtimeVersion,
		RuntimeApiVersion: "v1",
	}, nil
}

// Status says that the runtime is ready, and its network as soon as there is a pod CIDR. The answer is shared: it must not
// be changed.
func (r *Runtime) Status(context.Context, bool) (*runtimeapi.StatusResponse, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.status, nil
}

func statusResponse(networkReady bool) *runtimeapi.StatusResponse {
	network := &runtimeapi.RuntimeCondition{Type: runtimeapi.NetworkReady, Status: networkReady}
	if !networkReady {
		network.Reason, network.Message = "NetworkPluginNotReady", networkNotReady
	}
	return &runtimeapi.StatusResponse{
		Status: &runtimeapi.RuntimeStatus{Conditions: []*runtimeapi.RuntimeCondition{
			{Type: runtimeapi.RuntimeReady, Status: true},
			network,
		}},
		RuntimeHandlers: []*runtimeapi.RuntimeHandler{{Features: &runtimeapi.RuntimeHandlerFeatures{}}},
		Features:        &runtimeapi.RuntimeFeatures{SupplementalGroupsPolicy: true},
	}
}

// UpdateRuntimeConfig takes the node's pod CIDRs, comma-separated; pods get addresses of the first. An empty one is
// ignored. The CIDR cannot be changed while pods hold addresses of the old one.
func (r *Runtime) UpdateRuntimeConfig(_ context.Context, config *runtimeapi.RuntimeConfig) error {
	cidr := config.GetNetworkConfig().GetPodCidr()
	if cidr == "" {
		return nil
	}
	fresh, err := ipam.New(cidr)
	if err != nil {
		return fmt.Errorf("update pod CIDR: %w", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.addresses != nil {
		if r.addresses.Prefix() == fresh.Prefix() {
			return nil
		}
		if r.addresses.Used() > 0 {
			return fmt.Errorf("change pod CIDR from %s to %s: %d pods hold addresses", r.addresses.Prefix(), fresh.Prefix(), r.addresses.Used())
		}
	}
	r.addresses = fresh
	r.status = statusResponse(true)
	return nil
}

// RuntimeConfig implements internalapi.RuntimeService.
func (r *Runtime) RuntimeConfig(context.Context) (*runtimeapi.RuntimeConfigResponse, error) {
	return &runtimeapi.RuntimeConfigResponse{
		Linux: &runtimeapi.LinuxRuntimeConfiguration{CgroupDriver: runtimeapi.CgroupDriver_CGROUPFS},
	}, nil
}

// Close implements internalapi.RuntimeService; there is nothing to close.
func (r *Runtime) Close(context.Context) error { return nil }

// newID returns an identifier of the length that real runtimes use, since it shows in every pod's status.
func newID() string {
	var raw [32]byte
	for i := 0; i < len(raw); i += 8 {
		v := rand.Uint64()
		for j := range 8 {
			raw[i+j] = byte(v >> (8 * j))
		}
	}
	return hex.EncodeToString(raw[:])
}

// sleep waits for d or until ctx ends.
func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
