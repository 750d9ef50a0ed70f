package cl2

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"windtunnel/profiles"
)

// found are the problems of a config with these measurements in one step: line, severity, message and hint.
func found(t *testing.T, check func(string, map[string]any) []Complaint, measurements ...string) []string {
	t.Helper()
	text := "name: x\nsteps:\n- name: a\n  measurements:\n" + strings.Join(measurements, "\n") + "\n"
	test := Read("test/config.yaml", Options{Read: memory(map[string]string{"test/config.yaml": text}), Nodes: 20, Seed: 1, Check: check})
	var got []string
	for _, p := range test.Problems() {
		word := "problem"
		if p.Severity == profiles.Warning {
			word = "warning"
		}
		got = append(got, strings.TrimSpace(fmt.Sprintf("%d:%d %s: %s %s", p.Line, p.Column, word, p.Message, p.Hint)))
	}
	return got
}

// call is a measurement on lines of their own, the first of which is the fifth of the file.
func call(method string, params ...string) string {
	return "  - Method: " + method + "\n    Identifier: i\n    Params:\n      " + strings.Join(params, "\n      ")
}

// TestInsideParams: what stands in the mappings of a parameter is checked as the parameters are. A gather, which does not read them, may say
// what it likes.
func TestInsideParams(t *testing.T) {
	gather := call("GenericPrometheusQuery", "action: gather")
	for name, c := range map[string]struct {
		measurement string
		want        []string
	}{
		"right": {call("GenericPrometheusQuery", "action: start", "metricName: M", "metricVersion: v1", "unit: s", "queries:", "- {name: A, Query: b, threshold: 5, lowerBound: true, requireSamples: null}"), nil},
		"a key": {call("GenericPrometheusQuery", "action: start", "metricName: M", "metricVersion: v1", "unit: s", "queries:", "- name: A", "  query: b", "  treshold: 5"),
			[]string{`15:9 warning: queries of GenericPrometheusQuery has no key "treshold": it is ignored did you mean "threshold"?`}},
		"a type": {call("GenericPrometheusQuery", "action: start", "metricName: M", "metricVersion: v1", "unit: s", "dimensions: [1]", "queries:", "- name: A", "  query: b", "  threshold: \"5\""),
			[]string{`12:19 problem: dimensions of GenericPrometheusQuery is a list of texts, not a list`,
				`16:20 problem: threshold of queries is a number without quotes, not the text "5"`}},
		"none": {call("GenericPrometheusQuery", "action: start", "metricName: M", "metricVersion: v1", "unit: s", "queries:", "- query: b", "- {name: B}"),
			[]string{`14:9 problem: queries of GenericPrometheusQuery needs the key query (a text)`}},
		"a range": {call("WaitForGenericK8sObjects", "objectGroup: g", "objectVersion: v1", "objectResource: r", "minDesiredObjectCount: 1", "namespaceRange: {Min: 1, min: 1, max: two}"),
			[]string{`12:24 warning: namespaceRange of WaitForGenericK8sObjects has no key "Min": it is ignored did you mean "min"?`,
				`12:45 problem: max of namespaceRange is a whole number, not the text "two"`}},
	} {
		all := []string{c.measurement}
		if strings.Contains(c.measurement, "Generic") && strings.Contains(c.measurement, "action") {
			all = append(all, gather)
		}
		if diff := cmp.Diff(c.want, found(t, nil, all...)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestStopNeedsLabel: a parameter can be needed by several actions, and not by all.
func TestStopNeedsLabel(t *testing.T) {
	got := found(t, nil, call("Timer", "action: start", "label: a"), call("Timer", "action: stop"), call("Timer", "action: gather"))
	if want := []string{"10:5 problem: Timer needs the parameter label (a text)"}; !cmp.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

// TestKindOfControllers: what Kubernetes has not is no guess where the API group is its own.
func TestKindOfControllers(t *testing.T) {
	for _, c := range []struct{ version, kind, want string }{
		{"apps/v1", "Deployment", ""},
		{"example.com/v1", "Foo", ""},
		{"apps/v1", "Deploymnt", `10:13 problem: apps/v1 of Kubernetes has no kind "Deploymnt" did you mean "Deployment"?`},
		{"app/v1", "Deployment", "9:19 warning: Kubernetes has the kind Deployment, and not in app/v1: it is taken for a custom resource it is in apps/v1"},
	} {
		got := found(t, nil, call("WaitForControlledPodsRunning", "action: start", "apiVersion: "+c.version, "kind: "+c.kind), call("WaitForControlledPodsRunning", "action: gather"))
		if strings.Join(got, "\n") != c.want {
			t.Errorf("%s %s: %q", c.version, c.kind, got)
		}
	}
}

// TestComplaints: what others have to say of a parameter is reported where it was written, in an instance or in what all share, and not of
// what is skipped.
func TestComplaints(t *testing.T) {
	check := func(method string, params map[string]any) []Complaint {
		switch {
		case params["threshold"] == "9s":
			return []Complaint{{Param: "threshold", Message: method + " is not right"}}
		case params["queries"] != nil:
			return []Complaint{{Param: "queries[0].query", Message: "cannot be asked", Warning: true}, {Param: "queries[0].name", Message: "is not there"}, {Param: "none", Message: "nowhere"}}
		}
		return nil
	}
	got := found(t, check,
		"  - Method: PodStartupLatency\n    Instances:\n    - Identifier: one\n      Params:\n        threshold: 5s\n    - Identifier: two\n    Params:\n      action: start\n      threshold: 9s",
		"  - Method: PodStartupLatency\n    Instances:\n    - Identifier: three\n      Params:\n        threshold: 9s\n    Params:\n      action: start",
		"  - Method: NetworkProgrammingLatency\n    Identifier: i\n    Params: {action: gather, threshold: 9s}",
		call("GenericPrometheusQuery", "action: start", "metricName: M", "metricVersion: v1", "unit: s", "queries:", "- query: b"))
	var says []string
	for _, line := range got {
		if !strings.Contains(line, "never") {
			says = append(says, line)
		}
	}
	want := []string{"13:18 problem: PodStartupLatency is not right", "18:20 problem: PodStartupLatency is not right", "32:9 problem: is not there", "32:16 warning: cannot be asked"}
	if diff := cmp.Diff(want, says); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestStartedAndGathered: what is gathered has to be started before, and what is started to be gathered afterwards.
func TestStartedAndGathered(t *testing.T) {
	pods := func(identifier, action string) string {
		return "  - {Method: PodStartupLatency, Identifier: " + identifier + ", Params: {action: " + action + "}}"
	}
	const next = "- name: b\n  measurements:"
	for name, c := range map[string]struct{ calls, want []string }{
		"both":           {[]string{pods("a", "start"), next, pods("a", "gather")}, nil},
		"in one step":    {[]string{pods("a", "gather"), pods("a", "start")}, nil},
		"not gathered":   {[]string{pods("a", "start")}, []string{`5:5 warning: PodStartupLatency "a" is started and never gathered: nothing comes of it`}},
		"gathered first": {[]string{pods("a", "gather"), next, pods("a", "start")}, []string{`5:5 warning: PodStartupLatency "a" is gathered and never started`}},
		"once more":      {[]string{pods("a", "start"), next, pods("a", "gather"), next, pods("a", "start")}, []string{`11:5 warning: PodStartupLatency "a" is started and never gathered: nothing comes of it`}},
		"twice":          {[]string{pods("a", "start"), next, pods("a", "start"), next, pods("a", "gather")}, nil},
		"a slip": {[]string{pods("latency", "start"), next, pods("latancy", "gather")}, []string{
			`8:5 warning: PodStartupLatency "latancy" is gathered and never started did you mean "latency"?`}},
		"without a gather": {[]string{call("ChaosMonkey", "action: start")}, nil},
		"paused":           {[]string{call("SystemPodMetrics", "action: start"), next, call("SystemPodMetrics", "action: pause"), next, call("SystemPodMetrics", "action: unpause"), next, call("SystemPodMetrics", "action: gather")}, nil},
	} {
		if diff := cmp.Diff(c.want, found(t, nil, c.calls...)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
