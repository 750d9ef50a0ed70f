// Package shard runs one shard of hollow nodes: it starts them at the pace that the server bears, answers the shard's control
// socket, cuts nodes off and lets them back, and writes what their container runtimes saw. See package hollow for what a
// hollow node is.
package shard

import (
	"context"
	"crypto/x509"
	"fmt"
	"sync"

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
	nodes       []*node
}

// Run starts the nodes and serves the control socket until ctx ends, which is no error; it returns early when the samples
// cannot be written or nothing can be started at all. reports must hear what the logger of NewLogger does. The kubelets do
// not stop: the process must end after it.
func Run(ctx context.Context, config hollow.ShardConfig, reports *cri.Reports) error {
	s, err := newShard(config, reports)
	if err != nil {
		return fmt.Errorf("shard %s: %w", config.Name, err)
	}
	return s.Host.Run(ctx, hollow.HeapAllowance(config.Size()), gcPercent, s.join)
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
	if s.Host, err = host.New(config); err != nil {
		return nil, err
	}
	for _, described := range config.Nodes {
		n := newNode(s, described)
		s.nodes = append(s.nodes, n)
		s.Add(n.Name, n.gate)
	}
	return s, nil
}

// join starts the nodes one after another, each as soon as the pacer has a place for it. A node that does not start is noted
// and the others go on.
func (s *shard) join(ctx context.Context) error {
	for _, n := range s.nodes {
		place, err := s.Pacer.Begin(ctx)
		if err != nil {
			return nil // the shard ends
		}
		ready := sync.OnceFunc(func() {
			s.Ready()
			place.Ready()
		})
		if err := n.start(ctx, ready, place.Strain); err != nil {
			place.Leave()
			s.Note(err)
		}
		s.Started()
	}
	return nil
}

// record writes what a node's container runtime saw.
func (s *shard) record(node string, e cri.Event) {
	s.Record(host.Happening{
		At: e.At, Node: node, Event: string(e.Kind), Namespace: e.Namespace, Name: e.Pod, UID: e.UID, Object: e.Labels[host.ObjectLabel],
	})
}
