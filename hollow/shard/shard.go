// Package shard runs one shard of hollow nodes: it starts them at the pace that the server bears, answers the shard's control
// socket, cuts nodes off and lets them back, and writes what their container runtimes saw. See package hollow for what a
// hollow node is.
package shard

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"sync"

	"golang.org/x/sync/errgroup"

	"windtunnel/hollow"
	"windtunnel/hollow/cri"
	"windtunnel/hollow/kubelet"
	"windtunnel/results"
)

// objectLabel tells which template of the plan a pod's owner was made from.
const objectLabel = "windtunnel/object"

type shard struct {
	config      hollow.ShardConfig
	clock       results.Clock
	authorities *x509.CertPool
	kubelets    *kubelet.Starter
	reports     *cri.Reports
	pacer       *pacer
	samples     *results.Writer[results.PodEvent] // nil: not written
	streams     *streams

	mu     sync.Mutex
	nodes  []*node // in the order in which they join
	byName map[string]*node
	lives  map[string]int // how often a node of a name has been in the shard
	added  chan struct{}  // closed when nodes are added
	down   map[string]bool
	first  error // what went wrong first
}

// Run starts the nodes and serves the control socket until ctx ends, which is no error; it returns early when the samples
// cannot be written or nothing can be started at all. reports must hear what the logger of NewLogger does. The kubelets do
// not stop: the process must end after it.
func Run(ctx context.Context, config hollow.ShardConfig, reports *cri.Reports) error {
	s, err := newShard(config, reports)
	if err != nil {
		return fmt.Errorf("shard %s: %w", config.Name, err)
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		govern(ctx, func() int64 { return hollow.HeapAllowance(s.size(), config.ExpectedPods, config.Proxy) })
		return nil
	})
	group.Go(func() error { return s.serve(ctx) })
	group.Go(func() error { return s.join(ctx) })
	group.Go(func() error { return s.watchSamples(ctx) })
	err = group.Wait()
	if s.samples != nil {
		err = errors.Join(err, s.samples.Close())
	}
	if err != nil {
		return fmt.Errorf("shard %s: %w", config.Name, err)
	}
	return nil
}

func newShard(config hollow.ShardConfig, reports *cri.Reports) (*shard, error) {
	capacity, err := hollow.ParseCapacity(config.Capacity)
	if err != nil {
		return nil, err
	}
	most := config.JoinWindow
	if most == 0 {
		most = hollow.DefaultJoinWindow
	}
	s := &shard{
		config:  config,
		clock:   results.ClockAt(config.ClockBase),
		reports: reports,
		pacer:   newPacer(most),
		streams: newStreams(),
		byName:  make(map[string]*node),
		lives:   make(map[string]int),
		added:   make(chan struct{}),
		down:    make(map[string]bool),
	}
	if s.authorities, err = authorities(config.CA); err != nil {
		return nil, err
	}
	s.kubelets, err = kubelet.NewStarter(kubelet.Options{MaxPods: config.MaxPods, Capacity: capacity, Taints: config.Taints})
	if err != nil {
		return nil, err
	}
	for _, described := range config.Nodes {
		s.enter(newNode(s, described))
	}
	if config.Samples != "" {
		if s.samples, err = results.NewWriter[results.PodEvent](config.Samples, results.WithClock(s.clock)); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// join starts the nodes one after another, each as soon as the pacer has a place for it, and those that are added later. A node that
// does not start is noted and the others go on.
func (s *shard) join(ctx context.Context) error {
	for {
		n, err := s.next(ctx)
		if err != nil {
			return nil // the shard ends
		}
		place, err := s.pacer.Begin(ctx)
		if err != nil {
			return nil
		}
		if !s.waits(n, place) {
			place.leave()
			continue
		}
		ready := sync.OnceFunc(func() {
			s.mark(func() { n.ready = true })
			place.Ready()
		})
		if err := n.start(ctx, ready, place.Strain); err != nil {
			place.leave()
			s.note(err)
		}
		s.mark(func() { n.started = true })
	}
}

// watchSamples ends the shard when its samples cannot be written, for a run without them shows nothing.
func (s *shard) watchSamples(ctx context.Context) error {
	if s.samples == nil {
		return nil
	}
	select {
	case <-s.samples.Failed():
		return s.samples.Err()
	case <-ctx.Done():
		return nil
	}
}

// record writes what a node's container runtime saw.
func (s *shard) record(node string, e cri.Event) {
	seen := results.PodEvent{
		At:        s.clock.At(e.At),
		Source:    "runtime",
		Event:     string(e.Kind),
		Namespace: e.Namespace,
		Name:      e.Pod,
		UID:       e.UID,
		Object:    e.Labels[objectLabel],
		Node:      node,
	}
	s.streams.publish(happening{at: e.At, event: seen})
	if s.samples != nil {
		s.samples.Append(seen)
	}
}

// note keeps what went wrong first, for the status.
func (s *shard) note(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.first == nil {
		s.first = err
	}
}

func (s *shard) status() hollow.Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	status := hollow.Status{
		Nodes:  len(s.nodes),
		Down:   len(s.down),
		Window: s.pacer.Window(),
	}
	for _, n := range s.nodes {
		if n.started {
			status.Started++
		}
		if n.ready {
			status.Ready++
		}
	}
	if s.first != nil {
		status.Error = s.first.Error()
	}
	return status
}

// setDown cuts the named nodes off, or lets them back. Unknown names are an error, and then nothing is done.
func (s *shard) setDown(names []string, down bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, name := range names {
		if s.byName[name] == nil {
			return fmt.Errorf("no node %q in shard %s", name, s.config.Name)
		}
	}
	for _, name := range names {
		if down {
			s.byName[name].gate.Shut()
			s.down[name] = true
		} else {
			s.byName[name].gate.Open()
			delete(s.down, name)
		}
	}
	return nil
}
