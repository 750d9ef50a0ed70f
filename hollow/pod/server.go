package pod

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"windtunnel/hollow"
)

// What a pod serves, to everybody in the cluster; hence only by GET, nothing that is secret and nothing that changes anything.
const (
	PathReady   = "/readyz"  // 200 when every node that falls to the pod has been Ready, else 503 and why not
	PathStatus  = "/status"  // Status as JSON
	PathMetrics = "/metrics" // the process' account and its nodes, in Prometheus' format
)

// Port is where a pod serves by default.
const Port = 8080

const (
	// statusTime bounds asking the shard.
	statusTime = 2 * time.Second
	// leaveTime is how long those who listen to samples have to take what is left when the pod ends: more than the shard gives them.
	leaveTime = 3 * time.Second
)

// Status is how far a pod is.
type Status struct {
	// Status is the shard's own; zero while there is none.
	hollow.Status
	// Wanted is how many nodes fall to the pod, of which those that wait for a certificate are not the shard's yet.
	Wanted int `json:"wanted"`
	// Version is the resourceVersion of the description that is in force.
	Version string `json:"version"`
	// Problem is why the newest description is not in force, or what a node waits for, if anything.
	Problem string `json:"problem,omitempty"`
}

// Settled says that every node that falls to the pod has been Ready.
func (s Status) Settled() bool {
	return s.Version != "" && s.Problem == "" && s.Nodes == s.Wanted && s.Ready == s.Wanted
}

// status asks the shard and adds what only the pod knows.
func (m *members) status(ctx context.Context) (Status, error) {
	ctx, cancel := context.WithTimeout(ctx, statusTime)
	defer cancel()
	shard, err := m.control.Status(ctx)
	m.mu.Lock()
	defer m.mu.Unlock()
	s := Status{Status: shard, Version: m.version}
	if nodes, err := m.config.Nodes(m.pod); err == nil {
		s.Wanted = len(nodes)
	}
	if trouble := m.trouble(); trouble != nil {
		s.Problem = trouble.Error()
	}
	if err != nil {
		err = errors.New("the shard does not answer yet")
	}
	return s, err
}

// handler answers what a pod serves.
func handler(m *members) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+PathReady, func(w http.ResponseWriter, r *http.Request) { answerReady(w, r, m.status) })
	mux.HandleFunc("GET "+PathStatus, func(w http.ResponseWriter, r *http.Request) {
		s, _ := m.status(r.Context())
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(s) // an error is the client's hanging up
	})
	mux.Handle("GET "+hollow.PathSamples, samples(m.control))
	mux.Handle("GET "+PathMetrics, promhttp.HandlerFor(metrics(m), promhttp.HandlerOpts{}))
	return mux
}

func answerReady(w http.ResponseWriter, r *http.Request, status func(context.Context) (Status, error)) {
	s, err := status(r.Context())
	switch {
	case s.Problem != "":
		http.Error(w, s.Problem, http.StatusServiceUnavailable)
	case err != nil:
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
	case !s.Settled():
		text := fmt.Sprintf("%d of %d nodes have been Ready", s.Ready, s.Wanted)
		if s.Error != "" {
			text += "; " + s.Error
		}
		http.Error(w, text, http.StatusServiceUnavailable)
	default:
		fmt.Fprintf(w, "%d nodes\n", s.Nodes)
	}
}

// samples passes a stream of the shard's on as it comes.
func samples(control *hollow.Client) http.Handler {
	shard := &url.URL{Scheme: "http", Host: "shard"}
	return &httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(shard) },
		Transport:     control.Transport(),
		FlushInterval: -1,
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) {
			http.Error(w, "the shard does not answer yet", http.StatusServiceUnavailable)
		},
	}
}

// metrics are the process' account for those who cannot see it in /proc, and its nodes.
func metrics(m *members) *prometheus.Registry {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), collectors.NewGoCollector())
	for state, count := range map[string]func(Status) int{
		"wanted":  func(s Status) int { return s.Wanted },
		"started": func(s Status) int { return s.Started },
		"ready":   func(s Status) int { return s.Ready },
		"down":    func(s Status) int { return s.Down },
	} {
		registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "windtunnel_hollow_nodes", Help: "Hollow nodes of this pod by how far they have come; a node counts in every state that it has reached.",
			ConstLabels: prometheus.Labels{"state": state},
		}, func() float64 {
			s, _ := m.status(context.Background())
			return float64(count(s))
		}))
	}
	return registry
}

// serve answers on an address until ctx ends, which is no error.
func serve(ctx context.Context, address string, handler http.Handler) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("serve: %w", err)
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	ended := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(ended)
		patient, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveTime)
		defer cancel()
		if server.Shutdown(patient) != nil {
			server.Close()
		}
	})
	err = server.Serve(listener)
	if stop() {
		return fmt.Errorf("serve: %w", err)
	}
	<-ended
	return nil
}
