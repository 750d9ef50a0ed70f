package kubelet

import (
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/klog/v2"
	kubeletconfig "k8s.io/kubernetes/pkg/kubelet/apis/config"
	"k8s.io/kubernetes/pkg/kubelet/cm"

	"windtunnel/hollow"
)

// containerManager is kubemark's stub with a capacity and with cgroups that are as they should be.
type containerManager struct {
	cm.ContainerManager
	ephemeralStorage int64
}

func newContainerManager(capacity hollow.Capacity) cm.ContainerManager {
	extended := v1.ResourceList{}
	for name, quantity := range capacity.Extended {
		extended[v1.ResourceName(name)] = quantity
	}
	return &containerManager{
		ContainerManager: cm.NewStubContainerManagerWithDevicePluginResource(extended),
		ephemeralStorage: capacity.EphemeralStorage,
	}
}

// GetCapacity gives what the machine's information does not have.
func (m *containerManager) GetCapacity(localStorageCapacityIsolation bool) v1.ResourceList {
	if !localStorageCapacityIsolation {
		return v1.ResourceList{}
	}
	return v1.ResourceList{v1.ResourceEphemeralStorage: *resource.NewQuantity(m.ephemeralStorage, resource.BinarySI)}
}

// GetPodCgroupRoot names the cgroup of all pods, of which the machine knows the memory; without one the eviction manager logs
// an error every 10 s.
func (m *containerManager) GetPodCgroupRoot() string { return podsCgroup }

// NewPodContainerManager gives the pods' cgroups.
func (m *containerManager) NewPodContainerManager() cm.PodContainerManager {
	return podCgroups{m.ContainerManager.NewPodContainerManager()}
}

// podCgroups are cgroups that hold what the kubelet would have written to them, which it reports in the pods' status.
type podCgroups struct{ cm.PodContainerManager }

// cpuPeriod is the kubelet's default, in microseconds.
const cpuPeriod = 100_000

// GetPodCgroupConfig gives the limits that follow from the pod, all fields set, as when they are read from a cgroup.
func (podCgroups) GetPodCgroupConfig(pod *v1.Pod, _ v1.ResourceName) (*cm.ResourceConfig, error) {
	config := cm.ResourceConfigForPod(pod, true, cpuPeriod, false, kubeletconfig.NoneMemoryReservationPolicy)
	unlimited, shares, period := int64(-1), uint64(cm.MinShares), uint64(cpuPeriod)
	if config.Memory == nil {
		config.Memory = &unlimited
	}
	if config.CPUQuota == nil {
		config.CPUQuota = &unlimited
	}
	if config.CPUShares == nil {
		config.CPUShares = &shares
	}
	if config.CPUPeriod == nil {
		config.CPUPeriod = &period
	}
	return config, nil
}

// SetPodCgroupConfig does nothing: what is set follows from the pod.
func (podCgroups) SetPodCgroupConfig(klog.Logger, *v1.Pod, *cm.ResourceConfig) error { return nil }
