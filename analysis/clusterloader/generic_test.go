package clusterloader

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"windtunnel/results"
)

// queried has objects of two resources at 10 s, 40 s and 70 s, bindings at 2 a second and later 3, and an API server's process.
func queried(start, gather string) *history {
	h := newHistory()
	for _, look := range []struct{ at, pods, nodes, bindings int }{{10, 100, 5, 0}, {20, 300, 5, 20}, {30, 200, 5, 50}, {70, 250, 5, 60}} {
		h.scrape(int64(look.at)*sec+ms, apiServer, fmt.Sprintf(`apiserver_resource_objects{group="",resource="pods"} %d`, look.pods),
			fmt.Sprintf(`apiserver_resource_objects{group="",resource="nodes"} %d`, look.nodes),
			fmt.Sprintf(`apiserver_request_total{code="201",resource="pods",subresource="binding",verb="POST"} %d`, look.bindings))
	}
	h.measure("GenericPrometheusQuery", "Objects", start, gather)
	return h
}

const objectQueries = `{"metricName":"ObjectCount","metricVersion":"v1","unit":"objects","dimensions":["resource"],"queries":[
	{"name":"Max","query":"max_over_time(sum by (group, resource) (apiserver_resource_objects)[%v:10s])"THRESHOLD},
	{"Name":"Now","query":"sum by (resource) (apiserver_resource_objects)"},
	{"name":"None","query":"sum(kubeproxy_failures_total)","threshold":0}]}`

func TestGenericPrometheusQuery(t *testing.T) {
	for threshold, want := range map[string]results.Verdict{`,"threshold":300`: results.Pass, `,"threshold":299`: results.Fail, `,"threshold":5,"lowerBound":true`: results.Pass,
		`,"threshold":6,"lowerBound":true`: results.Fail, ``: results.NotJudged} {
		o := queried(strings.Replace(objectQueries, "THRESHOLD", threshold, 1), `{"enableViolations":true}`).examine(t)
		test := want
		if want == results.NotJudged {
			test = results.Pass
		}
		m := is(t, o, want, test)
		if v := value(t, m, "Max pods"); v.Value != 300 {
			t.Errorf("%+v", v)
		}
		if !strings.Contains(strings.Join(m.Notes, "; "), "None: no samples, and none are required") {
			t.Errorf("%q", m.Notes)
		}
		var d PerfData
		file(t, o, "GenericPrometheusQuery ObjectCount_density_", &d)
		if got := fmt.Sprint(d.DataItems); got != "[{map[Max:5 Now:5] objects map[resource:nodes]} {map[Max:300 Now:250] objects map[resource:pods]}]" || d.Version != "v1" {
			t.Error(got)
		}
	}
	m := is(t, queried(strings.Replace(objectQueries, "THRESHOLD", `,"threshold":1`, 1), ``).examine(t), results.NotJudged, results.Pass)
	if !m.NotEnforced || len(m.Violations) != 2 {
		t.Errorf("%+v", m)
	}
}

func TestGenericPrometheusQueryMistakes(t *testing.T) {
	start := func(query string) string {
		return fmt.Sprintf(`{"metricName":"M","metricVersion":"v1","unit":"1","queries":[{"name":"Q","requireSamples":true,"query":%q}]}`, query)
	}
	for name, c := range map[string]struct {
		params, want string
	}{
		"required": {start("sum(missing_total)"), "Q: the query has no samples, and some are required"},
		"twice":    {start("apiserver_resource_objects"), "Q: 5 and 250 for [], where one value was to be"},
		"syntax":   {start("sum(("), "Q: query \"sum((\": parse query: at 5: unexpected end"},
		"unknown":  {start("predict_linear(a[5m], 1)"), "the function predict_linear is not known here"},
		"no unit":  {`{"metricName":"M","metricVersion":"v1"}`, "metricName, metricVersion and unit are required"},
		"no name":  {`{"metricName":"M","metricVersion":"v1","unit":"s","queries":[{"query":"a"}]}`, "queries[0].name: a query without aggregations needs a name"},
		"no query": {`{"metricName":"M","metricVersion":"v1","unit":"s","queries":[{"name":"Q"}]}`, "queries[0]: query is required"},
		"type":     {`{"metricName":7}`, "read the parameters"},
	} {
		m := is(t, queried(c.params, `{"enableViolations":true}`).examine(t), results.Fail, results.Fail)
		if text := strings.Join(append(m.Errors, m.Violations...), "; "); !strings.Contains(text, c.want) {
			t.Errorf("%s: %s", name, text)
		}
	}
}

// TestAggregations: the query is answered every 30 s, which is at 30 s with the look at 20 s and at 60 s with that at 30 s, and the file has
// what the aggregations make of the answers. A threshold beside them decides nothing, as in the original.
func TestAggregations(t *testing.T) {
	const all = `{"metricName":"M","metricVersion":"v1","unit":"objects","dimensions":["resource"],"queries":[
		{NAME"query":"sum by (resource) (apiserver_resource_objects)","threshold":1,"aggregations":["Max","min","Avg","Sum","Count","Last","Perc50","PERC99","perc0.0","Perc100"]}]}`
	for name, prefix := range map[string]string{"": "", `"name":"Q",`: "Q_"} {
		o := queried(strings.Replace(all, "NAME", name, 1), `{"enableViolations":true}`).examine(t)
		m := is(t, o, results.NotJudged, results.Pass)
		want := map[string]float64{"Max": 300, "min": 200, "Avg": 250, "Sum": 500, "Count": 2, "Last": 200, "Perc50": 250, "PERC99": 299, "perc0.0": 200, "Perc100": 300}
		for key, v := range want {
			if got := value(t, m, prefix+key+" pods"); got.Value != v {
				t.Errorf("%+v, want %g", got, v)
			}
		}
		var d PerfData
		if file(t, o, "GenericPrometheusQuery M_density_", &d); len(d.DataItems) != 2 || len(d.DataItems[1].Data) != len(want) || d.DataItems[1].Data[prefix+"PERC99"] != 299 {
			t.Errorf("%+v", d.DataItems)
		}
	}
}

// TestTargetLabels: series have the labels that a Prometheus sets which scrapes the components, and what they call so themselves has another name.
func TestTargetLabels(t *testing.T) {
	h := newHistory()
	for _, at := range []int64{10, 70} {
		for component, n := range map[string]int{apiServer: 1, etcdComponent: 2, schedulerComponent: 3} {
			h.scrape(at*sec, component, fmt.Sprintf(`go_goroutines{endpoint="x%d",empty=""} %d`, n, n))
		}
	}
	h.measure("GenericPrometheusQuery", "Go", `{"metricName":"Go","metricVersion":"v1","unit":"1","dimensions":["endpoint","job","instance","exported_endpoint"],"queries":[{"name":"N","query":"go_goroutines"}]}`, "")
	o := h.examine(t)
	for place, want := range map[string]float64{"apiserver kube-apiserver kube-apiserver x1": 1, "etcd-2379 etcd etcd x2": 2, "kube-scheduler kube-scheduler kube-scheduler x3": 3} {
		if v := value(t, only(t, o), "N "+place); v.Value != want {
			t.Errorf("%+v", v)
		}
	}
	s := &series{component: apiServer, labels: seriesLabels(`{endpoint="x",exported_other="y"}`, apiServer)}
	if got := fmt.Sprint(s.own()); got != "map[endpoint:x exported_other:y]" {
		t.Error(got)
	}
}

// TestAggregationsOfNothing: values that are none are left out, a series that has no others is not there, and no sample at all is a violation only
// where one is required.
func TestAggregationsOfNothing(t *testing.T) {
	start := func(query, aggregations string) string {
		return fmt.Sprintf(`{"metricName":"M","metricVersion":"v1","unit":"1","queries":[{"query":%q,"aggregations":%s,"requireSamples":true}]}`, query, aggregations)
	}
	none := `apiserver_resource_objects{resource="pods"} * 0 / 0`
	m := is(t, queried(start(none, `["Max","Min"]`), `{"enableViolations":true}`).examine(t), results.Fail, results.Fail)
	if fmt.Sprint(m.Violations) != "[Max,Min: the query has no samples, and some are required]" {
		t.Errorf("%+v", m)
	}
	once := `(apiserver_resource_objects{resource="pods"} - 300) / (apiserver_resource_objects{resource="pods"} - 300)` // not at 30 s
	if v := value(t, only(t, queried(start(once, `["Count"]`), "").examine(t)), "Count"); v.Value != 1 {
		t.Errorf("%+v", v)
	}
	for query, want := range map[string]string{`apiserver_resource_objects / 0`: "Max is no number", `apiserver_resource_objects`: "where one value was to be", "sum(": "parse query"} {
		m := is(t, queried(start(query, `["Max"]`), `{"enableViolations":true}`).examine(t), results.Fail, results.Fail)
		if text := strings.Join(append(m.Errors, m.Violations...), "; "); !strings.Contains(text, want) {
			t.Errorf("%s: %s", query, text)
		}
	}
}

// TestSchedulingThroughputPrometheus: 20 bindings in 10 s and then 30 in 10 s.
func TestSchedulingThroughputPrometheus(t *testing.T) {
	for _, c := range []struct {
		method, params string
		want           results.Verdict
	}{
		{"SchedulingThroughputPrometheus", `{"threshold":3,"enableViolations":true}`, results.Pass},
		{"SchedulingThroughputPrometheus", `{"threshold":3.5,"enableViolations":true}`, results.Fail},
		{"SchedulingThroughputPrometheus", `{"threshold":3.5}`, results.NotJudged},
		{"SLOMeasurement", `{"threshold":3.5,"enableViolations":true}`, results.Fail},
		{"SLOMeasurement", `{"threshold":3.5,"enableViolations":true,"overrides":{"SchedulingThroughputPrometheus":{"threshold":2}}}`, results.Pass},
	} {
		h := queried("", "")
		h.run.Marks = nil
		h.measure(c.method, "Throughput", "", c.params)
		o := h.examine(t)
		if m := only(t, o); m.Verdict != c.want || value(t, m, "max").Value != 3 {
			t.Errorf("%+v: %+v", c, m)
		}
		var s map[string]float64
		file(t, o, "SchedulingThroughputPrometheus_density_", &s)
		if s["max"] != 3 {
			t.Error(s)
		}
	}
	for _, method := range []string{"SchedulingThroughputPrometheus", "SLOMeasurement"} { // without a sample it fails in any case
		for _, params := range []string{`{"threshold":3,"enableViolations":true}`, `{"threshold":3}`, ``} {
			h := newHistory()
			h.measure(method, "Throughput", "", params)
			if m := is(t, h.examine(t), results.Fail, results.Fail); len(m.Errors) != 1 {
				t.Errorf("%s %s: %+v", method, params, m)
			}
		}
	}
}

// TestInfinite: JSON has no infinite numbers, so that one would cost the whole summary.
func TestInfinite(t *testing.T) {
	h := queried(`{"metricName":"M","metricVersion":"v1","unit":"1","queries":[{"name":"Q","query":"sum(apiserver_resource_objects) / 0"}]}`, `{"enableViolations":true}`)
	o := h.examine(t)
	if m := is(t, o, results.Fail, results.Fail); len(m.Errors) != 1 || !strings.Contains(m.Errors[0], "a value is infinite") {
		t.Errorf("%+v", m)
	}
	if _, err := json.Marshal(o.Result); err != nil {
		t.Error(err)
	}
}

// TestLooksOutOfOrder: two looks that overlapped were answered in the other order. A counter that falls although its process is the same
// began nothing anew; a gauge may fall.
func TestLooksOutOfOrder(t *testing.T) {
	h := newHistory()
	for _, look := range []struct{ at, n int64 }{{10, 100}, {20, 200}, {30, 190}, {40, 210}, {70, 300}} {
		h.scrape(look.at*sec+ms, apiServer, fmt.Sprintf("c_total %d", look.n), fmt.Sprintf("g %d", look.n))
	}
	h.measure("GenericPrometheusQuery", "Order", `{"metricName":"M","metricVersion":"v1","unit":"1","queries":[{"name":"Resets","query":"resets(c_total[%v])"},
		{"name":"Looks","query":"count_over_time(c_total[%v])"},{"name":"Gauges","query":"count_over_time(g[%v])"}]}`, "")
	m := is(t, h.examine(t), results.NotJudged, results.Pass)
	for name, want := range map[string]float64{"Resets": 0, "Looks": 4, "Gauges": 5} {
		if v := value(t, m, name); v.Value != want {
			t.Errorf("%s: %+v", name, v)
		}
	}
}

func TestIncrease(t *testing.T) {
	for _, c := range []struct {
		name   string
		points []point
		want   float64
	}{
		{"out of order", []point{{10, 100, 7}, {20, 200, 7}, {21, 190, 7}, {22, 195, 7}, {30, 210, 7}}, 110},
		{"another process", []point{{10, 100, 7}, {20, 200, 7}, {21, 190, 8}, {30, 210, 8}}, 310},
		{"not known when it began", []point{{10, 100, 0}, {20, 200, 0}, {21, 190, 0}, {30, 210, 0}}, 310},
		{"not there before", []point{{20, 200, 7}, {21, 190, 7}}, 200},
	} {
		s := series{points: c.points}
		if got := s.increase(span{10, 40}); got != c.want {
			t.Errorf("%s: %g, want %g", c.name, got, c.want)
		}
	}
}

// TestLooksCloseTogether: the looks at the calls, at 10 s and 70 s, count in any case; others only with a second between them.
func TestLooksCloseTogether(t *testing.T) {
	h := newHistory()
	for i, at := range []int64{9500, 10001, 10700, 20000, 20400, 20900, 30000, 69500, 70001, 70500, 80000} {
		h.scrape(at*ms, apiServer, fmt.Sprintf("g %d", i), fmt.Sprintf("c_total %d", i*i))
	}
	h.measure("GenericPrometheusQuery", "Gaps", `{"metricName":"M","metricVersion":"v1","unit":"1","queries":[{"name":"Looks","query":"count_over_time(g[%v])"},
		{"name":"Sum","query":"sum_over_time(g[%v])"},{"name":"Rate","query":"max_over_time(irate(c_total[1m])[%v:1s])"}]}`, "")
	m := is(t, h.examine(t), results.NotJudged, results.Pass)
	for name, want := range map[string]float64{"Looks": 4, "Sum": 1 + 3 + 6 + 8, "Rate": 2.7} { // 36 - 9 in 10 s
		if v := value(t, m, name); v.Value != want {
			t.Errorf("%s: %+v", name, v)
		}
	}
}

// TestContainerNamespace: the metrics of containers have the namespace that the original's Prometheus gives them, and that queries name.
func TestContainerNamespace(t *testing.T) {
	h := newHistory()
	processes(h)
	h.measure("GenericPrometheusQuery", "Memory", `{"metricName":"Memory","metricVersion":"v1","unit":"MiB","queries":[{"name":"Most","requireSamples":true,
		"query":"max(max_over_time(container_memory_working_set_bytes{container=\"kube-apiserver\", namespace=\"monitoring\", pod=~\"kube-apiserver.*\"}[%v])) / 1048576"}]}`, `{"enableViolations":true}`)
	if v := value(t, is(t, h.examine(t), results.NotJudged, results.Pass), "Most"); v.Value != 100 {
		t.Errorf("%+v", v)
	}
}

// TestContainerMetrics: samples of processes stand in for cAdvisor's metrics.
func TestContainerMetrics(t *testing.T) {
	h := newHistory()
	processes(h)
	h.measure("GenericPrometheusQuery", "Containers", `{"metricName":"CPU","metricVersion":"v1","unit":"cores","dimensions":["container"],"queries":[
		{"name":"Perc99","query":"quantile_over_time(0.99, sum by (container) (rate(container_cpu_usage_seconds_total[10s]))[20s:])"}]}`, "")
	if v := value(t, is(t, h.examine(t), results.NotJudged, results.Pass), "Perc99 kube-apiserver"); v.Value != 0.5 {
		t.Errorf("%+v", v)
	}
}

// TestSeriesThatEnd: a series that is not in the next look has no value from there on.
func TestSeriesThatEnd(t *testing.T) {
	h := newHistory()
	h.scrape(10*sec, apiServer, "a 1", "b 1")
	h.scrape(20*sec, apiServer, "b 1")
	h.scrape(69*sec, apiServer, "b 1")
	h.measure("GenericPrometheusQuery", "Ended", `{"metricName":"M","metricVersion":"v1","unit":"1","queries":[{"name":"A","query":"a","requireSamples":true},{"name":"B","query":"b"}]}`, `{"enableViolations":true}`)
	if m := is(t, h.examine(t), results.Fail, results.Fail); len(m.Violations) != 1 || len(m.Values) != 1 {
		t.Errorf("%+v", m)
	}
}
