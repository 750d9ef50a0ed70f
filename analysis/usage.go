package analysis

import (
	"cmp"
	"maps"
	"math"
	"slices"

	"windtunnel/results"
)

// usage gathers the samples of processes for curves.
type usage struct {
	samples map[processKey][]results.ProcessSample
}

func newUsage() *usage { return &usage{samples: map[processKey][]results.ProcessSample{}} }

func (u *usage) add(s results.ProcessSample) {
	k := processKey{s.Component, s.PID}
	u.samples[k] = append(u.samples[k], s)
}

// finish gives the cores and bytes of every component, the one that took most CPU time first, and the lives of its processes.
// CPU time between two samples is taken as even; memory is the largest of a place, proportional set size where it was read.
func (u *usage) finish(t timeline) (cpu, memory []Curve, lives []Life) {
	type sums struct {
		cores    []float64
		pss, rss memoryCurve
		n        int64
		seconds  float64
	}
	by := map[string]*sums{}
	keys := slices.SortedFunc(maps.Keys(u.samples), func(a, b processKey) int {
		return cmp.Or(cmp.Compare(a.component, b.component), cmp.Compare(a.pid, b.pid))
	})
	for _, k := range keys {
		samples := u.samples[k]
		slices.SortFunc(samples, func(a, b results.ProcessSample) int { return cmp.Compare(a.At, b.At) })
		name := component(k.component)
		if by[name] == nil {
			by[name] = &sums{cores: make([]float64, t.places()), pss: newMemoryCurve(t), rss: newMemoryCurve(t)}
		}
		s := by[name]
		s.n += int64(len(samples))
		s.seconds += spread(s.cores, t, samples)
		s.pss.add(t, samples, func(s results.ProcessSample) int64 { return s.PSS })
		s.rss.add(t, samples, func(s results.ProcessSample) int64 { return s.RSS })
		lives = append(lives, Life{Component: k.component, PID: k.pid, From: seconds(samples[0].At), Until: seconds(samples[len(samples)-1].At)})
	}
	slices.SortStableFunc(lives, func(a, b Life) int {
		return cmp.Or(cmp.Compare(a.Component, b.Component), cmp.Compare(a.From, b.From))
	})
	names := slices.SortedFunc(maps.Keys(by), func(a, b string) int {
		return cmp.Or(cmp.Compare(by[b].seconds, by[a].seconds), cmp.Compare(a, b))
	})
	for _, name := range names {
		s := by[name]
		cpu = append(cpu, t.curve(name, s.cores, s.n, t.middle))
		bytes := s.pss
		if bytes.n == 0 {
			bytes = s.rss
		}
		memory = append(memory, t.curve(name, bytes.sum, bytes.n, t.middle).known())
	}
	return cpu, memory, lives
}

// spread adds the cores that a process used to the places, and returns its CPU seconds.
func spread(cores []float64, t timeline, samples []results.ProcessSample) float64 {
	total := 0.0
	for i := 1; i < len(samples); i++ {
		a, b := samples[i-1], samples[i]
		used := b.CPUSeconds - a.CPUSeconds
		from, okFrom := t.place(a.At)
		to, okTo := t.place(b.At)
		if b.At <= a.At || used < 0 || !okFrom || !okTo {
			continue
		}
		total += used
		for j := from; j <= to; j++ {
			begin, end := max(a.At, int64(j)*t.step), min(b.At, int64(j+1)*t.step)
			cores[j] += used * float64(end-begin) / float64(b.At-a.At) / seconds(t.step)
		}
	}
	return total
}

// memoryCurve sums up the memory of the processes of a component: of a place only where all that lived in it were read.
type memoryCurve struct {
	sum []float64
	n   int64 // readings
	gap []bool
}

func newMemoryCurve(t timeline) memoryCurve {
	return memoryCurve{sum: unknown(t.places()), gap: make([]bool, t.places())}
}

// add adds a process by the largest value of each place; 0 is not read.
func (m *memoryCurve) add(t timeline, samples []results.ProcessSample, bytes func(results.ProcessSample) int64) {
	values := unknown(t.places())
	for _, s := range samples {
		if i, ok := t.place(s.At); ok && bytes(s) > 0 {
			m.n++
			values[i] = larger(values[i], float64(bytes(s)))
		}
	}
	first, _ := t.place(samples[0].At)
	last, ok := t.place(samples[len(samples)-1].At)
	if !ok {
		last = t.places() - 1
	}
	for i := first; i <= last; i++ {
		switch {
		case math.IsNaN(values[i]):
			m.gap[i], m.sum[i] = true, math.NaN()
		case m.gap[i]:
		case math.IsNaN(m.sum[i]):
			m.sum[i] = values[i]
		default:
			m.sum[i] += values[i]
		}
	}
}

// readiness gathers the transitions of hollow nodes.
type readiness struct {
	prefix string
	events map[string][]results.NodeEvent
	n      int64
}

func newReadiness() *readiness { return &readiness{events: map[string][]results.NodeEvent{}} }

func (r *readiness) add(e results.NodeEvent) {
	if len(e.Name) < len(r.prefix) || e.Name[:len(r.prefix)] != r.prefix {
		return
	}
	switch e.Event {
	case "added", "ready", "notready", "deleted":
		r.n++
		r.events[e.Name] = append(r.events[e.Name], e)
	}
}

// inOrder sorts the events of each node. Of those at one instant, of which nobody knows the order, "ready" counts last.
func (r *readiness) inOrder() {
	for _, events := range r.events {
		slices.SortFunc(events, func(a, b results.NodeEvent) int {
			return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(endsReady(a.Event), endsReady(b.Event)), cmp.Compare(a.Event, b.Event))
		})
	}
}

// outages are the times in which any node was not ready that had been so, those that overlap together. A node that is deleted
// is missed no more.
func (r *readiness) outages(t timeline) []Outage {
	type edge struct {
		at    results.Instant
		nodes int // one more or one less that is missed
	}
	var edges []edge
	r.inOrder()
	for _, events := range r.events {
		ready, missed := false, false
		for _, e := range events {
			switch {
			case e.Event == "notready" && ready:
				edges, ready, missed = append(edges, edge{e.At, 1}), false, true
			case e.Event == "ready" || e.Event == "deleted":
				if missed {
					edges = append(edges, edge{e.At, -1})
				}
				ready, missed = e.Event == "ready", false
			}
		}
		if missed {
			edges = append(edges, edge{t.end, -1})
		}
	}
	slices.SortFunc(edges, func(a, b edge) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(b.nodes, a.nodes)) })
	var all []Outage
	missed := 0
	for _, e := range edges {
		if missed == 0 {
			all = append(all, Outage{From: seconds(e.at)})
		}
		missed += e.nodes
		last := &all[len(all)-1]
		last.Nodes, last.Until = max(last.Nodes, missed), seconds(e.at)
	}
	return all
}

// finish counts the nodes that are ready at the end of every place.
func (r *readiness) finish(t timeline) []Curve {
	if r.n == 0 {
		return nil
	}
	changes := make([]float64, t.places())
	r.inOrder()
	for _, events := range r.events {
		ready := false
		for _, e := range events {
			now := e.Event == "ready" || ready && e.Event == "added"
			i, ok := t.place(e.At)
			if now != ready && ok {
				if now {
					changes[i]++
				} else {
					changes[i]--
				}
			}
			ready = now
		}
	}
	sum := 0.0
	for i, c := range changes {
		sum += c
		changes[i] = sum
	}
	return []Curve{t.curve("ready", changes, r.n, t.until)}
}
