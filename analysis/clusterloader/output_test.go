package clusterloader

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"windtunnel/internal/golden"
	"windtunnel/results"
)

// whole is a test with most of what files are made of.
func whole() *history {
	h := apiHistory(2)
	hundred(h)
	h.measure("APIResponsivenessPrometheus", "APIResponsivenessPrometheusSimple", "", `{"enableViolations":true,"useSimpleLatencyQuery":true,"summaryName":"APIResponsivenessPrometheus_simple"}`)
	h.measure("APIResponsivenessPrometheus", "APIResponsivenessPrometheus", "", "")
	h.measure("PodStartupLatency", "PodStartupLatency", "", "")
	h.measure("SchedulingThroughput", "SchedulingThroughput", "", "")
	h.mark(71*sec, "WaitForRunningPods", "WaitForPods", "", "").Error = "5 of 6 pods are running"
	h.mark(72*sec, "InClusterNetworkLatency", "Net", "gather", "").Skip = "no network"
	h.run.Steps[1].Error = "WaitForPods: 5 of 6 pods are running"
	h.run.Test = &results.TestSource{Name: "density", Path: "testing/density/config.yaml"}
	return h
}

func TestFilesGolden(t *testing.T) {
	var all bytes.Buffer
	for _, f := range whole().examine(t).Files {
		fmt.Fprintf(&all, "== %s\n%s", f.Name, f.Data)
	}
	golden.Check(t, filepath.Join("testdata", "files.txt"), all.String())
}

// suiteRead is the report as those who read JUnit read it.
type suiteRead struct {
	XMLName  xml.Name `xml:"testsuite"`
	Name     string   `xml:"name,attr"`
	Tests    int      `xml:"tests,attr"`
	Failures int      `xml:"failures,attr"`
	Errors   int      `xml:"errors,attr"`
	Time     *float64 `xml:"time,attr"`
	Cases    []struct {
		Name    string        `xml:"name,attr"`
		Class   string        `xml:"classname,attr"`
		Time    *float64      `xml:"time,attr"`
		Failure *junitFailure `xml:"failure"`
		Error   *junitFailure `xml:"error"`
		Skipped *struct{}     `xml:"skipped"`
	} `xml:"testcase"`
}

// readSuite decodes the report of an outcome, the last of its files.
func readSuite(t testing.TB, o *Outcome) suiteRead {
	t.Helper()
	last := o.Files[len(o.Files)-1]
	var suite suiteRead
	if err := xml.Unmarshal(last.Data, &suite); err != nil || last.Name != "clusterloader2/junit.xml" {
		t.Fatalf("%s: %v", last.Name, err)
	}
	return suite
}

// TestJUnit decodes the report as those who read JUnit do: one suite, whose counts are those of its cases, each with a name, a class and a time.
func TestJUnit(t *testing.T) {
	suite := readSuite(t, whole().examine(t))
	failures := map[string]string{}
	skipped := 0
	for _, c := range suite.Cases {
		if c.Class != suite.Name || c.Time == nil {
			t.Errorf("%+v", c)
		}
		if c.Failure != nil {
			failures[c.Name] = c.Failure.Text
		}
		if c.Skipped != nil {
			skipped++
		}
	}
	if suite.Name != "ClusterLoaderV2" || suite.Tests != len(suite.Cases) || suite.Tests != 1+4+6 || suite.Failures != len(failures) || suite.Failures != 3 || skipped != 1 || suite.Time == nil || *suite.Time != 70 {
		t.Errorf("%+v", suite)
	}
	if got := failures["density: [step: 02] Collecting measurements [04] - WaitForPods"]; got != "[5 of 6 pods are running]" {
		t.Errorf("%q", failures)
	}
	if _, ok := failures["density: [step: 02] Collecting measurements [00] - APIResponsivenessPrometheusSimple"]; !ok {
		t.Errorf("%q", failures)
	}
}

// TestSuiteNames: in a suite the scenario's identifier is in the names of files behind the config's own, and in the report in its place.
func TestSuiteNames(t *testing.T) {
	h := whole()
	h.run.Name = "density-test-pod-affinity"
	h.run.Test = &results.TestSource{Name: "Density_Test", Identifier: "pod-affinity", Path: "testing/density/config.yaml"}
	o := h.examine(t)
	for _, f := range o.Files[:len(o.Files)-1] {
		if !strings.Contains(f.Name, "_Density_Test_pod-affinity_2026-01-02T03:05:15Z.json") {
			t.Errorf("%s", f.Name)
		}
	}
	for i, c := range readSuite(t, o).Cases {
		if i == 0 && c.Name != "pod-affinity overall (testing/density/config.yaml)" || i > 0 && !strings.HasPrefix(c.Name, "pod-affinity: [step: 0") {
			t.Errorf("%s", c.Name)
		}
	}
	if o.Result.Test != "Density_Test_pod-affinity" {
		t.Errorf("the test is called %s", o.Result.Test)
	}
}
