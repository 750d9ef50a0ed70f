// Package host is what a process that holds hollow nodes needs, whatever its nodes are made of: it starts them at the pace that
// the server bears, answers the shard's control socket, lets nodes come and go, cuts them off and lets them back, makes their
// connections bad, keeps the process's memory within its limit, and writes what the container runtimes saw.
package host

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"windtunnel/hollow"
	"windtunnel/results"
)

// Node is one node as its host knows it. One that is also Breakable can have a bad connection, one that is Clocked a wrong clock, and
// one that is a Leaver ends when it leaves its shard; others stay, cut off, until the process ends.
type Node interface {
	Gated
	// Start starts it and does not wait for more. ready is called when it has been Ready, and strain when an answer shows the server to
	// be overloaded.
	Start(ctx context.Context, ready, strain func()) error
}

// Gated is what can be cut off from the API server.
type Gated interface {
	// Shut cuts off, Open lets back. Both may be called twice.
	Shut()
	Open()
}

// Breakable is what has a connection of its own that can be made bad.
type Breakable interface {
	// SetConditions makes the conditions those of the connections that there are and will be.
	SetConditions(hollow.Conditions)
}

// Leaver is what can end for good.
type Leaver interface {
	// Leave ends it after it has been shut.
	Leave()
}

// Clocked is what has a clock of its own.
type Clocked interface {
	// SetClock says by how much it goes ahead; negative: behind.
	SetClock(offset time.Duration)
}

// Make makes a node that does not run yet. life is how often a node of its name has been in the shard before.
type Make func(described hollow.Node, life int) Node

// Host is one shard's process. It is safe for concurrent use.
type Host struct {
	// Config is the shard's description.
	Config hollow.ShardConfig
	// Pacer limits how many nodes are joining.
	Pacer *Pacer

	clock   results.Clock
	make    Make
	streams *streams
	samples *results.Writer[results.PodEvent] // nil: not written

	leases leases

	mu      sync.Mutex
	members []*member // in the order in which they join
	byName  map[string]*member
	lives   map[string]int // how often a node of a name has been in the shard
	added   chan struct{}  // closed when nodes are added
	down    map[string]bool
	first   error // what went wrong first
}

// New returns the host of a shard with the nodes of its description. It creates the file of samples.
func New(config hollow.ShardConfig, make Make) (*Host, error) {
	h := empty(config, make)
	for _, described := range config.Nodes {
		h.enter(described)
	}
	if config.Samples != "" {
		var err error
		if h.samples, err = results.NewWriter[results.PodEvent](config.Samples, results.WithClock(h.clock)); err != nil {
			return nil, err
		}
	}
	return h, nil
}

func empty(config hollow.ShardConfig, how Make) *Host {
	most := config.JoinWindow
	if most == 0 {
		most = hollow.DefaultJoinWindow
	}
	return &Host{
		Config:  config,
		Pacer:   NewPacer(most),
		clock:   results.ClockAt(config.ClockBase),
		make:    how,
		streams: newStreams(),
		byName:  make(map[string]*member),
		lives:   make(map[string]int),
		added:   make(chan struct{}),
		down:    make(map[string]bool),
	}
}

// Run starts the nodes, runs work besides, and serves the control socket until ctx ends, which is no error; it returns early when the
// samples cannot be written or work fails. gcPercent is how far the heap may grow within what the shard is allowed.
func (h *Host) Run(ctx context.Context, gcPercent int, work ...func(context.Context) error) error {
	group, ctx := errgroup.WithContext(ctx)
	allowed := func() int64 {
		size := h.Config.Size()
		size.Nodes = h.size()
		return hollow.HeapAllowance(size)
	}
	group.Go(func() error { govern(ctx, allowed, gcPercent); return nil })
	group.Go(func() error { return h.serve(ctx) })
	group.Go(func() error { h.join(ctx); return nil })
	group.Go(func() error { return h.watchSamples(ctx) })
	for _, do := range work {
		group.Go(func() error { return do(ctx) })
	}
	err := group.Wait()
	if h.samples != nil {
		err = errors.Join(err, h.samples.Close())
	}
	if err != nil {
		return fmt.Errorf("shard %s: %w", h.Config.Name, err)
	}
	return nil
}

// watchSamples ends the shard when its samples cannot be written, for a run without them shows nothing.
func (h *Host) watchSamples(ctx context.Context) error {
	if h.samples == nil {
		return nil
	}
	select {
	case <-h.samples.Failed():
		return h.samples.Err()
	case <-ctx.Done():
		return nil
	}
}

// Note keeps what went wrong first, for the status.
func (h *Host) Note(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.first == nil {
		h.first = err
	}
}

// Status says how far the shard is.
func (h *Host) Status() hollow.Status {
	h.mu.Lock()
	defer h.mu.Unlock()
	status := hollow.Status{
		Nodes:  len(h.members),
		Down:   len(h.down),
		Window: h.Pacer.Window(),
	}
	renewals, largest := h.leases.status(time.Now())
	status.Renewals, status.LargestRenewalGap = renewals, largest.Seconds()
	for _, m := range h.members {
		if m.started {
			status.Started++
		}
		if m.ready {
			status.Ready++
		}
	}
	if h.first != nil {
		status.Error = h.first.Error()
	}
	return status
}

// setDown cuts the named nodes off, or lets them back. Unknown names are an error, and then nothing is done.
func (h *Host) setDown(names []string, down bool) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	members, err := h.named(names)
	if err != nil {
		return err
	}
	for _, m := range members {
		if down {
			m.node.Shut()
			h.down[m.Name] = true
		} else {
			m.node.Open()
			delete(h.down, m.Name)
		}
	}
	return nil
}
