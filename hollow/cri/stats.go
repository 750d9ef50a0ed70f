package cri

import (
	"context"

	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// workingSet is the memory that a hollow container says it uses, that of a pause container.
const workingSet = 1 << 20

// containerStats returns the figures of a container, which never change: it uses a little memory and nothing else.
// UsageNanoCores is given so that the kubelet does not take differences of samples to get at it.
func containerStats(c *container) *runtimeapi.ContainerStats {
	return &runtimeapi.ContainerStats{
		Attributes: &runtimeapi.ContainerAttributes{Id: c.id, Metadata: c.meta, Labels: c.labels, Annotations: c.notes},
		Cpu: &runtimeapi.CpuUsage{
			Timestamp:            c.created,
			UsageCoreNanoSeconds: &runtimeapi.UInt64Value{},
			UsageNanoCores:       &runtimeapi.UInt64Value{},
		},
		Memory: &runtimeapi.MemoryUsage{
			Timestamp:       c.created,
			WorkingSetBytes: &runtimeapi.UInt64Value{Value: workingSet},
			UsageBytes:      &runtimeapi.UInt64Value{Value: workingSet},
			RssBytes:        &runtimeapi.UInt64Value{Value: workingSet},
		},
		WritableLayer: &runtimeapi.FilesystemUsage{
			Timestamp:  c.created,
			FsId:       &runtimeapi.FilesystemIdentifier{Mountpoint: ImageMountpoint},
			UsedBytes:  &runtimeapi.UInt64Value{},
			InodesUsed: &runtimeapi.UInt64Value{},
		},
	}
}

// ContainerStats returns a container's figures. The answer is shared: it must not be changed.
func (r *Runtime) ContainerStats(_ context.Context, id string) (*runtimeapi.ContainerStats, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.containers[id]
	if c == nil {
		return nil, notFound("container", id)
	}
	return c.stats, nil
}

// ListContainerStats lists the figures of the running containers that pass the filter; nil lists all. The elements are
// shared: they must not be changed.
func (r *Runtime) ListContainerStats(_ context.Context, filter *runtimeapi.ContainerStatsFilter) ([]*runtimeapi.ContainerStats, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	found := make([]*runtimeapi.ContainerStats, 0, r.roomFor(filter.GetPodSandboxId(), filter.GetLabelSelector()))
	r.eachContainer(filter.GetId(), filter.GetPodSandboxId(), filter.GetLabelSelector(), func(c *container) {
		if c.state == runtimeapi.ContainerState_CONTAINER_RUNNING {
			found = append(found, c.stats)
		}
	})
	return found, nil
}

// PodSandboxStats is what the kubelet asks only with the feature PodAndContainerStatsFromCRI, which is off.
func (r *Runtime) PodSandboxStats(context.Context, string) (*runtimeapi.PodSandboxStats, error) {
	return nil, unsupported("pod sandbox stats")
}

// ListPodSandboxStats is what the kubelet asks only with the feature PodAndContainerStatsFromCRI, which is off.
func (r *Runtime) ListPodSandboxStats(context.Context, *runtimeapi.PodSandboxStatsFilter) ([]*runtimeapi.PodSandboxStats, error) {
	return nil, unsupported("pod sandbox stats")
}

// ListMetricDescriptors names no metrics.
func (r *Runtime) ListMetricDescriptors(context.Context) ([]*runtimeapi.MetricDescriptor, error) {
	return nil, nil
}

// ListPodSandboxMetrics gives no metrics.
func (r *Runtime) ListPodSandboxMetrics(context.Context) ([]*runtimeapi.PodSandboxMetrics, error) {
	return nil, nil
}
