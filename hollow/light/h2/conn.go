package h2

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

const (
	// handshakeTimeout bounds TLS' handshake; readIdle and pingTimeout are the health check that client-go makes of its connections.
	handshakeTimeout = 10 * time.Second
	readIdle         = 30 * time.Second
	pingTimeout      = 15 * time.Second
)

// conn is one connection.
type conn struct {
	client *Client
	raw    *tls.Conn
	health *time.Timer
	heard  atomic.Int64 // when something was read last, in nanoseconds since made
	made   time.Time

	// Of the reading goroutine.
	decoder *hpack.Decoder
	fields  fields // of the block that is being read
	taken   int    // bytes that the server does not know yet to be taken
	head    [headLength]byte

	mu         sync.Mutex
	streams    map[uint32]*stream
	nextStream uint32
	encoder    *hpack.Encoder
	encoded    bytes.Buffer
	out        []byte // not yet given to TLS
	writing    bool
	window     int // how much the server lets us send
	newWindow  int // of streams
	maxFrame   int
	maxStreams int
	blocked    []*stream // have more to send than a window allows
	draining   bool      // no new streams
	pinged     bool
}

// stream is one request that is under way.
type stream struct {
	id      uint32
	request *Request
	unsent  []byte
	window  int

	// Of the reading goroutine.
	response Response
	body     *[]byte
	taken    int
	ended    bool
}

// connect makes a connection, without its goroutine.
func (c *Client) connect() (*conn, error) {
	config, err := c.options.TLS()
	if err != nil {
		return nil, err
	}
	plain, err := c.options.Dial(c.ctx, "tcp", c.options.Address)
	if err != nil {
		return nil, err
	}
	if config.ServerName == "" {
		config.ServerName, _, _ = net.SplitHostPort(c.options.Address)
	}
	raw := tls.Client(plain, config)
	ctx, cancel := context.WithTimeout(c.ctx, handshakeTimeout)
	defer cancel()
	if err := raw.HandshakeContext(ctx); err != nil {
		plain.Close()
		return nil, err
	}
	if raw.ConnectionState().NegotiatedProtocol != http2.NextProtoTLS {
		raw.Close()
		return nil, errors.New("the server does not speak HTTP/2")
	}
	n := &conn{
		client: c, raw: raw, made: time.Now(), streams: make(map[uint32]*stream), nextStream: 1,
		window: initialWindow, newWindow: initialWindow, maxFrame: maxFrame, maxStreams: 100,
	}
	n.encoder = hpack.NewEncoder(&n.encoded)
	n.decoder = hpack.NewDecoder(0, n.field)
	n.out = opening()
	n.mu.Lock()
	n.flush()
	n.mu.Unlock()
	n.health = time.AfterFunc(readIdle, n.check)
	return n, nil
}

// check closes a connection on which the server does not even answer a ping.
func (n *conn) check() {
	idle := time.Since(n.made) - time.Duration(n.heard.Load())
	n.mu.Lock()
	defer n.mu.Unlock()
	switch {
	case idle < readIdle:
		n.pinged = false
		n.health.Reset(readIdle - idle)
	case n.pinged:
		n.raw.NetConn().Close()
	default:
		n.pinged = true
		n.out = append(appendHead(n.out, 8, framePing, 0, 0), "windtnnl"...)
		n.flush()
		n.health.Reset(pingTimeout)
	}
}

// send starts a stream for the request; false when the connection takes no more.
func (n *conn) send(r *Request) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.draining || len(n.streams) >= n.maxStreams || n.nextStream > 1<<30 {
		return false
	}
	s := &stream{id: n.nextStream, request: r, unsent: r.Body, window: n.newWindow}
	r.mu.Lock()
	r.conn, r.stream = n, s.id
	cancelled := r.cancelled
	r.mu.Unlock()
	if cancelled {
		return true
	}
	n.nextStream += 2
	n.streams[s.id] = s
	n.writeHeaders(s)
	n.writeBody(s)
	n.flush()
	return true
}

func (n *conn) writeHeaders(s *stream) {
	n.encoded.Reset()
	field := func(name, value string, once bool) {
		if value != "" {
			// What differs from request to request is kept out of the table of headers.
			n.encoder.WriteField(hpack.HeaderField{Name: name, Value: value, Sensitive: once})
		}
	}
	r := s.request
	field(":authority", n.client.options.Address, false)
	field(":method", r.Method, false)
	field(":path", r.Path, true)
	field(":scheme", "https", false)
	field("accept", r.Accept, false)
	field("content-type", r.ContentType, false)
	field("authorization", r.authorization, false)
	if r.Body != nil {
		field("content-length", strconv.Itoa(len(r.Body)), true)
	}
	field("accept-encoding", "identity", false)
	field("user-agent", n.client.options.UserAgent, false)

	flags, kind := byte(0), byte(frameHeaders)
	if len(r.Body) == 0 {
		flags = flagEndStream
	}
	for block := n.encoded.Bytes(); ; {
		piece := block[:min(len(block), n.maxFrame)]
		if block = block[len(piece):]; len(block) == 0 {
			flags |= flagEndHeaders
		}
		n.out = append(appendHead(n.out, len(piece), kind, flags, s.id), piece...)
		if len(block) == 0 {
			return
		}
		flags, kind = 0, frameContinuation
	}
}

// writeBody sends as much of the body as the windows allow. Callers hold the lock.
func (n *conn) writeBody(s *stream) {
	for len(s.unsent) > 0 {
		size := min(len(s.unsent), n.window, s.window, n.maxFrame)
		if size <= 0 {
			n.blocked = append(n.blocked, s)
			return
		}
		flags := byte(0)
		if size == len(s.unsent) {
			flags = flagEndStream
		}
		n.out = append(appendHead(n.out, size, frameData, flags, s.id), s.unsent[:size]...)
		s.unsent = s.unsent[size:]
		n.window -= size
		s.window -= size
	}
	s.unsent = nil
}

// unblock tries again what a window kept back. Callers hold the lock.
func (n *conn) unblock() {
	blocked := n.blocked
	n.blocked = nil
	for _, s := range blocked {
		if n.streams[s.id] == s {
			n.writeBody(s)
		}
	}
}

// flush sees to it that what is to be written is written, by a goroutine that lives as long as there is something: what comes
// meanwhile goes out together. Callers hold the lock.
func (n *conn) flush() {
	if n.writing || len(n.out) == 0 {
		return
	}
	n.writing = true
	go func() {
		for {
			n.mu.Lock()
			out := n.out
			n.out = nil
			if len(out) == 0 {
				n.writing = false
				n.mu.Unlock()
				return
			}
			n.mu.Unlock()
			if _, err := n.raw.Write(out); err != nil {
				n.raw.NetConn().Close() // the reader does the rest
				return
			}
		}
	}()
}

// reset ends a stream that nobody wants the answer of any more.
func (n *conn) reset(id uint32) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.streams[id] == nil {
		return
	}
	delete(n.streams, id)
	n.out = appendReset(n.out, id, codeCancel)
	n.flush()
}

// take removes a stream that has ended.
func (n *conn) take(id uint32) *stream {
	n.mu.Lock()
	defer n.mu.Unlock()
	s := n.streams[id]
	delete(n.streams, id)
	if n.draining && len(n.streams) == 0 {
		n.raw.NetConn().Close()
	}
	return s
}

func (n *conn) get(id uint32) *stream {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.streams[id]
}

// fields is what is read of an answer's headers.
type fields struct {
	status, retryAfter int
	err                error
}

func (n *conn) field(f hpack.HeaderField) {
	var err error
	switch f.Name {
	case ":status":
		n.fields.status, err = strconv.Atoi(f.Value)
		if n.fields.status < 300 {
			n.decoder.SetEmitEnabled(false) // no other header of a success is of interest
		}
	case "retry-after":
		n.fields.retryAfter, err = strconv.Atoi(f.Value)
	}
	if err != nil {
		n.fields.err = fmt.Errorf("header %s: %w", f.Name, err)
	}
}
