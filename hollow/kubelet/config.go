package kubelet

import (
	"fmt"
	"path/filepath"
	"time"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/kubernetes/cmd/kubelet/app/options"
	kubeletconfig "k8s.io/kubernetes/pkg/kubelet/apis/config"

	"windtunnel/profiles"
)

// configure returns the flags and the configuration of a node's kubelet: Kubernetes' defaults (so the pods are resynced once a
// minute, where kubemark does it every 10 s), but for what would touch the machine, what needs cgroups, and the few values
// that kubemark sets for hollow kubelets.
func (s *Starter) configure(n Node) (*options.KubeletServer, error) {
	config, err := options.NewKubeletConfiguration()
	if err != nil {
		return nil, fmt.Errorf("default kubelet configuration: %w", err)
	}
	flags := options.NewKubeletFlags()
	flags.RootDirectory = n.RootDir
	flags.CertDirectory = filepath.Join(n.RootDir, "pki")
	flags.HostnameOverride = n.Name
	flags.NodeIP = s.nodeIP
	flags.NodeLabels = n.Labels
	flags.MinimumGCAge = metav1.Duration{Duration: time.Minute}
	flags.MaxContainerCount = 100
	flags.MaxPerPodContainerCount = 2

	// Nothing of the machine is served, watched or changed.
	config.EnableServer = false
	config.ReadOnlyPort = 0
	config.HealthzPort = 0
	config.StaticPodPath = ""
	config.MakeIPTablesUtilChains = false
	config.ResolverConfig = ""
	config.ClusterDNS = nil
	config.PodLogsDir = filepath.Join(n.RootDir, "pod-logs")
	// The kubelet sets the process's limit to this, soft and hard.
	config.MaxOpenFiles = s.maxFiles

	// What is looked at for the node alone, is the same at every look, and never reaches the API server: how full volumes are, and
	// how long the logs of containers that write none. Below 0 the first is off; the second cannot be.
	config.VolumeStatsAggPeriod = metav1.Duration{Duration: -time.Second}
	config.ContainerLogMonitorInterval = metav1.Duration{Duration: 24 * time.Hour}

	// There are no cgroups; the kubelet refuses to enforce allocatable resources without them.
	config.CgroupsPerQOS = false
	config.CgroupRoot = ""
	config.EnforceNodeAllocatable = nil
	config.FailSwapOn = false

	config.MaxPods = int32(s.options.MaxPods)
	config.ProviderID = "windtunnel://" + n.Name
	config.RegisterWithTaints = taints(s.options.Taints)
	return &options.KubeletServer{KubeletFlags: *flags, KubeletConfiguration: *config}, nil
}

func taints(from []profiles.Taint) []v1.Taint {
	var to []v1.Taint
	for _, t := range from {
		to = append(to, v1.Taint{Key: t.Key, Value: t.Value, Effect: v1.TaintEffect(t.Effect)})
	}
	return to
}

// heartbeatTimeout bounds each request of the heartbeat client as in the kubelet: the shorter of a node status period and a
// lease.
func heartbeatTimeout(config *kubeletconfig.KubeletConfiguration) time.Duration {
	return min(config.NodeStatusUpdateFrequency.Duration, time.Duration(config.NodeLeaseDurationSeconds)*time.Second)
}
