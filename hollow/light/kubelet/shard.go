// Package kubelet runs light nodes that are to the API server what kubelets and kube-proxies are: each with its own identity and
// connections, its own watches, a lease, a status and events, and with the requests of the real kubelet in their order, from a pod's
// admission to its deletion. The containers are simulated (see pod.go). Where a constant or an order is the kubelet's, the comment
// names its place in k8s.io/kubernetes v1.36.
package kubelet

import (
	"context"
	"fmt"
	"runtime"

	"golang.org/x/sync/errgroup"

	"windtunnel/hollow"
	"windtunnel/hollow/host"
	"windtunnel/hollow/light/api"
	"windtunnel/hollow/light/behaviour"
	"windtunnel/hollow/light/loop"
	"windtunnel/hollow/light/usage"
)

const (
	kubeletAgent = "windtunnel-light-kubelet"
	proxyAgent   = "windtunnel-light-proxy"
	stagesAgent  = "windtunnel-light-stages"
	// gcPercent lets garbage grow to as much as is live: a node's memory counts here.
	gcPercent = 100
)

type shard struct {
	*host.Host
	config    hollow.ShardConfig
	machine   *api.Machine
	server    *api.Server
	behaviour behaviour.Behaviour // nil: the containers of this package
	allocated allocatable
	loops     []*loop.Loop
	usage     *usage.Server // nil: the nodes do not serve what their pods use
}

// Run starts the nodes and serves the control socket until ctx ends, which is no error. What happens to pods is up to life; nil for
// this package's own containers.
func Run(ctx context.Context, config hollow.ShardConfig, life behaviour.Behaviour) error {
	s, err := newShard(ctx, config, life)
	if err != nil {
		return fmt.Errorf("shard %s: %w", config.Name, err)
	}
	return s.Host.Run(ctx, gcPercent, func(ctx context.Context) error {
		group, ctx := errgroup.WithContext(ctx)
		for _, l := range s.loops {
			group.Go(func() error { l.Run(ctx); return nil })
		}
		return group.Wait()
	}, s.usage.Run)
}

func newShard(ctx context.Context, config hollow.ShardConfig, life behaviour.Behaviour) (*shard, error) {
	machine, err := api.NewMachine(config)
	if err != nil {
		return nil, err
	}
	server, err := api.NewServer(config)
	if err != nil {
		return nil, err
	}
	s := &shard{config: config, machine: machine, server: server, behaviour: life, allocated: newAllocatable(machine.Allocatable())}
	if s.usage, err = usage.New(config, machine.Address, func(err error) { s.Note(err) }); err != nil {
		return nil, err
	}
	machine.MetricsPort = s.usage.Port()
	for range runtime.GOMAXPROCS(0) {
		s.loops = append(s.loops, loop.New())
	}
	s.Host, err = host.New(config, func(described hollow.Node, _ int) host.Node {
		return newNode(ctx, s, described, s.loops[described.Index%len(s.loops)])
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}
