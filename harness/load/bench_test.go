package load

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"windtunnel/harness/cluster"
	"windtunnel/profiles"
	"windtunnel/results"
)

// serverProcess starts a server in a process of its own.
func serverProcess(tb testing.TB) (url string, ca []byte) {
	tb.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), serveOnly+"=1")
	stdin, err := cmd.StdinPipe()
	if err != nil {
		tb.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		stdin.Close()
		cmd.Wait()
	})
	in := bufio.NewReader(stdout)
	url, err = in.ReadString('\n')
	if err != nil {
		tb.Fatal(err)
	}
	ca, err = io.ReadAll(in)
	if err != nil {
		tb.Fatal(err)
	}
	return strings.TrimSpace(url), ca
}

func cpuTime() time.Duration {
	var use syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &use); err != nil {
		panic(err)
	}
	return time.Duration(use.Utime.Nano() + use.Stime.Nano())
}

// BenchmarkRequest compares what one request costs this process: in the engine with all its records, the same with
// a bearer token, and in a bare net/http loop that throws the body away. 10 in flight over 1 connection, the server in another process. The figure to
// compare is cpu-µs/op; ns/op is that of both processes together.
func BenchmarkRequest(b *testing.B) {
	url, ca := serverProcess(b)
	for _, verb := range []string{"GET", "POST", "PATCH"} {
		b.Run(verb+"/bare", func(b *testing.B) {
			bare := bareClient(b, ca)
			measure(b, func(n int) { bareLoop(b, bare, url, verb, n) })
		})
		b.Run(verb+"/engine", func(b *testing.B) {
			client := engineClient(b, url, ca, func(results.Request) {})
			measure(b, func(n int) { engineLoop(b, client, verb, n) })
		})
		b.Run(verb+"/token", func(b *testing.B) {
			client := engineClient(b, url, ca, func(results.Request) {})
			token := strings.Repeat("t", 1000) // about as long as a service account's
			client.lanes[0].token = func() string { return token }
			measure(b, func(n int) { engineLoop(b, client, verb, n) })
		})
	}
}

func measure(b *testing.B, run func(n int)) {
	run(100)
	b.ReportAllocs()
	b.ResetTimer()
	before := cpuTime()
	run(b.N)
	b.ReportMetric(float64((cpuTime()-before).Microseconds())/float64(b.N), "cpu-µs/op")
}

func bareClient(tb testing.TB, ca []byte) *http.Client {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true, MaxConnsPerHost: 1}
	tb.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

func bareLoop(tb testing.TB, client *http.Client, url, verb string, n int) {
	var left atomic.Int64
	left.Store(int64(n))
	var all sync.WaitGroup
	for range 10 {
		all.Go(func() {
			for left.Add(-1) >= 0 {
				if err := bareRequest(client, url, verb); err != nil {
					tb.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
}

func bareRequest(client *http.Client, url, verb string) error {
	path, body := "/api/v1/namespaces/team-0/configmaps/config-0", io.Reader(nil)
	switch verb {
	case "POST":
		path, body = "/api/v1/namespaces/team-0/configmaps", strings.NewReader(string(configMaps().Manifest))
	case "PATCH":
		body = strings.NewReader(`{"metadata":{"annotations":{"windtunnel/touched":"1234567890-1"}}}`)
	}
	request, err := http.NewRequest(verb, url+path, body)
	if err != nil {
		return err
	}
	request.Header.Set("Accept", mediaUsual)
	if body != nil {
		request.Header.Set("Content-Type", mediaJSON)
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	return err
}

func engineClient(tb testing.TB, url string, ca []byte, record func(results.Request)) *Client {
	client, err := Dial(context.Background(), Options{
		Server: url, CA: ca, Run: "bench", Clock: results.NewClock(), Record: record,
		Identities: []cluster.Identity{{Name: "windtunnel:user-0"}},
	})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(client.Close)
	return client
}

// engineLoop sends n requests through dispatcher and operations, as fast as 10 in flight go.
func engineLoop(tb testing.TB, client *Client, verb string, n int) {
	st := &step{client: client, phase: "workload", track: "users"}
	template := configMaps()
	op, err := st.byTemplate(profiles.Request{Verb: verb}, template)
	if err != nil {
		tb.Fatal(err)
	}
	_, err = client.run(context.Background(), 10, func(_ context.Context, d *dispatcher) (int, error) {
		return client.feed(d, reconciliation{op: op, stride: 1, count: n}), nil
	})
	if err != nil {
		tb.Fatal(err)
	}
}

// TestAllocations holds the allocations of a request: what HTTP/2 itself takes, and no more than ten of our own.
func TestAllocations(t *testing.T) {
	url, ca := serverProcess(t)
	const n = 5000
	count := func(run func(n int)) float64 {
		run(100)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		run(n)
		runtime.ReadMemStats(&after)
		return float64(after.Mallocs-before.Mallocs) / n
	}
	bare := bareClient(t, ca)
	client := engineClient(t, url, ca, func(results.Request) {})
	of := count(func(n int) { bareLoop(t, bare, url, "GET", n) })
	ours := count(func(n int) { engineLoop(t, client, "GET", n) })
	t.Logf("allocations per GET: bare loop %.1f, engine %.1f", of, ours)
	if ours > of+10 {
		t.Errorf("the engine allocates %.1f times per GET, the bare loop %.1f", ours, of)
	}
}
