package profiles

import (
	"fmt"
	"path"
	"regexp"
	"strings"
	"time"
)

// clusterName is what kind allows for the name of a cluster.
var clusterName = regexp.MustCompile(`^[a-z0-9.-]+$`)

// provider checks what depends on who makes the control plane. The groups of other providers may stay in a profile, so that
// --provider alone moves it from one to another.
func (c *checker) provider() {
	const path = "controlPlane"
	cp := c.ControlPlane
	if !c.enum(path+".provider", cp.Provider, enumOf[ControlPlane]("provider")) {
		return
	}
	if cp.Provider != ProviderEmbedded {
		c.notHere(path+".binDir", cp.BinDir != "", "only the embedded control plane runs programs of this machine")
		c.notHere(path+".port", cp.Port != 0, "only the embedded control plane chooses its port")
	}
	if !cp.Made() {
		const why = "it was started with flags of its own"
		c.notHere(path+".apiServer.audit", cp.APIServer.Audit != "" && cp.APIServer.Audit != "none", why)
		c.notHere(path+".etcd.args", len(cp.Etcd.Args) > 0, why)
		c.notHere(path+".apiServer.args", len(cp.APIServer.Args) > 0, why)
		c.notHere(path+".controllerManager.args", len(cp.ControllerManager.Args) > 0, why)
		c.notHere(path+".scheduler.args", len(cp.Scheduler.Args) > 0, why)
	}
	if cp.Kind != nil {
		c.kindCluster(path+".kind", *cp.Kind)
	}
	if cp.Provider == ProviderExisting {
		c.existingCluster(path+".existing", cp.Existing)
	}
}

// notHere reports a field that this provider cannot honour.
func (c *checker) notHere(path string, given bool, why string) {
	of := "with the provider " + c.ControlPlane.Provider
	if !c.ControlPlane.Made() {
		of = "for a control plane that is there already"
	}
	if given {
		c.problem(path, why, "cannot be set %s", of)
	}
}

func (c *checker) kindCluster(path string, k KindCluster) {
	c.atLeast(path+".controlPlaneNodes", k.ControlPlaneNodes, 1)
	c.atLeast(path+".workers", k.Workers, 0)
	for _, name := range sortedKeys(k.FeatureGates) {
		if !labelName.MatchString(name) {
			c.keyProblem(joinKey(path+".featureGates", name), "such as MutablePodResourcesForSuspendedJobs", "%q is not the name of a feature", name)
		}
	}
	for _, name := range sortedKeys(k.RuntimeConfig) {
		at := joinKey(path+".runtimeConfig", name)
		if name == "" || strings.ContainsAny(name, "=, \t\n") {
			c.keyProblem(at, "such as api/alpha or resource.k8s.io/v1beta1", "%q is not an API group or version", name)
		}
		c.enum(at, k.RuntimeConfig[name], []string{"true", "false"})
	}
	for i, m := range k.Mounts {
		at := fmt.Sprintf("%s.mounts[%d]", path, i)
		c.absolute(at+".hostPath", m.HostPath)
		c.absolute(at+".containerPath", m.ContainerPath)
	}
	if k.Reuse == "" {
		return
	}
	if !clusterName.MatchString(k.Reuse) {
		c.problem(path+".reuse", "kind get clusters lists them", "%q is not the name of a kind cluster", k.Reuse)
	}
	for _, f := range []struct {
		name  string
		given bool
	}{
		{"nodeImage", k.NodeImage != ""}, {"controlPlaneNodes", k.ControlPlaneNodes > 1}, {"workers", k.Workers != 0},
		{"featureGates", len(k.FeatureGates) > 0}, {"runtimeConfig", len(k.RuntimeConfig) > 0}, {"mounts", len(k.Mounts) > 0}, {"config", k.Config != ""},
	} {
		if f.given {
			c.problem(path+"."+f.name, "take it away, or "+path+".reuse", "cannot be set for a cluster that is there already")
		}
	}
}

// absolute checks a path that must begin at the root.
func (c *checker) absolute(at, value string) {
	if c.required(at, value) && !path.IsAbs(value) {
		c.problem(at, "such as /"+strings.TrimLeft(value, "./"), "%q is not an absolute path", value)
	}
}

func (c *checker) existingCluster(path string, e *ExistingCluster) {
	if e == nil {
		e = &ExistingCluster{}
	}
	if e.Kubeconfig == "" {
		c.problem(path+".kubeconfig", "write controlPlane.existing.kubeconfig: FILE; it is never taken from the environment", "is required with the provider existing")
	}
	const mostShares, leastBaseline = 10_000, Duration(10 * time.Second) // more shares than that leave nothing to others
	if e.Shares < 0 || e.Shares > mostShares {
		c.problem(path+".shares", "Kubernetes' own levels have 245 together", "must be between 1 and %d, not %d", mostShares, e.Shares)
	}
	if e.Baseline != 0 && e.Baseline < leastBaseline {
		c.problem(path+".baseline", "write 10s or more", "%v is too short to compare with", e.Baseline)
	}
	if e.Image == "" && c.HollowNodes.Count > 0 {
		c.problem(path+".image", "write the name by which the cluster's nodes find the image (manifests/README.md), or hollowNodes: {count: 0}", "is required for hollow nodes with the provider existing")
	}
}
