package host

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"
)

// echo listens on loopback, sends back what it gets, and tells of each connection.
func echo(t *testing.T) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				io.Copy(conn, conn)
			}()
		}
	}()
	return listener.Addr().String()
}

func exchange(conn net.Conn) error {
	if _, err := conn.Write([]byte("x")); err != nil {
		return err
	}
	_, err := io.ReadFull(conn, make([]byte, 1))
	return err
}

func TestGate(t *testing.T) {
	address := echo(t)
	g := NewGate(new(net.Dialer).DialContext)
	dial := func() (net.Conn, error) { return g.Dial(t.Context(), "tcp", address) }

	first, err := dial()
	if err != nil {
		t.Fatal(err)
	}
	if err := exchange(first); err != nil {
		t.Fatal(err)
	}
	g.Shut()
	if err := exchange(first); err == nil {
		t.Error("a connection outlived the gate's closing")
	}
	if _, err := dial(); !errors.Is(err, ErrDown) {
		t.Errorf("dialling through a shut gate: %v, want %v", err, ErrDown)
	}
	g.Shut() // twice is once
	g.Open()
	second, err := dial()
	if err != nil {
		t.Fatal(err)
	}
	if err := exchange(second); err != nil {
		t.Error(err)
	}
	if err := second.Close(); err != nil {
		t.Error(err)
	}
	if len(g.conns) != 0 {
		t.Errorf("the gate remembers %d closed connections", len(g.conns))
	}
}

func TestGateShutWhileDialling(t *testing.T) {
	address := echo(t)
	var g *Gate
	g = NewGate(func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, address)
		g.Shut()
		return conn, err
	})
	if _, err := g.Dial(t.Context(), "tcp", address); !errors.Is(err, ErrDown) {
		t.Errorf("got %v, want %v", err, ErrDown)
	}
	if len(g.conns) != 0 {
		t.Errorf("the gate holds %d connections", len(g.conns))
	}
}
