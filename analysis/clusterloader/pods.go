package clusterloader

import (
	"math"
	"strings"

	"windtunnel/results"
)

// never is the instant of what did not happen; 0 is a valid instant.
const never results.Instant = math.MinInt64

// pod is what the harness' watch saw of one pod.
type pod struct {
	namespace, name, scheduler string
	labels                     map[string]string
	stateful                   bool // a volume outlives it
	created, scheduled         results.Instant
	running, gone              results.Instant // gone: it began to be deleted, or was
}

// pods are those of a run by UID.
type pods map[string]*pod

// add takes the watch's transitions; the order in which they come does not matter.
func (all pods) add(e results.PodEvent) {
	if e.Source != "watch" {
		return
	}
	p := all[e.UID]
	if p == nil {
		p = &pod{created: never, scheduled: never, running: never, gone: never}
		all[e.UID] = p
	}
	p.namespace, p.name = e.Namespace, e.Name
	switch e.Event {
	case "created":
		p.scheduler, p.labels, p.stateful = e.Scheduler, readLabels(e.Labels), e.Volumes == results.VolumesStateful
		earlier(&p.created, e.At)
	case "scheduled":
		earlier(&p.scheduled, e.At)
	case "running":
		earlier(&p.running, e.At)
	case "deleting", "deleted":
		earlier(&p.gone, e.At)
	}
}

func earlier(at *results.Instant, v results.Instant) {
	if *at == never || v < *at {
		*at = v
	}
}

// readLabels reads k=v,k=v. Neither keys nor values of labels can have a comma or an equals sign.
func readLabels(text string) map[string]string {
	if text == "" {
		return nil
	}
	labels := map[string]string{}
	for part := range strings.SplitSeq(text, ",") {
		key, value, _ := strings.Cut(part, "=")
		labels[key] = value
	}
	return labels
}
