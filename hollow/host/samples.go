package host

import (
	"time"

	"windtunnel/results"
)

// ObjectLabel tells which template of the plan a pod's owner was made from.
const ObjectLabel = "windtunnel/object"

// Happening is a container's start or end on a node.
type Happening struct {
	At   time.Time
	Node string
	// Event is started or stopped.
	Event                string
	Namespace, Name, UID string
	// Object is the value of the pod's label ObjectLabel.
	Object string
}

// Record writes down what a container runtime saw, and tells those who listen.
func (h *Host) Record(e Happening) {
	seen := results.PodEvent{
		At: h.clock.At(e.At), Source: "runtime", Event: e.Event, Namespace: e.Namespace, Name: e.Name, UID: e.UID, Object: e.Object, Node: e.Node,
	}
	h.streams.publish(happening{at: e.At, event: seen})
	if h.samples != nil {
		h.samples.Append(seen)
	}
}
