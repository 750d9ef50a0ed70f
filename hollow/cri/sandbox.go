package cri

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"time"

	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// sandbox is a pod's sandbox. The protobuf values that the kubelet is given are made anew at each change and shared between
// answers, so that a node on which nothing happens costs next to nothing to list.
type sandbox struct {
	id         string
	config     *runtimeapi.PodSandboxConfig
	handler    string
	created    int64 // Unix nanoseconds
	ready      bool
	address    netip.Addr // invalid for pods on the host's network and once stopped
	containers []*container

	listed *runtimeapi.PodSandbox
	status *runtimeapi.PodSandboxStatusResponse
}

func (s *sandbox) uid() string { return s.config.GetMetadata().GetUid() }

// changed makes the answers about the sandbox again. Callers hold the runtime's lock, or the only reference.
func (s *sandbox) changed() {
	state := runtimeapi.PodSandboxState_SANDBOX_NOTREADY
	if s.ready {
		state = runtimeapi.PodSandboxState_SANDBOX_READY
	}
	network := &runtimeapi.PodSandboxNetworkStatus{}
	if s.address.IsValid() {
		network.Ip = s.address.String()
	}
	s.listed = &runtimeapi.PodSandbox{
		Id:             s.id,
		Metadata:       s.config.GetMetadata(),
		State:          state,
		CreatedAt:      s.created,
		Labels:         s.config.GetLabels(),
		Annotations:    s.config.GetAnnotations(),
		RuntimeHandler: s.handler,
	}
	s.status = &runtimeapi.PodSandboxStatusResponse{
		Status: &runtimeapi.PodSandboxStatus{
			Id:        s.id,
			Metadata:  s.config.GetMetadata(),
			State:     state,
			CreatedAt: s.created,
			Network:   network,
			Linux: &runtimeapi.LinuxPodSandboxStatus{Namespaces: &runtimeapi.Namespace{
				Options: s.config.GetLinux().GetSecurityContext().GetNamespaceOptions(),
			}},
			Labels:         s.config.GetLabels(),
			Annotations:    s.config.GetAnnotations(),
			RuntimeHandler: s.handler,
		},
		Timestamp: time.Now().UnixNano(),
	}
}

// RunPodSandbox sets a sandbox up, which takes Options.SandboxStart, and gives the pod its address.
func (r *Runtime) RunPodSandbox(ctx context.Context, config *runtimeapi.PodSandboxConfig, handler string) (string, error) {
	meta := config.GetMetadata()
	s := &sandbox{id: newID(), config: config, handler: handler, ready: true}

	if config.GetLinux().GetSecurityContext().GetNamespaceOptions().GetNetwork() != runtimeapi.NamespaceMode_NODE {
		address, err := r.takeAddress()
		if err != nil {
			return "", fmt.Errorf("set up network of pod %s/%s: %w", meta.GetNamespace(), meta.GetName(), err)
		}
		s.address = address
	}
	if err := sleep(ctx, r.options.SandboxStart); err != nil {
		r.mu.Lock()
		r.releaseAddress(s)
		r.mu.Unlock()
		return "", fmt.Errorf("set up sandbox of pod %s/%s: %w", meta.GetNamespace(), meta.GetName(), err)
	}
	s.created = time.Now().UnixNano()
	s.changed()

	r.mu.Lock()
	defer r.mu.Unlock()
	r.sandboxes[s.id] = s
	r.pods[s.uid()] = append(r.pods[s.uid()], s)
	r.options.Reports.expect(s.uid())
	return s.id, nil
}

func (r *Runtime) takeAddress() (netip.Addr, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.addresses == nil {
		return netip.Addr{}, fmt.Errorf("network is not ready: %s", networkNotReady)
	}
	return r.addresses.Take()
}

// releaseAddress gives a sandbox's address back. Callers hold the lock.
func (r *Runtime) releaseAddress(s *sandbox) {
	if s.address.IsValid() {
		r.addresses.Release(s.address)
		s.address = netip.Addr{}
	}
}

// StopPodSandbox ends a sandbox and gives the pod's address back; containers that still run are killed. Stopping one that is
// stopped or gone does nothing.
func (r *Runtime) StopPodSandbox(_ context.Context, id string) error {
	r.mu.Lock()
	s := r.sandboxes[id]
	if s == nil {
		r.mu.Unlock()
		return nil
	}
	events := r.killAll(s)
	if s.ready {
		s.ready = false
		r.releaseAddress(s)
		s.changed()
	}
	r.mu.Unlock()
	r.tell(events)
	return nil
}

// RemovePodSandbox forgets a sandbox and its containers, stopping them first where they run. Removing one that is gone does
// nothing.
func (r *Runtime) RemovePodSandbox(_ context.Context, id string) error {
	r.mu.Lock()
	s := r.sandboxes[id]
	if s == nil {
		r.mu.Unlock()
		return nil
	}
	events := r.killAll(s)
	r.releaseAddress(s)
	for _, c := range s.containers {
		delete(r.containers, c.id)
	}
	delete(r.sandboxes, id)
	rest := slices.DeleteFunc(r.pods[s.uid()], func(other *sandbox) bool { return other == s })
	if len(rest) == 0 {
		delete(r.pods, s.uid())
		r.options.Reports.forget(s.uid())
	} else {
		r.pods[s.uid()] = rest
	}
	r.mu.Unlock()
	r.tell(events)
	return nil
}

// PodSandboxStatus returns a sandbox's status. The answer is shared: it must not be changed.
func (r *Runtime) PodSandboxStatus(_ context.Context, id string, _ bool) (*runtimeapi.PodSandboxStatusResponse, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.sandboxes[id]
	if s == nil {
		return nil, notFound("pod sandbox", id)
	}
	return s.status, nil
}

// UpdatePodSandboxResources accepts anything: a hollow pod has no cgroup.
func (r *Runtime) UpdatePodSandboxResources(context.Context, *runtimeapi.UpdatePodSandboxResourcesRequest) (*runtimeapi.UpdatePodSandboxResourcesResponse, error) {
	return &runtimeapi.UpdatePodSandboxResourcesResponse{}, nil
}
