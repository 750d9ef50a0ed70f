package hollow

import (
	"encoding/json"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestClient(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "s")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	want := Status{Nodes: 3, Started: 2, Ready: 1, Down: 1, Window: 4, Error: "late"}
	var names []string
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+PathStatus, func(w http.ResponseWriter, _ *http.Request) { json.NewEncoder(w).Encode(want) })
	mux.HandleFunc("POST "+PathDown, func(w http.ResponseWriter, r *http.Request) {
		var body NodeNames
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
		}
		names = body.Nodes
	})
	mux.HandleFunc("POST "+PathUp, func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, `no node "x"`, http.StatusNotFound)
	})
	server := &http.Server{Handler: mux}
	go server.Serve(listener)
	defer server.Close()

	client := NewClient(socket)
	got, err := client.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("status (-want +got):\n%s", diff)
	}
	if err := client.Down(t.Context(), []string{"a", "b"}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a", "b"}, names); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
	if err := client.Up(t.Context(), []string{"x"}); err == nil || !strings.Contains(err.Error(), `no node "x"`) {
		t.Errorf("got %v, want the server's reason", err)
	}
	if _, err := NewClient(socket + "x").Status(t.Context()); err == nil || !strings.Contains(err.Error(), socket+"x") {
		t.Errorf("got %v, want an error that names the socket", err)
	}
}
