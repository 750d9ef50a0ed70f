package load

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"golang.org/x/net/http2"
)

const (
	// dialTimeout bounds the making of one connection, handshakes included.
	dialTimeout = 10 * time.Second
	// readIdle and pingTimeout are client-go's: a connection that says nothing for so long is pinged, and is broken when
	// the ping has no answer.
	readIdle    = 30 * time.Second
	pingTimeout = 15 * time.Second
	// maxStreams bounds the slots of a connection to a server that sets no limit. kube-apiserver's own limit is 100.
	maxStreams = 1000
)

// conn is one of the fixed places for a connection. It holds at most one HTTP/2 connection at a time, and makes a new one
// only when that one is broken or the server said GOAWAY; a net/http transport would open further ones as soon as all
// streams are taken, and after a stall measure its own storm of handshakes.
type conn struct {
	way       route
	transport *http2.Transport
	dialed    *atomic.Int64 // of the whole client

	lock  chan struct{} // of capacity 1: held while looking at or replacing live
	live  *http2.ClientConn
	slots atomic.Int32 // streams that the server allows
	used  int          // slots taken; owned by the dispatcher
}

func newConn(way route, transport *http2.Transport, dialed *atomic.Int64) *conn {
	c := &conn{way: way, transport: transport, dialed: dialed, lock: make(chan struct{}, 1)}
	c.slots.Store(1) // until the server said how many
	return c
}

// free is how many more requests the connection takes now.
func (c *conn) free() int { return int(c.slots.Load()) - c.used }

// ready returns the live connection, after replacing a broken one. Requests that wait for the same replacement wait in turn.
func (c *conn) ready(ctx context.Context) (*http2.ClientConn, error) {
	select {
	case c.lock <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-c.lock }()
	// A connection that was closed before its first request, as the server does with idle ones, says for ever that it can take one.
	if c.live != nil && c.live.CanTakeNewRequest() && !c.live.State().Closed {
		return c.live, nil
	}
	live, err := c.dial(ctx)
	if err != nil {
		return nil, err
	}
	// The old one, if any, is closed or closes itself when its last stream has ended.
	c.live = live
	return live, nil
}

// dial makes a connection and waits for one round trip over it, after which the server's settings are known.
func (c *conn) dial(ctx context.Context) (*http2.ClientConn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	address := c.way.server.Host
	raw, err := c.way.dial(ctx)
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", address, err)
	}
	live, err := c.transport.NewClientConn(raw)
	if err != nil {
		raw.Close()
		return nil, fmt.Errorf("begin HTTP/2 with %s: %w", address, err)
	}
	if err := live.Ping(ctx); err != nil {
		live.Close()
		return nil, fmt.Errorf("first ping of %s: %w", address, err)
	}
	c.slots.Store(int32(min(max(live.State().MaxConcurrentStreams, 1), maxStreams)))
	c.dialed.Add(1)
	return live, nil
}

// close ends the connection. Nothing may use it any more.
func (c *conn) close() {
	c.lock <- struct{}{}
	defer func() { <-c.lock }()
	if c.live != nil {
		c.live.Close()
		c.live = nil
	}
}
