// Package h2 is an HTTP/2 client for many thousand connections and streams in one process. A connection costs one goroutine and the
// state of TLS, a stream about two hundred bytes and no goroutine: what arrives is handed to functions, on the connection's
// goroutine, and nothing blocks but dialling. It speaks what the API server speaks and no more: no push, no trailers of requests,
// no priorities, no redirects, no cookies and no compression.
package h2

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"slices"
	"sync"
)

// Options say how a client reaches its server.
type Options struct {
	// Address is the server's, HOST:PORT.
	Address string
	// Dial makes the connection below TLS.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// TLS is asked for a new configuration at each connection, so that keys need not be held ready between two. Its ServerName is
	// that of Address where it has none.
	TLS func() (*tls.Config, error)
	// Buffers lend the memory for what is read; the clients of a process share them.
	Buffers *Buffers
	// UserAgent is that of all requests.
	UserAgent string
	// Authorization is asked for the header of that name at each request; nil for none.
	Authorization func() (string, error)
}

// Client sends requests over connections of its own: one, and another while the server allows no further stream on it. It is safe
// for concurrent use.
type Client struct {
	options Options
	ctx     context.Context
	cancel  context.CancelFunc

	mu      sync.Mutex
	conns   []*conn // that take streams
	leaving []*conn // that take no more
	dialing bool
	waiting []*Request // for the connection that is being made
}

// New returns a client that lives until ctx ends or Close. It connects when it is used.
func New(ctx context.Context, options Options) *Client {
	ctx, cancel := context.WithCancel(ctx)
	return &Client{options: options, ctx: ctx, cancel: cancel}
}

// Request is one request. Its fields must not be changed once it is sent, and it must not be sent twice.
type Request struct {
	Method string
	// Path is the path with the query.
	Path string
	// Accept and ContentType are the headers of those names; empty for none.
	Accept, ContentType string
	// Body is the whole body; nil for none.
	Body []byte
	// Data is given the body of an answer with code 200 piece by piece; an error ends the request. nil: the body is collected
	// and given to Done.
	Data func(piece []byte) error
	// Discard says that the body of an answer with a code below 300 is of no interest.
	Discard bool
	// Done is called once, unless the request is cancelled first, when the answer has ended or there is none. What it is
	// given is valid during the call only.
	Done func(Response, error)

	authorization string

	mu        sync.Mutex
	conn      *conn
	stream    uint32
	cancelled bool
}

// Response is an answer.
type Response struct {
	// Status is the HTTP code.
	Status int
	// RetryAfter is the header of that name, in seconds; 0 where there is none.
	RetryAfter int
	// Body is what was collected.
	Body []byte
}

// Errors of requests that got no answer.
var (
	ErrClosed = errors.New("the connection is closed")
	errData   = errors.New("the receiver refused the answer")
)

// Do sends a request. It does not block; Done may be called before it returns.
func (c *Client) Do(r *Request) {
	if f := c.options.Authorization; f != nil {
		var err error
		if r.authorization, err = f(); err != nil {
			r.Done(Response{}, err)
			return
		}
	}
	c.mu.Lock()
	if c.ctx.Err() != nil {
		c.mu.Unlock()
		r.Done(Response{}, ErrClosed)
		return
	}
	for _, conn := range c.conns {
		if conn.send(r) {
			c.mu.Unlock()
			return
		}
	}
	c.waiting = append(c.waiting, r)
	if !c.dialing {
		c.dialing = true
		go c.dial()
	}
	c.mu.Unlock()
}

// dial makes a connection and sends what waits for it.
func (c *Client) dial() {
	conn, err := c.connect()
	c.mu.Lock()
	c.dialing = false
	waiting := c.waiting
	c.waiting = nil
	if err == nil && c.ctx.Err() != nil {
		conn.raw.Close()
		err = ErrClosed
	}
	if err == nil {
		c.conns = append(c.conns, conn)
	}
	c.mu.Unlock()
	if err != nil {
		for _, r := range waiting {
			if !r.isCancelled() {
				r.Done(Response{}, err)
			}
		}
		return
	}
	go conn.read()
	for _, r := range waiting {
		if !r.isCancelled() {
			c.Do(r)
		}
	}
}

// retire takes a connection from those that new streams go to; forget takes one away that has ended.
func (c *Client) retire(old *conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if i := slices.Index(c.conns, old); i >= 0 {
		c.conns = slices.Delete(c.conns, i, i+1)
		c.leaving = append(c.leaving, old)
	}
}

func (c *Client) forget(gone *conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	is := func(other *conn) bool { return other == gone }
	c.conns, c.leaving = slices.DeleteFunc(c.conns, is), slices.DeleteFunc(c.leaving, is)
}

// Disconnect closes all connections; what is under way fails. Later requests connect anew.
func (c *Client) Disconnect() {
	c.mu.Lock()
	conns := append(c.conns, c.leaving...)
	c.conns, c.leaving = nil, nil
	c.mu.Unlock()
	for _, conn := range conns {
		conn.raw.NetConn().Close() // its goroutine does the rest
	}
}

// Close closes all connections for good.
func (c *Client) Close() {
	c.cancel()
	c.Disconnect()
}

// Cancel ends a request without its answer. Done is not called afterwards, except for one that has begun.
func (r *Request) Cancel() {
	r.mu.Lock()
	r.cancelled = true
	conn, id := r.conn, r.stream
	r.mu.Unlock()
	if conn != nil {
		conn.reset(id)
	}
}

func (r *Request) isCancelled() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.cancelled
}
