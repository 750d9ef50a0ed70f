package analysis

import (
	"cmp"
	"slices"
	"strings"

	"windtunnel/results"
)

// nodeStates follows the readiness of the hollow nodes; events come in order of time.
type nodeStates struct {
	phases window
	prefix string // of the hollow nodes' names
	ready  map[string]bool
	// atBegin is how many were ready when the measured phases began.
	atBegin int
	begun   bool
	left    map[string]int64 // times that a node left readiness within the measured phases
	broken  bool             // faults were done to nodes
	n       int64
}

func newNodeStates(w window, prefix string) *nodeStates {
	return &nodeStates{phases: w, prefix: prefix, ready: map[string]bool{}, left: map[string]int64{}}
}

func (s *nodeStates) add(e results.NodeEvent) {
	if !strings.HasPrefix(e.Name, s.prefix) {
		return
	}
	if e.Event != "broken" && e.Event != "mended" {
		s.n++
	}
	if !s.begun && len(s.phases) > 0 && e.At > s.phases.begin() {
		s.finish()
	}
	switch e.Event {
	case "broken":
		s.broken = true
	case "ready":
		s.ready[e.Name] = true
	case "notready", "deleted":
		if s.ready[e.Name] && s.phases.contains(e.At) {
			s.left[e.Name]++
		}
		delete(s.ready, e.Name)
	}
}

// finish is called at the begin of the measured phases, or after the last event when all came before.
func (s *nodeStates) finish() {
	if !s.begun {
		s.begun = true
		s.atBegin = len(s.ready)
	}
}

// nodesInOrder puts events in order of time, in which add must see them. Those of one node at one instant, of which nobody
// knows the order, count as if it ended ready.
func nodesInOrder(events []results.NodeEvent) {
	slices.SortFunc(events, func(a, b results.NodeEvent) int {
		return cmp.Or(cmp.Compare(a.At, b.At), strings.Compare(a.Name, b.Name), cmp.Compare(endsReady(a.Event), endsReady(b.Event)), strings.Compare(a.Event, b.Event))
	})
}

func endsReady(event string) int {
	if event == "ready" {
		return 1
	}
	return 0
}
