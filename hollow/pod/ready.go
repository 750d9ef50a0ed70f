package pod

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"windtunnel/hollow"
)

// PathReady is where a pod says whether it is ready: GET, 200 or 503.
const PathReady = "/readyz"

// statusTime bounds asking the shard.
const statusTime = 2 * time.Second

// ServeReady answers a kubelet's readiness probe on an address until ctx ends, which is no error: the pod is ready when each of its nodes
// has been Ready. Nothing else is served, as everybody in the cluster can reach it.
func ServeReady(ctx context.Context, address string, status func(context.Context) (hollow.Status, error)) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("serve readiness: %w", err)
	}
	server := &http.Server{Handler: readiness(status), ReadHeaderTimeout: 10 * time.Second}
	stop := context.AfterFunc(ctx, func() { server.Close() })
	defer stop()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve readiness: %w", err)
	}
	return nil
}

func readiness(status func(context.Context) (hollow.Status, error)) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+PathReady, func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), statusTime)
		defer cancel()
		s, err := status(ctx)
		switch {
		case err != nil:
			http.Error(w, "the shard does not answer yet", http.StatusServiceUnavailable)
		case s.Ready < s.Nodes:
			http.Error(w, strings.TrimSuffix(fmt.Sprintf("%d of %d nodes have been Ready; %s", s.Ready, s.Nodes, s.Error), "; "), http.StatusServiceUnavailable)
		default:
			fmt.Fprintf(w, "%d nodes\n", s.Nodes)
		}
	})
	return mux
}
