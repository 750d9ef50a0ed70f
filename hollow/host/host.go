// Package host is what a process that holds hollow nodes needs, whatever its nodes are made of: it starts them at the pace that
// the server bears, answers the shard's control socket, cuts nodes off and lets them back, keeps the process's memory within
// its limit, and writes what the container runtimes saw.
package host

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"windtunnel/hollow"
	"windtunnel/results"
)

// ObjectLabel tells which template of the plan a pod's owner was made from.
const ObjectLabel = "windtunnel/object"

// Gated is what can be cut off from the API server.
type Gated interface {
	// Shut cuts off, Open lets back. Both may be called twice.
	Shut()
	Open()
}

// Host is one shard's process. It is safe for concurrent use.
type Host struct {
	// Config is the shard's description.
	Config hollow.ShardConfig
	// Pacer limits how many nodes are joining.
	Pacer *Pacer

	clock   results.Clock
	gates   map[string]Gated
	samples *results.Writer[results.PodEvent] // nil: not written

	started, ready atomic.Int64
	renewals       atomic.Int64
	largestGap     atomic.Int64 // between two renewals of a lease, in nanoseconds

	mu    sync.Mutex
	down  map[string]bool
	first error // what went wrong first
}

// New returns the host of a shard, without nodes. It creates the file of samples.
func New(config hollow.ShardConfig) (*Host, error) {
	most := config.JoinWindow
	if most == 0 {
		most = hollow.DefaultJoinWindow
	}
	h := &Host{
		Config: config,
		Pacer:  NewPacer(most),
		clock:  results.ClockAt(config.ClockBase),
		gates:  make(map[string]Gated, len(config.Nodes)),
		down:   make(map[string]bool),
	}
	if config.Samples != "" {
		var err error
		if h.samples, err = results.NewWriter[results.PodEvent](config.Samples, results.WithClock(h.clock)); err != nil {
			return nil, err
		}
	}
	return h, nil
}

// Add says how a node is cut off. It must be called before Run.
func (h *Host) Add(node string, gate Gated) { h.gates[node] = gate }

// Run runs work and serves the control socket until ctx ends, which is no error; it returns early when the samples cannot be
// written or work fails. heap is what the Go runtime may take, in bytes, and gcPercent how far the heap may grow within that.
func (h *Host) Run(ctx context.Context, heap int64, gcPercent int, work func(context.Context) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { govern(ctx, heap, gcPercent); return nil })
	group.Go(func() error { return h.serve(ctx) })
	group.Go(func() error { return work(ctx) })
	group.Go(func() error { return h.watchSamples(ctx) })
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

// Happening is a container's start or end on a node.
type Happening struct {
	At   time.Time
	Node string
	// Event is started or stopped.
	Event                string
	Namespace, Name, UID string
	// Object is the value of the pod's label ObjectLabel.
	Object string
}

// Record writes down what a container runtime saw.
func (h *Host) Record(e Happening) {
	if h.samples == nil {
		return
	}
	h.samples.Append(results.PodEvent{
		At: h.clock.At(e.At), Source: "runtime", Event: e.Event, Namespace: e.Namespace, Name: e.Name, UID: e.UID, Object: e.Object, Node: e.Node,
	})
}

// Started says that one more node has been started, and Ready that one more has been Ready.
func (h *Host) Started() { h.started.Add(1) }

// Ready says that one more node has been Ready.
func (h *Host) Ready() { h.ready.Add(1) }

// Renewed says that a node's lease was renewed now, and before that at last, which is zero for the first time. It returns now.
func (h *Host) Renewed(last, now time.Time) time.Time {
	h.renewals.Add(1)
	if last.IsZero() {
		return now
	}
	for gap := int64(now.Sub(last)); ; {
		largest := h.largestGap.Load()
		if gap <= largest || h.largestGap.CompareAndSwap(largest, gap) {
			return now
		}
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
		Nodes:   len(h.gates),
		Started: int(h.started.Load()),
		Ready:   int(h.ready.Load()),
		Down:    len(h.down),
		Window:  h.Pacer.Window(),

		Renewals:          h.renewals.Load(),
		LargestRenewalGap: time.Duration(h.largestGap.Load()).Seconds(),
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
	for _, name := range names {
		if h.gates[name] == nil {
			return fmt.Errorf("no node %q in shard %s", name, h.Config.Name)
		}
	}
	for _, name := range names {
		if down {
			h.gates[name].Shut()
			h.down[name] = true
		} else {
			h.gates[name].Open()
			delete(h.down, name)
		}
	}
	return nil
}
