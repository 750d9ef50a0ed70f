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
	nodeAdded     = "added"
	nodeReady     = "ready"
	nodeNotReady  = "notready"
	nodeTainted   = "tainted"
	nodeUntainted = "untainted"
	nodeDeleted   = "deleted"
)

// nodeState is what is kept of a node.
type nodeState struct {
	ready bool
	taint string // of its condition, that evicts
}

// NodeWatch follows which nodes there are, whether they are Ready and whether their condition has them tainted. As with pods, only what an event showed is recorded, at
// the instant at which it was received; heartbeats change nothing and are not recorded.
type NodeWatch struct {
	*watch
	prefix string
	record func(results.NodeEvent)

	mu      sync.Mutex
	states  map[string]nodeState // by name
	listing map[string]nodeState
	count   int // of those that are ready
	waiters waiters

	scratch node
}

// Nodes begins to watch the nodes whose names begin with prefix. record gets every transition, from one goroutine. The watch
// ends with ctx or by Close.
func Nodes(ctx context.Context, config *rest.Config, prefix string, clock results.Clock, record func(results.NodeEvent)) (*NodeWatch, error) {
	n := &NodeWatch{prefix: prefix, record: record, states: map[string]nodeState{}}
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
	return len(n.states)
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
	return fmt.Errorf("%d of %d nodes are Ready, %d exist: %w", n.count, want, len(n.states), context.Cause(ctx))
}

// begin implements sink.
func (n *NodeWatch) begin() { n.listing = map[string]nodeState{} }

// item implements sink.
func (n *NodeWatch) item(object []byte) error {
	if err := n.scratch.decode(object); err != nil {
		return fmt.Errorf("decode a node: %w", err)
	}
	if name := string(n.scratch.name); strings.HasPrefix(name, n.prefix) {
		n.listing[name] = n.scratch.state()
	}
	return nil
}

// listed implements sink.
func (n *NodeWatch) listed() (changed int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	changed = differences(n.states, n.listing)
	n.states, n.listing, n.count = n.listing, nil, 0
	for _, state := range n.states {
		if state.ready {
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
	before, known := n.states[name]
	now := one.state()
	if kind == eventDeleted {
		now = nodeState{}
	}
	emit := func(when bool, event, detail string) {
		if when {
			n.record(results.NodeEvent{At: at, Name: name, Event: event, Detail: detail})
		}
	}
	emit(!known, nodeAdded, "")
	emit(now.ready && !before.ready, nodeReady, "")
	emit(before.ready && !now.ready && kind != eventDeleted, nodeNotReady, "")
	emit(now.taint != "" && before.taint == "", nodeTainted, now.taint)
	emit(now.taint == "" && before.taint != "" && kind != eventDeleted, nodeUntainted, "")
	emit(kind == eventDeleted, nodeDeleted, "")
	if now.ready != before.ready {
		n.count += map[bool]int{true: 1, false: -1}[now.ready]
	}
	n.states[name] = now
	if kind == eventDeleted {
		delete(n.states, name)
	}
	n.waiters.check()
	return version, nil
}

// state is what is kept of the node as it was decoded.
func (n *node) state() nodeState { return nodeState{ready: n.ready, taint: string(n.taint)} }
