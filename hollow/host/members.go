package host

import (
	"context"
	"fmt"
	"sync"

	"windtunnel/hollow"
)

// member is a node and how far it is, the latter under the host's lock.
type member struct {
	hollow.Node
	node                  Node
	begun, started, ready bool
	place                 *Join // nil before it has one
}

// enter takes a node into the shard. Callers hold the lock.
func (h *Host) enter(described hollow.Node) {
	m := &member{Node: described, node: h.make(described, h.lives[described.Name])}
	h.lives[m.Name]++
	h.members = append(h.members, m)
	h.byName[m.Name] = m
}

// named are the members of these names. An unknown name is an error. Callers hold the lock.
func (h *Host) named(names []string) ([]*member, error) {
	members := make([]*member, len(names))
	for i, name := range names {
		if members[i] = h.byName[name]; members[i] == nil {
			return nil, fmt.Errorf("no node %q in shard %s", name, h.Config.Name)
		}
	}
	return members, nil
}

// add lets nodes join, behind those that are joining. A node that is there already or that cannot be is an error, and then none joins.
func (h *Host) add(described []hollow.Node) error {
	check := h.Config
	check.Nodes = described
	if err := check.Validate(); err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, d := range described {
		if h.byName[d.Name] != nil {
			return fmt.Errorf("node %q is in shard %s already", d.Name, h.Config.Name)
		}
	}
	for _, d := range described {
		h.enter(d)
	}
	close(h.added)
	h.added = make(chan struct{})
	return nil
}

// remove cuts the named nodes off for good and forgets them. Unknown names are an error, and then nothing is done.
func (h *Host) remove(names []string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	leaving, err := h.named(names)
	if err != nil {
		return err
	}
	gone := make(map[*member]bool)
	for _, m := range leaving {
		gone[m] = true
	}
	var stay []*member
	for _, m := range h.members {
		if !gone[m] {
			stay = append(stay, m)
			continue
		}
		m.node.Shut()
		if ends, ok := m.node.(Leaver); ok {
			ends.Leave()
		}
		if m.place != nil {
			m.place.Leave()
		}
		delete(h.byName, m.Name)
		delete(h.down, m.Name)
	}
	h.members = stay
	h.leases.anew()
	return nil
}

// join starts the nodes one after another, each as soon as the pacer has a place for it, and those that are added later, until ctx ends.
// A node that does not start is noted and the others go on.
func (h *Host) join(ctx context.Context) {
	for {
		m, err := h.next(ctx)
		if err != nil {
			return // the shard ends
		}
		place, err := h.Pacer.Begin(ctx)
		if err != nil {
			return
		}
		if !h.waits(m, place) {
			place.Leave()
			continue
		}
		ready := sync.OnceFunc(func() {
			h.mark(func() { m.ready = true })
			place.Ready()
		})
		if err := m.node.Start(ctx, ready, place.Strain); err != nil {
			place.Leave()
			h.Note(err)
		}
		h.mark(func() { m.started = true })
	}
}

// next gives the first node that has not begun to join, and marks it as begun; it waits while there is none.
func (h *Host) next(ctx context.Context) (*member, error) {
	for {
		h.mu.Lock()
		for _, m := range h.members {
			if !m.begun {
				m.begun = true
				h.mu.Unlock()
				return m, nil
			}
		}
		added := h.added
		h.mu.Unlock()
		select {
		case <-added:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// waits tells whether a node has been removed while it waited for its place; if not, the place is its own.
func (h *Host) waits(m *member, place *Join) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.byName[m.Name] != m {
		return false
	}
	m.place = place
	return true
}

// mark changes what is known of a node.
func (h *Host) mark(change func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	change()
}

// size is how many nodes there are.
func (h *Host) size() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.members)
}
