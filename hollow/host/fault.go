package host

import (
	"errors"
	"fmt"
	"net/http"

	"windtunnel/hollow"
)

var (
	// errClock is a shifted clock asked of nodes whose code reads that of the machine.
	errClock = errors.New("the node has the clock of its machine, which cannot be shifted for it alone")
	// errShared is a bad connection asked of nodes that have none of their own.
	errShared = errors.New("the nodes share their connections, so none can be made bad for one of them alone")
)

// faults adds to the control socket what breaks and mends the nodes' connections.
func (h *Host) faults(mux *http.ServeMux) {
	mux.HandleFunc("POST "+hollow.PathBreak, func(w http.ResponseWriter, r *http.Request) {
		var b hollow.Breakage
		if !decode(w, r, &b) {
			return
		}
		if err := b.Conditions.Validate(); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		h.answerConditions(w, b.Nodes, b.Conditions)
	})
	mux.HandleFunc("POST "+hollow.PathMend, func(w http.ResponseWriter, r *http.Request) {
		var names hollow.NodeNames
		if decode(w, r, &names) {
			h.answerConditions(w, names.Nodes, hollow.Conditions{})
		}
	})
}

func (h *Host) answerConditions(w http.ResponseWriter, names []string, c hollow.Conditions) {
	err := h.setConditions(names, c)
	if errors.Is(err, errShared) || errors.Is(err, errClock) {
		refuse(w, err, http.StatusNotImplemented)
		return
	}
	refuse(w, err, http.StatusNotFound)
}

// setConditions gives the named nodes their conditions. Unknown names and nodes that cannot have any are an error, and then nothing is done.
func (h *Host) setConditions(names []string, c hollow.Conditions) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	members, err := h.named(names)
	if err != nil {
		return err
	}
	for _, m := range members {
		if _, ok := m.node.(Breakable); !ok {
			return fmt.Errorf("node %s: %w", m.Name, errShared)
		}
		if _, ok := m.node.(Clocked); !ok && c.ClockOffset != 0 {
			return fmt.Errorf("node %s: %w", m.Name, errClock)
		}
	}
	for _, m := range members {
		own := c
		own.Seed += uint64(m.Index) // nodes that are slow together do not jitter together
		m.node.(Breakable).SetConditions(own)
		if clocked, ok := m.node.(Clocked); ok {
			clocked.SetClock(own.ClockOffset)
		}
	}
	return nil
}
