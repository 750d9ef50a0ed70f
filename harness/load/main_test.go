package load

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"

	"go.uber.org/goleak"
	"golang.org/x/net/http2"

	"windtunnel/harness/harnesstest"
	"windtunnel/profiles"
)

// serveOnly makes the test binary a server of its own, so that a benchmark can measure the CPU time of the client alone.
const serveOnly = "WINDTUNNEL_LOAD_TEST_SERVER"

// suite is the control plane that the tests share.
var suite = harnesstest.Suite{Spec: profiles.ControlPlane{APIServer: profiles.APIServer{
	Args: map[string]string{"feature-gates": "CBORServingAndStorage=true"}, // for the forms in CBOR
}}}

func TestMain(m *testing.M) {
	if os.Getenv(serveOnly) != "" {
		serve()
		return
	}
	code := suite.Run(m, os.Stdin, os.Stdout, os.Stderr)
	if err := goleak.Find(); code == 0 && err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
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
