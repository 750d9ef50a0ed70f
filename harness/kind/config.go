package kind

import (
	"fmt"
	"path/filepath"

	"sigs.k8s.io/kind/pkg/apis/config/v1alpha4"

	"windtunnel/profiles"
)

// The components by name, as in profiles, logs and records.
const (
	etcdName              = "etcd"
	apiServerName         = "kube-apiserver"
	controllerManagerName = "kube-controller-manager"
	schedulerName         = "kube-scheduler"
)

// Ports inside a control-plane node: those of kubeadm.
const (
	apiServerPort         = 6443
	etcdMetricsPort       = 2381
	controllerManagerPort = 10257
	schedulerPort         = 10259
)

// Addresses of the cluster. kind's own pod network has room for 256 nodes; this one for 32 768 of 254 pods each, beside kind's
// services (10.96.0.0/16).
const podCIDR = "10.128.0.0/9"

// nodeLogs is where a control-plane node sees a directory for its audit log and the policy.
const nodeLogs = "/var/log/windtunnel"

const auditPolicyFile = "audit-policy.yaml"

// settings are what a cluster's configuration depends on beside the profile.
type settings struct {
	name    string
	image   string
	logs    string         // directory of this machine for logs
	audit   bool           // there is an audit policy in logs
	cgroup1 bool           // the nodes' machine has cgroup v1
	dns     bool           // the image has CoreDNS
	ports   map[string]int // of this machine's loopback: metrics, by component
}

// compose is the kind configuration of a profile's control plane, on top of the user's own.
func compose(spec profiles.ControlPlane, base v1alpha4.Cluster, s settings) (*v1alpha4.Cluster, error) {
	patches, err := kubeadmPatches(spec, base, s)
	if err != nil {
		return nil, err
	}
	c := base
	c.TypeMeta = v1alpha4.TypeMeta{Kind: "Cluster", APIVersion: "kind.x-k8s.io/v1alpha4"}
	c.Name = s.name
	c.KubeadmConfigPatches = append(append([]string(nil), base.KubeadmConfigPatches...), patches...)
	c.Networking.APIServerAddress = "127.0.0.1"
	if c.Networking.PodSubnet == "" {
		c.Networking.PodSubnet = podCIDR
	}
	c.FeatureGates = merged(base.FeatureGates, spec.Kind.FeatureGates)
	c.RuntimeConfig = merged(base.RuntimeConfig, spec.Kind.RuntimeConfig)
	c.Nodes = nodesOf(*spec.Kind, base, s)
	return &c, nil
}

func merged[V any](base, over map[string]V) map[string]V {
	all := map[string]V{}
	for _, m := range []map[string]V{base, over} {
		for k, v := range m {
			all[k] = v
		}
	}
	return all
}

// nodesOf are the user's own nodes or as many as the profile asks for, with the mounts and ports that windtunnel needs.
func nodesOf(k profiles.KindCluster, base v1alpha4.Cluster, s settings) []v1alpha4.Node {
	nodes := append([]v1alpha4.Node(nil), base.Nodes...)
	if len(nodes) == 0 {
		for range k.ControlPlaneNodes {
			nodes = append(nodes, v1alpha4.Node{Role: v1alpha4.ControlPlaneRole})
		}
		for range k.Workers {
			nodes = append(nodes, v1alpha4.Node{Role: v1alpha4.WorkerRole})
		}
	}
	controlPlanes := 0
	for i := range nodes {
		n := &nodes[i]
		if n.Image == "" || k.NodeImage != "" {
			n.Image = s.image
		}
		n.ExtraMounts = append([]v1alpha4.Mount(nil), n.ExtraMounts...)
		for _, m := range k.Mounts {
			n.ExtraMounts = append(n.ExtraMounts, v1alpha4.Mount{HostPath: m.HostPath, ContainerPath: m.ContainerPath, Readonly: m.ReadOnly})
		}
		if n.Role != v1alpha4.ControlPlaneRole && n.Role != "" {
			// kubeadm looks for the patches wherever a node joins.
			n.ExtraMounts = append(n.ExtraMounts, v1alpha4.Mount{HostPath: filepath.Join(s.logs, patchDir), ContainerPath: nodeLogs + "/" + patchDir, Readonly: true})
			continue
		}
		controlPlanes++
		n.ExtraMounts = append(n.ExtraMounts, v1alpha4.Mount{HostPath: s.auditDir(controlPlanes), ContainerPath: nodeLogs})
		if controlPlanes == 1 {
			n.ExtraPortMappings = append(append([]v1alpha4.PortMapping(nil), n.ExtraPortMappings...), s.mapped(etcdName, etcdMetricsPort),
				s.mapped(controllerManagerName, controllerManagerPort), s.mapped(schedulerName, schedulerPort))
		}
	}
	return nodes
}

func (s settings) mapped(component string, inside int32) v1alpha4.PortMapping {
	return v1alpha4.PortMapping{ContainerPort: inside, HostPort: int32(s.ports[component]), ListenAddress: "127.0.0.1", Protocol: v1alpha4.PortMappingProtocolTCP}
}

// auditDir is the directory of this machine that the n-th control-plane node, from 1, has its audit log in. Servers must not
// share a file; the first one's is the run's.
func (s settings) auditDir(n int) string {
	if n == 1 {
		return s.logs
	}
	return filepath.Join(s.logs, fmt.Sprintf("control-plane-%d", n))
}
