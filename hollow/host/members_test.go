package host

import (
	"context"
	"errors"
	"net"
	"testing"

	"windtunnel/hollow"
)

// still is a node that never starts.
type still struct {
	*Network
	life int
	left bool
}

func (s *still) Leave() { s.left = s.IsShut() }

func (s *still) Start(context.Context, func(), func()) error { return nil }

// hostOf is a host with these nodes.
func hostOf(names ...string) *Host {
	h := empty(hollow.ShardConfig{Name: "s", RootDir: "/x", JoinWindow: 8}, func(_ hollow.Node, life int) Node {
		return &still{Network: NewNetwork(new(net.Dialer).DialContext), life: life}
	})
	h.put(names...)
	return h
}

func (h *Host) put(names ...string) {
	for i, name := range names {
		h.enter(hollow.Node{Name: name, Index: i})
	}
}

func (h *Host) still(name string) *still { return h.byName[name].node.(*still) }

// TestMembersJoinInTurn: each node begins once, in order; one that left before its turn does not.
func TestMembersJoinInTurn(t *testing.T) {
	h := hostOf("a", "b", "c")
	next := func() string {
		t.Helper()
		m, err := h.next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return m.Name
	}
	if got := next(); got != "a" {
		t.Errorf("first %s", got)
	}
	if err := h.remove([]string{"b"}); err != nil {
		t.Fatal(err)
	}
	if got := next(); got != "c" {
		t.Errorf("then %s", got)
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if m, err := h.next(over); !errors.Is(err, context.Canceled) {
		t.Errorf("nobody is left, and yet %v, %v", m, err)
	}
}

// TestMembersThatLeave are cut off, give back their place, and are another node when they come again.
func TestMembersThatLeave(t *testing.T) {
	h := hostOf("a", "b")
	first, node := h.byName["a"], h.still("a")
	place, err := h.Pacer.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !h.waits(first, place) {
		t.Fatal("it is there")
	}
	if err := h.remove([]string{"a", "x"}); err == nil || node.IsShut() {
		t.Errorf("%v; a is shut: %v", err, node.IsShut())
	}
	if err := h.remove([]string{"a"}); err != nil {
		t.Fatal(err)
	}
	if !node.left || h.Pacer.joining != 0 || h.size() != 1 || h.waits(first, place) {
		t.Errorf("left %v, %d joining, %d nodes", node.left, h.Pacer.joining, h.size())
	}
	h.put("a")
	again := h.still("a")
	if again == node || again.IsShut() || node.life != 0 || again.life != 1 {
		t.Errorf("lives %d and %d", node.life, again.life)
	}
	if err := h.setDown([]string{"a"}, true); err != nil || !again.IsShut() {
		t.Errorf("down: %v", err)
	}
	if err := h.remove([]string{"a"}); err != nil || h.Status().Down != 0 {
		t.Errorf("%v, status %+v", err, h.Status())
	}
}
