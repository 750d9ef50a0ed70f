package load

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/sync/errgroup"

	"windtunnel/harness/cluster"
	"windtunnel/results"
)

// DefaultTimeout bounds one request, from the moment it is sent to the last byte of its answer.
const DefaultTimeout = 60 * time.Second

// Options says to whom a Client connects, and as whom.
type Options struct {
	// Server is the API server's URL, https://HOST[:PORT][/PATH]; http:// (HTTP/2 without TLS) to this machine alone.
	Server string
	// CA is the certificate in PEM that the server's own must lead to; empty for the authorities that the system trusts.
	CA []byte
	// Route says more about the way to the server. Default: straight to it.
	Route cluster.Route
	// Identities are the users that requests are spread over; at least one.
	Identities []cluster.Identity
	// Connections is the number of HTTP/2 connections of each identity. Default 1. It never grows.
	Connections int
	// Run is the run's id; it is the value of ${run} in templates and part of the User-Agent, windtunnel/<Run>.
	Run string
	// Timeout bounds one request. Default DefaultTimeout.
	Timeout time.Duration
	// Clock gives the instants of the records.
	Clock results.Clock
	// Record takes every record. It is called from many goroutines at once and must be quick.
	Record func(results.Request)
	// Allowed ends when nothing more may be sent: requests under way are given up then, and no request is sent after. Nil is for
	// ever. A step's own context, whose end it should be too, gives them drainTime.
	Allowed context.Context
}

// Client holds the fixed set of connections that a track's requests go through. One step at a time may use it: Stream,
// Reconcile and Watch return ErrBusy while another one is under way.
type Client struct {
	options Options
	server  *url.URL // without a slash at the end of its path
	lanes   []*lane
	dialed  atomic.Int64 // connections made
	touched atomic.Int64 // writes made by annotation
	busy    atomic.Bool  // a step is under way
	pacer   pacer
}

func (c *Client) userAgent() string { return cluster.UserAgent + "/" + c.options.Run }

// lane is one identity with its connections.
type lane struct {
	identity string
	token    func() string // nil with a certificate
	conns    []*conn
	turn     int // where the search for the least busy connection begins
	pending  queue
}

// ErrBusy is returned by a step that finds another one using the Client.
var ErrBusy = errors.New("the client's connections serve another step")

// Dial makes the connections, all of them before the first request, so that no handshake falls into a measurement. That nobody
// listens is no error: a plan goes on while its server is down, and each request says at its own instant that it found nobody.
func Dial(ctx context.Context, o Options) (*Client, error) {
	server, err := cluster.ParseServer(o.Server)
	if err != nil {
		return nil, fmt.Errorf("connect to the API server: %w", err)
	}
	if len(o.Identities) == 0 {
		return nil, fmt.Errorf("connect to %s: no identity given", o.Server)
	}
	roots, err := rootsOf(o.CA)
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", o.Server, err)
	}
	o.Connections = max(o.Connections, 1)
	if o.Timeout == 0 {
		o.Timeout = DefaultTimeout
	}
	if o.Allowed == nil {
		o.Allowed = context.Background()
	}
	c := &Client{options: o, server: server, pacer: pacer{clock: o.Clock, nap: nap}}
	for _, identity := range o.Identities {
		l, err := c.newLane(identity, roots)
		if err != nil {
			return nil, err
		}
		c.lanes = append(c.lanes, l)
	}
	if err := c.connect(ctx); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// rootsOf are the authorities in PEM; nil, which means the system's own, for none.
func rootsOf(pem []byte) (*x509.CertPool, error) {
	if len(pem) == 0 {
		return nil, nil
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, errors.New("the CA holds no certificate in PEM")
	}
	return roots, nil
}

func (c *Client) newLane(identity cluster.Identity, roots *x509.CertPool) (*lane, error) {
	config := &tls.Config{RootCAs: roots, ServerName: c.server.Hostname(), MinVersion: tls.VersionTLS12, NextProtos: []string{http2.NextProtoTLS}}
	if name := c.options.Route.ServerName; name != "" {
		config.ServerName = name
	}
	config.InsecureSkipVerify = c.options.Route.Insecure
	if len(identity.Cert) > 0 {
		pair, err := tls.X509KeyPair(identity.Cert, identity.Key)
		if err != nil {
			return nil, fmt.Errorf("client certificate of %s: %w", identity.Name, err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	// Compression is asked for by header where it is wanted, so that what arrives is counted and never unpacked.
	transport := &http2.Transport{DisableCompression: true, StrictMaxConcurrentStreams: true, ReadIdleTimeout: readIdle, PingTimeout: pingTimeout, AllowHTTP: true}
	way := route{server: c.server, proxy: c.options.Route.Proxy}
	if c.server.Scheme == "https" {
		way.tls = config
	}
	l := &lane{identity: identity.Name, token: identity.Token}
	for range c.options.Connections {
		l.conns = append(l.conns, newConn(way, transport, &c.dialed))
	}
	return l, nil
}

// during is the context of a step: it ends with the caller's, and when nothing more may be sent.
func (c *Client) during(caller context.Context) (context.Context, func()) {
	ctx, end := context.WithCancelCause(caller)
	forget := context.AfterFunc(c.options.Allowed, func() { end(context.Cause(c.options.Allowed)) })
	return ctx, func() {
		forget()
		end(nil)
	}
}

// connect makes all connections, few at a time: a server that has just booted has better things to do than handshakes.
func (c *Client) connect(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(4)
	for _, l := range c.lanes {
		for _, place := range l.conns {
			group.Go(func() error {
				_, err := place.ready(ctx)
				if errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.ECONNRESET) {
					return nil
				}
				return err
			})
		}
	}
	return group.Wait()
}

// Reconnects is how many connections were made beyond the first of each place: after a break or a GOAWAY.
func (c *Client) Reconnects() int {
	return max(0, int(c.dialed.Load())-len(c.lanes)*c.options.Connections)
}

// Close ends all connections. No step may be under way.
func (c *Client) Close() {
	for _, l := range c.lanes {
		for _, place := range l.conns {
			place.close()
		}
	}
}
