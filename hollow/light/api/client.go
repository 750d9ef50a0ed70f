// Package api is how light nodes talk to the API server: requests that are tried again, watches that are kept open, and the objects
// that every node has, its Node and its Lease.
package api

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"time"

	"golang.org/x/net/http2"
	"k8s.io/client-go/transport"

	"windtunnel/hollow"
	"windtunnel/hollow/light/h2"
)

// Timeouts of connections, as client-go sets them.
const (
	dialTimeout = 30 * time.Second
	keepAlive   = 30 * time.Second
)

// Server is the API server as the nodes of a process reach it.
type Server struct {
	address string
	trust   *x509.CertPool
	buffers h2.Buffers
}

// NewServer reads where the server is and whom to trust.
func NewServer(config hollow.ShardConfig) (*Server, error) {
	u, err := url.Parse(config.Server)
	if err != nil {
		return nil, fmt.Errorf("server: %w", err)
	}
	s := &Server{address: u.Host, trust: x509.NewCertPool()}
	if u.Port() == "" {
		s.address = net.JoinHostPort(u.Hostname(), "443")
	}
	if !s.trust.AppendCertsFromPEM(config.CA) {
		return nil, errors.New("no certificate authority")
	}
	return s, nil
}

// Dialer makes connections as client-go does.
func Dialer() func(ctx context.Context, network, address string) (net.Conn, error) {
	return (&net.Dialer{Timeout: dialTimeout, KeepAlive: keepAlive}).DialContext
}

// Client returns a client of the server with this identity. The certificate is parsed at each connection and not held.
func (s *Server) Client(ctx context.Context, id hollow.Identity, userAgent string, dial func(ctx context.Context, network, address string) (net.Conn, error)) *h2.Client {
	options := h2.Options{
		Address: s.address, Dial: dial, UserAgent: userAgent, Buffers: &s.buffers,
		TLS: func() (*tls.Config, error) {
			config := &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: s.trust, NextProtos: []string{http2.NextProtoTLS}}
			if id.TokenFile != "" {
				return config, nil
			}
			certificate, err := tls.X509KeyPair(id.Cert, id.Key)
			if err != nil {
				return nil, fmt.Errorf("identity: %w", err)
			}
			config.Certificates = []tls.Certificate{certificate}
			return config, nil
		},
	}
	if id.TokenFile != "" {
		source := transport.NewCachedFileTokenSource(id.TokenFile)
		options.Authorization = func() (string, error) {
			token, err := source.Token()
			if err != nil {
				return "", err
			}
			return "Bearer " + token.AccessToken, nil
		}
	}
	return h2.New(ctx, options)
}
