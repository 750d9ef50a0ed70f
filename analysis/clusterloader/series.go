package clusterloader

import (
	"bytes"
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	"windtunnel/results"
)

// point is one value of a series.
type point struct {
	at    results.Instant
	value float64
	start float64 // of the process that said it, Unix seconds; 0 where it did not say
}

// series is one time series: the values of one metric with one set of labels of one component.
type series struct {
	name      string
	component string
	labels    map[string]string
	points    []point // in order of time once the database is finished
}

// database are the chosen metrics out of the scrapes of a run, as Prometheus would have kept them.
type database struct {
	wanted map[string]bool
	byName map[string][]*series
	known  map[string]map[string]*series // by component, and by the text before the value
	looks  map[string][]results.Instant  // at the components
}

func newDatabase(wanted map[string]bool) *database {
	return &database{wanted: wanted, byName: map[string][]*series{}, known: map[string]map[string]*series{}, looks: map[string][]results.Instant{}}
}

// startMetric is when a process started, by which a restart is seen.
const startMetric = "process_start_time_seconds"

// add takes the wanted lines out of a scrape.
func (d *database) add(s results.Scrape) {
	d.looks[s.Component] = append(d.looks[s.Component], s.At)
	if d.known[s.Component] == nil {
		d.known[s.Component] = map[string]*series{}
	}
	start := 0.0
	if i := bytes.Index(s.Body, []byte("\n"+startMetric+" ")); i >= 0 {
		line, _, _ := bytes.Cut(s.Body[i+1:], []byte("\n"))
		_, start, _ = splitLine(line)
	}
	for line := range bytes.Lines(s.Body) {
		name := line
		if i := bytes.IndexAny(line, "{ "); i > 0 {
			name = line[:i]
		}
		if !d.wanted[string(name)] {
			continue
		}
		key, value, ok := splitLine(line)
		if !ok {
			continue
		}
		one := d.known[s.Component][string(key)]
		if one == nil {
			one = &series{name: string(name), component: s.Component, labels: seriesLabels(string(key[len(name):]), s.Component)}
			d.known[s.Component][string(key)] = one
			d.byName[one.name] = append(d.byName[one.name], one)
		}
		one.points = append(one.points, point{at: s.At, value: value, start: start})
	}
}

// splitLine cuts a line of the text format into name with labels, and value. A timestamp behind it is left out.
func splitLine(line []byte) (key []byte, value float64, ok bool) {
	i := bytes.LastIndexByte(line, '}') + 1
	if i == 0 {
		if i = bytes.IndexByte(line, ' '); i < 0 {
			return nil, 0, false
		}
	}
	fields := bytes.Fields(line[i:])
	if len(fields) == 0 {
		return nil, 0, false
	}
	value, err := strconv.ParseFloat(string(fields[0]), 64)
	return line[:i], value, err == nil
}

// targetLabels are those that a scraping Prometheus gives to all series of a component: job and instance, here both the component's name, and
// endpoint, which is the name of its port in the original's manifests.
func targetLabels(component string) map[string]string {
	labels := map[string]string{"job": component, "instance": component, "endpoint": component}
	switch component {
	case apiServer:
		labels["endpoint"] = "apiserver"
	case etcdComponent:
		labels["endpoint"] = "etcd-2379"
	}
	return labels
}

// exported begins the name of a label that the series have themselves and a scraping Prometheus sets.
const exported = "exported_"

// own are the labels that the component itself has given the series.
func (s *series) own() map[string]string {
	labels := maps.Clone(s.labels)
	for name := range targetLabels(s.component) {
		delete(labels, name)
		if v, ok := labels[exported+name]; ok {
			labels[name] = v
			delete(labels, exported+name)
		}
	}
	return labels
}

// seriesLabels reads {a="b",c="d"} and adds those of the target.
func seriesLabels(text, component string) map[string]string {
	target := targetLabels(component)
	labels := maps.Clone(target)
	text = strings.TrimPrefix(strings.TrimSuffix(text, "}"), "{")
	for text != "" {
		name, rest, ok := strings.Cut(text, "=")
		if !ok {
			break
		}
		quoted, err := strconv.QuotedPrefix(rest)
		if err != nil {
			break
		}
		value, err := strconv.Unquote(quoted)
		if err != nil {
			break
		}
		name = strings.TrimSpace(name)
		if _, taken := target[name]; taken {
			name = exported + name
		}
		if value != "" { // an empty label is none
			labels[name] = value
		}
		text = strings.TrimPrefix(rest[len(quoted):], ",")
	}
	return labels
}

// insert adds a series that does not come from a scrape.
func (d *database) insert(s *series) { d.byName[s.name] = append(d.byName[s.name], s) }

// finish puts everything in order of time, and the series of a name in order of their labels.
func (d *database) finish() {
	for _, all := range d.byName {
		for _, s := range all {
			slices.SortFunc(s.points, func(a, b point) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.value, b.value)) })
		}
		slices.SortFunc(all, func(a, b *series) int { return strings.Compare(a.key(), b.key()) })
	}
	for _, at := range d.looks {
		slices.Sort(at)
	}
	d.known = nil
}

// key tells series of one name apart.
func (s *series) key() string {
	var b strings.Builder
	b.WriteString(s.component)
	for _, name := range slices.Sorted(maps.Keys(s.labels)) {
		b.WriteString("\x00" + name + "\x00" + s.labels[name])
	}
	return b.String()
}

// span are the looks at a component that enclose a measurement.
type span struct{ from, to results.Instant }

// between are the last look before a start has returned and the first after a gather has begun: both are taken at every call. Where
// there is no such look, the next one within counts. ok is false when there are not two.
func (d *database) between(component string, started, gathered results.Instant) (span, bool) {
	looks := d.looks[component]
	i, exact := slices.BinarySearch(looks, started)
	if !exact && i > 0 {
		i--
	}
	j, _ := slices.BinarySearch(looks, gathered)
	j = min(j, len(looks)-1)
	if i >= j {
		return span{}, false
	}
	return span{looks[i], looks[j]}, true
}

// counts tells whether the series is a counter, by its name.
func (s *series) counts() bool {
	return slices.ContainsFunc([]string{"_total", "_count", "_sum", "_bucket"}, func(suffix string) bool { return strings.HasSuffix(s.name, suffix) })
}

// behind tells whether a counter's point is older than the one before it: looks that overlap may be answered in the other order, and then
// the counter falls although its process is the same.
func (p point) behind(before point) bool {
	return p.start != 0 && p.start == before.start && p.value < before.value
}

// increase is by how much a counter went up within a span. A series that was not there at the begin of the span counts from 0, and one
// whose process began anew from 0 again; so does one that went down where nothing says when its process began.
func (s *series) increase(w span) float64 {
	total, last := 0.0, point{}
	known := false
	first, _ := slices.BinarySearchFunc(s.points, w.from, func(p point, at results.Instant) int { return cmp.Compare(p.at, at) })
	for _, p := range s.points[first:] {
		if p.at > w.to {
			break
		}
		switch {
		case known && p.behind(last):
			continue
		case p.at == w.from: // what was before
		case !known || p.start != last.start || p.value < last.value:
			total += p.value
		default:
			total += p.value - last.value
		}
		last, known = p, true
	}
	return total
}
