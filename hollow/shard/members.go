package shard

import (
	"context"
	"fmt"
	"strconv"

	"windtunnel/hollow"
)

// add lets nodes join, behind those that are joining. A node that is there already or that cannot be is an error, and then none joins.
func (s *shard) add(described []hollow.Node) error {
	check := s.config
	check.Nodes = described
	if err := check.Validate(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range described {
		if s.byName[d.Name] != nil {
			return fmt.Errorf("node %q is in shard %s already", d.Name, s.config.Name)
		}
	}
	for _, d := range described {
		s.enter(newNode(s, d))
	}
	close(s.added)
	s.added = make(chan struct{})
	return nil
}

// enter takes a node into the shard. One that has been in it before gets a new directory: a kubelet cannot be stopped, so that of its
// former life is still there, cut off. Callers hold the lock.
func (s *shard) enter(n *node) {
	n.dir = s.config.NodeDir(n.Node)
	if life := s.lives[n.Name]; life > 0 {
		n.dir += "." + strconv.Itoa(life)
	}
	s.lives[n.Name]++
	s.nodes = append(s.nodes, n)
	s.byName[n.Name] = n
}

// remove cuts the named nodes off for good and forgets them. Unknown names are an error, and then nothing is done.
func (s *shard) remove(names []string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	gone := make(map[*node]bool)
	for _, name := range names {
		n := s.byName[name]
		if n == nil {
			return fmt.Errorf("no node %q in shard %s", name, s.config.Name)
		}
		gone[n] = true
	}
	var stay []*node
	for _, n := range s.nodes {
		if !gone[n] {
			stay = append(stay, n)
			continue
		}
		n.gate.Shut()
		if n.place != nil {
			n.place.leave()
		}
		delete(s.byName, n.Name)
		delete(s.down, n.Name)
	}
	s.nodes = stay
	return nil
}

// next gives the first node that has not begun to join, and marks it as begun; it waits while there is none.
func (s *shard) next(ctx context.Context) (*node, error) {
	for {
		s.mu.Lock()
		for _, n := range s.nodes {
			if !n.begun {
				n.begun = true
				s.mu.Unlock()
				return n, nil
			}
		}
		added := s.added
		s.mu.Unlock()
		select {
		case <-added:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// waits tells whether a node has been removed while it waited for its place; if not, the place is its own.
func (s *shard) waits(n *node, place *join) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byName[n.Name] != n {
		return false
	}
	n.place = place
	return true
}

// mark changes what is known of a node.
func (s *shard) mark(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

// size is how many nodes there are.
func (s *shard) size() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.nodes)
}
