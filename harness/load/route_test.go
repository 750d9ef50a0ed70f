package load

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"windtunnel/harness/cluster"
	"windtunnel/profiles"
	"windtunnel/results"
)

// connectProxy is an HTTP proxy that makes tunnels for those who know the password.
func connectProxy(t *testing.T, tunnels *atomic.Int32) *httptest.Server {
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodConnect || r.Header.Get("Proxy-Authorization") != "Basic bWU6c2VjcmV0" {
			w.WriteHeader(http.StatusProxyAuthRequired)
			return
		}
		there, err := net.Dial("tcp", r.Host)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		tunnels.Add(1)
		here, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		io.WriteString(here, "HTTP/1.1 200 OK\r\n\r\n")
		go func() { io.Copy(there, here); there.Close() }()
		io.Copy(here, there)
		here.Close()
	}))
	t.Cleanup(proxy.Close)
	return proxy
}

func through(t *testing.T, proxy *httptest.Server, user *url.Userinfo) func(*http.Request) (*url.URL, error) {
	t.Helper()
	u, err := url.Parse(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	u.User = user
	return http.ProxyURL(u)
}

// TestRoutes: a server below a path, behind a proxy, under another name, or without TLS gets the requests that it should.
func TestRoutes(t *testing.T) {
	var mu sync.Mutex
	var paths []string
	handler := func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		paths = append(paths, r.URL.Path)
	}
	srv := startServer(t, handler)
	plain := httptest.NewUnstartedServer(http.HandlerFunc(handler))
	plain.Config.Protocols = new(http.Protocols)
	plain.Config.Protocols.SetUnencryptedHTTP2(true)
	plain.Start()
	t.Cleanup(plain.Close)
	var tunnels atomic.Int32
	proxy := connectProxy(t, &tunnels)
	for _, test := range []struct {
		name    string
		options Options
		path    string // that the server sees; "" when it cannot be reached
		tunnels int32
	}{
		{"below a path", Options{Server: srv.URL + "/k8s/clusters/c-1/", CA: caOf(srv)}, "/k8s/clusters/c-1/api/v1/namespaces/team-", 0},
		{"through a proxy", Options{Server: srv.URL, CA: caOf(srv), Route: cluster.Route{Proxy: through(t, proxy, url.UserPassword("me", "secret"))}}, "/api/v1/namespaces/team-", 1},
		{"past a proxy", Options{Server: srv.URL, CA: caOf(srv), Route: cluster.Route{Proxy: func(*http.Request) (*url.URL, error) { return nil, nil }}}, "/api/v1/namespaces/team-", 0},
		{"refused by the proxy", Options{Server: srv.URL, CA: caOf(srv), Route: cluster.Route{Proxy: through(t, proxy, nil)}}, "", 0},
		{"under its other name", Options{Server: srv.URL, CA: caOf(srv), Route: cluster.Route{ServerName: "example.com"}}, "/api/v1/namespaces/team-", 0},
		{"under a wrong name", Options{Server: srv.URL, CA: caOf(srv), Route: cluster.Route{ServerName: "elsewhere.test"}}, "", 0},
		{"by a stranger's certificate", Options{Server: srv.URL}, "", 0},
		{"by any certificate", Options{Server: srv.URL, Route: cluster.Route{Insecure: true}}, "/api/v1/namespaces/team-", 0},
		{"without TLS", Options{Server: plain.URL}, "/api/v1/namespaces/team-", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			paths = nil
			tunnels.Store(0)
			test.options.Identities, test.options.Clock = []cluster.Identity{{Name: "user"}}, results.NewClock()
			test.options.Record = func(results.Request) {}
			client, err := Dial(t.Context(), test.options)
			if test.path == "" {
				if err == nil {
					client.Close()
					t.Error("it was reached")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			if _, err := client.Stream(t.Context(), reads(100, profiles.Duration(100*time.Millisecond), 10)); err != nil {
				t.Fatal(err)
			}
			other := slices.ContainsFunc(paths, func(p string) bool { return !strings.HasPrefix(p, test.path) })
			if len(paths) != 10 || other || tunnels.Load() != test.tunnels {
				t.Errorf("%d tunnels, requests to %v", tunnels.Load(), paths)
			}
		})
	}
}

// TestTokens: every identity sends its own token, and a renewed one from the moment that it is there.
func TestTokens(t *testing.T) {
	var mu sync.Mutex
	seen := map[string]int{}
	srv := startServer(t, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		seen[r.Header.Get("Authorization")]++
	})
	var tokens [2]atomic.Pointer[string]
	set := func(i int, token string) { tokens[i].Store(&token) }
	set(0, "first")
	set(1, "second")
	o := Options{Server: srv.URL, CA: caOf(srv), Run: "test", Clock: results.NewClock(), Record: func(results.Request) {}}
	for i := range tokens {
		o.Identities = append(o.Identities, cluster.Identity{Name: "user", Token: func() string { return *tokens[i].Load() }})
	}
	o.Identities = append(o.Identities, cluster.Identity{Name: "without"})
	client, err := Dial(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	stream := reads(150, profiles.Duration(200*time.Millisecond), 10)
	stream.Requests.Identities = 3
	for range 2 {
		if _, err := client.Stream(t.Context(), stream); err != nil {
			t.Fatal(err)
		}
		set(0, "renewed")
	}
	// The same seed gives both streams the same identities.
	first, renewed := seen["Bearer first"], seen["Bearer renewed"]
	if first == 0 || first != renewed || seen["Bearer second"] == 0 || seen[""] == 0 || len(seen) != 4 || first+renewed+seen["Bearer second"]+seen[""] != 60 {
		t.Errorf("the server saw %v", seen)
	}
}

// TestForbidden: when nothing more may be sent, what is under way is given up at once and nothing follows it: neither the PUT after its
// GET nor what is planned.
func TestForbidden(t *testing.T) {
	var puts atomic.Int32
	arrived := make(chan struct{}, 1000)
	srv := startServer(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPut {
			puts.Add(1)
		}
		arrived <- struct{}{}
		<-r.Context().Done() // never answers
	})
	withdrawn := errors.New("withdrawn")
	allowed, forbid := context.WithCancelCause(t.Context())
	rec := &recorder{}
	clock := results.NewClock()
	client, err := Dial(t.Context(), Options{Server: srv.URL, CA: caOf(srv), Identities: []cluster.Identity{{Name: "user"}}, Connections: 2,
		Clock: clock, Record: rec.record, Allowed: allowed})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	stream := reads(100, 0, 1000)
	stream.Requests.Arrivals.For = profiles.Duration(time.Hour)
	stream.Requests.Mix[0].Verb = profiles.VerbPut
	ended := make(chan error)
	go func() {
		_, err := client.Stream(t.Context(), stream)
		ended <- err
	}()
	for range 20 {
		<-arrived
	}
	forbid(withdrawn)
	if err := <-ended; !errors.Is(err, withdrawn) {
		t.Errorf("the step ended with %v", err)
	}
	by := byClass(rec.records(profiles.VerbGet))
	if by[ClassCanceled] < 20 || puts.Load() != 0 || len(rec.records(profiles.VerbPut)) == 0 {
		t.Errorf("the GETs ended as %v, %d PUTs were sent", by, puts.Load())
	}
	if _, err := client.Stream(t.Context(), stream); !errors.Is(err, withdrawn) {
		t.Errorf("another step ended with %v", err)
	}
}

func TestParseServer(t *testing.T) {
	for server, want := range map[string]string{
		"https://10.0.0.1:6443": "https://10.0.0.1:6443", "https://api.example.com": "https://api.example.com:443", "https://[::1]/": "https://[::1]:443",
		"https://proxy.example.com/k8s/c-1/": "https://proxy.example.com:443/k8s/c-1", "http://127.0.0.1:8001": "http://127.0.0.1:8001",
		"http://localhost": "http://localhost:80", "http://10.0.0.1:8080": "", "10.0.0.1:6443": "", "https://": "", "https://u:p@host": "", "ftp://127.0.0.1": "",
	} {
		u, err := cluster.ParseServer(server)
		got := ""
		if err == nil {
			got = u.String()
		}
		if got != want {
			t.Errorf("%s is %q (%v), want %q", server, got, err, want)
		}
	}
}
