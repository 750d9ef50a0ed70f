package analysis

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"windtunnel/profiles"
	"windtunnel/results"
)

// nodeHistory is a run in which hollow-0 is partitioned twice and hollow-1 is slow once. In the first partition the controllers
// evict its two pods, and one is replaced; in the second nothing happens in time.
func nodeHistory() *history {
	h := newHistory()
	h.profile.Phases = []profiles.Phase{{Tracks: []profiles.Track{{Steps: []profiles.Step{{Fault: &profiles.Fault{Nodes: &profiles.NodeFault{}}}}}}}}
	node := func(name, event, detail string, at int64) {
		h.nodes = append(h.nodes, results.NodeEvent{At: at, Name: name, Event: event, Detail: detail})
	}
	node("hollow-0", "broken", "partition", 21*sec)
	node("hollow-1", "broken", "slow", 22*sec)
	node("hollow-0", "notready", "", 31*sec)
	node("hollow-0", "tainted", "node.kubernetes.io/unreachable", 33*sec)
	node("hollow-0", "mended", "partition", 41*sec)
	node("hollow-0", "ready", "", 43*sec)
	node("hollow-0", "untainted", "", 43*sec)
	node("hollow-1", "mended", "slow", 42*sec)
	node("hollow-0", "broken", "partition", 44*sec)
	node("hollow-0", "mended", "partition", 45*sec)

	pod := func(uid, node string, events ...any) {
		e := results.PodEvent{Source: "watch", Namespace: "team-0", Name: uid, UID: uid, Object: "web", Node: node}
		for i := 0; i < len(events); i += 2 {
			e.Event, e.At = events[i].(string), events[i+1].(int64)
			h.pods = append(h.pods, e)
		}
	}
	pod("evicted-1", "hollow-0", "created", 11*sec, "scheduled", 11*sec, "running", 12*sec, "deleting", 36*sec)
	pod("evicted-2", "hollow-0", "created", 11*sec, "scheduled", 11*sec, "running", 12*sec, "deleting", 38*sec, "deleted", 44*sec)
	pod("stays", "hollow-0", "created", 11*sec, "scheduled", 11*sec, "running", 12*sec)
	pod("gone before", "hollow-0", "created", 11*sec, "scheduled", 11*sec, "running", 12*sec, "deleting", 20*sec)
	pod("deleted by its user", "hollow-0", "created", 11*sec, "scheduled", 11*sec, "running", 12*sec, "deleting", 32*sec)
	pod("of another node", "hollow-1", "created", 11*sec, "scheduled", 11*sec, "running", 12*sec, "deleting", 37*sec)
	pod("replacement", "hollow-1", "created", 36*sec+100*ms, "scheduled", 36*sec+200*ms, "running", 37*sec)
	pod("replacement that never ran", "hollow-1", "created", 38*sec+100*ms, "scheduled", 38*sec+200*ms)
	return h
}

// TestNodeFaults: each time counts from its fault, of the pods that were there, and what never came is in no quantile.
func TestNodeFaults(t *testing.T) {
	h := nodeHistory()
	h.pods = slices.DeleteFunc(h.pods, func(e results.PodEvent) bool { return e.Object == "app" })
	s := h.summarize(t)
	if len(s.NodeFaults) != 2 {
		t.Fatalf("%+v", s.NodeFaults)
	}
	p, slow := s.NodeFaults[0], s.NodeFaults[1]
	if p.Kind != "partition" || p.Faults != 2 || p.Pods != 4+1 || p.Evicted != 2 || p.Replaced != 1 {
		t.Errorf("%+v", p)
	}
	for name, want := range map[string]float64{"to_not_ready": 10, "to_taint": 12, "to_first_eviction": 15, "to_last_eviction": 17, "to_replacement_running": 16, "to_ready": 2} {
		if q := p.Times[name]; q.N != 1 || !near(q.P100.Value, want) {
			t.Errorf("%s: n %d, %g s, want one of %g s", name, q.N, q.P100.Value, want)
		}
	}
	if slow.Kind != "slow" || slow.Faults != 1 || slow.Evicted != 0 || len(slow.Times) != 0 {
		t.Errorf("%+v", slow)
	}
	if c := check(t, s, "nodes_ready"); c.Verdict != results.Pass || !strings.Contains(c.Text, "breaks nodes") {
		t.Errorf("%+v", c)
	}
	// The order of the records does not matter.
	slices.Reverse(h.nodes)
	slices.Reverse(h.pods)
	if again := h.summarize(t); fmt.Sprint(again.NodeFaults) != fmt.Sprint(s.NodeFaults) {
		t.Errorf("%v and %v", s.NodeFaults, again.NodeFaults)
	}
}

// TestNoNodeFaults: a run without faults has no rows, and taints change nothing in the curve of the nodes that are ready.
func TestNoNodeFaults(t *testing.T) {
	h := newHistory()
	h.nodes = append(h.nodes, results.NodeEvent{At: 25 * sec, Name: "hollow-0", Event: "tainted"}, results.NodeEvent{At: 26 * sec, Name: "hollow-0", Event: "untainted"})
	study, err := Examine(h.write(t))
	if err != nil {
		t.Fatal(err)
	}
	if len(study.Summary.NodeFaults) > 0 || len(study.NotReady) > 0 {
		t.Errorf("%+v %+v", study.Summary.NodeFaults, study.NotReady)
	}
	if ready := study.Nodes[0].Value; ready[len(ready)-1] != 2 {
		t.Errorf("ready nodes %v", ready)
	}
}
