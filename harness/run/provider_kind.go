package run

import (
	"context"
	"errors"
	"strings"

	"windtunnel/harness/cluster"
	"windtunnel/harness/kind"
	"windtunnel/harness/nodes"
	"windtunnel/harness/supervise"
)

// kindNodes runs the control plane in containers of this machine, and hollow nodes as pods of it.
type kindNodes struct {
	options Options
	sup     *supervise.Supervisor
	cluster *kind.Cluster
}

func (k *kindNodes) boot(ctx context.Context, logs string) (_ cluster.Cluster, err error) {
	k.cluster, err = kind.Boot(ctx, k.sup, kind.Options{
		Spec: k.options.Plan.Profile.ControlPlane, Executable: k.options.Executable, Version: kubernetesVersion(k.options.Build.ClientGo),
		LogDir: logs, Progress: k.options.Progress.Status,
	})
	if err != nil {
		return nil, err // an interface must not hold a nil cluster
	}
	return k.cluster, nil
}

// kubernetesVersion is the version of Kubernetes that a version of client-go belongs to: v1.x.y to v0.x.y.
func kubernetesVersion(clientGo string) string { return strings.Replace(clientGo, "v0.", "v1.", 1) }

func (k *kindNodes) surround(ctx context.Context, o nodes.Options) (cluster.Pack, error) {
	return nil, errors.New("hollow nodes as pods are not there yet")
}
