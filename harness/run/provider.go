package run

import (
	"context"
	"fmt"

	"windtunnel/harness/cluster"
	"windtunnel/harness/controlplane"
	"windtunnel/harness/nodes"
	"windtunnel/harness/supervise"
	"windtunnel/profiles"
)

// provider makes a control plane and puts hollow nodes around it. What it starts it stops again when it cannot finish;
// afterwards the cluster and the pack are stopped by themselves.
type provider interface {
	// boot returns when the control plane serves. logs is the directory for the components' logs.
	boot(ctx context.Context, logs string) (cluster.Cluster, error)
	// surround returns when all nodes are Ready.
	surround(ctx context.Context, o nodes.Options) (cluster.Pack, error)
}

// provide chooses the provider that the plan asks for. s is the session that is to hear of what happens later; nil where there is none.
func provide(o Options, sup *supervise.Supervisor, s *session) (provider, error) {
	switch name := o.Plan.Profile.ControlPlane.Provider; name {
	case profiles.ProviderEmbedded, "":
		return &embedded{options: o, sup: sup}, nil
	case profiles.ProviderKind:
		return newKindNodes(o, sup, s), nil
	default:
		return nil, fmt.Errorf("the provider %s is not there yet", name)
	}
}

// embedded runs everything as processes of this machine.
type embedded struct {
	options Options
	sup     *supervise.Supervisor
	cluster *controlplane.Cluster
}

func (e *embedded) boot(ctx context.Context, logs string) (_ cluster.Cluster, err error) {
	e.cluster, err = controlplane.Boot(ctx, e.sup, controlplane.Options{
		Spec: e.options.Plan.Profile.ControlPlane, KubeBinary: e.options.KubeBinary, LogDir: logs, Progress: e.options.Progress.Status,
	})
	if err != nil {
		return nil, err // an interface must not hold a nil cluster
	}
	return e.cluster, nil
}

func (e *embedded) surround(ctx context.Context, o nodes.Options) (cluster.Pack, error) {
	pack, err := nodes.Start(ctx, e.sup, e.cluster, o)
	if err != nil {
		return nil, err
	}
	return pack, nil
}
