package clusterloader

import (
	"windtunnel/results"
)

type nodeHealth struct {
	Running          int  `json:"runningNodes"`
	Count            int  `json:"nodeCount"`
	ThresholdReached bool `json:"thresholdReached"`
}

// nodeHealthTracker holds the number of nodes that were not Ready, or had a NoExecute taint, to a number or a share of the nodes,
// whichever is more, at every moment between start and gather.
func nodeHealthTracker(e *evidence, w window) finding {
	p := w.start.params
	least, err1 := p.number("threshold", 4)
	ratio, err2 := p.number("ratio", 0.01)
	for _, err := range []error{err1, err2} {
		if err != nil {
			return failed(err)
		}
	}
	if nodeSelector(p) != "" {
		return finding{decides: true, empty: true, notes: []string{noNodeLabels}}
	}
	until := w.gather.At
	for _, c := range w.before {
		if c.Action == "stop" && c.At > w.start.At {
			until = min(until, c.At)
		}
	}
	ready, tainted := map[string]bool{}, map[string]bool{}
	s, worst, worstLimit, worstOf := nodeHealth{}, 0, least, 0
	look := func() {
		s.Count, s.Running = len(ready), 0
		for name, is := range ready {
			if is && !tainted[name] {
				s.Running++
			}
		}
		limit := max(least, ratio*float64(s.Count))
		bad := s.Count - s.Running
		over := s.Count > 0 && float64(bad) > limit
		// The first violation is what is told of; the limit is another when the number of nodes is.
		if s.Count > 0 && !s.ThresholdReached && (over || bad >= worst) {
			worst, worstLimit, worstOf = bad, limit, s.Count
		}
		s.ThresholdReached = s.ThresholdReached || over
	}
	begun := false
	for _, n := range e.nodes {
		if n.At > until {
			break
		}
		if !begun && n.At >= w.start.returned() {
			look()
			begun = true
		}
		nodeEvent(ready, tainted, n)
		if begun {
			look()
		}
	}
	look()
	f := finding{decides: true, empty: s.Count == 0}
	f.judge("most unhealthy nodes at once", float64(worst), "nodes", worstLimit, false, worstOf)
	if s.ThresholdReached {
		f.violate("%d of %d nodes were unhealthy at once, more than %g", worst, worstOf, worstLimit)
	}
	f.summaries = []summary{{"NodeHealthTracker", s}}
	return f
}

const noNodeLabels = "the records of nodes have no labels to pick them by"

// nodeSelector is the parameter that picks nodes; empty where all are meant.
func nodeSelector(p params) string {
	for _, name := range []string{"labelSelector", "fieldSelector"} {
		if text, _ := p.text(name, ""); text != "" {
			return name
		}
	}
	return ""
}

// nodeEvent brings the states of nodes up to date.
func nodeEvent(ready, tainted map[string]bool, n results.NodeEvent) {
	switch n.Event {
	case "added", "notready":
		ready[n.Name] = false
	case "ready":
		ready[n.Name] = true
	case "tainted":
		tainted[n.Name] = true
	case "untainted":
		delete(tainted, n.Name)
	case "deleted":
		delete(ready, n.Name)
		delete(tainted, n.Name)
	}
}
