package profiles

// The providers of a control plane.
const (
	ProviderEmbedded = "embedded"
	ProviderKind     = "kind"
	ProviderExisting = "existing"
)

// KindCluster is a cluster that kind makes, whose nodes are containers of this machine.
type KindCluster struct {
	// NodeImage is the image of the nodes, as Docker or Podman knows it. Default: the official kindest/node of the Kubernetes
	// version that windtunnel was built with.
	NodeImage string `yaml:"nodeImage,omitempty" json:"nodeImage,omitempty"`
	// ControlPlaneNodes is how many nodes run a control plane, behind a load balancer when there are several. Default 1.
	ControlPlaneNodes int `yaml:"controlPlaneNodes,omitempty" json:"controlPlaneNodes,omitempty" default:"1"`
	// Workers is how many further nodes there are. Hollow nodes run on all nodes. Default 0.
	Workers int `yaml:"workers,omitempty" json:"workers,omitempty"`
	// FeatureGates switches features of all components on and off, name to true or false.
	FeatureGates map[string]bool `yaml:"featureGates,omitempty" json:"featureGates,omitempty"`
	// RuntimeConfig switches API groups and versions on and off, as in kube-apiserver's --runtime-config: api/alpha to "true".
	RuntimeConfig map[string]string `yaml:"runtimeConfig,omitempty" json:"runtimeConfig,omitempty"`
	// Mounts makes files of this machine visible in every node.
	Mounts []Mount `yaml:"mounts,omitempty" json:"mounts,omitempty"`
	// Config is a file with a kind configuration (kind.x-k8s.io/v1alpha4). What windtunnel needs is added to it; what it asks
	// for itself stands but for the name, and nodes in it take the place of controlPlaneNodes and workers.
	Config string `yaml:"config,omitempty" json:"config,omitempty"`
	// Reuse names a kind cluster that is there, to be used and left as it was found.
	Reuse string `yaml:"reuse,omitempty" json:"reuse,omitempty"`
	// Keep leaves the cluster when the run is over. Default false.
	Keep bool `yaml:"keep,omitempty" json:"keep,omitempty"`
}

// Mount is a file or directory of this machine in a node.
type Mount struct {
	// HostPath is the absolute path on this machine.
	HostPath string `yaml:"hostPath" json:"hostPath"`
	// ContainerPath is the absolute path in the node.
	ContainerPath string `yaml:"containerPath" json:"containerPath"`
	// ReadOnly forbids the node to write there. Default false.
	ReadOnly bool `yaml:"readOnly,omitempty" json:"readOnly,omitempty"`
}

// ExistingCluster is a cluster that is there, and that somebody else answers for.
type ExistingCluster struct {
	// Kubeconfig is the file that says where the cluster is. It is never taken from the environment: which cluster is put under
	// load has to be written down.
	Kubeconfig string `yaml:"kubeconfig" json:"kubeconfig"`
	// Context is the context of that file. Default: its current context.
	Context string `yaml:"context,omitempty" json:"context,omitempty"`
	// Image is the name by which the cluster's nodes find the image of the hollow nodes (see manifests/README.md). Required when
	// there are hollow nodes.
	Image string `yaml:"image,omitempty" json:"image,omitempty"`
	// Shares are the concurrency shares of the load's own priority level, which bound what it takes of the API server beside the
	// cluster's own users. Kubernetes' own levels have 245 together. Default 40.
	Shares int `yaml:"shares,omitempty" json:"shares,omitempty" default:"40"`
	// Baseline is how long the cluster is looked at before the run, to compare with. Default 10s.
	Baseline Duration `yaml:"baseline,omitempty" json:"baseline,omitempty" default:"10s"`
}

// Made tells that the control plane is made for the run, so that its components can be given flags.
func (c ControlPlane) Made() bool {
	return c.Provider != ProviderExisting && (c.Kind == nil || c.Provider != ProviderKind || c.Kind.Reuse == "")
}

// Unapplied are the fields that ask for something of a control plane that was not made for the run, and that therefore
// may not hold: a run says so.
func (c ControlPlane) Unapplied() []string {
	if c.Made() {
		return nil
	}
	var fields []string
	note := func(field string, asked bool) {
		if asked {
			fields = append(fields, "controlPlane."+field)
		}
	}
	note("etcd.fsync", c.Etcd.Fsync != nil && !*c.Etcd.Fsync)
	note("controllerManager.qps", c.ControllerManager.QPS != controllerManagerQPS)
	note("controllerManager.burst", c.ControllerManager.Burst != controllerManagerBurst)
	note("scheduler.qps", c.Scheduler.QPS != schedulerQPS)
	note("scheduler.burst", c.Scheduler.Burst != schedulerBurst)
	return fields
}
