package shard

import (
	"context"
	"errors"
	"net"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"windtunnel/hollow"
	"windtunnel/hollow/link"
)

// TestBreak: conditions reach the nodes that are named and no others, and what a node cannot have is refused.
func TestBreak(t *testing.T) {
	s := &shard{config: hollow.ShardConfig{Name: "s"}, byName: make(map[string]*node), down: make(map[string]bool), pacer: newPacer(8)}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	for i, name := range []string{"a", "b"} {
		network := link.New(new(net.Dialer).DialContext)
		s.byName[name] = &node{Node: hollow.Node{Name: name, Index: i}, link: network, gate: newGate(network.Dial)}
	}
	send := func(path, body string, code int, says string) {
		t.Helper()
		recorder := httptest.NewRecorder()
		s.control().ServeHTTP(recorder, httptest.NewRequest("POST", path, strings.NewReader(body)))
		if recorder.Code != code || !strings.Contains(recorder.Body.String(), says) {
			t.Errorf("%s %s: code %d, want %d: %s", path, body, recorder.Code, code, recorder.Body)
		}
	}
	reaches := func(name string) bool {
		ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
		defer cancel()
		conn, err := s.byName[name].gate.Dial(ctx, "tcp", listener.Addr().String())
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
	send(hollow.PathBreak, `{"nodes":["b"],"conditions":{"clockOffset":1}}`, 400, "the clock of its machine")
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
