package link

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"windtunnel/hollow"
)

// pair is a connection over a link to a server on loopback, and the server's end of it.
func pair(t *testing.T, l *Link) (node net.Conn, server net.Conn) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	accepted := make(chan net.Conn, 1)
	go func() {
		if c, err := listener.Accept(); err == nil {
			accepted <- c
		}
	}()
	node, err = l.Dial(context.Background(), "tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	server = <-accepted
	t.Cleanup(func() { node.Close(); server.Close() })
	return node, server
}

func dialer() *Link { return New(new(net.Dialer).DialContext) }

// read reads n bytes and says so on a channel.
func read(c net.Conn, n int) <-chan string {
	got := make(chan string, 1)
	go func() {
		b := make([]byte, n)
		if _, err := io.ReadFull(c, b); err != nil {
			got <- "error: " + err.Error()
			return
		}
		got <- string(b)
	}()
	return got
}

// nothing says that nothing has come for a while: what would come comes within microseconds.
func nothing(t *testing.T, what string, c <-chan string) {
	t.Helper()
	select {
	case got := <-c:
		t.Fatalf("%s: %q came through a partition", what, got)
	case <-time.After(50 * time.Millisecond):
	}
}

// TestPartition: nothing arrives either way while the link is partitioned, writing does not fail, and everything arrives in its
// order when the partition ends.
func TestPartition(t *testing.T) {
	l := dialer()
	node, server := pair(t, l)
	l.Set(hollow.Conditions{Partitioned: true})
	atServer, atNode := read(server, 6), read(node, 3)
	for _, s := range []string{"abc", "def"} {
		if _, err := node.Write([]byte(s)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := server.Write([]byte("xyz")); err != nil {
		t.Fatal(err)
	}
	nothing(t, "to the server", atServer)
	nothing(t, "to the node", atNode)
	l.Set(hollow.Conditions{})
	if a, b := <-atServer, <-atNode; a != "abcdef" || b != "xyz" {
		t.Errorf("after the partition the server got %q and the node %q", a, b)
	}
	if _, err := node.Write([]byte("again")); err != nil {
		t.Fatal(err)
	}
	if got := <-read(server, 5); got != "again" {
		t.Errorf("a mended link brings %q", got)
	}
}

// TestPartitionHidesClose: the other end learns that a connection was closed when the partition ends, and not before; the node's
// own reader learns at once.
func TestPartitionHidesClose(t *testing.T) {
	l := dialer()
	node, server := pair(t, l)
	l.Set(hollow.Conditions{Partitioned: true})
	atServer, atNode := read(server, 1), read(node, 1)
	node.Close()
	if got := <-atNode; got == "x" {
		t.Errorf("the node's reader got %q", got)
	}
	if _, err := node.Write([]byte("a")); err == nil {
		t.Error("a closed connection takes what is written")
	}
	nothing(t, "the end", atServer)
	l.Set(hollow.Conditions{})
	if got := <-atServer; got != "error: EOF" && got != "error: read tcp "+server.LocalAddr().String()+"->"+server.RemoteAddr().String()+": read: connection reset by peer" {
		t.Errorf("after the partition the server got %q", got)
	}
}

// TestPartitionedDial: an attempt to connect hangs, ends with its context, and succeeds when the partition ends before.
func TestPartitionedDial(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	l := dialer()
	l.Set(hollow.Conditions{Partitioned: true})
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Millisecond)
	defer cancel()
	if _, err := l.Dial(ctx, "tcp", listener.Addr().String()); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("an attempt through a partition: %v", err)
	}
	connected := make(chan error, 1)
	go func() {
		c, err := l.Dial(context.Background(), "tcp", listener.Addr().String())
		if err == nil {
			c.Close()
		}
		connected <- err
	}()
	select {
	case err := <-connected:
		t.Fatalf("connected through a partition: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	l.Set(hollow.Conditions{})
	if err := <-connected; err != nil {
		t.Error(err)
	}
}

// TestFullQueue: a writer waits when there is no more room, and Close ends its wait.
func TestFullQueue(t *testing.T) {
	l := dialer()
	node, _ := pair(t, l)
	l.Set(hollow.Conditions{Partitioned: true})
	written := make(chan error, 1)
	go func() {
		for {
			if _, err := node.Write(make([]byte, 64<<10)); err != nil {
				written <- err
				return
			}
		}
	}()
	select {
	case err := <-written:
		t.Fatalf("a full queue: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	node.Close()
	if err := <-written; !errors.Is(err, net.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

// TestSlow: what is sent takes the latency longer, two at the same time take it once, and their order stays; the bandwidth
// limits what passes. Only least times are asserted: a busy machine makes everything slower.
func TestSlow(t *testing.T) {
	l := dialer()
	node, server := pair(t, l)
	const latency = 40 * time.Millisecond
	l.Set(hollow.Conditions{Latency: latency, Jitter: 10 * time.Millisecond, Seed: 1})
	began := time.Now()
	atServer := read(server, 20)
	var want string
	for i := range 10 {
		s := string([]byte{'a' + byte(i), '.'})
		want += s
		if _, err := node.Write([]byte(s)); err != nil {
			t.Fatal(err)
		}
	}
	queued := time.Since(began)
	if got := <-atServer; got != want {
		t.Errorf("out of order: %q", got)
	}
	took := time.Since(began)
	if took < latency-10*time.Millisecond {
		t.Errorf("it took %v, less than the latency without its jitter", took)
	}
	if queued > took/2 {
		t.Errorf("ten writes waited for each other: %v of %v", queued, took)
	}

	l.Set(hollow.Conditions{Bandwidth: 100_000})
	const size = 5_000
	began = time.Now()
	var done sync.WaitGroup
	done.Add(2)
	go func() { defer done.Done(); node.Write(make([]byte, size)); node.Write(make([]byte, size)) }()
	go func() { defer done.Done(); server.Write(make([]byte, size)) }()
	fromNode, fromServer := read(server, 2*size), read(node, size)
	<-fromNode
	<-fromServer
	done.Wait()
	if took := time.Since(began); took < 45*time.Millisecond {
		t.Errorf("5 kB at 100 kB/s took %v", took)
	}
}

// TestConditionsThatAreNone are refused.
func TestConditionsThatAreNone(t *testing.T) {
	for _, c := range []hollow.Conditions{{Latency: -1}, {Jitter: 1}, {Bandwidth: -1}, {Latency: 1, Jitter: 2}} {
		if c.Validate() == nil {
			t.Errorf("%+v is accepted", c)
		}
	}
}
