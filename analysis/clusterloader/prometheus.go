package clusterloader

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"windtunnel/analysis/promql"
	"windtunnel/results"
)

// view is the database as the queries of one measurement see it.
type view struct {
	*database
	window span
}

// Select gives the series of a metric as a Prometheus has them that scraped the components when they were looked at. A series that is not
// in a look any more has ended there. It makes the view a source of queries.
func (v view) Select(metric string) []promql.Series {
	var all []promql.Series
	spaced := map[string][]results.Instant{}
	for _, s := range v.byName[metric] {
		one := promql.Series{Labels: maps.Clone(s.labels)}
		one.Labels["__name__"] = metric
		looks, known := spaced[s.component]
		if !known {
			looks = v.spaced(s.component, v.window)
			spaced[s.component] = looks
		}
		points := slices.DeleteFunc(slices.Clone(s.points), func(p point) bool {
			_, kept := slices.BinarySearch(looks, p.at)
			return len(looks) > 0 && !kept
		})
		var last point
		for i, p := range points {
			if !s.counts() || !p.behind(last) {
				one.Points, last = append(one.Points, promql.Point{At: p.at, Value: p.value}), p
			}
			n, _ := slices.BinarySearch(looks, p.at+1)
			if n < len(looks) && (i+1 == len(points) || points[i+1].at > looks[n]) {
				one.Points = append(one.Points, promql.Point{At: looks[n], Stale: true})
			}
		}
		all = append(all, one)
	}
	return all
}

// scrapeGap is the least time between two looks that count as samples: those at the calls of measurements come beside those by the clock,
// and a rate between two looks that are close together is one of chance.
const scrapeGap = results.Instant(1e9)

// spaced are the looks at a component without those that are less than the gap from one that is kept. The first and the last within the
// window, which belong to the calls, are always kept.
func (d *database) spaced(component string, w span) []results.Instant {
	looks := d.looks[component]
	i, _ := slices.BinarySearch(looks, w.from)
	j, _ := slices.BinarySearch(looks, w.to+1)
	var always, kept []results.Instant
	if i < j {
		always = []results.Instant{looks[i], looks[j-1]}
	}
	for _, at := range looks {
		near := func(other results.Instant) bool { return at > other-scrapeGap && at < other+scrapeGap }
		switch {
		case slices.Contains(always, at):
			if len(kept) > 0 && kept[len(kept)-1] == at {
				continue
			}
		case slices.ContainsFunc(always, near), len(kept) > 0 && near(kept[len(kept)-1]):
			continue
		}
		kept = append(kept, at)
	}
	return kept
}

// containerNamespace is the label of the metrics of containers. The original's Prometheus overwrites the container's own namespace with that
// of the service by which it finds kubelets, and queries are written to that.
const containerNamespace = "monitoring"

// containerMetrics are those of cAdvisor that samples of processes can stand in for: each process is a container of its component's name.
func (d *database) containerMetrics(samples []results.ProcessSample) {
	for metric, of := range map[string]func(results.ProcessSample) float64{
		"container_cpu_usage_seconds_total":  func(s results.ProcessSample) float64 { return s.CPUSeconds },
		"container_memory_working_set_bytes": func(s results.ProcessSample) float64 { return float64(s.RSS) },
		"container_memory_rss":               func(s results.ProcessSample) float64 { return float64(s.RSS) },
	} {
		by := map[string]*series{}
		for _, s := range samples {
			if !d.wanted[metric] {
				break
			}
			if by[s.Component] == nil {
				by[s.Component] = &series{name: metric, component: "cadvisor " + s.Component, labels: map[string]string{"container": s.Component, "pod": s.Component, "namespace": containerNamespace}}
				d.insert(by[s.Component])
			}
			by[s.Component].points = append(by[s.Component].points, point{at: s.At, value: of(s)})
		}
	}
}

// question is a query that is asked at the end of a measurement, with its length in all places that are kept for it.
type question struct {
	*promql.Query
	text   string
	source view
	at     results.Instant
	length results.Instant // whole seconds, as the original has it
	base   float64         // Unix seconds of instant 0
}

func (e *evidence) question(query string, w window) (question, error) {
	// The looks of both calls are within the range: it reaches from the start of the one to the end of the other.
	q := question{at: w.gather.returned()}
	seconds := max(1, int64(math.Ceil(time.Duration(q.at-w.start.At).Seconds())))
	q.length, q.text = results.Instant(seconds)*results.Instant(time.Second), inRange(query, fmt.Sprintf("%ds", seconds))
	var err error
	if q.Query, err = promql.Parse(q.text); err != nil {
		return q, fmt.Errorf("query %q: %w", q.text, err)
	}
	started, err := time.Parse(time.RFC3339, e.run.Started)
	if err != nil {
		return q, fmt.Errorf("the run does not say when it started: %w", err)
	}
	q.source, q.base = view{e.db, span{w.start.At, q.at}}, float64(started.Unix())
	return q, nil
}

// ask answers a query at the end of a measurement. Values that are none are left out, as the original does. An infinite one is an error: no
// figure, and nothing that JSON can hold.
func (e *evidence) ask(query string, w window) ([]promql.Sample, error) {
	q, err := e.question(query, w)
	if err != nil {
		return nil, err
	}
	samples, err := q.At(q.source, q.at, q.base)
	if err != nil {
		return nil, fmt.Errorf("query %q: %w", q.text, err)
	}
	if slices.ContainsFunc(samples, func(s promql.Sample) bool { return math.IsInf(s.Value, 0) }) {
		return nil, fmt.Errorf("query %q: a value is infinite", q.text)
	}
	return slices.DeleteFunc(samples, func(s promql.Sample) bool { return math.IsNaN(s.Value) }), nil
}

// inRange is a query with a length of time in all places that are kept for that of the measurement.
func inRange(query, length string) string { return strings.ReplaceAll(query, "%v", length) }

// queryMetrics are the metrics that a query needs; one that cannot be parsed needs none, and fails when it is asked.
func queryMetrics(query string) []string {
	q, err := promql.Parse(inRange(query, "1m"))
	if err != nil {
		return nil
	}
	return q.Metrics()
}

// maxThroughputQuery is how the original asks for the largest rate at which the scheduler bound pods.
const maxThroughputQuery = `max_over_time(sum(irate(apiserver_request_total{verb="POST", resource="pods", subresource="binding", code="201"}[1m]))[%v:5s])`

func throughputMetrics(params) []string { return queryMetrics(maxThroughputQuery) }

// schedulingThroughputPrometheus is the largest rate of bindings, between two looks at the API server. Without a sample it fails whatever
// its parameters, as in the original.
func schedulingThroughputPrometheus(e *evidence, w window) finding {
	threshold, err1 := w.gather.params.number("threshold", 0)
	enforced, err2 := w.gather.params.boolean("enableViolations", false)
	for _, err := range []error{err1, err2} {
		if err != nil {
			return failed(err)
		}
	}
	f := finding{decides: threshold > 0, notEnforced: !enforced}
	samples, err := e.ask(maxThroughputQuery, w)
	if err != nil {
		return failed(err)
	}
	if len(samples) != 1 {
		return failed(errors.New("the API server's metrics show no binding"))
	}
	most := samples[0].Value
	f.summaries = []summary{{"SchedulingThroughputPrometheus", map[string]float64{"max": most}}}
	if threshold <= 0 {
		f.show("max", most, "pods/s", 1)
		return f
	}
	f.judge("max", most, "pods/s", threshold, true, 1)
	if most < threshold {
		f.violate("the most was %.2f pods a second, less than %g", most, threshold)
	}
	return f
}

// sloMeasurement has two parts, of which the latency of DNS cannot be measured on hollow nodes.
func sloMeasurement(e *evidence, w window) finding {
	if own, ok := w.gather.params["overrides"].(map[string]any); ok {
		if changed, ok := own["SchedulingThroughputPrometheus"].(map[string]any); ok {
			w.gather.params = maps.Clone(w.gather.params)
			maps.Copy(w.gather.params, changed)
		}
	}
	f := schedulingThroughputPrometheus(e, w)
	f.note("DnsLookupLatency: skipped, because hollow nodes run no containers and have no network between pods")
	return f
}
