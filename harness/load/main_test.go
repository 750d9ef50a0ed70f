package load

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"

	"go.uber.org/goleak"
	"golang.org/x/net/http2"

	"windtunnel/harness/internal/live"
	"windtunnel/harness/supervise"
)

// serveOnly makes the test binary a server of its own, so that a benchmark can measure the CPU time of the client alone.
const serveOnly = "WINDTUNNEL_LOAD_TEST_SERVER"

func TestMain(m *testing.M) {
	switch {
	case os.Getenv(serveOnly) != "":
		serve()
		return
	case live.IsSupervisor():
		if err := supervise.Serve(context.Background(), os.Stdin, os.Stdout); err != nil {
			panic(err)
		}
		return
	}
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("golang.org/x/net/http2.(*serverConn).serve"))
}

// serve answers every request with 1 400 bytes (a ConfigMap of the cost figures in Kubernetes' JSON) until stdin ends.
func serve() {
	body := make([]byte, 1400)
	srv := newTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.Header().Set(headerFlowSchema, "5c4b3a29-1807-4f6e-8d5c-000000000001")
		w.Header().Set(headerPriorityLevel, "5c4b3a29-1807-4f6e-8d5c-000000000002")
		w.Header().Set("Content-Type", mediaJSON)
		w.Write(body)
	}))
	defer srv.Close()
	fmt.Printf("%s\n%s", srv.URL, caOf(srv))
	os.Stdout.Close()
	io.Copy(io.Discard, os.Stdin)
}

// newTLSServer is a server with kube-apiserver's limit of streams.
func newTLSServer(h http.Handler) *httptest.Server {
	srv := httptest.NewUnstartedServer(h)
	srv.EnableHTTP2 = true
	if err := http2.ConfigureServer(srv.Config, &http2.Server{MaxConcurrentStreams: 100}); err != nil {
		panic(err)
	}
	srv.TLS = srv.Config.TLSConfig
	srv.StartTLS()
	return srv
}
