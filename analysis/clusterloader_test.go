package analysis

import (
	"encoding/json"
	"os"
	"testing"

	"windtunnel/profiles"
	"windtunnel/results"
)

// tested makes the history a test of ClusterLoader2 with one step, in which it waits for pods.
func (h *history) tested(failure string) {
	h.run.Steps = []results.StepSpan{{Number: 1, Name: "wait", Begin: 20 * sec, End: 50 * sec, Error: failure}}
	h.run.Marks = []results.Mark{{At: 21 * sec, End: 49 * sec, Step: 1, Method: "WaitForRunningPods", Identifier: "pods", Params: json.RawMessage(`{}`), Error: failure}}
}

// TestVerdictOfATest: the run passes when everything passes that decides, and what cannot be trusted is not judged.
func TestVerdictOfATest(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*history)
		want   results.Verdict
	}{
		{"both pass", func(h *history) { h.tested("") }, results.Pass},
		{"the test fails", func(h *history) { h.tested("3 of 10 pods") }, results.Fail},
		{"a row of the SLO fails, which does not decide", func(h *history) {
			h.tested("")
			h.profile.SLO.APICalls = []profiles.APICallSLO{apiCall("PATCH", "pods/status")}
			h.scrapes[1].Body = exposition(1000, sli("PATCH", "pods", "status", "resource", 310, 405, 410))
		}, results.Pass},
		{"nothing but the test", func(h *history) {
			h.tested("")
			h.profile.SLO = profiles.SLO{}
		}, results.Pass},
		{"nothing but the test, which fails", func(h *history) {
			h.tested("3 of 10 pods")
			h.profile.SLO = profiles.SLO{}
		}, results.Fail},
		{"nothing but the test, which has no data", func(h *history) {
			h.tested("")
			h.profile.SLO = profiles.SLO{}
			for _, action := range []string{"start", "gather"} {
				h.run.Marks = append(h.run.Marks, results.Mark{At: 22 * sec, End: 23 * sec, Step: 1, Method: "PodStartupLatency", Identifier: "none", Action: action,
					Params: json.RawMessage(`{"labelSelector":"a=b"}`)})
			}
		}, results.NoData},
		{"the run is invalid", func(h *history) {
			h.tested("3 of 10 pods")
			h.run.Outcome = "interrupted"
		}, results.Invalid},
	} {
		h := newHistory()
		c.change(h)
		s := h.summarize(t)
		if s.Verdict != c.want || s.ClusterLoader == nil || s.ClusterLoader.Steps[0].Name != "wait" {
			t.Errorf("%s: %s, want %s: %+v", c.name, s.Verdict, c.want, s.ClusterLoader)
		}
	}
}

// TestNoTest: a run of a profile says nothing of ClusterLoader2, and nothing is written for it.
func TestNoTest(t *testing.T) {
	d := newHistory().write(t)
	s, err := Examine(d)
	if err != nil || s.Test != nil || s.Summary.ClusterLoader != nil {
		t.Errorf("%+v, %v", s.Test, err)
	}
	if _, err := os.Stat(d.Path("clusterloader2")); err == nil {
		t.Error("there is a folder for a test")
	}
}

// TestAsGoodAsDone: that an object of a step is there already, or is gone, is no failure; anything else is, and so is the same elsewhere.
func TestAsGoodAsDone(t *testing.T) {
	for _, c := range []struct {
		track, verb, class string
		script             bool
		failed             int64
	}{
		{"step-2", "POST", "already_exists", true, 0}, {"step-2.1", "DELETE", "not_found", true, 0},
		{"step-2", "DELETE", "conflict", true, 1}, {"step-2", "GET", "not_found", true, 1}, {"step-2", "DELETE", "already_exists", true, 1},
		{"main", "DELETE", "not_found", true, 1}, {"step-2", "DELETE", "not_found", false, 1},
	} {
		rs := newRequests(nil, 1, nil, c.script)
		rs.judgeSent(results.Request{Track: c.track, Verb: c.verb, Error: c.class, Code: 409, Sent: 1, FirstByte: 2, Done: 2})
		if rs.sent != 1 || rs.failed != c.failed {
			t.Errorf("%+v: %d sent, %d failed", c, rs.sent, rs.failed)
		}
	}
}

// TestPodsOfATest: what a test creates counts like the pods of a profile's templates, but for the cluster's own.
func TestPodsOfATest(t *testing.T) {
	h := newHistory()
	h.tested("")
	for i := range h.pods {
		h.pods[i].Object = ""
	}
	h.addPod("dns", "", 21*sec, 1100*ms)
	for i := len(h.pods) - 3; i < len(h.pods); i++ {
		h.pods[i].Namespace = "kube-system"
	}
	h.profile.SLO = profiles.SLO{}
	s := h.summarize(t)
	if s.Run.Pods != 300 || s.PodStartup[stageTotal].N != 300 {
		t.Errorf("%d pods, %+v", s.Run.Pods, s.PodStartup[stageTotal])
	}
	h.run.Steps, h.run.Marks = nil, nil
	if s := h.summarize(t); s.Run.Pods != 0 {
		t.Errorf("%d pods of no test", s.Run.Pods)
	}
}
