package shard

import (
	"context"
	"errors"
	"strings"
	"testing"

	"windtunnel/hollow"
)

// emptyShard is a shard without nodes that can take some.
func emptyShard() *shard {
	return &shard{byName: map[string]*node{}, lives: map[string]int{}, added: make(chan struct{}), down: map[string]bool{}, pacer: newPacer(8), streams: newStreams(),
		config: hollow.ShardConfig{Name: "s", RootDir: "/x"}}
}

func (s *shard) put(names ...string) {
	for i, name := range names {
		s.enter(newNode(s, hollow.Node{Name: name, Index: i}))
	}
}

// TestMembersJoinInTurn: each node begins once, in order; one that left before its turn does not.
func TestMembersJoinInTurn(t *testing.T) {
	s := emptyShard()
	s.put("a", "b", "c")
	next := func() string {
		t.Helper()
		n, err := s.next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return n.Name
	}
	if got := next(); got != "a" {
		t.Errorf("first %s", got)
	}
	if err := s.remove([]string{"b"}); err != nil {
		t.Fatal(err)
	}
	if got := next(); got != "c" {
		t.Errorf("then %s", got)
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if n, err := s.next(over); !errors.Is(err, context.Canceled) {
		t.Errorf("nobody is left, and yet %v, %v", n, err)
	}
}

// TestMembersThatLeave are cut off, give back their place, and are another node when they come again.
func TestMembersThatLeave(t *testing.T) {
	s := emptyShard()
	s.put("a", "b")
	first := s.byName["a"]
	place, err := s.pacer.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !s.waits(first, place) {
		t.Fatal("it is there")
	}
	if err := s.remove([]string{"a", "x"}); err == nil || first.gate.isShut() {
		t.Errorf("%v; a is shut: %v", err, first.gate.isShut())
	}
	if err := s.remove([]string{"a"}); err != nil {
		t.Fatal(err)
	}
	if !first.gate.isShut() || s.pacer.joining != 0 || s.size() != 1 || s.waits(first, place) {
		t.Errorf("shut %v, %d joining, %d nodes", first.gate.isShut(), s.pacer.joining, s.size())
	}
	s.put("a")
	again := s.byName["a"]
	if again == first || again.gate.isShut() || again.dir == first.dir || !strings.HasPrefix(again.dir, first.dir) {
		t.Errorf("directories %s and %s", first.dir, again.dir)
	}
	if err := s.setDown([]string{"a"}, true); err != nil || !again.gate.isShut() {
		t.Errorf("down: %v", err)
	}
	if err := s.remove([]string{"a"}); err != nil || s.status().Down != 0 {
		t.Errorf("%v, status %+v", err, s.status())
	}
}
