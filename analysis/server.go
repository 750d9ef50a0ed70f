package analysis

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"windtunnel/analysis/slo"
	"windtunnel/analysis/stats"
	"windtunnel/results"
)

const (
	apiServer = "kube-apiserver"
	// sliMetric is the API server's own measure of the API-call SLI: from receiving a request to the last byte of the
	// answer, without the time in webhooks and in the queues of priority and fairness.
	sliMetric   = "apiserver_request_sli_duration_seconds"
	startMetric = "process_start_time_seconds"
)

// call is a row of the SLI: one kind of request.
type call struct {
	verb, group, resource, subresource, scope string
}

func (c call) compare(d call) int {
	return cmp.Or(strings.Compare(c.resource, d.resource), strings.Compare(c.subresource, d.subresource),
		strings.Compare(c.verb, d.verb), strings.Compare(c.scope, d.scope), strings.Compare(c.group, d.group))
}

// path is RESOURCE or RESOURCE/SUBRESOURCE, with .GROUP behind the resource where the group is known.
func (c call) path() string { return results.ResourcePath(c.group, c.resource, c.subresource) }

// threshold is the SLO's limit in seconds: 1 s for calls on one object, 30 s for reads of a namespace or the cluster
// (sig-scalability, api_call_latency.md). DELETECOLLECTION, the only other call on many objects, which the SLO does not
// cover, is held to the 30 s that ClusterLoader2 holds it to.
func (c call) threshold() float64 {
	if c.scope == "resource" {
		return 1
	}
	return 30
}

// outsideSLO are the calls that are streams, whose latency is the client's doing, or that are for no resource, such as
// those for the OpenAPI document.
func (c call) outsideSLO() bool {
	if c.resource == "" {
		return true
	}
	switch c.verb {
	case "WATCH", "WATCHLIST", "CONNECT":
		return true
	}
	switch c.subresource {
	case "log", "exec", "portforward", "attach", "proxy":
		return true
	}
	return false
}

// histogram counts observations: buckets maps an upper bound in seconds to the number at or below it.
type histogram struct {
	buckets map[float64]int64
	n       int64
}

func (h *histogram) add(o histogram, sign int64) {
	if h.buckets == nil {
		h.buckets = map[float64]int64{}
	}
	for le, n := range o.buckets {
		h.buckets[le] += sign * n
	}
	h.n += sign * o.n
}

// within is the number of observations at or below a bound, which must be an edge of a bucket to be known.
func (h histogram) within(bound float64) (int64, bool) {
	n, ok := h.buckets[bound]
	return n, ok
}

// quantile is the q-quantile in seconds as Prometheus estimates it, linear within the bucket that it falls into; the
// bucket's edges are all that is known for certain and are given as the bounds. nil for a histogram that has too few for it (stats.LeastFor).
func (h histogram) quantile(q float64) *results.Bounds {
	if h.n < int64(stats.LeastFor(q)) {
		return nil
	}
	value, low, high := (&slo.Counts{Within: h.buckets, N: h.n}).Quantile(q)
	if value == nil {
		value = low // beyond the last finite edge
	}
	return &results.Bounds{Value: *value, Low: low, High: high}
}

// calls are the histograms of one scrape, or of the difference between two.
type calls map[call]histogram

// parseCalls reads the SLI histograms out of a scrape.
func parseCalls(body []byte) (calls, error) {
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(only(body, sliMetric)))
	if err != nil {
		return nil, fmt.Errorf("parse metrics: %w", err)
	}
	out := calls{}
	for _, m := range families[sliMetric].GetMetric() {
		var c call
		for _, l := range m.GetLabel() {
			switch l.GetName() {
			case "verb":
				c.verb = l.GetValue()
			case "group":
				c.group = l.GetValue()
			case "resource":
				c.resource = l.GetValue()
			case "subresource":
				c.subresource = l.GetValue()
			case "scope":
				c.scope = l.GetValue()
			}
		}
		if c.outsideSLO() || m.GetHistogram() == nil {
			continue
		}
		h := histogram{buckets: map[float64]int64{}, n: int64(m.GetHistogram().GetSampleCount())}
		for _, b := range m.GetHistogram().GetBucket() {
			h.buckets[b.GetUpperBound()] = int64(b.GetCumulativeCount())
		}
		sum := out[c] // versions of one resource are one row
		sum.add(h, 1)
		out[c] = sum
	}
	return out, nil
}

// only keeps the lines of one metric, with its TYPE: a whole scrape of an API server is megabytes.
func only(body []byte, metric string) []byte {
	var kept []byte
	for line := range bytes.Lines(body) {
		if bytes.HasPrefix(line, []byte(metric)) || bytes.HasPrefix(line, []byte("# TYPE "+metric+" ")) {
			kept = append(kept, line...)
		}
	}
	if len(kept) > 0 && kept[len(kept)-1] != '\n' {
		kept = append(kept, '\n')
	}
	return kept
}

// processStart is when the scraped process started, in Unix seconds; 0 where the scrape does not say.
func processStart(body []byte) float64 {
	for line := range bytes.Lines(body) {
		if rest, ok := bytes.CutPrefix(line, []byte(startMetric+" ")); ok {
			v, err := strconv.ParseFloat(string(bytes.TrimSpace(rest)), 64)
			if err == nil {
				return v
			}
		}
	}
	return 0
}

// difference is later − earlier of one process. A counter that went down was reset without the process saying so: what
// it shows then is all that happened since, and the row is named.
func difference(earlier, later calls) (calls, []call) {
	out := calls{}
	var reset []call
	for c, h := range later {
		var d histogram
		d.add(h, 1)
		d.add(earlier[c], -1)
		if d.n < 0 || slices.ContainsFunc(slices.Collect(maps.Values(d.buckets)), func(n int64) bool { return n < 0 }) {
			reset = append(reset, c)
			d = h
		}
		if d.n > 0 {
			out[c] = d
		}
	}
	slices.SortFunc(reset, call.compare)
	return out, reset
}

// serverRows are the rows of the SLI in order of resource, verb and scope.
func serverRows(cs calls) []results.ServerRow {
	rows := []results.ServerRow{}
	for _, c := range slices.SortedFunc(maps.Keys(cs), call.compare) {
		h := cs[c]
		row := results.ServerRow{Verb: c.verb, Group: c.group, Resource: c.resource, Subresource: c.subresource, Scope: c.scope,
			N: h.n, P50: h.quantile(0.50), P90: h.quantile(0.90), P99: h.quantile(0.99), Threshold: c.threshold()}
		if k, ok := h.within(row.Threshold); ok {
			row.Within = float64(k) / float64(h.n)
		}
		rows = append(rows, row)
	}
	return rows
}
