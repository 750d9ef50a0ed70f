package fidelity

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"windtunnel/analysis/audit"
	"windtunnel/results"
)

func earlier(t *testing.T, stamp string) string {
	t.Helper()
	at, err := time.Parse(time.RFC3339, stamp)
	if err != nil {
		t.Fatal(err)
	}
	return at.Add(-time.Second / 2).Format("2006-01-02T15:04:05.000000Z07:00")
}

// TestLatencyRule: a ratio within 0.66–1.50 matches, values below the floors count as the floors, and nine metrics in ten decide.
func TestLatencyRule(t *testing.T) {
	for _, c := range []struct {
		group   string
		a, b    float64
		matches bool
	}{
		{API, 0.1, 0.15, true}, {API, 0.1, 0.151, false}, {API, 0.1, 0.066, true}, {API, 0.1, 0.065, false},
		{API, 0.001, 0.049, true}, {API, 0.001, 0.075, true}, {API, 0.001, 0.076, false},
		{Startup, 0.01, 0.9, true}, {Startup, 0.01, 1.6, false}, {Startup, 3, 1.9, false}, {Startup, 3, 2, true},
	} {
		var got Comparison
		got.latencies([]Metric{{Group: c.group, Name: "x", Seconds: c.a}}, []Metric{{Group: c.group, Name: "x", Seconds: c.b}})
		if matches := got.Latencies[0].Verdict == results.Pass; matches != c.matches {
			t.Errorf("%s %g and %g: ratio %g matches: %v", c.group, c.a, c.b, got.Latencies[0].Ratio, matches)
		}
	}
	share := func(good, bad int) results.Verdict {
		var c Comparison
		for i := range good + bad {
			r := LatencyRow{Verdict: results.Pass}
			if i >= good {
				r.Verdict = results.Fail
			}
			c.Latencies = append(c.Latencies, r)
		}
		return c.latencyPart().Verdict
	}
	if share(9, 1) != results.Pass || share(8, 1) != results.Fail || share(0, 0) != results.NoData {
		t.Errorf("9 of 10: %s, 8 of 9: %s, none: %s", share(9, 1), share(8, 1), share(0, 0))
	}
}

// TestMerge: two runs of the same are the same as one, with twice the counts.
func TestMerge(t *testing.T) {
	one := recorded(t, nil)
	two := Merge(one, one)
	if two.Source.Chosen != 2*one.Source.Chosen || two.Stages[0].Calls[0].N != 2*one.Stages[0].Calls[0].N || two.Metrics[0].N != 2*one.Metrics[0].N {
		t.Errorf("%+v", two.Source)
	}
	rules, err := DefaultRules()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range Compare(one, two, rules, Parts()).Calls {
		if r.A-r.B > 1e-9 || r.B-r.A > 1e-9 {
			t.Errorf("%s: %g and %g", r.Kind, r.A, r.B)
		}
	}
	slow := one
	slow.Metrics = []Metric{{Group: API, Name: one.Metrics[0].Name, Seconds: 3, N: 1, Runs: 1}}
	if m := Merge(slow, slow, one).Metrics[0]; m.Seconds-(6+one.Metrics[0].Seconds)/3 > 1e-12 || m.Runs != 3 {
		t.Errorf("the average of three runs: %+v", m)
	}
}

// TestRequire: a part that is not required is shown and decides nothing; one without data is no match.
func TestRequire(t *testing.T) {
	rules, err := DefaultRules()
	if err != nil {
		t.Fatal(err)
	}
	a, b := recorded(t, nil), recorded(t, nil)
	b.Stages[0].Calls = b.Stages[0].Calls[1:]
	if c := Compare(a, b, rules, []string{PartOrder, PartWatches}); c.Verdict != results.Pass || part(t, c, PartCalls).Verdict != results.Fail {
		t.Errorf("%s, %+v", c.Verdict, c.Parts)
	}
	b.Metrics = nil
	if c := Compare(a, b, rules, []string{PartLatencies}); c.Verdict != results.NoData {
		t.Errorf("no latency on one side: %s", c.Verdict)
	}
	b.Stages[1].Name = "another"
	if c := Compare(a, b, rules, Parts()); !strings.Contains(strings.Join(c.Notes, "\n"), "the stage idle is only in A") {
		t.Errorf("notes %v", c.Notes)
	}
	b.Stages = nil
	if c := Compare(a, b, rules, []string{PartCalls}); c.Verdict != results.NoData {
		t.Errorf("no stage in common: %s", c.Verdict)
	}
}

// TestLevels: a log with bodies compares with one without: what only bodies show is left out of both.
func TestLevels(t *testing.T) {
	rules, err := DefaultRules()
	if err != nil {
		t.Fatal(err)
	}
	bare := recorded(t, func(l line) []line { delete(l, "requestObject"); return []line{l} })
	bare.Source.Audit = "metadata"
	c := Compare(recorded(t, nil), bare, rules, []string{PartCalls, PartOrder, PartWatches})
	if c.Verdict != results.Pass {
		t.Errorf("%s: %v %v", c.Verdict, failed(c.Calls), c.Order)
	}
	if p := part(t, c, PartBodies); p.Verdict != results.NoData {
		t.Errorf("%+v", p)
	}
}

// TestRenewedWatch: a watch that its server ended for its age goes on, and is no second one; one that was cut off is.
func TestRenewedWatch(t *testing.T) {
	for lasted, want := range map[time.Duration]int64{6 * time.Minute: 1, time.Minute: 2} {
		c := &collector{base: time.Unix(0, 0), stages: []span{{"s", 0, time.Hour}}, nodes: []string{"*"}, seen: map[string]bool{}, named: map[string]bool{},
			others: map[string]bool{}, firstCall: map[string]time.Duration{}, watches: map[string]*watched{}, namespaces: map[string]bool{}}
		watch := func(id string, from, to time.Duration) {
			for _, stage := range []string{audit.Started, audit.Complete} {
				if stage == audit.Complete && to == 0 {
					continue // still open
				}
				e := &audit.Event{AuditID: id, Stage: stage, RequestURI: "/api/v1/pods?watch=true", Verb: "watch",
					RequestReceivedTimestamp: c.base.Add(from), StageTimestamp: c.base.Add(max(from, to))}
				e.User.Username = "system:node:a"
				e.ObjectRef = &struct {
					Resource    string `json:"resource"`
					Namespace   string `json:"namespace"`
					Name        string `json:"name"`
					APIGroup    string `json:"apiGroup"`
					Subresource string `json:"subresource"`
				}{Resource: "pods"}
				e.ResponseStatus = &struct {
					Code int32 `json:"code"`
				}{200}
				c.event(e, nil)
			}
		}
		watch("1", time.Second, time.Second+lasted)
		watch("2", time.Second+lasted+time.Millisecond, 0)
		s := c.stagesOf([]int{0}, 0)[0]
		if len(s.Calls) != 1 || s.Calls[0].N != want || s.Watches[0].N != 1 {
			t.Errorf("after %v: %+v, open %+v", lasted, s.Calls, s.Watches)
		}
	}
}

// TestBadRules: a rule that allows a difference says why.
func TestBadRules(t *testing.T) {
	for text, want := range map[string]string{
		"rules: [{per: day}]":                 `counts per "day"`,
		"rules: [{per: node, within: 1}]":     "does not say why",
		"rules: [{per: pod, answered: true}]": "does not say why",
		"rules: [{per: node, without: 1}]":    "without",
		"rules: [{per: node, why: x}, {}]":    "rule 2",
		"rules: {per: node, within: [1], a: ": "yaml",
	} {
		if _, err := parseRules([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// TestBadRecordings are refused with what is wrong.
func TestBadRecordings(t *testing.T) {
	for text, want := range map[string]string{
		"{}":                           "it is none",
		`{"format": 99, "stages": []}`: "newer",
		`{"format": 1, "more": 2}`:     "more",
		"nothing":                      "invalid character",
	} {
		if _, err := Read("f.json", strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "f.json") {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// FuzzRead: whatever a file holds, it is read or refused, and what was read can be written and compared.
func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"format":1,"source":{},"stages":[{"name":"s","nodes":1,"pods":0,"nodeSeconds":1,"calls":[{"who":"kubelet","verb":"GET","resource":"pods","n":1}],"watches":[],"order":[{"a":"x","b":"y","both":0}]}],"metrics":[]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := Read("it", bytes.NewReader(data))
		if err != nil {
			return
		}
		rules, err := DefaultRules()
		if err != nil {
			t.Fatal(err)
		}
		Compare(r, Merge(r, r), rules, Parts())
		var b bytes.Buffer
		if err := r.Write(&b); err != nil {
			t.Fatal(err)
		}
	})
}
