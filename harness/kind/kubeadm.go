package kind

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
	"sigs.k8s.io/kind/pkg/apis/config/v1alpha4"

	"windtunnel/profiles"
)

// etcdQuota is the size at which etcd stops taking writes, as on the embedded control plane: 8 GiB.
const etcdQuota = "8589934592"

// flags are a component's command-line flags by name, without dashes.
type flags map[string]string

// kubeadmPatches turn what the profile says of the components into kubeadm's configuration. kind merges flags by name, so they
// are added to those of kind and of the user's own patches, which come before; without a version a patch fits every one.
func kubeadmPatches(spec profiles.ControlPlane, base v1alpha4.Cluster, s settings) ([]string, error) {
	if err := checkArgs(spec); err != nil {
		return nil, err
	}
	args := componentFlags(spec, s)
	apiServer := map[string]any{"extraArgs": args[apiServerName]}
	if s.audit {
		// The API server is a pod: it sees of its node what it is shown.
		apiServer["extraVolumes"] = []map[string]any{{"name": "windtunnel", "hostPath": nodeLogs, "mountPath": nodeLogs, "pathType": "DirectoryOrCreate"}}
		if strings.Contains(strings.Join(base.KubeadmConfigPatches, "\n"), "extraVolumes") {
			return nil, errors.New("controlPlane.apiServer.audit needs extraVolumes, which a patch in controlPlane.kind.config names too, and kubeadm's configuration has one list of them: take it out of the one or turn off the other")
		}
	}
	objects := []map[string]any{{
		"kind":              "ClusterConfiguration",
		"apiServer":         apiServer,
		"controllerManager": map[string]any{"extraArgs": args[controllerManagerName]},
		"scheduler":         map[string]any{"extraArgs": args[schedulerName]},
		"etcd":              map[string]any{"local": map[string]any{"dataDir": "/var/lib/etcd", "extraArgs": args[etcdName]}},
	}}
	first := map[string]any{"kind": "InitConfiguration", "patches": map[string]any{"directory": nodeLogs + "/" + patchDir}}
	if !s.dns {
		// Naming phases takes the place of kind's own list, which has preflight in it.
		first["skipPhases"] = []string{"preflight", "addon/coredns"}
	}
	objects = append(objects, first, map[string]any{"kind": "JoinConfiguration", "patches": first["patches"]})
	if s.cgroup1 {
		objects = append(objects, map[string]any{"kind": "KubeletConfiguration", "failCgroupV1": false})
	}
	var patches []string
	for _, object := range objects {
		b, err := yaml.Marshal(object)
		if err != nil {
			return nil, fmt.Errorf("write kubeadm's configuration: %w", err)
		}
		patches = append(patches, string(b))
	}
	return patches, nil
}

// componentFlags are the flags that windtunnel and the profile give the components. Metrics are served to the node's address,
// from where the engine forwards a port of this machine's loopback.
func componentFlags(spec profiles.ControlPlane, s settings) map[string]flags {
	etcd := flags{"listen-metrics-urls": fmt.Sprintf("http://0.0.0.0:%d", etcdMetricsPort), "quota-backend-bytes": etcdQuota}
	if spec.Etcd.Fsync != nil && !*spec.Etcd.Fsync {
		etcd["unsafe-no-fsync"] = "true"
	}
	apiServer := flags{"profiling": "true"}
	if s.audit {
		apiServer["audit-policy-file"] = nodeLogs + "/" + auditPolicyFile
		apiServer["audit-log-path"] = nodeLogs + "/audit.log"
		apiServer["audit-log-maxsize"] = "1000000" // megabytes: one file for a whole run
	}
	return map[string]flags{
		etcdName:              etcd.with(spec.Etcd.Args),
		apiServerName:         apiServer.with(spec.APIServer.Args),
		controllerManagerName: clientFlags(spec.ControllerManager).with(spec.ControllerManager.Args),
		schedulerName:         clientFlags(spec.Scheduler).with(spec.Scheduler.Args),
	}
}

func clientFlags(c profiles.Client) flags {
	f := flags{"bind-address": "0.0.0.0", "profiling": "true"}
	if c.QPS > 0 {
		f["kube-api-qps"] = strconv.FormatFloat(c.QPS, 'g', -1, 64)
	}
	if c.Burst > 0 {
		f["kube-api-burst"] = strconv.Itoa(c.Burst)
	}
	return f
}

// with lets other flags take the place of these. Names are taken, as Kubernetes does, with underscores for dashes.
func (f flags) with(others map[string]string) flags {
	for name, value := range others {
		f[flagName(name)] = value
	}
	return f
}

func flagName(name string) string { return strings.ReplaceAll(strings.TrimLeft(name, "-"), "_", "-") }

// checkArgs reports all flags of the profile by which the components find each other or windtunnel finds them.
func checkArgs(spec profiles.ControlPlane) error {
	served := []string{"bind-address", "secure-port"}
	var errs []error
	for _, c := range []struct {
		field    string
		args     map[string]string
		reserved []string
	}{
		{"etcd", spec.Etcd.Args, []string{"data-dir", "listen-client-urls", "advertise-client-urls", "listen-peer-urls",
			"initial-advertise-peer-urls", "initial-cluster", "listen-metrics-urls"}},
		{"apiServer", spec.APIServer.Args, append(served, "advertise-address")},
		{"controllerManager", spec.ControllerManager.Args, served},
		{"scheduler", spec.Scheduler.Args, served},
	} {
		for _, name := range slices.Sorted(maps.Keys(c.args)) {
			if slices.Contains(c.reserved, flagName(name)) {
				errs = append(errs, fmt.Errorf("controlPlane.%s.args: %q cannot be set with the provider kind: kubeadm chooses the addresses", c.field, name))
			}
		}
	}
	return errors.Join(errs...)
}
