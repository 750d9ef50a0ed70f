package load

import (
	"context"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"

	"windtunnel/harness/cluster"
	"windtunnel/profiles"
	"windtunnel/results"
)

func caOf(srv *httptest.Server) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw})
}

// recorder keeps the records of a test.
type recorder struct {
	mu  sync.Mutex
	all []results.Request
}

func (r *recorder) record(one results.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, one)
}

func (r *recorder) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.all)
}

// last is the record that came last.
func (r *recorder) last() results.Request {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.all[len(r.all)-1]
}

// records are those of a verb, or all, in the order of their planned instants.
func (r *recorder) records(verb string) []results.Request {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []results.Request
	for _, one := range r.all {
		if verb == "" || one.Verb == verb {
			out = append(out, one)
		}
	}
	slices.SortStableFunc(out, func(a, b results.Request) int { return int(a.Planned - b.Planned) })
	return out
}

// byClass counts records by error class.
func byClass(all []results.Request) map[string]int {
	out := map[string]int{}
	for _, one := range all {
		out[one.Error]++
	}
	return out
}

// dialTest connects identities users to a server of a test.
func dialTest(t testing.TB, srv *httptest.Server, identities, connections int, rec func(results.Request)) *Client {
	t.Helper()
	o := Options{Server: srv.URL, CA: caOf(srv), Connections: connections, Run: "test", Clock: results.NewClock(), Record: rec}
	for range identities {
		o.Identities = append(o.Identities, cluster.Identity{Name: "windtunnel:user"})
	}
	client, err := Dial(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

func startServer(t testing.TB, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	srv := newTLSServer(h)
	t.Cleanup(srv.Close)
	return srv
}

func configMaps() profiles.Template {
	return profiles.Template{
		Name: "config", In: "team", Namespaces: 2,
		Resource: profiles.Resource{Version: "v1", Name: "configmaps", Kind: "ConfigMap", Namespaced: true},
		Manifest: []byte(`{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"${name}","namespace":"${namespace}","labels":{"windtunnel/run":"${run}","windtunnel/object":"config"}},"data":{"number":"${index}"}}`),
	}
}

// reads is a stream of GETs of ConfigMaps at a constant rate.
func reads(rate float64, last profiles.Duration, maxInFlight int) Stream {
	return Stream{
		Phase: "workload", Track: "users",
		Requests: profiles.Requests{
			Arrivals: &profiles.Arrivals{Rate: rate, For: last}, MaxInFlight: maxInFlight,
			Mix: []profiles.Request{{Verb: "GET", Object: "config", Weight: 1}},
		},
		Objects: map[string]profiles.Template{"config": configMaps()},
		Pools:   map[string]profiles.Pool{"config": {First: 0, Next: 10}},
		Seed:    1,
	}
}
