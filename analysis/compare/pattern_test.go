package compare

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func TestPattern(t *testing.T) {
	f := latency("GET pods/status resource", "p99")
	for text, want := range map[string]bool{"": true, "client * p99": true, "CLIENT*P99": true, "*pods*": true, "client": false, "p99": false, "client * p90": false, "*pods.status*": false} {
		if got := ParsePattern(text).Match(f); got != want {
			t.Errorf("%q matches %s: %v", text, f, got)
		}
	}
}

func TestParseGate(t *testing.T) {
	for text, want := range map[string]Gate{
		"regression":                       {},
		"regression>5%":                    {Beyond: 0.05},
		" regression > 12.5 % ":            {Beyond: 0.125},
		"client * p99: regression>10%":     {Figures: Pattern{"client * p99"}, Beyond: 0.1},
		"component kube-*_peak:regression": {Figures: Pattern{"component kube-*_peak"}},
	} {
		got, err := ParseGate(text)
		want.Text = text
		if err != nil || got != want {
			t.Errorf("%q: %+v, %v; want %+v", text, got, err, want)
		}
	}
	for _, bad := range []string{"", "improvement", "regression>5", "regression>x%", "regression<5%", "regression>-1%", "regression>NaN%", "client *", "regressions"} {
		if g, err := ParseGate(bad); err == nil {
			t.Errorf("%q was taken as %+v", bad, g)
		}
	}
}

// addErrors makes a share of the first row's requests fail in every run.
func addErrors(runs []Run, share float64) []Run {
	for _, r := range runs {
		for i := range r.Readings {
			if f := r.Readings[i].Figure; f.Row == "GET things-0 resource" && f.Name == "errors" {
				r.Readings[i].Value.Value += share
			}
		}
	}
	return runs
}

func TestGates(t *testing.T) {
	random := rand.New(rand.NewPCG(47, 48))
	slower := func(f Figure) float64 {
		if f.Row == "GET things-3 resource" && f.Unit == "s" {
			return 1.3
		}
		return 1
	}
	c := must(t, makeRuns(random, 8, 0, same), makeRuns(random, 8, 8, slower), Options{})
	few := must(t, makeRuns(random, 2, 0, same), makeRuns(random, 2, 8, slower), Options{})
	lost := makeRuns(random, 8, 8, same) // without the figures of a row, and with one run that is invalid
	for i := range lost {
		lost[i].Readings = slices.DeleteFunc(lost[i].Readings, func(r Reading) bool { return r.Row == "GET things-3 resource" && r.Unit == "s" })
	}
	gone := must(t, makeRuns(random, 8, 0, same), lost, Options{})
	broken := makeRuns(random, 9, 8, slower)
	broken[4].Invalid = []string{"lag: too late."}
	invalid := must(t, makeRuns(random, 8, 0, same), broken, Options{})
	old := must(t, broken, makeRuns(random, 8, 0, slower), Options{})
	failing := must(t, makeRuns(random, 8, 0, same), addErrors(makeRuns(random, 8, 8, same), 0.02), Options{})
	for _, g := range []struct {
		text string
		c    Comparison
		want Verdict
	}{
		{"regression", c, Regression}, {"regression>5%", c, Regression}, {"regression>80%", c, NotShown},
		{"*things-3* p50: regression", c, Regression}, {"*things-4*: regression", c, NotShown}, {"server *: regression", c, Unknown},
		{"regression", few, Unknown},
		{"regression", gone, Unknown}, {"*things-3* p99: regression", gone, Unknown}, {"*things-4*: regression", gone, NotShown},
		{"*things-4*: regression", invalid, Unknown}, {"regression", invalid, Regression}, {"regression", old, NotShown},
		{"* errors: regression>1%", failing, Regression}, {"* errors: regression>5%", failing, NotShown}, // from 0.05 % to 2 % is no 5 points
	} {
		gate, err := ParseGate(g.text)
		if err != nil {
			t.Fatal(err)
		}
		if got := gate.Check(g.c); got.Verdict != g.want {
			t.Errorf("%s: %+v, want %s", g.text, got, g.want)
		}
	}
}
