package load

import (
	"context"
	"errors"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"windtunnel/harness/cluster"
	"windtunnel/profiles"
	"windtunnel/results"
)

// TestNoCoordinatedOmission stalls a server for a second in the midst of a constant 300 requests a second. From the planned
// instants the number of requests that waited and their quantiles are those of theory: a request planned u after the
// stall's begin waits S − u for its end, and R·u/D more for those before it, when the backlog drains at D a second. With
// k = 1 − R/D that is S − k·u, so that R·(S − d)/k requests wait longer than d, and of N = R·T the q-quantile is S − k·(1−q)·T.
// From the instants of sending, which is all that a generator with 10 workers knows, the stall is 10 slow requests.
func TestNoCoordinatedOmission(t *testing.T) {
	const (
		rate  = 300
		last  = 4 * time.Second
		from  = 1500 * time.Millisecond
		stall = time.Second
	)
	var begin atomic.Pointer[time.Time]
	srv := startServer(t, func(w http.ResponseWriter, r *http.Request) {
		now := time.Now()
		begin.CompareAndSwap(nil, &now)
		if since := now.Sub(*begin.Load()); since >= from && since < from+stall {
			time.Sleep(from + stall - since)
		}
		io.WriteString(w, "{}")
	})
	rec := &recorder{}
	client := dialTest(t, srv, 1, 2, rec.record)
	outcome, err := client.Stream(t.Context(), reads(rate, profiles.Duration(last), 10))
	if err != nil {
		t.Fatal(err)
	}
	all := rec.records("")
	if outcome.Planned != rate*4 || len(all) != rate*4 || byClass(all)[""] != rate*4 {
		t.Fatalf("planned %d, recorded %v, want %d", outcome.Planned, byClass(all), rate*4)
	}
	planned := latencies(all, func(r results.Request) int64 { return r.Done - r.Planned })
	sent := latencies(all, func(r results.Request) int64 { return r.Done - r.Sent })
	t.Logf("from planned: p95 %v p99 %v, %d above 50 ms; from sent: p99 %v, %d above 50 ms",
		quantile(planned, 0.95), quantile(planned, 0.99), above(planned, 50*time.Millisecond), quantile(sent, 0.99), above(sent, 50*time.Millisecond))

	drain := drainRate(all)
	k := 1 - rate/drain
	near := func(what string, got, want float64) {
		t.Helper()
		if math.Abs(got-want) > 0.1*want {
			t.Errorf("%s is %.3f, theory says %.3f (drained at %.0f/s)", what, got, want, drain)
		}
	}
	near("p99", quantile(planned, 0.99).Seconds(), stall.Seconds()-k*0.01*last.Seconds())
	near("p95", quantile(planned, 0.95).Seconds(), stall.Seconds()-k*0.05*last.Seconds())
	near("number of requests delayed by more than 50 ms", float64(above(planned, 50*time.Millisecond)), rate*(stall-50*time.Millisecond).Seconds()/k)
	if got := quantile(sent, 0.99); got > stall/10 {
		t.Errorf("p99 from sent instants is %v: the test does not tell the two apart", got)
	}
}

// drainRate is how many requests a second were done in the tenth of a second after the longest silence, in which
// there was a backlog.
func drainRate(all []results.Request) float64 {
	var done []int64
	for _, one := range all {
		done = append(done, one.Done)
	}
	slices.Sort(done)
	longest := 1
	for i := 1; i < len(done); i++ {
		if done[i]-done[i-1] > done[longest]-done[longest-1] {
			longest = i
		}
	}
	const window = 100 * time.Millisecond
	n := 0
	for _, at := range done[longest:] {
		if at <= done[longest]+int64(window) {
			n++
		}
	}
	return float64(n) / window.Seconds()
}

func latencies(all []results.Request, of func(results.Request) int64) []time.Duration {
	out := make([]time.Duration, 0, len(all))
	for _, one := range all {
		out = append(out, time.Duration(of(one)))
	}
	slices.Sort(out)
	return out
}

func quantile(sorted []time.Duration, q float64) time.Duration {
	return sorted[int(math.Ceil(q*float64(len(sorted))))-1]
}

func above(sorted []time.Duration, limit time.Duration) int {
	n := 0
	for _, one := range sorted {
		if one > limit {
			n++
		}
	}
	return n
}

// TestConnectionsAreFixed: when more requests are due than the server's streams hold, they wait, and no connection is added.
func TestConnectionsAreFixed(t *testing.T) {
	release := make(chan struct{})
	var arrived atomic.Int64
	var connections sync.Map // by the client's address
	srv := startServer(t, func(w http.ResponseWriter, r *http.Request) {
		connections.Store(r.RemoteAddr, true)
		arrived.Add(1)
		<-release
	})
	rec := &recorder{}
	client := dialTest(t, srv, 2, 2, rec.record)
	time.AfterFunc(1500*time.Millisecond, func() {
		if got := arrived.Load(); got != 400 {
			t.Errorf("%d requests at the stalled server, want 2 × 2 connections × 100 streams", got)
		}
		close(release)
	})
	stream := reads(1000, profiles.Duration(time.Second), 1000)
	stream.Requests.Identities = 2
	if _, err := client.Stream(t.Context(), stream); err != nil {
		t.Fatal(err)
	}
	if got := byClass(rec.records("")); got[""] != 1000 {
		t.Errorf("records by class %v, want 1000 without error", got)
	}
	used := 0
	connections.Range(func(any, any) bool { used++; return true })
	if used != 4 || client.Reconnects() != 0 {
		t.Errorf("%d connections, %d reconnects", used, client.Reconnects())
	}
	late := 0
	for _, one := range rec.records("") {
		if one.Sent-one.Planned > int64(100*time.Millisecond) {
			late++
		}
	}
	if late < 500 {
		t.Errorf("%d requests were sent late, want the 600 that found no stream but the last few", late)
	}
}

// TestBrokenConnectionIsReplaced: what is under way when a connection breaks is lost and recorded as such; the next request
// finds a new connection in the same place.
func TestBrokenConnectionIsReplaced(t *testing.T) {
	srv := startServer(t, func(w http.ResponseWriter, r *http.Request) { time.Sleep(5 * time.Millisecond) })
	rec := &recorder{}
	client := dialTest(t, srv, 1, 2, rec.record)
	time.AfterFunc(500*time.Millisecond, srv.CloseClientConnections)
	if _, err := client.Stream(t.Context(), reads(400, profiles.Duration(time.Second), 50)); err != nil {
		t.Fatal(err)
	}
	got := byClass(rec.records(""))
	if client.Reconnects() != 2 {
		t.Errorf("%d reconnects, want one for each connection", client.Reconnects())
	}
	if got[ClassConnection] == 0 || got[ClassConnection] > 50 || got[""]+got[ClassConnection] != 400 {
		t.Errorf("records by class %v, want at most the 50 under way of 400 lost with their connection", got)
	}
}

func TestServerGoneIsRecorded(t *testing.T) {
	srv := newTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	rec := &recorder{}
	client := dialTest(t, srv, 1, 2, rec.record)
	srv.Close()
	outcome, err := client.Stream(t.Context(), reads(200, profiles.Duration(500*time.Millisecond), 50))
	if err != nil {
		t.Fatal(err)
	}
	all := rec.records("")
	if got := byClass(all); outcome.Planned != 100 || got[ClassConnection] != 100 {
		t.Errorf("planned %d, records by class %v, want 100 × connection", outcome.Planned, got)
	}
	for _, one := range all {
		if one.Code != 0 || one.FirstByte != 0 || one.Sent == 0 || one.Done < one.Sent {
			t.Fatalf("a request without an answer is recorded as %+v", one)
		}
	}
}

func TestRequestTimeout(t *testing.T) {
	srv := startServer(t, func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	rec := &recorder{}
	client := dialTest(t, srv, 1, 1, rec.record)
	client.options.Timeout = 200 * time.Millisecond
	if _, err := client.Stream(t.Context(), reads(50, profiles.Duration(200*time.Millisecond), 50)); err != nil {
		t.Fatal(err)
	}
	if got := byClass(rec.records("")); got[ClassTimeout] != 10 {
		t.Errorf("records by class %v, want 10 × timeout", got)
	}
	if client.Reconnects() != 0 {
		t.Errorf("a time-out of a request cost %d connections", client.Reconnects())
	}
}

// TestRecordOfARequest checks every field of a record.
func TestRecordOfARequest(t *testing.T) {
	var got atomic.Pointer[http.Request]
	srv := startServer(t, func(w http.ResponseWriter, r *http.Request) {
		got.Store(r)
		w.Header()["X-Kubernetes-PF-FlowSchema-UID"] = []string{"flow"} // as the API server spells them
		w.Header()["X-Kubernetes-PF-PriorityLevel-UID"] = []string{"level"}
		w.(http.Flusher).Flush()
		time.Sleep(20 * time.Millisecond)
		w.WriteHeader(http.StatusOK)
		io.WriteString(w, "0123456789")
	})
	rec := &recorder{}
	client := dialTest(t, srv, 1, 1, rec.record)
	if _, err := client.Stream(t.Context(), reads(10, profiles.Duration(100*time.Millisecond), 1)); err != nil {
		t.Fatal(err)
	}
	one := rec.records("")[0]
	if !(0 < one.Planned && one.Planned <= one.Sent && one.Sent < one.FirstByte && one.FirstByte+int64(15*time.Millisecond) < one.Done) {
		t.Errorf("instants %d %d %d %d", one.Planned, one.Sent, one.FirstByte, one.Done)
	}
	request := got.Load()
	if request.URL.Path != "/api/v1/namespaces/"+one.Object[:6]+"/configmaps/"+one.Object[7:] {
		t.Errorf("path %s for object %s", request.URL.Path, one.Object)
	}
	if request.Proto != "HTTP/2.0" || request.UserAgent() != "windtunnel/test" || request.Header.Get("Accept") != mediaUsual || request.Header.Get("Accept-Encoding") != "gzip" {
		t.Errorf("%s with headers %v", request.Proto, request.Header)
	}
	one.Planned, one.Sent, one.FirstByte, one.Done, one.Object = 0, 0, 0, 0, ""
	want := results.Request{
		Phase: "workload", Track: "users", Verb: "GET", Version: "v1", Resource: "configmaps", Scope: "resource",
		Code: 200, BytesIn: 10, Attempt: 1, Identity: "windtunnel:user", FlowSchema: "flow", PriorityLevel: "level",
	}
	if one != want {
		t.Errorf("record\n%+v, want\n%+v", one, want)
	}
}

func TestStreamOfPoolThatIsEmpty(t *testing.T) {
	srv := startServer(t, func(http.ResponseWriter, *http.Request) { t.Error("a request came") })
	rec := &recorder{}
	client := dialTest(t, srv, 1, 1, rec.record)
	stream := reads(100, profiles.Duration(200*time.Millisecond), 1)
	stream.Pools = nil
	outcome, err := client.Stream(t.Context(), stream)
	if got := byClass(rec.records("")); err != nil || outcome.Planned != 20 || got[ClassNoTarget] != 20 {
		t.Errorf("planned %d, records by class %v, error %v, want 20 × no_target", outcome.Planned, got, err)
	}
}

func TestOneStepAtATime(t *testing.T) {
	entered, release := make(chan struct{}, 100), make(chan struct{})
	srv := startServer(t, func(http.ResponseWriter, *http.Request) { entered <- struct{}{}; <-release })
	client := dialTest(t, srv, 1, 1, func(results.Request) {})
	done := make(chan error, 1)
	go func() {
		_, err := client.Stream(context.Background(), reads(10, profiles.Duration(100*time.Millisecond), 1))
		done <- err
	}()
	<-entered
	if _, err := client.Stream(t.Context(), reads(1, 1, 1)); !errors.Is(err, ErrBusy) {
		t.Errorf("error %v, want ErrBusy", err)
	}
	close(release)
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestDialRefusals(t *testing.T) {
	srv := startServer(t, func(http.ResponseWriter, *http.Request) {})
	plain := httptest.NewTLSServer(http.NotFoundHandler()) // HTTP/1.1 only
	t.Cleanup(plain.Close)
	good := Options{Server: srv.URL, CA: caOf(srv), Identities: []cluster.Identity{{}}, Clock: results.NewClock()}
	for name, change := range map[string]func(*Options){
		"no host":       func(o *Options) { o.Server = "https://:6443" },
		"plain HTTP":    func(o *Options) { o.Server = "http://192.0.2.1:80" }, // not this machine
		"no CA":         func(o *Options) { o.CA = nil },
		"no identity":   func(o *Options) { o.Identities = nil },
		"no key":        func(o *Options) { o.Identities = []cluster.Identity{{Cert: []byte("x")}} },
		"HTTP/1.1 only": func(o *Options) { o.Server, o.CA = plain.URL, caOf(plain) },
	} {
		o := good
		change(&o)
		client, err := Dial(t.Context(), o)
		if err == nil {
			client.Close()
			t.Errorf("%s: no error", name)
		}
	}
}
