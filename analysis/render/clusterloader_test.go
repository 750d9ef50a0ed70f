package render

import (
	"bytes"
	"encoding/xml"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"windtunnel/internal/golden"
	"windtunnel/results"
)

// tested is the summary of a test of ClusterLoader2 that failed.
func tested() results.Summary {
	s := results.Summary{Format: 1, Verdict: results.Fail, Validity: results.Validity{Verdict: results.Pass},
		Run: results.RunInfo{ID: "load-20260102T030405Z-abcdef", Profile: "load", Seed: 1, Outcome: "completed", Started: "2026-01-02T03:04:05Z", Seconds: 600, Nodes: 100}}
	s.ClusterLoader = &results.ClusterLoader{Test: "load", Verdict: results.Fail,
		Steps: []results.TestStep{
			{Number: 1, Name: "Starting measurements", Begin: 12, Seconds: 1.5, Verdict: results.Pass},
			{Number: 2, Name: "Waiting", Module: "modules/wait.yaml", Begin: 13.5, Seconds: 300, Verdict: results.Fail, Errors: []string{"WaitForPods: timed out:\n5 of 6 pods are running"}},
		},
		Measurements: []results.Measurement{
			{Method: "PodStartupLatency", Identifier: "Pods", Step: 2, Verdict: results.Fail, Violations: []string{"pod start-up of 6 pods: p99 is 6s, more than 5s"}, Values: []results.MeasuredValue{
				{Name: "pod_startup p50", Value: 1.25, Unit: "s", Threshold: number(5), N: 6, Verdict: results.Pass},
				{Name: "pod_startup p99", Value: 6, Unit: "s", Threshold: number(5), N: 6, Verdict: results.Fail}}},
			{Method: "SchedulingThroughput", Identifier: "Throughput", Step: 2, Verdict: results.NotJudged, NotEnforced: true, Violations: []string{"too few"}, Values: []results.MeasuredValue{
				{Name: "max", Value: 20, Unit: "pods/s", Threshold: number(90), Lower: true, N: 6, Verdict: results.Fail}}},
			{Method: "GenericPrometheusQuery", Identifier: "Objects", Step: 2, Verdict: results.NoData, Notes: []string{"no samples"}},
			{Method: "InClusterNetworkLatency", Identifier: "Net", Step: 2, Verdict: results.NotJudged, Skip: "hollow nodes have no network"},
		}}
	return s
}

func TestGoldenOfATest(t *testing.T) {
	for name, write := range map[string]func(io.Writer, results.Summary) error{
		"test.txt": func(w io.Writer, s results.Summary) error { return Text(w, s, Style{Width: 120}) },
		"test.md":  Markdown, "test.csv": CSV, "test.xml": JUnit,
	} {
		var got bytes.Buffer
		if err := write(&got, tested()); err != nil {
			t.Fatal(err)
		}
		golden.Check(t, filepath.Join("testdata", name), got.String())
	}
}

// TestInvalidRunOfATest: what a run that cannot be trusted found is no failure of the test.
func TestInvalidRunOfATest(t *testing.T) {
	s := tested()
	s.Verdict, s.Validity.Verdict = results.Invalid, results.Invalid
	var out bytes.Buffer
	if err := JUnit(&out, s); err != nil {
		t.Fatal(err)
	}
	var doc suites
	if err := xml.Unmarshal(out.Bytes(), &doc); err != nil || doc.Failures != 0 || doc.Skipped != 6 {
		t.Errorf("%+v, %v", doc, err)
	}
}

// TestLongErrors: a table has what there is room for, the file has the rest.
func TestLongErrors(t *testing.T) {
	s := tested()
	s.ClusterLoader.Steps[1].Errors = []string{strings.Repeat("é ", 1000)}
	var text bytes.Buffer
	if err := Text(&text, s, Style{}); err != nil || strings.Count(text.String(), "é") > 400 || !strings.Contains(text.String(), "é …") {
		t.Errorf("%d letters, %v", strings.Count(text.String(), "é"), err)
	}
}

// TestManyValues: a table shows the first values and all that are beyond their thresholds, and says that there are more.
func TestManyValues(t *testing.T) {
	s := tested()
	m := &s.ClusterLoader.Measurements[0]
	for range 100 {
		m.Values = append(m.Values, results.MeasuredValue{Name: "usual", Verdict: results.NotJudged})
	}
	m.Values = append(m.Values, results.MeasuredValue{Name: "slow", Verdict: results.Fail})
	var text bytes.Buffer
	if err := Text(&text, s, Style{}); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(text.String(), "usual"); n != mostValues-1 || !strings.Contains(text.String(), "slow") || !strings.Contains(text.String(), "18 of 103 values; all are in summary.json") {
		t.Errorf("%d usual values:\n%s", n, text.String())
	}
}
