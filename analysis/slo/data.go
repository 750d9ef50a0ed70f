package slo

import (
	"cmp"
	"slices"
	"sort"

	"windtunnel/results"
)

// Data is what the metrics of a run were.
type Data struct {
	Run      string              // its id
	Validity results.Verdict     // Pass, or Invalid
	Phases   []results.PhaseSpan // the measured ones
	Series   map[string][]Series // by the name of the metric
	Missing  map[string]string   // why there is nothing of a metric, where more is known than that
	Notes    []string            // what is missing from the metrics, for readers
}

// Series is a metric with one set of labels.
type Series struct {
	Labels map[string]string
	Points []Point // of all kinds but histograms, in any order
	Counts *Counts // of a histogram
}

// Point is one event of a value, or one look; an event without a value has 1.
type Point struct {
	At    results.Instant
	Value float64
}

// Counts are the counts of a histogram: Within maps a bucket's upper edge to the number of values at or below it.
type Counts struct {
	Within map[float64]int64
	N      int64
}

// group is the data of one judged row: what a measure's selectors pick and its labels have in common.
type group struct {
	labels   map[string]string
	on, over part                // of good over latencies, over are the requests that asked for the answers
	phases   []results.PhaseSpan // that on could be from
	window   bool                // it is one window of good
}

// seconds is the length of the group's phases together.
func (g group) seconds() float64 {
	var ns int64
	for _, p := range g.phases {
		ns += p.End - p.Begin
	}
	return float64(ns) / 1e9
}

// part is the series of one selector together.
type part struct {
	points []Point // in order of time, then value
	counts *Counts
}

func (p *part) add(s Series) {
	p.points = append(p.points, s.Points...)
	if s.Counts == nil {
		return
	}
	if p.counts == nil {
		p.counts = &Counts{Within: map[float64]int64{}}
	}
	p.counts.N += s.Counts.N
	for edge, n := range s.Counts.Within {
		p.counts.Within[edge] += n
	}
}

func (p *part) sort() {
	slices.SortFunc(p.points, func(a, b Point) int { return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Value, b.Value)) })
}

// between are the points of a time, from included, to not.
func (p part) between(from, to results.Instant) part {
	at := func(t results.Instant) int {
		return sort.Search(len(p.points), func(i int) bool { return p.points[i].At >= t })
	}
	return part{points: p.points[at(from):at(to)]}
}

// values are in order of time.
func (p part) values() []float64 {
	values := make([]float64, len(p.points))
	for i, point := range p.points {
		values[i] = point.Value
	}
	return values
}

func (p part) instants() []results.Instant {
	at := make([]results.Instant, len(p.points))
	for i, point := range p.points {
		at[i] = point.At
	}
	return at
}

// n is how many values or events there are.
func (p part) n() int64 {
	if p.counts != nil {
		return p.counts.N
	}
	return int64(len(p.points))
}

// groups divides what a measure is about by its labels, in their order. A measure that is not divided is one group, which
// may be empty.
func (d Data) groups(m *measure) []group {
	by := map[string]*group{}
	of := func(s Series) *group {
		key, labels := "", map[string]string{}
		for _, name := range m.by {
			key += s.Labels[name] + "\x00"
			labels[name] = s.Labels[name]
		}
		if by[key] == nil {
			by[key] = &group{labels: labels}
		}
		return by[key]
	}
	inner := m
	if m.inner != nil {
		inner = m.inner
	}
	if len(m.by) == 0 {
		by[""] = &group{}
	}
	on, over := inner.on, inner.over
	for _, s := range d.picked(on) {
		of(s).on.add(s)
	}
	switch {
	case over != nil:
	case on.metric.Name == Errors: // what could have failed is n, also where nothing did
		over = &choice{metric: on.metric, match: on.withoutOutcome()}
		over.metric.Name = Requests
	case m.inner != nil && on.metric.Name == RequestLatency: // in an outage there are requests without latencies
		over = &choice{metric: on.metric, match: append(slices.Clone(on.match), match{label: "error", not: true, value: "canceled"})}
		over.metric.Name = Requests
	}
	if over != nil {
		for _, s := range d.picked(over) {
			of(s).over.add(s)
		}
	}
	keys := make([]string, 0, len(by))
	for key, g := range by {
		g.on.sort()
		g.over.sort()
		g.phases = d.phases(on, g.labels)
		keys = append(keys, key)
	}
	slices.Sort(keys)
	var all []group
	for _, key := range keys {
		all = append(all, *by[key])
	}
	return all
}

// withoutOutcome are the matchers that pick what could have failed in the way that the selector asks for.
func (c *choice) withoutOutcome() []match {
	return slices.DeleteFunc(slices.Clone(c.match), func(m match) bool { return m.label == "code" || m.label == "error" })
}

// picked are the series that a selector picks. Errors are those of the requests that have one; canceled requests did not fail.
func (d Data) picked(c *choice) []Series {
	name := c.metric.Name
	if name == Errors {
		name = Requests
	}
	var all []Series
	for _, s := range d.Series[name] {
		if c.metric.Name == Errors && (s.Labels["error"] == "" || s.Labels["error"] == "canceled") {
			continue
		}
		if !slices.ContainsFunc(c.match, func(m match) bool { return !m.holds(s.Labels[m.label]) }) {
			all = append(all, s)
		}
	}
	return all
}

// phases are the measured phases that a selector's matchers of phase leave; of a group by phase its own.
func (d Data) phases(c *choice, labels map[string]string) []results.PhaseSpan {
	own, byPhase := labels["phase"]
	return slices.DeleteFunc(slices.Clone(d.Phases), func(p results.PhaseSpan) bool {
		return byPhase && p.Name != own || slices.ContainsFunc(c.match, func(m match) bool { return m.label == "phase" && !m.holds(p.Name) })
	})
}
