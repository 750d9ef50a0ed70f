package slo

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"windtunnel/analysis/stats"
	"windtunnel/profiles"
	"windtunnel/results"
)

// found is what a measure came to in one group.
type found struct {
	value     *float64
	low, high *float64 // 95 % interval, or the bucket of a histogram's quantile
	n         int64
	effective float64 // as many independent values tell the same; 0: not known
	note      string  // why there is no value, or what limits it
	few       bool    // there are too few values for it, whatever the objective needs
	endless   bool    // the value is beyond any number: pods that never ran
}

func number(v float64) *float64 { return &v }

// evaluate works a measure out.
func (d Data) evaluate(m *measure, g group) found {
	if m.inner != nil {
		return d.good(m, g)
	}
	n := g.on.n()
	if m.on.metric.Name == Errors {
		n = g.over.n()
	}
	f := found{n: n}
	if n == 0 && m.function != "ratio" && !(g.window && m.countsNothing()) {
		f.note = d.nothing(m.on)
		return f
	}
	switch m.function {
	case "quantile":
		return quantile(g.on, m.q)
	case "within":
		return within(g.on, m.limit)
	case "ratio":
		return d.ratio(m, g)
	case "count":
		f.value = number(float64(g.on.n()))
	case "rate":
		f.value = rate(g.on, m.on.metric.Kind, g.seconds())
	case "increase":
		f.value = number(sum(g.on))
	case "max_rate":
		if length := int64(m.window * 1e9); !slices.ContainsFunc(g.phases, func(p results.PhaseSpan) bool { return p.End-p.Begin >= length }) {
			f.note = fmt.Sprintf("no measured phase is as long as the window of %s", Seconds.Format(m.window))
			return f
		}
		f.value = number(stats.MaxRate(g.on.instants(), m.window))
	default:
		f.value, f.endless = summed(m.function, g.on)
	}
	if f.value == nil && !f.endless {
		f.note = "the measured phases that it is about have no length"
	}
	return f
}

func sum(p part) float64 {
	total := 0.0
	for _, point := range p.points {
		total += point.Value
	}
	return total
}

func rate(p part, kind Kind, seconds float64) *float64 {
	if seconds <= 0 {
		return nil
	}
	if kind == Counter {
		return number(sum(p) / seconds)
	}
	return number(float64(p.n()) / seconds)
}

// summed is the mean, max or min. Of values of which one is endless the mean and the largest are, too.
func summed(function string, p part) (value *float64, endless bool) {
	values := p.values()
	v := 0.0
	switch function {
	case "max":
		v = slices.Max(values)
	case "min":
		v = slices.Min(values)
	case "mean":
		v = sum(p) / float64(len(values))
	}
	if math.IsInf(v, 1) {
		return nil, true
	}
	return &v, false
}

// quantile is exact with an interval of order statistics that knows of the values' dependence; of a histogram it is Prometheus'
// estimate with the edges of the bucket.
func quantile(p part, q float64) found {
	f := found{n: p.n()}
	if least := stats.LeastFor(q); f.n < int64(least) {
		f.few = true
		f.note = fmt.Sprintf("%d values, a quantile at %s needs %d", f.n, plain(q), least)
		return f
	}
	if p.counts != nil {
		f.value, f.low, f.high = p.counts.Quantile(q)
		f.endless = f.value == nil
		f.note = "of a histogram: all that is certain is the bucket"
		return f
	}
	inTime := p.values()
	sorted := slices.Sorted(slices.Values(inTime))
	v := stats.Quantile(sorted, q)
	dependence := stats.DependenceAt(inTime, v)
	f.effective = dependence.Effective
	low, high := stats.EffectiveInterval(len(sorted), dependence.Effective, q)
	at := func(rank int) *float64 {
		if rank == 0 || math.IsInf(sorted[rank-1], 1) {
			return nil
		}
		return number(sorted[rank-1])
	}
	f.low, f.high = at(low), at(high)
	if f.endless = math.IsInf(v, 1); !f.endless {
		f.value = &v
	}
	return f
}

// Quantile is linear within the bucket, as Prometheus has it, and the bucket's edges are all that is known for certain. Beyond the last
// finite edge there is only a lower bound.
func (c *Counts) Quantile(q float64) (value, low, high *float64) {
	rank := q * float64(c.N)
	below, under := 0.0, int64(0)
	for _, edge := range slices.Sorted(maps.Keys(c.Within)) {
		if math.IsInf(edge, 1) {
			break
		}
		n := c.Within[edge]
		if float64(n) >= rank && n > under {
			return number(below + (edge-below)*(rank-float64(under))/float64(n-under)), number(below), number(edge)
		}
		below, under = edge, n
	}
	return nil, number(below), nil
}

func within(p part, limit float64) found {
	f := found{n: p.n()}
	var k int64
	if p.counts != nil {
		var note string
		if k, note = p.counts.within(limit, f.n); note != "" {
			f.note = note
			return f
		}
	} else {
		values := p.values()
		for _, v := range values {
			if v <= limit {
				k++
			}
		}
		f.effective = stats.DependenceAt(values, limit).Effective
	}
	f.share(k)
	return f
}

// within is exact at the edges of buckets. Elsewhere two numbers enclose it, and where they are not the same it is not known.
func (c *Counts) within(limit float64, n int64) (k int64, note string) {
	edges := slices.Sorted(maps.Keys(c.Within))
	i, exact := slices.BinarySearch(edges, limit)
	if exact {
		return c.Within[limit], ""
	}
	low, high, edge := int64(0), n, "0 s"
	if i > 0 {
		low, edge = c.Within[edges[i-1]], Seconds.Format(edges[i-1])
	}
	if i < len(edges) {
		high = c.Within[edges[i]]
	}
	if low == high {
		return low, ""
	}
	next := "the end"
	if i < len(edges) && !math.IsInf(edges[i], 1) {
		next = Seconds.Format(edges[i])
	}
	return 0, fmt.Sprintf("undecided: the histogram has no edge at %s; %s are within %s and %s within %s", Seconds.Format(limit),
		Fraction.Format(float64(low)/float64(n)), edge, Fraction.Format(float64(high)/float64(n)), next)
}

// share is k of n with its interval.
func (f *found) share(k int64) {
	effective := f.effective
	if effective == 0 {
		effective = float64(f.n)
	}
	low, high := stats.EffectiveProportion(k, f.n, effective)
	f.value, f.low, f.high = number(float64(k)/float64(f.n)), &low, &high
}

// ratio has an interval where the first is a part of the second: errors of the same requests.
func (d Data) ratio(m *measure, g group) found {
	f := found{n: g.over.n()}
	if f.n == 0 {
		f.note = d.nothing(m.over)
		return f
	}
	k := g.on.n()
	f.value = number(float64(k) / float64(f.n))
	if m.on.partOf(m.over) && k <= f.n {
		f.effective = stats.DependenceAt(marks(g.over.points, g.on.points), 0).Effective
		f.share(k)
	}
	return f
}

// partOf tells that all that a selector picks is picked by another one, too, as far as that can be seen: they have the same
// matchers but for those of the outcome.
func (c *choice) partOf(all *choice) bool {
	if c.metric.Name != Errors && c.metric.Name != Requests || all.metric.Name != Requests {
		return false
	}
	same := func(a, b match) bool {
		return a.label == b.label && a.not == b.not && a.value == b.value
	}
	mine := c.withoutOutcome()
	return len(mine) == len(all.match) && !slices.ContainsFunc(mine, func(m match) bool {
		return !slices.ContainsFunc(all.match, func(o match) bool { return same(m, o) })
	})
}

// marks are 1 for every point that is among others and 0 for the rest, in order of time: both are sorted.
func marks(all, some []Point) []float64 {
	out, next := make([]float64, len(all)), 0
	for i, p := range all {
		if next < len(some) && p.At == some[next].At {
			out[i], next = 1, next+1
		}
	}
	return out
}

// countsNothing tells that a window without events has a value, which is 0. Of errors that takes requests that could have failed.
func (m *measure) countsNothing() bool {
	counts := m.function == "count" || m.function == "rate" || m.function == "max_rate"
	return counts && (m.on.metric.Kind == Events || m.on.metric.Kind == Samples) && m.on.metric.Name != Errors
}

// mostWindows is more than any run has that can be believed: with a damaged instant there would be no end.
const mostWindows = 100_000_000

// good is the part of the windows in which the inner comparison holds.
func (d Data) good(m *measure, g group) found {
	var f found
	if g.on.n() == 0 && g.over.n() == 0 {
		f.note = d.nothing(m.inner.on) // or zero events in every window would be a verdict
		return f
	}
	length := int64(m.window * 1e9)
	if g.seconds()/m.window > mostWindows {
		f.note = fmt.Sprintf("the measured phases have more than %d windows", mostWindows)
		return f
	}
	var without int
	var kept []float64 // 0 for a window in which it holds, in order of time
	for _, phase := range g.phases {
		for begin := phase.Begin; phase.End-begin >= length; begin += length {
			span := results.PhaseSpan{Name: phase.Name, Begin: begin, End: begin + length}
			part := group{on: g.on.between(begin, span.End), over: g.over.between(begin, span.End), phases: []results.PhaseSpan{span}, window: true}
			inner := d.evaluate(m.inner, part)
			bad := 1.0
			switch {
			case inner.value == nil && !inner.endless && !m.inner.unanswered(inner, part):
				without++
				continue
			case (inner.value != nil || inner.endless) && m.inner.holds(inner):
				bad = 0
			}
			kept = append(kept, bad)
		}
	}
	if f.n = int64(len(kept)); f.n == 0 {
		f.note = "no whole window of the measured phases has enough data"
		return f
	}
	f.effective = stats.DependenceAt(kept, 0).Effective
	k := int64(0)
	for _, bad := range kept {
		if bad == 0 {
			k++
		}
	}
	f.share(k)
	if without > 0 {
		f.note = fmt.Sprintf("%d windows without enough data do not count", without)
	}
	return f
}

// unanswered tells that latencies have no value because requests were not answered: there was no answer at all, or too few of
// them though there were enough requests. Such a window is bad whatever its few answers took.
func (m *measure) unanswered(f found, g group) bool {
	if m.on.metric.Name != RequestLatency {
		return false
	}
	asked := g.over.n()
	return f.n == 0 && asked > 0 || f.few && asked >= int64(stats.LeastFor(m.q))
}

// holds tells whether a value is inside of the limit, by the point estimate.
func (m *measure) holds(f found) bool {
	v := math.Inf(1)
	if f.value != nil {
		v = *f.value
	}
	return m.inside(v)
}

func (m *measure) inside(v float64) bool {
	switch m.compare {
	case "<=":
		return v <= m.threshold
	case "<":
		return v < m.threshold
	case ">=":
		return v >= m.threshold
	case ">":
		return v > m.threshold
	case "!=":
		return v != m.threshold
	}
	return v == m.threshold
}

// nothing says why a selector has no data: there are no such series, or which value of a label was asked for in vain.
func (d Data) nothing(c *choice) string {
	name := c.metric.Name
	if name == Errors {
		name = Requests
	}
	if why := d.Missing[name]; why != "" {
		return why
	}
	all := d.Series[name]
	if len(all) == 0 {
		return "the run has no " + strings.ReplaceAll(name, "_", " ")
	}
	for _, m := range c.match {
		values := map[string]bool{}
		for _, s := range all {
			values[s.Labels[m.label]] = true
		}
		if slices.ContainsFunc(slices.Collect(maps.Keys(values)), m.holds) {
			continue
		}
		none := fmt.Sprintf("no %s of the run has this %s", strings.ReplaceAll(name, "_", " "), m.label)
		if hint := profiles.Suggest(m.value, slices.Sorted(maps.Keys(values))); hint != "" {
			none += "; " + hint
		}
		return none
	}
	return "nothing of the run matches all of the labels"
}
