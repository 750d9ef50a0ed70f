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
	// Server is the API server's URL: https://HOST:PORT.
	Server string
	// CA is the certificate in PEM that the server's own must lead to.
	CA []byte
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
}

// Client holds the fixed set of connections that a track's requests go through. One step at a time may use it: Stream,
// Reconcile and Watch return ErrBusy while another one is under way.
type Client struct {
	options Options
	host    string
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
	conns    []*conn
	turn     int // where the search for the least busy connection begins
	pending  queue
}

// ErrBusy is returned by a step that finds another one using the Client.
var ErrBusy = errors.New("the client's connections serve another step")

// Dial makes the connections, all of them before the first request, so that no handshake falls into a measurement. That nobody
// listens is no error: a plan goes on while its server is down, and each request says at its own instant that it found nobody.
func Dial(ctx context.Context, o Options) (*Client, error) {
	server, err := url.Parse(o.Server)
	if err != nil || server.Scheme != "https" || server.Port() == "" {
		return nil, fmt.Errorf("connect to %q: want https://HOST:PORT", o.Server)
	}
	if len(o.Identities) == 0 {
		return nil, fmt.Errorf("connect to %s: no identity given", o.Server)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(o.CA) {
		return nil, fmt.Errorf("connect to %s: the CA holds no certificate in PEM", o.Server)
	}
	o.Connections = max(o.Connections, 1)
	if o.Timeout == 0 {
		o.Timeout = DefaultTimeout
	}
	c := &Client{options: o, host: server.Host, pacer: pacer{clock: o.Clock, nap: nap}}
	for _, identity := range o.Identities {
		l, err := c.newLane(identity, roots, server.Hostname())
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

func (c *Client) newLane(identity cluster.Identity, roots *x509.CertPool, name string) (*lane, error) {
	config := &tls.Config{RootCAs: roots, ServerName: name, MinVersion: tls.VersionTLS12, NextProtos: []string{http2.NextProtoTLS}}
	if len(identity.Cert) > 0 {
		pair, err := tls.X509KeyPair(identity.Cert, identity.Key)
		if err != nil {
			return nil, fmt.Errorf("client certificate of %s: %w", identity.Name, err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	// Compression is asked for by header where it is wanted, so that what arrives is counted and never unpacked.
	transport := &http2.Transport{DisableCompression: true, StrictMaxConcurrentStreams: true, ReadIdleTimeout: readIdle, PingTimeout: pingTimeout}
	l := &lane{identity: identity.Name}
	for range c.options.Connections {
		l.conns = append(l.conns, newConn(c.host, config, transport, &c.dialed))
	}
	return l, nil
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
