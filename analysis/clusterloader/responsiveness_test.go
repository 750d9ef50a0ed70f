package clusterloader

import (
	"fmt"
	"strings"
	"testing"

	"windtunnel/results"
)

const sliName = "apiserver_request_sli_duration_seconds"

func callLabels(verb, resource, subresource, scope string) string {
	return fmt.Sprintf(`component="apiserver",group="",resource=%q,scope=%q,subresource=%q,verb=%q,version="v1"`, resource, scope, subresource, verb)
}

// apiHistory has looks at the marks and one in the middle: of GET pods there are 100 calls between them, of which slow are between 1 s and 2 s;
// of LIST pods in a namespace there are 10, of which 2 take 5 s to 30 s; 7 watches do not count.
func apiHistory(slow int) *history {
	h := newHistory()
	at := func(when int64, gets, slowGets, lists, slowLists int) {
		h.scrape(when, apiServer,
			buckets(sliName, callLabels("GET", "pods", "", "resource"), "0.1", gets-slowGets, "1", gets-slowGets, "2", gets, "5", gets, "30", gets, "+Inf", gets),
			buckets(sliName, callLabels("LIST", "pods", "", "namespace"), "0.1", lists-slowLists, "1", lists-slowLists, "2", lists-slowLists, "5", lists-slowLists, "30", lists, "+Inf", lists),
			buckets(sliName, callLabels("WATCH", "pods", "", "namespace"), "0.1", 0, "1", 0, "2", 0, "5", 0, "30", 0, "+Inf", 7*gets))
	}
	at(5*sec, 0, 0, 0, 0)
	at(10*sec+5*ms, 1000, 1000, 5, 5)
	at(40*sec, 1050, 1000, 5, 5)
	at(70*sec+5*ms, 1100, 1000+slow, 15, 7)
	at(79*sec, 2100, 2000, 15, 7)
	return h
}

// TestAPIResponsivenessSimple: with 1 of 100 slow the 99th is at the edge of the bucket that ends at 0.1 s; with 2 it is in the
// middle of the one from 1 s to 2 s.
func TestAPIResponsivenessSimple(t *testing.T) {
	for _, c := range []struct {
		slow   int
		params string
		want   results.Verdict
	}{
		{1, `{"enableViolations":true,"useSimpleLatencyQuery":true,"summaryName":"APIResponsivenessPrometheus_simple"}`, results.Pass},
		{2, `{"enableViolations":true,"useSimpleLatencyQuery":true,"summaryName":"APIResponsivenessPrometheus_simple"}`, results.Fail},
		{2, `{"enableViolations":"true","useSimpleLatencyQuery":true,"allowedSlowCalls":2,"summaryName":"APIResponsivenessPrometheus_simple"}`, results.Pass},
		{2, `{"enableViolations":true,"useSimpleLatencyQuery":true,"allowedSlowCalls":1,"summaryName":"APIResponsivenessPrometheus_simple"}`, results.Fail},
		{2, `{"enableViolations":true,"useSimpleLatencyQuery":true,"singleResourceThreshold":"1500ms","summaryName":"APIResponsivenessPrometheus_simple"}`, results.Pass},
		{2, `{"enableViolations":true,"useSimpleLatencyQuery":true,"customThresholds":"- verb: GET\n  resource: pods\n  scope: resource\n  threshold: 1501ms\n","summaryName":"APIResponsivenessPrometheus_simple"}`, results.Pass},
		{1, `{"enableViolations":true,"useSimpleLatencyQuery":true,"customThresholds":"- verb: LIST\n  resource: pods\n  scope: namespace\n  threshold: 10s\n","summaryName":"APIResponsivenessPrometheus_simple"}`, results.Fail},
	} {
		h := apiHistory(c.slow)
		h.measure("APIResponsivenessPrometheus", "APIResponsivenessPrometheusSimple", "", c.params)
		o := h.examine(t)
		m := is(t, o, c.want, c.want)
		var d PerfData
		file(t, o, "APIResponsivenessPrometheus_simple_density_", &d)
		if len(d.DataItems) != 2 || fmt.Sprint(d.DataItems[0].Labels) != "map[Count:10 Resource:pods Scope:namespace SlowCount:2 Subresource: Verb:LIST]" ||
			d.DataItems[0].Data["Perc50"] != 62.5 || d.DataItems[0].Data["Perc90"] != 17500 || d.DataItems[0].Data["Perc99"] != 28750 {
			t.Errorf("%+v", d.DataItems)
		}
		get := d.DataItems[1]
		want := map[int]string{1: "map[Perc50:50.505051 Perc90:90.909091 Perc99:100]", 2: "map[Perc50:51.020408 Perc90:91.836735 Perc99:1500]"}[c.slow]
		if get.Labels["Count"] != "100" || get.Labels["SlowCount"] != fmt.Sprint(c.slow) || fmt.Sprint(get.Data) != want {
			t.Errorf("%+v, want %s", get, want)
		}
		if c.slow == 2 && c.want == results.Fail && !strings.Contains(m.Violations[0], "GET pods (resource): p99 is 1.5s, more than 1s; 100 calls, 2 slow") {
			t.Errorf("%q", m.Violations)
		}
	}
}

// TestAPIResponsivenessInWindows: of a measurement of a minute only that minute counts, with its two looks at 40 s and 70 s; each looks back
// for 60 s, as far as there are looks.
func TestAPIResponsivenessInWindows(t *testing.T) {
	h := apiHistory(2)
	h.measure("APIResponsivenessPrometheus", "APIResponsivenessPrometheus", "", `{"enableViolations":true}`)
	o := h.examine(t)
	m := is(t, o, results.Fail, results.Fail)
	// At 40 s there are 1050 GETs since 5 s, 1000 of them from 1 s to 2 s: p99 is 1.9895 s. At 70 s there are 100 since 10 s, p99 is 1.5 s.
	// Between the two, 0.99 of the way up: 1.984605 s.
	if v := value(t, m, "GET pods (resource) p99"); v.Value != 1.984605 || v.N != 100 {
		t.Errorf("%+v", v)
	}
	if v := value(t, m, "LIST pods (namespace) p99"); v.Value != 29.74 { // 28.75 s at 70 s; 29.75 s at 40 s, of 5 slow ones
		t.Errorf("%+v", v)
	}
}

// TestAPIResponsivenessLooksCloseTogether: many looks beside one another have no more weight than one.
func TestAPIResponsivenessLooksCloseTogether(t *testing.T) {
	h := apiHistory(2)
	for i := range int64(9) {
		again := h.scrapes[2]
		again.At += (i + 1) * 100 * ms
		h.scrapes = append(h.scrapes, again)
	}
	h.measure("APIResponsivenessPrometheus", "APIResponsivenessPrometheus", "", "")
	if v := value(t, is(t, h.examine(t), results.NotJudged, results.Pass), "GET pods (resource) p99"); v.Value != 1.984605 { // as above
		t.Errorf("%+v", v)
	}
}

func TestAPIResponsivenessNotEnforced(t *testing.T) {
	h := apiHistory(2)
	h.measure("APIResponsivenessPrometheus", "API", "", `{"useSimpleLatencyQuery":true}`)
	if m := is(t, h.examine(t), results.NotJudged, results.Pass); len(m.Violations) != 1 || !m.NotEnforced {
		t.Errorf("%+v", m)
	}
}

// TestAPIResponsivenessWithoutLooks: no scrapes, or none with a call, is no data.
func TestAPIResponsivenessWithoutLooks(t *testing.T) {
	for name, h := range map[string]*history{"none": newHistory(), "one": newHistory(), "idle": newHistory()} {
		if name != "none" {
			h.scrape(5*sec, apiServer, "up 1")
		}
		if name == "idle" {
			h.scrape(70*sec, apiServer, buckets(sliName, callLabels("GET", "pods", "", "resource"), "1", 0, "+Inf", 0))
		}
		h.measure("APIResponsivenessPrometheus", "API", "", `{"useSimpleLatencyQuery":true,"enableViolations":true}`)
		is(t, h.examine(t), results.NoData, results.NoData)
	}
}

// TestAPIResponsivenessOverARestart: what an API server counted before it was restarted, and a row that was not there at the start, count.
func TestAPIResponsivenessOverARestart(t *testing.T) {
	h := newHistory()
	line := func(n int) string {
		return buckets(sliName, callLabels("GET", "pods", "", "resource"), "1", n, "+Inf", n)
	}
	h.scrape(10*sec, apiServer, "up 1")
	h.scrape(30*sec, apiServer, line(100))
	h.scrapes = append(h.scrapes, results.Scrape{At: 50 * sec, Component: apiServer, Body: []byte("a 1\n" + startMetric + " 1040\n" + line(150) + "\n")})
	h.measure("APIResponsivenessPrometheus", "API", "", `{"useSimpleLatencyQuery":true,"enableViolations":true}`)
	if v := value(t, is(t, h.examine(t), results.Pass, results.Pass), "GET pods (resource) p99"); v.N != 250 {
		t.Errorf("%+v", v)
	}
}

// TestWatchList: the simple form has the initial events of watches as calls of their own.
func TestWatchList(t *testing.T) {
	h := newHistory()
	for at, n := range map[int64]int{10: 0, 70: 40} {
		h.scrape(at*sec, apiServer, buckets(watchListMetric, `group="",resource="pods",scope="cluster",version="v1"`, "0.1", 0, "0.2", n, "+Inf", n))
	}
	h.measure("APIResponsivenessPrometheus", "API", "", `{"useSimpleLatencyQuery":true,"enableViolations":true}`)
	if v := value(t, is(t, h.examine(t), results.Pass, results.Pass), "WATCHLIST pods (cluster) p99"); v.Value != 0.199 || v.N != 40 || *v.Threshold != 30 {
		t.Errorf("%+v", v)
	}
}

func TestBadParameters(t *testing.T) {
	for _, c := range []struct{ method, start, gather string }{
		{"PodStartupLatency", `{"threshold":5}`, ""},
		{"PodStartupLatency", `{"labelSelector":"a b"}`, ""},
		{"SchedulingThroughput", "", `{"threshold":"many"}`},
		{"SchedulingThroughput", "", `{"threshold":"inf"}`},
		{"SchedulingThroughput", "", `{"threshold":"NaN"}`},
		{"APIResponsivenessPrometheus", "", `{"customThresholds":"- {verb: GET, threshold: 0s}"}`},
		{"APIResponsivenessPrometheus", "", `{"customThresholds":"- ["}`},
		{"APIResponsivenessPrometheus", "", `{"enableViolations":"perhaps"}`},
	} {
		h := apiHistory(0)
		h.measure(c.method, "M", c.start, c.gather)
		if m := is(t, h.examine(t), results.Fail, results.Fail); len(m.Errors) != 1 {
			t.Errorf("%+v: %+v", c, m)
		}
	}
}
