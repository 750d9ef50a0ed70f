package promql

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
)

// kind is what an expression is.
type kind string

const (
	kindScalar kind = "number"
	kindString kind = "string"
	kindVector kind = "vector"
	kindRange  kind = "range"
)

// node is an expression.
type node interface {
	kind() kind
	// eval gives its value at an instant.
	eval(e *evaluation, at int64) (value, error)
}

// value is one of the three, by the node's kind.
type value struct {
	scalar float64
	vector []Sample
	ranges []window
}

// window is a series within a range that ends at an instant.
type window struct {
	labels     map[string]string
	points     []Point
	begin, end int64
}

type numberNode float64

func (numberNode) kind() kind { return kindScalar }

func (n numberNode) eval(*evaluation, int64) (value, error) { return value{scalar: float64(n)}, nil }

type stringNode string

func (stringNode) kind() kind { return kindString }

func (stringNode) eval(*evaluation, int64) (value, error) { return value{}, nil }

// matcher is a condition on a label; one that is not there is empty.
type matcher struct {
	label, op, value string
	pattern          *regexp.Regexp
}

func (m matcher) holds(labels map[string]string) bool {
	have := labels[m.label]
	switch m.op {
	case "=":
		return have == m.value
	case "!=":
		return have != m.value
	case "=~":
		return m.pattern.MatchString(have)
	}
	return !m.pattern.MatchString(have)
}

// selectorNode picks series: their last values, or with a length all of that time.
type selectorNode struct {
	metric         string
	matchers       []matcher
	length, offset int64
}

func (s *selectorNode) kind() kind {
	if s.length > 0 {
		return kindRange
	}
	return kindVector
}

// lookback is how old a value may be, in nanoseconds (Prometheus' default).
const lookback = int64(300e9)

func (s *selectorNode) eval(e *evaluation, at int64) (value, error) {
	var v value
	end := at - s.offset
	for _, one := range e.selected(s) {
		points := one.Points[:firstAt(one.Points, end+1)]
		if s.length == 0 {
			if n := len(points); n > 0 && !points[n-1].Stale && points[n-1].At >= end-lookback {
				v.vector = append(v.vector, Sample{one.Labels, points[n-1].Value})
			}
			continue
		}
		w := window{labels: one.Labels, begin: end - s.length, end: end}
		for _, p := range points[firstAt(points, w.begin):] {
			if !p.Stale {
				w.points = append(w.points, p)
			}
		}
		if len(w.points) > 0 {
			v.ranges = append(v.ranges, w)
		}
	}
	return v, nil
}

// firstAt is the number of the first point at or after an instant.
func firstAt(points []Point, at int64) int {
	i, _ := slices.BinarySearchFunc(points, at, func(p Point, at int64) int { return cmp.Compare(p.At, at) })
	return i
}

// subqueryNode evaluates an expression again and again.
type subqueryNode struct {
	of                   node
	length, step, offset int64
}

func (*subqueryNode) kind() kind { return kindRange }

func (s *subqueryNode) eval(e *evaluation, at int64) (value, error) {
	end := at - s.offset
	begin := end - s.length
	at = floorTo(begin, s.step) // the instants are multiples of the step
	if at < begin {
		at += s.step
	}
	by := map[string]*window{}
	var order []string
	for ; at <= end; at += s.step {
		v, err := s.of.eval(e, at)
		if err != nil {
			return value{}, err
		}
		if s.of.kind() == kindScalar {
			v.vector = []Sample{{nil, v.scalar}}
		}
		for _, sample := range v.vector {
			k := key(sample.Labels)
			if by[k] == nil {
				by[k] = &window{labels: sample.Labels, begin: begin, end: end}
				order = append(order, k)
			}
			by[k].points = append(by[k].points, Point{At: at, Value: sample.Value})
		}
	}
	var v value
	for _, k := range order {
		v.ranges = append(v.ranges, *by[k])
	}
	return v, nil
}

func floorTo(v, step int64) int64 {
	down := v / step * step
	if down > v {
		down -= step
	}
	return down
}

// callNode is a function of arguments.
type callNode struct {
	function function
	args     []node
}

func (c *callNode) kind() kind { return c.function.gives }

func (c *callNode) eval(e *evaluation, at int64) (value, error) {
	values := make([]value, len(c.args))
	for i, a := range c.args {
		v, err := a.eval(e, at)
		if err != nil {
			return value{}, err
		}
		values[i] = v
	}
	return c.function.apply(values, e.base+float64(at)/1e9)
}

// evaluation answers one query.
type evaluation struct {
	source Source
	base   float64 // Unix seconds of instant 0
	cache  map[*selectorNode][]Series
}

// selected are the series of a selector, which are the same at every instant.
func (e *evaluation) selected(s *selectorNode) []Series {
	if found, ok := e.cache[s]; ok {
		return found
	}
	found := []Series{}
	for _, one := range e.source.Select(s.metric) {
		if !slices.ContainsFunc(s.matchers, func(m matcher) bool { return !m.holds(one.Labels) }) {
			found = append(found, one)
		}
	}
	e.cache[s] = found
	return found
}

// Over answers the query again and again within a length of time that ends at an instant, as a subquery with this step does.
func (q *Query) Over(source Source, at, length, step int64, base float64) ([]Series, error) {
	e := &evaluation{source: source, base: base, cache: map[*selectorNode][]Series{}}
	v, err := (&subqueryNode{of: q.root, length: length, step: step}).eval(e, at)
	if err != nil {
		return nil, fmt.Errorf("answer query: %w", err)
	}
	var all []Series
	for _, w := range v.ranges {
		all = append(all, Series{w.labels, w.points})
	}
	slices.SortStableFunc(all, func(a, b Series) int { return cmp.Compare(key(a.Labels), key(b.Labels)) })
	return all, nil
}

// At answers the query at an instant; base is instant 0 in Unix seconds. A query that is a number is an answer without labels. The answer is
// in order of its labels.
func (q *Query) At(source Source, at int64, base float64) ([]Sample, error) {
	e := &evaluation{source: source, base: base, cache: map[*selectorNode][]Series{}}
	v, err := q.root.eval(e, at)
	if err != nil {
		return nil, fmt.Errorf("answer query: %w", err)
	}
	if q.root.kind() == kindScalar {
		return []Sample{{map[string]string{}, v.scalar}}, nil
	}
	slices.SortStableFunc(v.vector, func(a, b Sample) int {
		ka, kb := key(a.Labels), key(b.Labels)
		switch {
		case ka < kb:
			return -1
		case ka > kb:
			return 1
		}
		return 0
	})
	return v.vector, nil
}
