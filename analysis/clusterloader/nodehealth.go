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
	for _, name := range []string{"labelSelector", "fieldSelector"} {
		if text, _ := p.text(name, ""); text != "" {
			return finding{decides: true, empty: true, notes: []string{"the records of nodes have no labels to pick them by"}}
		}
	}
	until := w.gather.At
	for _, c := range w.before {
		if c.Action == "stop" && c.At > w.start.At {
			until = min(until, c.At)
		}
	}
	ready, tainted := map[string]bool{}, map[string]bool{}
	s, worst, worstLimit := nodeHealth{}, 0, least
	look := func() {
		s.Count, s.Running = len(ready), 0
		for name, is := range ready {
			if is && !tainted[name] {
				s.Running++
			}
		}
		limit := max(least, ratio*float64(s.Count))
		if bad := s.Count - s.Running; s.Count > 0 && bad >= worst {
			worst, worstLimit = bad, limit
			s.ThresholdReached = s.ThresholdReached || float64(bad) > limit
		}
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
	f.judge("most unhealthy nodes at once", float64(worst), "nodes", worstLimit, false, s.Count)
	if s.ThresholdReached {
		f.violate("%d of %d nodes were unhealthy at once, more than %g", worst, s.Count, worstLimit)
	}
	f.summaries = []summary{{"NodeHealthTracker", s}}
	return f
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
