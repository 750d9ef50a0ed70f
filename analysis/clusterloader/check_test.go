package clusterloader

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// TestCheck: what would make a measurement fail after the run is found in its parameters before it.
func TestCheck(t *testing.T) {
	const generic = `{"action":"start","metricName":"M","metricVersion":"v1","unit":"s","queries":[{"name":"A","query":%q}]}`
	for _, c := range []struct{ method, params, want string }{
		{"GenericPrometheusQuery", fmt.Sprintf(generic, "max_over_time(sum(a{b=\"c\"})[%v:5s])"), ""},
		{"GenericPrometheusQuery", fmt.Sprintf(generic, "sum(a))"), `queries[0].query: the query cannot be asked: at 6: unexpected ")"`},
		{"GenericPrometheusQuery", fmt.Sprintf(generic, "predict_linear(a[%v], 1)"), "queries[0].query: the query cannot be asked: the function predict_linear is not known here"},
		{"GenericPrometheusQuery", strings.Replace(fmt.Sprintf(generic, "sum(a))"), "start", "gather", 1), ""},
		{"GenericPrometheusQuery", `{"action":"start","MetricName":"","queries":[{"Name":"","query":""}]}`,
			"metricName: metricName must not be empty; queries[0].name: a query without aggregations needs a name; queries[0].query: query must not be empty"},
		{"GenericPrometheusQuery", `{"action":"start","queries":[{"query":"a","aggregations":["Max","perc99.9"]}]}`, ""},
		{"GenericPrometheusQuery", `{"action":"start","queries":[{"query":"a","aggregations":["Max"]},{"name":"B","query":"b","threshold":1,"aggregations":["Mean","Perc101"]}]}`,
			"queries[0].name: each of several queries needs a name; " +
				`queries[1].aggregations[0]: there is no aggregation "Mean": they are Max, Min, Avg, Sum, Count, Last and Perc with a number from 0 to 100; ` +
				`queries[1].aggregations[1]: there is no aggregation "Perc101": they are Max, Min, Avg, Sum, Count, Last and Perc with a number from 0 to 100; ` +
				"queries[1].threshold: of a query with aggregations nobody looks at the threshold (warning)"},
		{"GenericPrometheusQuery", `{"action":"start","queries":7}`, ""},
		{"APIResponsivenessPrometheus", `{"action":"gather","customThresholds":"- {verb: GET, resource: pods, scope: resource, threshold: 5s}"}`, ""},
		{"APIResponsivenessPrometheus", `{"action":"gather","customThresholds":"- {verb: GET, resource: pods, treshold: 5s}"}`,
			`customThresholds: the threshold of GET pods must be a positive duration, not ""`},
		{"APIResponsivenessPrometheus", `{"action":"gather","customThresholds":"- {verb: GET, ressource: pods, threshold: 5s}"}`,
			"customThresholds: yaml: line 1: the key ressource is not known: it is ignored (warning)"},
		{"APIResponsivenessPrometheus", `{"action":"gather","customThresholds":"{"}`, "customThresholds: yaml: line 1: did not find expected node content"},
		{"APIResponsivenessPrometheus", `{"action":"gather","customThresholds":7}`, ""},
		{"ContainerRestarts", `{"action":"gather","customAllowedRestarts":"- {container: a, pod: b, namespace: c, allowedRestarts: 1}"}`, ""},
		{"ContainerRestarts", `{"action":"gather","customAllowedRestarts":"- {allowedRestarts: many}"}`,
			"customAllowedRestarts: yaml: line 1: cannot unmarshal !!str `many` into int"},
		{"TestMetrics", `{"action":"gather","restartCountThresholdOverrides":"default: 5"}`, ""},
		{"TestMetrics", `{"action":"gather","restartCountThresholdOverrides":""}`, ""},
		{"SystemPodMetrics", `{"action":"gather","restartCountThresholdOverrides":"[default]"}`,
			"restartCountThresholdOverrides: yaml: line 1: cannot unmarshal !!seq into map[string]int"},
		{"PodStartupLatency", `{"action":"start","labelSelector":"a in (b, c),!d","fieldSelector":"spec.schedulerName=x"}`, ""},
		{"PodStartupLatency", `{"action":"start","fieldSelector":"spec.nodeName=x"}`, `fieldSelector: fieldSelector "spec.nodeName=x": the records of pods do not have the field spec.nodeName`},
		{"SchedulingThroughput", `{"action":"start","labelSelector":"a b"}`, `labelSelector: labelSelector "a b": "a b" is no condition`},
		{"NodeHealthTracker", `{"action":"start","labelSelector":"a=b"}`, "labelSelector: the records of nodes have no labels to pick them by: nothing will be decided (warning)"},
		{"Sleep", `{"labelSelector":"a b"}`, ""},
	} {
		var p map[string]any
		if err := json.Unmarshal([]byte(c.params), &p); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, m := range Check(c.method, p) {
			text := m.Param + ": " + m.Message
			if m.Warning {
				text += " (warning)"
			}
			got = append(got, text)
		}
		if text := strings.Join(got, "; "); text != c.want {
			t.Errorf("%s %s:\n%s\nwant\n%s", c.method, c.params, text, c.want)
		}
	}
}
