package cri

import (
	"context"

	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"
	"k8s.io/kubelet/pkg/types"
)

// ListPodSandbox lists the sandboxes that pass the filter; nil lists all. The elements are shared: they must not be changed.
func (r *Runtime) ListPodSandbox(_ context.Context, filter *runtimeapi.PodSandboxFilter) ([]*runtimeapi.PodSandbox, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var found []*runtimeapi.PodSandbox
	match := func(s *sandbox) {
		if (filter.GetId() == "" || filter.GetId() == s.id) &&
			(filter.GetState() == nil || filter.GetState().State == s.listed.State) &&
			hasLabels(s.listed.Labels, filter.GetLabelSelector()) {
			found = append(found, s.listed)
		}
	}
	if uid, ok := filter.GetLabelSelector()[types.KubernetesPodUIDLabel]; ok {
		for _, s := range r.pods[uid] {
			match(s)
		}
		return found, nil
	}
	found = make([]*runtimeapi.PodSandbox, 0, len(r.sandboxes))
	for _, s := range r.sandboxes {
		match(s)
	}
	return found, nil
}

// ListContainers lists the containers that pass the filter; nil lists all. The elements are shared: they must not be changed.
func (r *Runtime) ListContainers(_ context.Context, filter *runtimeapi.ContainerFilter) ([]*runtimeapi.Container, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	found := make([]*runtimeapi.Container, 0, r.roomFor(filter.GetPodSandboxId(), filter.GetLabelSelector()))
	r.eachContainer(filter.GetId(), filter.GetPodSandboxId(), filter.GetLabelSelector(), func(c *container) {
		if filter.GetState() == nil || filter.GetState().State == c.state {
			found = append(found, c.listed)
		}
	})
	return found, nil
}

func (r *Runtime) roomFor(sandboxID string, labels map[string]string) int {
	if sandboxID != "" || len(labels) > 0 {
		return 1
	}
	return len(r.containers)
}

// eachContainer calls visit for the containers with this id, sandbox and labels, each of which may be empty for any. Callers
// hold the lock.
func (r *Runtime) eachContainer(id, sandboxID string, labels map[string]string, visit func(*container)) {
	match := func(c *container) {
		if (id == "" || id == c.id) && (sandboxID == "" || sandboxID == c.sandbox.id) && hasLabels(c.labels, labels) {
			visit(c)
		}
	}
	switch uid, byPod := labels[types.KubernetesPodUIDLabel]; {
	case sandboxID != "":
		if s := r.sandboxes[sandboxID]; s != nil {
			for _, c := range s.containers {
				match(c)
			}
		}
	case byPod:
		for _, s := range r.pods[uid] {
			for _, c := range s.containers {
				match(c)
			}
		}
	default:
		for _, c := range r.containers {
			match(c)
		}
	}
}

func hasLabels(labels, wanted map[string]string) bool {
	for key, value := range wanted {
		if have, ok := labels[key]; !ok || have != value {
			return false
		}
	}
	return true
}
