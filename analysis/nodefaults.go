package analysis

import (
	"cmp"
	"maps"
	"slices"

	"windtunnel/results"
)

// The times of NodeFaultRow, in the order in which they come.
const (
	faultNotReady    = "to_not_ready"
	faultTaint       = "to_taint"
	faultFirst       = "to_first_eviction"
	faultLast        = "to_last_eviction"
	faultReplacement = "to_replacement_running"
	faultReady       = "to_ready"
)

// breakage is one fault of one node, and what became of it.
type breakage struct {
	kind, node                                    string
	broken, mended, notReady, tainted, readyAgain results.Instant
	until                                         results.Instant // the node's next fault
}

// nodeFaults gathers the faults of nodes; events come in order of time.
type nodeFaults struct {
	all  []*breakage
	last map[string]*breakage // by node
}

func newNodeFaults() *nodeFaults { return &nodeFaults{last: map[string]*breakage{}} }

func (f *nodeFaults) add(e results.NodeEvent) {
	b := f.last[e.Name]
	if e.Event == "broken" {
		if b != nil {
			b.until = e.At
		}
		b = &breakage{kind: e.Detail, node: e.Name, broken: e.At, mended: never, notReady: never, tainted: never, readyAgain: never, until: longestRun}
		f.all, f.last[e.Name] = append(f.all, b), b
		return
	}
	if b == nil {
		return
	}
	switch e.Event {
	case "mended":
		first(&b.mended, e.At)
	case "notready":
		first(&b.notReady, e.At)
	case "tainted":
		first(&b.tainted, e.At)
	case "ready":
		if b.mended != never {
			first(&b.readyAgain, e.At)
		}
	}
}

// eviction is a pod whose deletion the controllers began because its node was tainted.
type eviction struct {
	pod *podLife
	of  *breakage
	at  results.Instant
}

// rows are the figures by kind of fault, in order of the kinds' names. A fault counts wherever in the run it was.
func (f *nodeFaults) rows(pods lives) []results.NodeFaultRow {
	byKind := map[string]*results.NodeFaultRow{}
	samples := map[string]map[string]timedSample{}
	add := func(b *breakage, name string, from, to results.Instant) {
		if to != never && from != never {
			samples[b.kind][name] = append(samples[b.kind][name], timed{b.broken, seconds(to - from)})
		}
	}
	on := podsByNode(pods)
	var evictions []eviction
	for _, b := range f.all {
		row := byKind[b.kind]
		if row == nil {
			row = &results.NodeFaultRow{Kind: b.kind, Times: map[string]results.StageQuantiles{}}
			byKind[b.kind], samples[b.kind] = row, map[string]timedSample{}
		}
		row.Faults++
		add(b, faultNotReady, b.broken, b.notReady)
		add(b, faultTaint, b.broken, b.tainted)
		if b.notReady != never {
			add(b, faultReady, b.mended, b.readyAgain)
		}
		present, evicted := b.pods(on[b.node])
		row.Pods += int64(present)
		row.Evicted += int64(len(evicted))
		if len(evicted) > 0 {
			add(b, faultFirst, b.broken, evicted[0].at)
			add(b, faultLast, b.broken, evicted[len(evicted)-1].at)
		}
		evictions = append(evictions, evicted...)
	}
	for _, r := range replacements(evictions, pods) {
		byKind[r.of.kind].Replaced++
		add(r.of, faultReplacement, r.of.broken, r.at)
	}
	var rows []results.NodeFaultRow
	for _, kind := range slices.Sorted(maps.Keys(byKind)) {
		row := byKind[kind]
		for name, sample := range samples[kind] {
			row.Times[name] = stageQuantiles(sample)
		}
		rows = append(rows, *row)
	}
	return rows
}

func podsByNode(pods lives) map[string][]*podLife {
	on := map[string][]*podLife{}
	for _, p := range pods {
		if p.object != "" && p.node != "" {
			on[p.node] = append(on[p.node], p)
		}
	}
	return on
}

// pods counts the pods of templates that were on the node when it broke, and finds those that were evicted: whose deletion began
// after the node got its taint and before it was Ready again, in the order in which they were.
func (b *breakage) pods(on []*podLife) (present int, evicted []eviction) {
	end := b.until
	if b.readyAgain != never {
		end = min(end, b.readyAgain)
	}
	for _, p := range on {
		gone := p.gone()
		if p.scheduled == never || p.scheduled > b.broken || gone != never && gone <= b.broken {
			continue
		}
		present++
		if gone != never && b.tainted != never && gone >= b.tainted && gone <= end {
			evicted = append(evicted, eviction{p, b, gone})
		}
	}
	slices.SortFunc(evicted, func(a, b eviction) int { return cmp.Compare(a.at, b.at) })
	return present, evicted
}

// replacements finds the pods that took the places of evicted ones, as far as they were seen running, with that instant: to each
// eviction, in order of time, belongs the first pod of the same template that was created from then on and belongs to no other.
func replacements(evictions []eviction, pods lives) []eviction {
	created := map[string][]*podLife{} // by template
	for _, p := range pods {
		if p.object != "" && p.created != never {
			created[p.object] = append(created[p.object], p)
		}
	}
	for _, all := range created {
		slices.SortFunc(all, func(a, b *podLife) int {
			return cmp.Or(cmp.Compare(a.created, b.created), cmp.Compare(a.running, b.running))
		})
	}
	slices.SortStableFunc(evictions, func(a, b eviction) int { return cmp.Compare(a.at, b.at) })
	next := map[string]int{}
	var found []eviction
	for _, e := range evictions {
		all, i := created[e.pod.object], next[e.pod.object]
		for i < len(all) && all[i].created < e.at {
			i++
		}
		if i < len(all) {
			if all[i].running != never {
				found = append(found, eviction{all[i], e.of, all[i].running})
			}
			i++
		}
		next[e.pod.object] = i
	}
	return found
}
