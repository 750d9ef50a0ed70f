package host

import (
	"context"
	"errors"
	"net"
	"sync"
)

// ErrDown is why a node that was cut off cannot connect.
var ErrDown = errors.New("the node is down")

// Gate stands between one node and the network. While it is shut the node has no connection and gets none, as if its cable
// had been pulled, except that it learns so at once.
type Gate struct {
	dial func(ctx context.Context, network, address string) (net.Conn, error)

	mu    sync.Mutex
	shut  bool
	conns map[*gatedConn]struct{}
}

// NewGate returns an open gate that connects by dial.
func NewGate(dial func(ctx context.Context, network, address string) (net.Conn, error)) *Gate {
	return &Gate{dial: dial, conns: make(map[*gatedConn]struct{})}
}

// Dial connects if the gate is open, and is still when the connection is there.
func (g *Gate) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	if g.IsShut() {
		return nil, ErrDown
	}
	raw, err := g.dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	conn := &gatedConn{Conn: raw, gate: g}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.shut {
		raw.Close()
		return nil, ErrDown
	}
	g.conns[conn] = struct{}{}
	return conn, nil
}

// IsShut says whether the gate is shut.
func (g *Gate) IsShut() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.shut
}

// Shut closes the gate and every connection through it.
func (g *Gate) Shut() {
	g.mu.Lock()
	g.shut = true
	conns := g.conns
	g.conns = make(map[*gatedConn]struct{})
	g.mu.Unlock()
	for conn := range conns {
		conn.Conn.Close()
	}
}

// Open opens the gate.
func (g *Gate) Open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shut = false
}

// gatedConn is a connection that its gate knows of.
type gatedConn struct {
	net.Conn
	gate *Gate
}

func (c *gatedConn) Close() error {
	c.gate.mu.Lock()
	delete(c.gate.conns, c)
	c.gate.mu.Unlock()
	return c.Conn.Close()
}
