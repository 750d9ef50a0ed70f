package shard

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"strconv"
	"time"

	"golang.org/x/net/http2"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/transport"

	"windtunnel/hollow"
	"windtunnel/hollow/cri"
	"windtunnel/hollow/host"
	"windtunnel/hollow/kubelet"
	"windtunnel/hollow/proxy"
)

// Client-side limits of the kubelet, its own defaults.
const (
	kubeletQPS   = 50
	kubeletBurst = 100
)

// Health checks of connections, as client-go sets them.
const (
	readIdleTimeout = 30 * time.Second
	pingTimeout     = 15 * time.Second
	dialTimeout     = 30 * time.Second
	keepAlive       = 30 * time.Second
	tlsTimeout      = 10 * time.Second
)

// node is one hollow node of the shard.
type node struct {
	hollow.Node
	*host.Network
	shard *shard
	dir   string // the kubelet's
}

// newNode makes a node. One that has been in the shard before gets a new directory: a kubelet cannot be stopped, so that of its former
// life is still there, cut off.
func newNode(s *shard, described hollow.Node, life int) *node {
	dialer := &net.Dialer{Timeout: dialTimeout, KeepAlive: keepAlive}
	n := &node{Node: described, shard: s, Network: host.NewNetwork(dialer.DialContext), dir: s.config.NodeDir(described)}
	if life > 0 {
		n.dir += "." + strconv.Itoa(life)
	}
	return n
}

// Start starts the node's kubelet and, once it is Ready, its proxy. ready is called when both are there.
func (n *node) Start(ctx context.Context, ready, strain func()) error {
	via, err := n.transport(n.Kubelet)
	if err != nil {
		return err
	}
	var config *rest.Config
	observed := newReadiness(via, n.Name, func() { go n.finish(ctx, config, ready) }, strain)
	config = n.client("hollow-kubelet", observed)
	config.QPS, config.Burst = kubeletQPS, kubeletBurst
	if n.shard.config.QPS > 0 {
		config.QPS = float32(n.shard.config.QPS)
	}
	if n.shard.config.Burst > 0 {
		config.Burst = n.shard.config.Burst
	}
	labels := maps.Clone(n.shard.config.Labels)
	if labels == nil {
		labels = make(map[string]string)
	}
	maps.Copy(labels, n.Labels)
	return n.shard.kubelets.Start(ctx, kubelet.Node{
		Name:    n.Name,
		RootDir: n.dir,
		Labels:  labels,
		Client:  config,
		Runtime: cri.New(cri.Options{
			SandboxStart:   n.shard.config.SandboxStart,
			ContainerStart: n.shard.config.ContainerStart,
			ContainerStop:  n.shard.config.ContainerStop,
			Reports:        n.shard.reports,
			Observe:        func(e cri.Event) { n.shard.record(n.Name, e) },
		}),
		Images: cri.NewImages(),
	})
}

// finish does what comes after the node's first Ready: the padding of its object, and its proxy, which on a real node is a
// pod.
func (n *node) finish(ctx context.Context, config *rest.Config, ready func()) {
	defer ready()
	if size := n.shard.config.PaddingBytes; size > 0 {
		if err := pad(ctx, config, n.Name, size); err != nil {
			n.shard.Note(err)
		}
	}
	if !n.shard.config.Proxy {
		return
	}
	via, err := n.transport(n.Proxy)
	if err == nil {
		err = proxy.Start(ctx, n.Name, n.client("hollow-proxy", via), n.shard.Note)
	}
	if err != nil {
		n.shard.Note(err)
	}
}

// client returns a client configuration as the components make theirs, over the given transport.
func (n *node) client(userAgent string, transport http.RoundTripper) *rest.Config {
	return &rest.Config{
		Host:      n.shard.config.Server,
		UserAgent: userAgent,
		Transport: transport,
		ContentConfig: rest.ContentConfig{
			ContentType:        runtime.ContentTypeProtobuf,
			AcceptContentTypes: runtime.ContentTypeProtobuf + "," + runtime.ContentTypeJSON,
		},
	}
}

// transport returns a transport of one identity, with connections of its own: HTTP/2 over the node's gate. A client-go
// transport would be HTTP/2 as well, after more negotiation, and would share connections between equal identities.
func (n *node) transport(identity hollow.Identity) (http.RoundTripper, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: n.shard.authorities, NextProtos: []string{http2.NextProtoTLS}}
	plain := &http2.Transport{TLSClientConfig: config, DialTLSContext: n.dialTLS, ReadIdleTimeout: readIdleTimeout, PingTimeout: pingTimeout}
	if identity.TokenFile != "" {
		bearer, err := transport.NewBearerAuthWithRefreshRoundTripper("", identity.TokenFile, plain)
		if err != nil {
			return nil, fmt.Errorf("identity of %s: %w", n.Name, err)
		}
		return bearer, nil
	}
	certificate, err := tls.X509KeyPair(identity.Cert, identity.Key)
	if err != nil {
		return nil, fmt.Errorf("identity of %s: %w", n.Name, err)
	}
	config.Certificates = []tls.Certificate{certificate}
	return plain, nil
}

func (n *node) dialTLS(ctx context.Context, network, address string, config *tls.Config) (net.Conn, error) {
	raw, err := n.Dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, tlsTimeout)
	defer cancel()
	conn := tls.Client(raw, config)
	if err := conn.HandshakeContext(ctx); err != nil {
		raw.Close()
		return nil, err
	}
	if conn.ConnectionState().NegotiatedProtocol != http2.NextProtoTLS {
		conn.Close()
		return nil, errors.New("the server does not speak HTTP/2")
	}
	return conn, nil
}

// authorities reads the certificates that servers are verified by.
func authorities(pem []byte) (*x509.CertPool, error) {
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, errors.New("no certificate authority")
	}
	return pool, nil
}
