package render

import (
	"bytes"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"windtunnel/analysis/slo"
	"windtunnel/internal/golden"
	"windtunnel/results"
)

// judged is a report with one of everything: groups, each verdict, intervals with open bounds, a bucket, an observation.
func judged() slo.Report {
	yes, no := true, false
	return slo.Report{Run: "density-20260102T030405Z-abcdef", SLO: "mine", Verdict: results.Fail, Validity: results.Pass, Results: []slo.Result{
		{Name: "reads of pods", Expression: `quantile(0.99, request_latency{verb=~"GET|LIST"}) by (verb, scope) <= 200ms`, Unit: slo.Seconds, Comparison: "<=", Threshold: number(0.2), Interval: "95 % interval",
			By: []string{"verb", "scope"}, MinSamples: 299, Required: true, Verdict: results.Fail, Rows: []slo.Row{
				{Group: map[string]string{"verb": "GET", "scope": "resource"}, Measured: number(0.05123456), Low: number(0.04), High: number(0.06), Margin: number(0.14876544), N: 5000, Effective: 4321.5, Shown: &yes, Verdict: results.Pass, Required: true},
				{Group: map[string]string{"verb": "LIST", "scope": "cluster"}, Measured: number(0.25), Low: number(0.19), Margin: number(-0.05), N: 400, Effective: 120, Shown: &no, Verdict: results.Fail, Required: true},
				{Group: map[string]string{"verb": "LIST", "scope": "namespace"}, N: 7, Verdict: results.NoData, Note: "7 values, a quantile at 0.99 needs 100"},
			}},
		{Name: "just not", Expression: "within(request_latency, 1s) >= 99%", Unit: slo.Fraction, Comparison: ">=", Threshold: number(0.99), Interval: "95 % interval", MinSamples: 299, Required: true, Verdict: results.Fail,
			Rows: []slo.Row{{Measured: number(0.9899935), Low: number(0.9858), High: number(0.9932), Margin: number(-0.0000065), N: 3098, Effective: 3098, Shown: &no, Verdict: results.Fail, Required: true}}},
		{Name: "memory", Expression: "max(memory) <= 2GiB", Unit: slo.Bytes, Comparison: "<=", Threshold: number(2 << 30), Interval: "95 % interval", MinSamples: 1, Required: true, Verdict: results.Pass,
			Rows: []slo.Row{{Measured: number(1.5 * (1 << 30)), Margin: number(0.5 * (1 << 30)), N: 60, Verdict: results.Pass, Required: true}}},
		{Name: "quantile(0.99, server_latency) <= 160ms", Expression: "quantile(0.99, server_latency) <= 160ms", Unit: slo.Seconds, Comparison: "<=", Threshold: number(0.16), Interval: "bucket", MinSamples: 299, Required: true, Verdict: results.NoData,
			Rows: []slo.Row{{Measured: number(0.162), Low: number(0.1), High: number(0.2), Margin: number(-0.002), N: 6980, Verdict: results.NoData, Required: true, Note: "undecided: the limit 160 ms lies in the bucket of the quantile"}}},
		{Name: "scheduling throughput", Expression: "max_rate(pods_scheduled, 5s)", Unit: slo.PerSecond, Interval: "95 % interval", MinSamples: 1, Verdict: results.NotJudged, Rows: []slo.Row{{Measured: number(24), N: 3000, Verdict: results.NotJudged}}},
		{Name: "watch latency", Expression: "quantile(0.99, watch_latency) by (resource)", Unit: slo.Seconds, By: []string{"resource"}, Verdict: results.NotJudged, Note: "the run has no watch latency"},
	}, NotMeasured: []slo.NotMeasured{{Name: "in-cluster DNS latency", Reason: "there is no DNS server in the cluster"}}}
}

func TestObjectives(t *testing.T) {
	invalid := judged()
	invalid.Verdict, invalid.Validity = results.Invalid, results.Invalid
	invalid.Results = invalid.Results[2:3]
	invalid.Results[0].Verdict = results.Invalid
	invalid.Results[0].Rows[0].Verdict, invalid.Results[0].Rows[0].IfValid = results.Invalid, results.Pass
	for name, write := range map[string]func(io.Writer) error{
		"objectives.txt":         func(w io.Writer) error { return Objectives(w, judged(), Style{Width: 100}) },
		"objectives.md":          func(w io.Writer) error { return ObjectivesMarkdown(w, judged()) },
		"objectives.csv":         func(w io.Writer) error { return ObjectivesCSV(w, judged()) },
		"objectives-invalid.txt": func(w io.Writer) error { return Objectives(w, invalid, Style{Width: 100}) },
	} {
		var got bytes.Buffer
		if err := write(&got); err != nil {
			t.Fatal(err)
		}
		golden.Check(t, filepath.Join("testdata", name), got.String())
	}
	var coloured bytes.Buffer
	if err := Objectives(&coloured, judged(), Style{Color: true}); err != nil || !strings.Contains(coloured.String(), red) {
		t.Errorf("no colour: %v", err)
	}
}

// TestObjectiveNotes: what is missing from the figures is said beside them.
func TestObjectiveNotes(t *testing.T) {
	r := slo.Report{Run: "run", SLO: "mine", Verdict: results.Pass, Validity: results.Pass, Notes: []string{"kube-apiserver was restarted in phase day (1)"}}
	var text, markdown strings.Builder
	if err := errors.Join(Objectives(&text, r, Style{}), ObjectivesMarkdown(&markdown, r)); err != nil {
		t.Fatal(err)
	}
	for _, out := range []string{text.String(), markdown.String()} {
		if !strings.Contains(out, r.Notes[0]) {
			t.Errorf("no note in\n%s", out)
		}
	}
}
