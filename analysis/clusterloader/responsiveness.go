package clusterloader

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"windtunnel/results"
)

// apiServer is the component whose metrics the measurement reads.
const apiServer = "kube-apiserver"

// watchListMetric is the time that a watch with initial events takes for them; the simple form of the measurement has it as a verb.
const watchListMetric = "apiserver_watch_list_duration_seconds"

// sliMetrics are the names that the API server's SLI has had, the newest (since Kubernetes 1.26) first.
func sliMetrics() []string {
	return []string{"apiserver_request_sli_duration_seconds", "apiserver_request_slo_duration_seconds", "apiserver_request_duration_seconds"}
}

func apiMetrics(params) []string {
	var names []string
	for _, name := range append(sliMetrics(), watchListMetric) {
		names = append(names, name+"_bucket")
	}
	return names
}

// apiCall is a row: the kinds of request that the original tells apart. Groups and versions of a resource are one.
type apiCall struct{ verb, resource, subresource, scope string }

func (c apiCall) String() string {
	text := c.verb + " " + results.ResourcePath("", c.resource, c.subresource)
	if c.scope == "" { // of what is no resource, such as /openapi/v3
		return text
	}
	return text + " (" + c.scope + ")"
}

// apiRow is what is known of one.
type apiRow struct {
	call        apiCall
	latency     latency
	count, slow int
}

// apiResponsiveness is the latency of API calls by the API server's own SLI.
func apiResponsiveness(e *evidence, w window) finding {
	p := w.gather.params
	simple, err1 := p.boolean("useSimpleLatencyQuery", false)
	name, err2 := p.text("summaryName", "APIResponsivenessPrometheus")
	allowed, err3 := p.number("allowedSlowCalls", 0)
	enforced, err4 := p.boolean("enableViolations", false)
	for _, err := range []error{err1, err2, err3, err4} {
		if err != nil {
			return failed(err)
		}
	}
	f := finding{decides: true, notEnforced: !enforced}
	looks, ok := e.db.between(apiServer, w.start.returned(), w.gather.At)
	if !ok {
		f.empty = true
		f.note("there are not two looks at the API server's metrics")
		return f
	}
	rows := e.apiRows(looks, simple)
	limits, err := customThresholds(p)
	if err != nil {
		return failed(err)
	}
	single, err := p.duration("singleResourceThreshold", time.Second)
	if err != nil {
		f.note("%v: 1s is taken", err) // as the original does
	}
	f.empty = len(rows) == 0
	data := PerfData{Version: "v1", DataItems: []DataItem{}}
	for i, r := range rows {
		data.DataItems = append(data.DataItems, r.latency.item(map[string]string{"Verb": r.call.verb, "Resource": r.call.resource,
			"Subresource": r.call.subresource, "Scope": r.call.scope, "Count": strconv.Itoa(r.count), "SlowCount": strconv.Itoa(r.slow)}))
		f.judgeCall(r, threshold(r.call, limits, single), int(allowed), i < mostShown)
	}
	f.summaries = []summary{{name, data}}
	return f
}

// mostShown is how many of the slowest rows are shown in any case.
const mostShown = 5

// judgeCall holds a row to its threshold: its p50, p90 and p99, unless it has no more slow calls than are allowed.
func (f *finding) judgeCall(r apiRow, limit time.Duration, allowed int, show bool) {
	over := r.latency.over(limit, limit, limit)
	excused := allowed > 0 && r.slow <= allowed
	if over == "" && !show {
		return
	}
	if excused && over != "" {
		f.show(r.call.String()+" p99", r.latency.Perc99.Seconds(), "s", r.count)
		f.note("%s: %s; %d slow calls, of which %d are allowed", r.call, over, r.slow, allowed)
		return
	}
	f.judge(r.call.String()+" p99", r.latency.Perc99.Seconds(), "s", limit.Seconds(), false, r.count)
	if over != "" {
		f.violate("%s: %s; %d calls, %d slow", r.call, over, r.count, r.slow)
	}
}

// threshold is a row's limit: its own, or that of calls on one object, or the 30 s of all others.
func threshold(c apiCall, custom map[apiCall]time.Duration, single time.Duration) time.Duration {
	if limit, ok := custom[c]; ok {
		return limit
	}
	if c.scope == "resource" {
		return single
	}
	return 30 * time.Second
}

// customThreshold is an entry of the list in the parameter customThresholds.
type customThreshold struct{ Verb, Resource, Subresource, Scope, Threshold string }

// customThresholds reads them. One for a call that was not made has no effect, as in the original.
func customThresholds(p params) (map[apiCall]time.Duration, error) {
	text, err := p.text("customThresholds", "")
	if err != nil {
		return nil, err
	}
	var entries []customThreshold
	if err := yaml.Unmarshal([]byte(text), &entries); err != nil {
		return nil, fmt.Errorf("parameter customThresholds: %w", err)
	}
	all := map[apiCall]time.Duration{}
	for _, t := range entries {
		limit, err := time.ParseDuration(t.Threshold)
		if err != nil || limit <= 0 {
			return nil, fmt.Errorf("parameter customThresholds: the threshold of %s %s must be a positive duration, not %q", t.Verb, t.Resource, t.Threshold)
		}
		all[apiCall{t.Verb, t.Resource, t.Subresource, t.Scope}] = limit
	}
	return all, nil
}

// callOf is the row of a series, and whether it is one that counts: watches are streams, and so are these subresources.
func callOf(labels map[string]string) (apiCall, bool) {
	c := apiCall{labels["verb"], labels["resource"], labels["subresource"], labels["scope"]}
	return c, c.verb != "WATCH" && !slices.Contains([]string{"log", "exec", "portforward", "attach", "proxy"}, c.subresource)
}

// apiRows are the rows that had calls, the slowest first.
func (e *evidence) apiRows(looks span, simple bool) []apiRow {
	whole := e.apiHistograms(looks)
	rows := []apiRow{}
	for c, h := range whole {
		r := apiRow{call: c, count: int(h.count()), latency: h.latency()}
		if fast, known := h[slowFrom(c)]; known && c.verb != "WATCHLIST" {
			r.slow = r.count - int(fast)
		}
		rows = append(rows, r)
	}
	if !simple {
		rows = e.inWindows(rows, looks)
	}
	slices.SortFunc(rows, func(a, b apiRow) int {
		return cmp.Or(cmp.Compare(b.latency.Perc99, a.latency.Perc99), strings.Compare(a.call.String(), b.call.String()))
	})
	return rows
}

// slowFrom is the latency in seconds beyond which a call counts as slow. It is not the threshold: a LIST of a namespace is slow from 5 s,
// and fails from 30 s.
func slowFrom(c apiCall) float64 {
	switch {
	case c.verb != "LIST":
		return 1
	case c.scope != "cluster":
		return 5
	}
	return 30
}

// apiHistograms are the histograms of all calls within a span, those without any left out.
func (e *evidence) apiHistograms(w span) map[apiCall]histogram {
	all := map[apiCall]histogram{}
	add := func(s *series, c apiCall) {
		le, ok := bound(s.labels)
		if n := s.increase(w); ok && (n > 0 || all[c] != nil) {
			if all[c] == nil {
				all[c] = histogram{}
			}
			all[c][le] += n
		}
	}
	for _, name := range sliMetrics() {
		found := e.db.byName[name+"_bucket"]
		for _, s := range found {
			if c, counts := callOf(s.labels); counts {
				add(s, c)
			}
		}
		if len(found) > 0 {
			break
		}
	}
	for _, s := range e.db.byName[watchListMetric+"_bucket"] {
		add(s, apiCall{"WATCHLIST", s.labels["resource"], "", s.labels["scope"]})
	}
	return all
}
