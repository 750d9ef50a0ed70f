package paper

import (
	"strings"
	"testing"
	"time"

	"windtunnel/profiles"
	"windtunnel/results"
)

// TestOwnRequests: what the harness sends to bring objects to their number is no user's request.
func TestOwnRequests(t *testing.T) {
	h := agreeing(1)
	h.call("POST", "deployments", "resource", 30, shape(0.01, 0.02, 0.03))
	for i := len(h.requests) - 30; i < len(h.requests); i++ {
		h.requests[i].Group, h.requests[i].Track = "apps", "make"
	}
	users := profiles.Track{Name: "users", Steps: []profiles.Step{{Requests: &profiles.Requests{Arrivals: &profiles.Arrivals{Rate: 1}}}}}
	harness := profiles.Track{Name: "make", Steps: []profiles.Step{{Reconcile: &profiles.Reconcile{Object: "web", Count: 30, Arrivals: &profiles.Arrivals{Rate: 1}}}}}
	h.profile.Phases = []profiles.Phase{{Name: "workload", Measured: true, Tracks: []profiles.Track{users, harness}}}
	e := h.read(t)
	made := Call{"POST", "deployments.apps", "resource"}
	if e.own[made] != 30 || e.Calls[made] != nil {
		t.Errorf("%v of the harness, %d of users", e.own, e.Calls[made].sent())
	}
	text := paperOf(t, Write(Input{Load: []*Experiment{e}}), "markdown")
	if !strings.Contains(text, "POST deployments.apps (30)") || !strings.Contains(text, "go to 3 resources") {
		t.Error("the paper does not keep them apart")
	}
}

// TestFollowing: requests that follow another are spoken of where the run has some, and only there.
func TestFollowing(t *testing.T) {
	h := agreeing(1)
	says := func() bool {
		return strings.Contains(paperOf(t, Write(Input{Load: []*Experiment{h.read(t)}}), "markdown"), "Requests that follow another at once")
	}
	if says() {
		t.Error("the run has none")
	}
	h.requests[0].Part = 1
	if !says() {
		t.Error("the run has one")
	}
}

// TestReproduction: every commit that is needed is checked out once, before what it is needed for.
func TestReproduction(t *testing.T) {
	in := pair(t, 1)
	in.Commit = "fedcba987654"
	same := "    git checkout 0123456789ab\n    make build\n    bin/windtunnel run -f 'my profile.yaml' --seed 5    # gives DENSITY; here it was density-made-up\n" +
		"    bin/windtunnel run -f 'my profile.yaml' --seed 5    # gives LOAD; here it was load-made-up\n"
	last := "    bin/windtunnel paper --seed 3 --density DENSITY --load LOAD --format latex --out paper\n"
	if text := paperOf(t, Write(in), "markdown"); !strings.Contains(text, same+"    git checkout fedcba987654\n    make build\n"+last) {
		t.Error(text[strings.Index(text, "How to reproduce"):])
	}
	in.Commit = "0123456789ab"
	if text := paperOf(t, Write(in), "markdown"); !strings.Contains(text, same+last) {
		t.Error(text[strings.Index(text, "How to reproduce"):])
	}
}

// TestWorst: of types that are all within the threshold none is the worst, and the smallest sample is named.
func TestWorst(t *testing.T) {
	row := func(resource string, n int64, within float64) results.ServerRow {
		return results.ServerRow{Verb: "GET", Resource: resource, Scope: "resource", N: n, Within: within}
	}
	e := &Experiment{Summary: results.Summary{Validity: results.Validity{Verdict: results.Pass},
		Server: []results.ServerRow{row("a", 900, 1), row("b", 400, 1), row("c", 46, 0.9783), row("d", 50, 1)}}}
	enough, few := e.rows(func(results.ServerRow) bool { return true })
	want := []string{"2 with n ≥ 299, 1300 responses", "all 2: 100 %; smallest: GET b (resource), n = 400", "100.00 % [99.08 %, 100.00 %]", "pass", "yes"}
	if got := e.kept(enough); strings.Join(got, "|") != strings.Join(want, "|") {
		t.Errorf("%q", got)
	}
	if name, r := worst(few); name != "GET c (resource), n = 46" || r.N != 46 || len(few) != 2 {
		t.Errorf("%q", name)
	}
	// The point is inside and the interval is not.
	if got := e.kept([]results.ServerRow{row("a", 300, 0.995)}); got[3] != "pass" || got[4] != "no" {
		t.Errorf("%q", got)
	}
	if got := e.kept(nil); got[3] != "no data" {
		t.Errorf("%q", got)
	}
}

func TestRelease(t *testing.T) {
	for in, want := range map[string]string{"6.18.44-host-1": "6.18.44", "6.1": "6.1", "": "", "odd": "odd"} {
		if got := release(in); got != want {
			t.Errorf("%q becomes %q", in, got)
		}
	}
}

// TestPausesAndStreams: steps before the users' own must end at a known instant.
func TestPausesAndStreams(t *testing.T) {
	stream := profiles.Step{Requests: &profiles.Requests{Arrivals: &profiles.Arrivals{Rate: 2}}}
	wait := profiles.Step{Wait: &profiles.Wait{}}
	p := profiles.Profile{Phases: []profiles.Phase{{Name: "x", Tracks: []profiles.Track{
		{Steps: []profiles.Step{{Pause: profiles.Duration(3 * time.Second)}, stream}}, {Steps: []profiles.Step{wait, stream}}}}}}
	if all := streams(p, "x"); len(all) != 1 || all[0].begin != 3*time.Second {
		t.Errorf("%+v", all)
	}
}
