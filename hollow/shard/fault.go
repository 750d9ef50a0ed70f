package shard

import (
	"errors"
	"fmt"
	"net/http"

	"windtunnel/hollow"
)

// errClock is a shifted clock asked of real kubelet code.
var errClock = errors.New("a node of tier kubelet has the clock of its machine, which cannot be shifted for it alone")

// faults adds to the control socket what breaks and mends the nodes' connections.
func (s *shard) faults(mux *http.ServeMux) {
	mux.HandleFunc("POST "+hollow.PathBreak, func(w http.ResponseWriter, r *http.Request) {
		var b hollow.Breakage
		if !decode(w, r, &b) {
			return
		}
		err := b.Conditions.Validate()
		if err == nil && b.Conditions.ClockOffset != 0 {
			err = errClock
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		s.answerConditions(w, b.Nodes, b.Conditions)
	})
	mux.HandleFunc("POST "+hollow.PathMend, func(w http.ResponseWriter, r *http.Request) {
		var names hollow.NodeNames
		if decode(w, r, &names) {
			s.answerConditions(w, names.Nodes, hollow.Conditions{})
		}
	})
}

func (s *shard) answerConditions(w http.ResponseWriter, names []string, c hollow.Conditions) {
	refuse(w, s.setConditions(names, c), http.StatusNotFound)
}

// setConditions gives the named nodes their conditions. Unknown names are an error, and then nothing is done.
func (s *shard) setConditions(names []string, c hollow.Conditions) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, name := range names {
		if s.byName[name] == nil {
			return fmt.Errorf("no node %q in shard %s", name, s.config.Name)
		}
	}
	for _, name := range names {
		n := s.byName[name]
		own := c
		own.Seed += uint64(n.Index) // nodes that are slow together do not jitter together
		n.link.Set(own)
	}
	return nil
}
