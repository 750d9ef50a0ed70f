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

// streamsTime is how long those who listen to samples have to take what is left when the shard ends.
const streamsTime = 2 * time.Second

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
	ended := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(ended)
		h.streams.end() // so that those who listen get the mark before their connections are closed
		patient, cancel := context.WithTimeout(context.WithoutCancel(ctx), streamsTime)
		defer cancel()
		if server.Shutdown(patient) != nil {
			server.Close()
		}
	})
	err = server.Serve(listener)
	if stop() {
		return fmt.Errorf("control socket: %w", err)
	}
	<-ended
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
	mux.HandleFunc("POST "+hollow.PathNodes, h.answerAdd)
	mux.HandleFunc("POST "+hollow.PathRemove, h.answerRemove)
	mux.HandleFunc("GET "+hollow.PathSamples, h.streams.serve)
	h.faults(mux)
	mux.HandleFunc(hollow.PathProfiles, pprof.Index)
	mux.HandleFunc(hollow.PathProfiles+"profile", pprof.Profile)
	mux.HandleFunc(hollow.PathProfiles+"trace", pprof.Trace)
	return mux
}

func (h *Host) answerNames(w http.ResponseWriter, r *http.Request, down bool) {
	var names hollow.NodeNames
	if decode(w, r, &names) {
		refuse(w, h.setDown(names.Nodes, down), http.StatusNotFound)
	}
}

func (h *Host) answerAdd(w http.ResponseWriter, r *http.Request) {
	var nodes hollow.Nodes
	if decode(w, r, &nodes) {
		refuse(w, h.add(nodes.Nodes), http.StatusConflict)
	}
}

func (h *Host) answerRemove(w http.ResponseWriter, r *http.Request) {
	var names hollow.NodeNames
	if decode(w, r, &names) {
		refuse(w, h.remove(names.Nodes), http.StatusNotFound)
	}
}

// decode reads a request's body, or answers that it makes no sense.
func decode(w http.ResponseWriter, r *http.Request, into any) bool {
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxNames)).Decode(into); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return false
	}
	return true
}

// refuse answers with an error and its code, if there is one.
func refuse(w http.ResponseWriter, err error, code int) {
	if err != nil {
		http.Error(w, err.Error(), code)
	}
}
