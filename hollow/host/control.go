package host

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/pprof"
	"os"
	"time"

	"windtunnel/hollow"
)

// maxNames bounds the body of a request to the control socket, in bytes.
const maxNames = 16 << 20

// serve answers the control socket until ctx ends.
func (h *Host) serve(ctx context.Context) error {
	listener, err := net.Listen("unix", h.Config.Socket)
	if err != nil {
		return fmt.Errorf("control socket: %w", err)
	}
	if err := os.Chmod(h.Config.Socket, 0o600); err != nil {
		listener.Close()
		return fmt.Errorf("control socket: %w", err)
	}
	server := &http.Server{Handler: h.control(), ReadHeaderTimeout: 10 * time.Second}
	stop := context.AfterFunc(ctx, func() { server.Close() })
	defer stop()
	if err := server.Serve(listener); err != nil && ctx.Err() == nil {
		return fmt.Errorf("control socket: %w", err)
	}
	return nil
}

func (h *Host) control() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+hollow.PathStatus, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(h.Status()) // an error is the client's hanging up
	})
	mux.HandleFunc("POST "+hollow.PathDown, func(w http.ResponseWriter, r *http.Request) { h.answerNames(w, r, true) })
	mux.HandleFunc("POST "+hollow.PathUp, func(w http.ResponseWriter, r *http.Request) { h.answerNames(w, r, false) })
	mux.HandleFunc(hollow.PathProfiles, pprof.Index)
	mux.HandleFunc(hollow.PathProfiles+"profile", pprof.Profile)
	mux.HandleFunc(hollow.PathProfiles+"trace", pprof.Trace)
	return mux
}

func (h *Host) answerNames(w http.ResponseWriter, r *http.Request, down bool) {
	var names hollow.NodeNames
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxNames)).Decode(&names); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if err := h.setDown(names.Nodes, down); err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
	}
}
