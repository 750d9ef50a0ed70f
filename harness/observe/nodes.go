package observe

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"k8s.io/client-go/rest"

	"windtunnel/results"
)

// The transitions of a node.
const (
	nodeAdded    = "added"
	nodeReady    = "ready"
	nodeNotReady = "notready"
	nodeDeleted  = "deleted"
)

// NodeWatch follows which nodes there are and whether they are Ready. As with pods, only what an event showed is recorded, at
// the instant at which it was received; heartbeats change nothing and are not recorded.
type NodeWatch struct {
	*watch
	prefix string
	record func(results.NodeEvent)

	mu      sync.Mutex
	ready   map[string]bool // by name
	listing map[string]bool
	count   int // of those that are ready
	waiters waiters

	scratch node
}

// Nodes begins to watch the nodes whose names begin with prefix. record gets every transition, from one goroutine. The watch
// ends with ctx or by Close.
func Nodes(ctx context.Context, config *rest.Config, prefix string, clock results.Clock, record func(results.NodeEvent)) (*NodeWatch, error) {
	n := &NodeWatch{prefix: prefix, record: record, ready: map[string]bool{}}
	w, err := startWatch(ctx, config, "/api/v1/nodes", clock, n)
	if err != nil {
		return nil, err
	}
	n.watch = w
	return n, nil
}

// Ready is the number of nodes that are Ready.
func (n *NodeWatch) Ready() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.count
}

// Present is the number of nodes that exist.
func (n *NodeWatch) Present() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.ready)
}

// WaitReady returns when at least want nodes are Ready at the same time.
func (n *NodeWatch) WaitReady(ctx context.Context, want int) error {
	n.mu.Lock()
	one := n.waiters.add(func() bool { return n.count >= want })
	n.mu.Unlock()
	if one.wait(ctx) {
		return nil
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.waiters.remove(one)
	return fmt.Errorf("%d of %d nodes are Ready, %d exist: %w", n.count, want, len(n.ready), context.Cause(ctx))
}

// begin implements sink.
func (n *NodeWatch) begin() { n.listing = map[string]bool{} }

// item implements sink.
func (n *NodeWatch) item(object []byte) error {
	if err := n.scratch.decode(object); err != nil {
		return fmt.Errorf("decode a node: %w", err)
	}
	if name := string(n.scratch.name); strings.HasPrefix(name, n.prefix) {
		n.listing[name] = n.scratch.ready
	}
	return nil
}

// listed implements sink.
func (n *NodeWatch) listed() (changed int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	changed = differences(n.ready, n.listing)
	n.ready, n.listing, n.count = n.listing, nil, 0
	for _, ready := range n.ready {
		if ready {
			n.count++
		}
	}
	n.waiters.check()
	return changed
}

// event implements sink.
func (n *NodeWatch) event(kind string, object []byte, at results.Instant) (string, error) {
	one := &n.scratch
	if err := one.decode(object); err != nil {
		return "", fmt.Errorf("decode a node: %w", err)
	}
	version, name := string(one.resourceVersion), string(one.name)
	if kind == eventBookmark || !strings.HasPrefix(name, n.prefix) {
		return version, nil
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	before, known := n.ready[name]
	now := one.ready && kind != eventDeleted
	emit := func(when bool, event string) {
		if when {
			n.record(results.NodeEvent{At: at, Name: name, Event: event})
		}
	}
	emit(!known, nodeAdded)
	emit(now && !before, nodeReady)
	emit(before && !now && kind != eventDeleted, nodeNotReady)
	emit(kind == eventDeleted, nodeDeleted)
	if now != before {
		n.count += map[bool]int{true: 1, false: -1}[now]
	}
	n.ready[name] = now
	if kind == eventDeleted {
		delete(n.ready, name)
	}
	n.waiters.check()
	return version, nil
}
