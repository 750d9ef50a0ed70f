package analysis

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"windtunnel/results"
)

// seriesKey is one series of one component.
type seriesKey struct{ component, name, labels string }

func (k seriesKey) compare(o seriesKey) int {
	return cmp.Or(strings.Compare(k.component, o.component), strings.Compare(k.name, o.name), strings.Compare(k.labels, o.labels))
}

// series is what is kept of a series over the measured phases.
type series struct {
	rise float64 // of a counter, between looks of one measured phase
	most float64 // at any look in the measured phases
	last float64 // at the last of them that had it
}

// look is all that one answer of a component said.
type look struct {
	at     results.Instant
	values map[seriesKey]float64
	order  []seriesKey // in which they came
}

// looks follows the chosen metrics of every component, look by look. What a counter did depends on the order of the looks,
// so the values wait until all are there and are gone through in order of time, however the file has them.
type looks struct {
	phases window
	keys   []seriesKey         // that there are
	index  map[seriesKey]int32 // of keys
	values []looked
	odd    int64            // values that are NaN or Inf
	open   map[string]*look // the one of each component whose values are still coming
	former map[string]*look // the one before
	n      map[string]int64 // in the measured phases
	series map[seriesKey]*series
	order  []seriesKey           // of series: sums of floating-point numbers depend on the order, and a report must not
	most   map[seriesKey]float64 // of the sum over all labels, which are empty in the key
	seen   func(reading)         // is given every value in order of time; nil: nobody
}

// reading is one value of a look and what it means.
type reading struct {
	key   seriesKey
	at    results.Instant
	value float64
	phase string  // measured one that the look lies in, or empty
	rise  float64 // of a counter since the look before
	rose  string  // measured phase that both looks lie in, or empty
}

// CounterRise is how much a counter rose from one look at a process to the next. Looks can overlap, and the one that was asked first be
// answered last: a counter that is a little lower than before fell by that, which the next look makes up for. One that lost more than half
// was reset without the process saying so: what it shows happened since. After a restart that is known, before is 0.
func CounterRise(before, now float64) float64 {
	if now < before/2 {
		return now
	}
	return now - before
}

// looked is one value that waits.
type looked struct {
	at    results.Instant
	value float64
	key   int32
}

func newLooks(w window) *looks {
	return &looks{phases: w, index: map[seriesKey]int32{}, open: map[string]*look{}, former: map[string]*look{}, n: map[string]int64{},
		series: map[seriesKey]*series{}, most: map[seriesKey]float64{}}
}

// add takes a value, in any order.
func (l *looks) add(m results.Metric) {
	if math.IsNaN(m.Value) || math.IsInf(m.Value, 0) {
		l.odd++
		return
	}
	key := seriesKey{m.Component, m.Name, m.Labels}
	i, known := l.index[key]
	if !known {
		i = int32(len(l.keys))
		l.index[key] = i
		l.keys = append(l.keys, key)
	}
	l.values = append(l.values, looked{m.At, m.Value, i})
}

// notes name what is left out.
func (l *looks) notes() []string {
	if l.odd == 0 {
		return nil
	}
	return []string{fmt.Sprintf("%s: %d values that are no numbers (NaN or Inf) are left out", results.MetricsFile, l.odd)}
}

// finish is called after the last value and goes through all of them.
func (l *looks) finish() {
	rank := make([]int32, len(l.keys)) // of each key in the order of their texts
	for place, key := range slices.SortedFunc(maps.Keys(l.index), seriesKey.compare) {
		rank[l.index[key]] = int32(place)
	}
	slices.SortFunc(l.values, func(a, b looked) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(rank[a.key], rank[b.key]), cmp.Compare(a.value, b.value))
	})
	for _, v := range l.values {
		l.take(l.keys[v.key], v.at, v.value)
	}
	l.values = nil
	for component := range l.open {
		l.close(component)
	}
}

// take adds the next value to the look that it belongs to.
func (l *looks) take(key seriesKey, at results.Instant, value float64) {
	now := l.open[key.component]
	if now == nil || at > now.at {
		l.close(key.component)
		now = &look{at: at, values: map[seriesKey]float64{}}
		l.open[key.component] = now
	}
	if _, twice := now.values[key]; !twice {
		now.order = append(now.order, key)
	}
	now.values[key] = value
}

// close counts a look that is complete.
func (l *looks) close(component string) {
	now, former := l.open[component], l.former[component]
	if now == nil {
		return
	}
	start := seriesKey{component: component, name: startMetric}
	restarted := former != nil && former.values[start] != now.values[start]
	var rose results.PhaseSpan
	counted := false
	if former != nil {
		rose, counted = l.phases.both(former.at, now.at)
	}
	phase, measured := l.phases.at(now.at)
	if measured {
		l.n[component]++
	}
	sums := map[seriesKey]float64{}
	for _, key := range now.order {
		v, s := now.values[key], l.series[key]
		if s == nil {
			s = &series{}
			l.series[key] = s
			l.order = append(l.order, key)
		}
		var before float64
		if former != nil && !restarted {
			before = former.values[key] // a counter that is at 0 is not recorded
		}
		rise := CounterRise(before, v)
		if counted {
			s.rise += rise
		}
		if l.seen != nil {
			l.seen(reading{key, now.at, v, phase.Name, rise, rose.Name})
		}
		if measured {
			s.most, s.last = max(s.most, v), v
			sums[seriesKey{component: key.component, name: key.name}] += v
		}
	}
	for key, sum := range sums {
		l.most[key] = max(l.most[key], sum)
	}
	l.former[component] = now
	delete(l.open, component)
}

// rises are how much the counters of a name rose, by the value of one of their labels; without a label, of all
// together.
func (l *looks) rises(component, name, label string) map[string]float64 {
	by := map[string]float64{}
	for _, key := range l.order {
		if key.component == component && key.name == name {
			by[labelValue(key.labels, label)] += l.series[key].rise
		}
	}
	return by
}

// rise is how much the counters of a name rose together.
func (l *looks) rise(component, name string) float64 {
	return l.rises(component, name, "")[""]
}

// peaks are the largest values of the gauges of a name, by the value of one of their labels.
func (l *looks) peaks(component, name, label string) map[string]float64 {
	by := map[string]float64{}
	for key, s := range l.series {
		if key.component == component && key.name == name {
			value := labelValue(key.labels, label)
			by[value] = max(by[value], s.most)
		}
	}
	return by
}

// peak is the largest sum of the gauges of a name.
func (l *looks) peak(component, name string) float64 {
	return l.most[seriesKey{component: component, name: name}]
}

// labelValue is the value of a label in labels such as {code="200",verb="GET"}, "" where there is none of that name.
// Prometheus' escapes are a part of Go's.
func labelValue(labels, name string) string {
	rest := strings.TrimPrefix(labels, "{")
	for rest != "" {
		key, after, ok := strings.Cut(rest, "=")
		if !ok {
			return ""
		}
		quoted, err := strconv.QuotedPrefix(after)
		if err != nil {
			return ""
		}
		if key == name {
			value, _ := strconv.Unquote(quoted) // QuotedPrefix has checked it
			return value
		}
		rest = strings.TrimPrefix(after[len(quoted):], ",")
	}
	return ""
}
