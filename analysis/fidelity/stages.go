package fidelity

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// stagesOf puts the rows of all stages together. pods is how many pods of the script were on the chosen nodes in each stage,
// and hollow how many hollow nodes the run has, over which the calls of proxies are counted that do not say where they are.
func (c *collector) stagesOf(pods []int, hollow int) []Stage {
	calls := slices.Concat(c.calls, c.opened())
	stages := make([]Stage, len(c.stages))
	rows := make([]map[Kind]*Calls, len(c.stages))
	for i := range stages {
		s := &stages[i]
		s.Name, s.Nodes, s.Pods, s.NodeSeconds = c.stages[i].name, len(c.seen), pods[i], c.nodeSeconds(i)
		if s.Proxied = len(c.named); s.Proxied == 0 && c.proxies {
			s.Proxied = hollow
		}
		s.Watches, s.Order = c.openAt(i), c.order(i, calls, pods[i] > 0)
		rows[i] = map[Kind]*Calls{}
	}
	for _, call := range calls {
		if c.leftOut(call.kind, call.node) {
			continue
		}
		row := rows[call.stage][call.kind]
		if row == nil {
			row = &Calls{Kind: call.kind}
			rows[call.stage][call.kind] = row
		}
		row.N++
		if call.failed {
			row.Errors++
		}
		if call.hasBody {
			row.Sized++
			row.Bytes += call.size
		}
	}
	for i := range stages {
		for _, row := range rows[i] {
			stages[i].Calls = append(stages[i].Calls, *row)
		}
		stages[i].sort()
	}
	return stages
}

// leftOut says that a call is one of a proxy that does not say where it is, while others do, or while they are not those of the
// chosen nodes.
func (c *collector) leftOut(k Kind, node string) bool {
	return k.Who == Proxy && node == "" && (len(c.named) > 0 || !c.proxies)
}

func (c *collector) endOf(stage int) time.Duration {
	if stage+1 < len(c.stages) {
		return c.stages[stage+1].begin
	}
	return c.stages[stage].end
}

func (c *collector) nodeSeconds(stage int) float64 {
	end, sum := c.endOf(stage), time.Duration(0)
	for node := range c.seen {
		begin := c.firstCall[node]
		if stage > 0 {
			begin = max(begin, c.stages[stage].begin)
		}
		sum += max(0, end-begin)
	}
	return sum.Seconds()
}

// opened are the watches as calls, at their beginnings. One that only goes on with one that its server had ended for its age is
// none: when that happens is drawn by lot, and rarely within a script.
func (c *collector) opened() []seenCall {
	all := slices.Collect(maps.Values(c.watches))
	slices.SortFunc(all, func(a, b *watched) int { return cmp.Compare(a.begin, b.begin) })
	var out []seenCall
	for i, w := range all {
		if w.begin >= 0 && c.goesOn(all[:i], w) {
			continue
		}
		out = append(out, seenCall{kind: w.kind, stage: max(0, c.stageAt(w.begin)), at: w.begin, node: w.node, failed: w.failed})
	}
	return out
}

// goesOn says whether a watch follows a long one of the same node and kind that ended just before it.
func (c *collector) goesOn(before []*watched, w *watched) bool {
	for _, old := range before {
		gap := w.begin - old.end
		if old.kind == w.kind && old.node == w.node && old.ended && !old.failed && old.end-old.begin >= longWatch && gap >= 0 && gap < 2*time.Second {
			return true
		}
	}
	return false
}

// openAt counts the watches that are open at the end of a stage.
func (c *collector) openAt(stage int) []Open {
	end := c.endOf(stage)
	counts := map[Kind]int64{}
	for _, w := range c.watches {
		if w.begin < end && (!w.ended || w.end >= end) && !c.leftOut(w.kind, w.node) {
			counts[w.kind]++
		}
	}
	var all []Open
	for kind, n := range counts {
		all = append(all, Open{kind, n})
	}
	return all
}

// extent is from when to when a subject sent calls of one kind.
type extent struct{ first, last time.Duration }

// order counts how kinds of calls follow each other, by pod where there are pods and by node elsewhere.
func (c *collector) order(stage int, calls []seenCall, byPod bool) []Pair {
	subjects := map[string]map[string]extent{}
	for _, call := range calls {
		subject := call.node
		if byPod {
			subject = call.pod
		}
		if call.stage != stage || call.kind.Who == Proxy || subject == "" {
			continue
		}
		if subjects[subject] == nil {
			subjects[subject] = map[string]extent{}
		}
		name := call.kind.String()
		x, known := subjects[subject][name]
		if !known {
			x = extent{call.at, call.at}
		}
		subjects[subject][name] = extent{min(x.first, call.at), max(x.last, call.at)}
	}
	pairs := map[[2]string]*Pair{}
	for _, kinds := range subjects {
		names := slices.Sorted(maps.Keys(kinds))
		for i, a := range names {
			for _, b := range names[i+1:] {
				p := pairs[[2]string{a, b}]
				if p == nil {
					p = &Pair{A: a, B: b}
					pairs[[2]string{a, b}] = p
				}
				p.Both++
				if kinds[a].first < kinds[b].first {
					p.First++
				}
				if kinds[a].last < kinds[b].last {
					p.Last++
				}
			}
		}
	}
	var all []Pair
	for _, p := range pairs {
		all = append(all, *p)
	}
	return all
}

// notes say what was left out.
func (c *collector) notes(provider string) []string {
	var notes []string
	if n := len(c.others); n > 0 {
		names := slices.Sorted(maps.Keys(c.others))
		shown := strings.Join(names[:min(3, n)], ", ")
		if n > 3 {
			shown += ", …"
		}
		notes = append(notes, fmt.Sprintf("calls of %d other nodes (%s) are left out", n, shown))
	}
	if c.foreign > 0 {
		notes = append(notes, fmt.Sprintf("%d calls about objects of the cluster's own namespaces are left out", c.foreign))
	}
	if c.unshared > 0 {
		notes = append(notes, fmt.Sprintf("%d calls of the user that nodes share (%s) are left out: not all hollow nodes were chosen", c.unshared, c.sharedUser))
	}
	if c.met(Shared) {
		notes = append(notes, "the user that nodes share ("+c.sharedUser+") does not name its node: its calls are counted over all hollow nodes of the run")
	}
	if c.proxies && len(c.named) == 0 && c.met(Proxy) {
		notes = append(notes, "the calls of kube-proxies do not name their node: they are counted over all hollow nodes of the run")
	}
	return notes
}

// met says whether anything was sent by one kind of sender.
func (c *collector) met(who string) bool {
	return slices.ContainsFunc(slices.Concat(c.calls, c.opened()), func(s seenCall) bool { return s.kind.Who == who })
}
