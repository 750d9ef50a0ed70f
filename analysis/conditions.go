package analysis

import (
	"fmt"
	"slices"
	"strconv"

	"windtunnel/analysis/stats"
	"windtunnel/results"
)

// Limits of sig-scalability's slos.md and thresholds.md.
const (
	churnLimit      = 20 // a second
	churnWindow     = 10 // seconds
	nodesLimit      = 5000
	podsLimit       = 150_000
	podsInNamespace = 3000
	podsPerNode     = 110 // and at most 10 a core
	podsPerCore     = 10
)

// conditions are the preconditions under which Kubernetes promises its SLOs. They are shown beside the verdict and never
// decide it.
func (e *evidence) conditions() []results.Condition {
	if len(e.phases) == 0 {
		return []results.Condition{}
	}
	mean, most := e.churn()
	peak := e.peaks()
	perNode := podsPerNode
	if cores := nodeCores(e.profile.HollowNodes.Capacity["cpu"]); cores > 0 {
		perNode = min(perNode, int(podsPerCore*cores))
	}
	fsync := e.profile.ControlPlane.Etcd.Fsync == nil || *e.profile.ControlPlane.Etcd.Fsync
	conditions := []results.Condition{
		atMost("churn_mean", mean, churnLimit, "1/s", "pod creations and deletions and user requests a second, over the measured phases"),
		atMost("churn_max_10s", most, churnLimit, "1/s", "the same in the busiest 10 s"),
		atMost("nodes", float64(e.profile.HollowNodes.Count), nodesLimit, "nodes", "nodes in the cluster"),
		atMost("pods", float64(peak.pods), podsLimit, "pods", "most pods at one time"),
		atMost("pods_per_namespace", float64(peak.namespace), podsInNamespace, "pods", "most pods in one namespace at one time"),
		atMost("pods_per_node", float64(peak.node), float64(perNode), "pods", fmt.Sprintf("most pods on one node at one time; the limit is %d, and %d a core", podsPerNode, podsPerCore)),
	}
	if !e.profile.ControlPlane.Made() {
		return conditions // nobody here knows how its etcd is kept
	}
	return append(conditions,
		must("events_in_separate_etcd", false, "events are kept in the same etcd as everything else"),
		must("etcd_fsync", fsync, "etcd flushes its writes to the disk, as in production"))
}

func atMost(name string, measured, limit float64, unit, text string) results.Condition {
	return results.Condition{Name: name, Measured: measured, Limit: limit, Unit: unit, Holds: measured <= limit, Text: text}
}

func must(name string, holds bool, text string) results.Condition {
	c := results.Condition{Name: name, Limit: 1, Unit: "1", Holds: holds, Text: text}
	if holds {
		c.Measured = 1
	}
	return c
}

// nodeCores is a CPU quantity of Kubernetes as a number of cores, 0 where it is none: whole or decimal, or with m for
// thousandths.
func nodeCores(quantity string) float64 {
	if n := len(quantity); n > 0 && quantity[n-1] == 'm' {
		v, err := strconv.ParseFloat(quantity[:n-1], 64)
		if err != nil {
			return 0
		}
		return v / 1000
	}
	v, err := strconv.ParseFloat(quantity, 64)
	if err != nil {
		return 0
	}
	return v
}

// churn is the load as slos.md defines it, a second: creations, updates and deletions of pod specs plus requests of users.
// A request of a user that creates or deletes a pod counts as both.
func (e *evidence) churn() (mean, most float64) {
	at := slices.Clone(e.requests.at)
	for _, p := range e.pods {
		for _, t := range []results.Instant{p.created, p.gone()} {
			if t != never && e.phases.contains(t) {
				at = append(at, t)
			}
		}
	}
	slices.Sort(at)
	s := e.phases.seconds()
	if s <= 0 {
		return 0, stats.MaxRate(at, churnWindow)
	}
	return float64(len(at)) / s, stats.MaxRate(at, min(churnWindow, s))
}

// peaks are the largest numbers of pods at one time.
type peaks struct{ pods, namespace, node int }

// peaks counts the pods that were there at one time, from their creation (on a node: from their binding) to their end.
func (e *evidence) peaks() peaks {
	type change struct {
		at              results.Instant
		by              int
		namespace, node string // one of them, or neither for the total
	}
	var changes []change
	for _, p := range e.pods {
		if p.created == never {
			continue
		}
		changes = append(changes, change{at: p.created, by: 1}, change{at: p.created, by: 1, namespace: p.namespace})
		end := p.deleted
		if end != never {
			changes = append(changes, change{at: end, by: -1}, change{at: end, by: -1, namespace: p.namespace})
		}
		if p.scheduled != never && p.node != "" {
			changes = append(changes, change{at: p.scheduled, by: 1, node: p.node})
			if end != never {
				changes = append(changes, change{at: end, by: -1, node: p.node})
			}
		}
	}
	// At the same instant ends come first: the pods were not there together.
	slices.SortFunc(changes, func(a, b change) int {
		if a.at != b.at {
			if a.at < b.at {
				return -1
			}
			return 1
		}
		return a.by - b.by
	})
	var most peaks
	total, namespaces, nodes := 0, map[string]int{}, map[string]int{}
	for _, c := range changes {
		switch {
		case c.namespace != "":
			namespaces[c.namespace] += c.by
			most.namespace = max(most.namespace, namespaces[c.namespace])
		case c.node != "":
			nodes[c.node] += c.by
			most.node = max(most.node, nodes[c.node])
		default:
			total += c.by
			most.pods = max(most.pods, total)
		}
	}
	return most
}
