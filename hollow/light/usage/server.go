package usage

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"k8s.io/client-go/util/cert"

	"windtunnel/hollow"
	"windtunnel/hollow/light/api"
	"windtunnel/profiles"
)

// headerTime is how long a client may take for the header of a request.
const headerTime = 10 * time.Second

// Server serves the metrics of a shard's nodes. Methods of nil do nothing.
type Server struct {
	demands     demands
	families    *families
	listener    net.Listener
	certificate tls.Certificate
	failed      func(error)

	mu    sync.RWMutex
	nodes map[string]*Node
}

// New returns the server of a shard, which listens on a free port of the address, and nil where the description has no usage. Its
// certificate is its own, as that of a kubelet without certificates is. failed is told of requests that could not be judged.
func New(config hollow.ShardConfig, address string, failed func(error)) (*Server, error) {
	if config.Usage == nil {
		return nil, nil
	}
	s := &Server{families: newFamilies(), failed: failed, nodes: make(map[string]*Node)}
	var err error
	if s.demands, err = readDemands(*config.Usage, config.Seed); err != nil {
		return nil, fmt.Errorf("usage: %w", err)
	}
	certificate, key, err := cert.GenerateSelfSignedCertKey(address, []net.IP{net.ParseIP(address)}, nil)
	if err != nil {
		return nil, fmt.Errorf("usage: make a certificate: %w", err)
	}
	if s.certificate, err = tls.X509KeyPair(certificate, key); err != nil {
		return nil, fmt.Errorf("usage: read the certificate: %w", err)
	}
	listener, err := net.Listen("tcp", net.JoinHostPort(address, "0"))
	if err != nil {
		return nil, fmt.Errorf("usage: %w", err)
	}
	s.listener = ownListener{listener}
	return s, nil
}

func readDemands(u profiles.Usage, seed uint64) (d demands, err error) {
	d = demands{swing: u.Swing, period: time.Duration(u.Period), seed: seed}
	if d.period <= 0 {
		return d, fmt.Errorf("period is %v, not more than 0", d.period)
	}
	if d.cpu, err = profiles.ParseAmount(u.CPU); err != nil {
		return d, fmt.Errorf("cpu: %w", err)
	}
	if d.memory, err = profiles.ParseAmount(u.Memory); err != nil {
		return d, fmt.Errorf("memory: %w", err)
	}
	return d, nil
}

// Port is the port that it listens on, for api.Machine.
func (s *Server) Port() int32 {
	if s == nil {
		return 0
	}
	return int32(s.listener.Addr().(*net.TCPAddr).Port)
}

// Node returns a node that is served from now on, to those whom access admits. It takes the place of one of its name.
func (s *Server) Node(name string, access *Access) *Node {
	if s == nil {
		return nil
	}
	n := newNode(s, name, access)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.nodes[name] = n
	return n
}

func (s *Server) forget(n *Node) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.nodes[n.name] == n {
		delete(s.nodes, n.name)
	}
}

func (s *Server) named(name string) *Node {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.nodes[name]
}

// Run serves until ctx ends, which is no error.
func (s *Server) Run(ctx context.Context) error {
	if s == nil {
		return nil
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+api.MetricsPath("{node}"), s.metrics)
	server := &http.Server{
		Handler: mux, ReadHeaderTimeout: headerTime,
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{s.certificate}, MinVersion: tls.VersionTLS12},
		// A client that does not trust the certificate says so itself.
		ErrorLog: log.New(io.Discard, "", 0),
	}
	stop := context.AfterFunc(ctx, func() { server.Close() })
	defer stop()
	if err := server.ServeTLS(s.listener, "", ""); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve usage: %w", err)
	}
	return nil
}

// metrics answers a node's /metrics/resource, with the codes and texts of the kubelet (InstallAuthFilter in pkg/kubelet/server/server.go).
func (s *Server) metrics(w http.ResponseWriter, r *http.Request) {
	n := s.named(r.PathValue("node"))
	if n == nil {
		http.NotFound(w, r)
		return
	}
	if n.isCut() {
		panic(http.ErrAbortHandler) // which ends the request without an answer
	}
	user, err := n.access.user(r)
	if err != nil {
		s.failed(fmt.Errorf("node %s: usage: %w", n.name, err))
	}
	if err != nil || user == nil {
		http.Error(w, "Unauthorized", http.StatusUnauthorized)
		return
	}
	allowed, err := n.access.allows(r.Context(), user, n.name)
	if err != nil {
		s.failed(fmt.Errorf("node %s: usage: %w", n.name, err))
		http.Error(w, fmt.Sprintf("Authorization error (user=%s, verb=get, resource=nodes, subresource=metrics)", user.Username), http.StatusInternalServerError)
		return
	}
	if !allowed {
		http.Error(w, fmt.Sprintf("Forbidden (user=%s, verb=get, resource=nodes, subresource(s)=[metrics])", user.Username), http.StatusForbidden)
		return
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(n.Collector())
	promhttp.HandlerFor(registry, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError}).ServeHTTP(w, r)
}
