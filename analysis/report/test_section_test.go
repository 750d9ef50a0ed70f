package report

import (
	"strings"
	"testing"

	"windtunnel/results"
)

// TestSectionOfATest: the page of a test of ClusterLoader2 has its steps with their errors, its measurements, and what was not measured.
func TestSectionOfATest(t *testing.T) {
	d := recorded(t)
	run, err := d.ReadRun()
	if err != nil {
		t.Fatal(err)
	}
	run.Steps = []results.StepSpan{{Number: 1, Name: "create " + hostile, Begin: 10 * sec, End: 60 * sec, Error: "3 of 10 creations failed"}}
	run.Marks = []results.Mark{{At: 20 * sec, End: 30 * sec, Step: 1, Method: "WaitForRunningPods", Identifier: "pods"},
		{At: 20 * sec, End: 20 * sec, Step: 1, Method: "DnsLookupLatency", Identifier: "dns", Skip: "no network between pods"}}
	if err := d.WriteRun(run); err != nil {
		t.Fatal(err)
	}
	page := parsed(t, d)
	for _, s := range all(page, "section") {
		if attribute(s, "id") != "test" {
			continue
		}
		words := text(s)
		for _, part := range []string{"create " + hostile, "3 of 10 creations failed", "WaitForRunningPods", "time in its calls", "10 s", "DnsLookupLatency", "no network between pods"} {
			if !strings.Contains(words, part) {
				t.Errorf("the section does not say %q", part)
			}
		}
		return
	}
	t.Error("there is no section for the test")
}

// TestSentenceOfATest: a test decides by its own measurements, whatever rows of the SLO stand beside them; of a run that cannot be trusted there is
// nothing to say of it.
func TestSentenceOfATest(t *testing.T) {
	s := results.Summary{Verdict: results.Fail, SLOs: []results.SLOResult{{Expression: "x", Required: true, Verdict: results.Pass}},
		ClusterLoader: &results.ClusterLoader{Test: "density", Verdict: results.Fail, Steps: []results.TestStep{{Verdict: results.Fail}}}}
	if got := sentence(s); !strings.Contains(got, "the test density failed: in 1 of 1 steps") {
		t.Error(got)
	}
	s.Verdict = results.Invalid
	if got := sentence(s); !strings.Contains(got, "cannot be trusted") {
		t.Error(got)
	}
}
