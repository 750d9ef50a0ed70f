package host

import (
	"context"
	"errors"
	"net"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"windtunnel/hollow"
)

// TestBreak: conditions reach the nodes that are named and no others, and what a node cannot have is refused.
func TestBreak(t *testing.T) {
	h := hostOf("a", "b")
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	send := func(path, body string, code int, says string) {
		t.Helper()
		recorder := httptest.NewRecorder()
		h.control().ServeHTTP(recorder, httptest.NewRequest("POST", path, strings.NewReader(body)))
		if recorder.Code != code || !strings.Contains(recorder.Body.String(), says) {
			t.Errorf("%s %s: code %d, want %d: %s", path, body, recorder.Code, code, recorder.Body)
		}
	}
	reaches := func(name string) bool {
		ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
		defer cancel()
		conn, err := h.still(name).Dial(ctx, "tcp", listener.Addr().String())
		if err != nil && !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
		if err == nil {
			conn.Close()
		}
		return err == nil
	}
	send(hollow.PathBreak, `{"nodes":["a"],"conditions":{"partitioned":true}}`, 200, "")
	if reaches("a") || !reaches("b") {
		t.Error("a partition of a: a reaches the server, or b does not")
	}
	send(hollow.PathBreak, `{"nodes":["b","c"],"conditions":{"partitioned":true}}`, 404, `"c"`)
	send(hollow.PathBreak, `{"nodes":["b"],"conditions":{"latency":-1}}`, 400, "negative")
	send(hollow.PathBreak, `{"nodes":["b"],"conditions":{"clockOffset":1}}`, 501, "the clock of its machine")
	send(hollow.PathBreak, `{`, 400, "")
	if !reaches("b") {
		t.Error("what was refused was done")
	}
	send(hollow.PathMend, `{"nodes":["c"]}`, 404, `"c"`)
	send(hollow.PathMend, `{"nodes":["a"]}`, 200, "")
	if !reaches("a") {
		t.Error("a does not reach the server after it was mended")
	}
}

// clocked is a node with a clock of its own.
type clocked struct {
	bare
	*Network
	offset *time.Duration
}

func (c clocked) Shut() { c.Network.Shut() }
func (c clocked) Open() { c.Network.Open() }

// SetClock implements Clocked.
func (c clocked) SetClock(offset time.Duration) { *c.offset = offset }

// TestClocks: a clock goes wrong where the conditions say so, and right again with others or none.
func TestClocks(t *testing.T) {
	offset := new(time.Duration)
	h := empty(hollow.ShardConfig{Name: "s", Tier: "light", JoinWindow: 8}, func(hollow.Node, int) Node {
		return clocked{Network: NewNetwork(new(net.Dialer).DialContext), offset: offset}
	})
	h.put("a")
	for _, step := range []struct {
		path, body string
		want       time.Duration
	}{
		{hollow.PathBreak, `{"nodes":["a"],"conditions":{"clockOffset":-30000000000}}`, -30 * time.Second},
		{hollow.PathBreak, `{"nodes":["a"],"conditions":{"latency":1}}`, 0},
		{hollow.PathBreak, `{"nodes":["a"],"conditions":{"clockOffset":60000000000}}`, time.Minute},
		{hollow.PathMend, `{"nodes":["a"]}`, 0},
	} {
		recorder := httptest.NewRecorder()
		h.control().ServeHTTP(recorder, httptest.NewRequest("POST", step.path, strings.NewReader(step.body)))
		if recorder.Code != 200 || *offset != step.want {
			t.Errorf("%s: code %d, offset %v, want %v", step.body, recorder.Code, *offset, step.want)
		}
	}
}

// bare is a node without a connection of its own.
type bare struct{ Gated }

func (bare) Start(context.Context, func(), func()) error { return nil }

// TestSharedConnectionsStayGood: what nodes without connections of their own cannot do is refused, and the answer says why.
func TestSharedConnectionsStayGood(t *testing.T) {
	h := empty(hollow.ShardConfig{Name: "s", Tier: "light", JoinWindow: 8}, func(hollow.Node, int) Node {
		return bare{NewGate(new(net.Dialer).DialContext)}
	})
	h.put("a")
	recorder := httptest.NewRecorder()
	body := strings.NewReader(`{"nodes":["a"],"conditions":{"partitioned":true}}`)
	h.control().ServeHTTP(recorder, httptest.NewRequest("POST", hollow.PathBreak, body))
	if recorder.Code != 501 || recorder.Body.Len() == 0 {
		t.Errorf("code %d, want 501: %s", recorder.Code, recorder.Body)
	}
}
