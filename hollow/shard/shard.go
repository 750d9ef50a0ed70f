// Package shard runs one shard of hollow nodes of tier kubelet. See package hollow for what a hollow node is, and package host for
// what a shard does whatever its nodes are made of.
package shard

import (
	"context"
	"crypto/x509"
	"fmt"

	"windtunnel/hollow"
	"windtunnel/hollow/cri"
	"windtunnel/hollow/host"
	"windtunnel/hollow/kubelet"
)

// gcPercent lets the heap grow to five times what is live before it is collected, as long as the process stays within its
// memory limit: in a burst of pod starts collection would be a large part of the CPU time.
const gcPercent = 400

type shard struct {
	*host.Host
	config      hollow.ShardConfig
	authorities *x509.CertPool
	kubelets    *kubelet.Starter
	reports     *cri.Reports
}

// Run starts the nodes and serves the control socket until ctx ends, which is no error; it returns early when the samples
// cannot be written or nothing can be started at all. reports must hear what the logger of NewLogger does. The kubelets do
// not stop: the process must end after it.
func Run(ctx context.Context, config hollow.ShardConfig, reports *cri.Reports) error {
	s, err := newShard(config, reports)
	if err != nil {
		return fmt.Errorf("shard %s: %w", config.Name, err)
	}
	return s.Host.Run(ctx, gcPercent)
}

func newShard(config hollow.ShardConfig, reports *cri.Reports) (*shard, error) {
	capacity, err := hollow.ParseCapacity(config.Capacity)
	if err != nil {
		return nil, err
	}
	s := &shard{config: config, reports: reports}
	if s.authorities, err = authorities(config.CA); err != nil {
		return nil, err
	}
	s.kubelets, err = kubelet.NewStarter(kubelet.Options{MaxPods: config.MaxPods, Capacity: capacity, Taints: config.Taints})
	if err != nil {
		return nil, err
	}
	s.Host, err = host.New(config, func(described hollow.Node, life int) host.Node { return newNode(s, described, life) })
	if err != nil {
		return nil, err
	}
	return s, nil
}

// record writes what a node's container runtime saw.
func (s *shard) record(node string, e cri.Event) {
	s.Record(host.Happening{
		At: e.At, Node: node, Event: string(e.Kind), Namespace: e.Namespace, Name: e.Pod, UID: e.UID, Object: e.Labels[host.ObjectLabel],
	})
}
