package clusterloader

import (
	"fmt"
	"strings"
	"testing"

	"windtunnel/results"
)

// TestAPIAvailability: of 100 requests from 12 s on, one every 500 ms, numbers 20 to 22 get no answer within 2 s, and one is refused. The longest
// time is from the sending of number 20 at 22 s to the answer of number 23 at 23.51 s, or of 22, which came later: 25 s.
func TestAPIAvailability(t *testing.T) {
	for params, want := range map[string]results.Verdict{`{"threshold":96}`: results.Pass, `{"threshold":96.1}`: results.Fail, `{"useHostInternalIPs":true}`: results.NotJudged} {
		h := newHistory()
		for i := range int64(120) {
			r := results.Request{Planned: 12*sec + i*500*ms, Phase: "probe", Track: "APIAvailability/API", Code: 200}
			r.Sent, r.Done = r.Planned, r.Planned+10*ms
			switch {
			case i >= 20 && i <= 22:
				r.Code, r.Error, r.Done = 0, "timeout", r.Planned+2*sec
			case i == 50:
				r.Code, r.Error = 500, "http_500"
			case i >= 100:
				r.Track = "APIAvailability/other"
			}
			h.asked = append(h.asked, r)
		}
		h.asked = append(h.asked, results.Request{Planned: 75 * sec, Sent: 75 * sec, Done: 76 * sec, Phase: "probe", Track: "APIAvailability/API"},
			results.Request{Planned: 30 * sec, Sent: 30 * sec, Done: 31 * sec, Phase: "workload", Track: "APIAvailability/API"})
		h.measure("APIAvailability", "API", params, "")
		o := h.examine(t)
		test := want
		if want == results.NotJudged {
			test = results.Pass
		}
		m := is(t, o, want, test)
		if v := value(t, m, "availability"); v.Value != 96 || v.N != 100 {
			t.Errorf("%+v", v)
		}
		if v := value(t, m, "longest unavailable"); v.Value != 3 {
			t.Errorf("%+v", v)
		}
		if hosts := strings.Contains(fmt.Sprint(m.Notes), "useHostInternalIPs"); hosts != (want == results.NotJudged) {
			t.Errorf("%q", m.Notes)
		}
		var s struct {
			Cluster availability `json:"clusterMetrics"`
		}
		file(t, o, "APIAvailability_density_", &s)
		if s.Cluster != (availability{96, "3s"}) {
			t.Errorf("%+v", s)
		}
	}
	h := newHistory()
	h.measure("APIAvailability", "API", `{"threshold":99}`, "")
	is(t, h.examine(t), results.NoData, results.NoData)
}

// TestAPIAvailabilityPausedInAnOutage: a pause ends an outage that was under way, for nobody knows how long it went on.
func TestAPIAvailabilityPausedInAnOutage(t *testing.T) {
	h := newHistory()
	for i := range int64(50) {
		r := results.Request{Planned: 11*sec + i*sec, Sent: 11*sec + i*sec, Done: 11*sec + i*sec + ms, Phase: "probe", Track: "APIAvailability/API", Code: 200}
		if i == 18 || i == 32 { // at 29 s, before the pause, and at 43 s, behind it
			r.Code, r.Error = 0, "connection"
		}
		h.asked = append(h.asked, r)
	}
	h.mark(10*sec, "APIAvailability", "API", "start", "")
	h.mark(29*sec+500*ms, "APIAvailability", "API", "pause", "")
	h.mark(42*sec+500*ms, "APIAvailability", "API", "unpause", "")
	h.mark(70*sec, "APIAvailability", "API", "gather", "")
	if v := value(t, only(t, h.examine(t)), "longest unavailable"); v.Value != 1.001 { // until the next answer
		t.Errorf("%+v", v)
	}
}

// TestAPIAvailabilityPaused: what is asked while the measurement is held up does not count.
func TestAPIAvailabilityPaused(t *testing.T) {
	h := newHistory()
	for i := range int64(50) {
		r := results.Request{Planned: 11*sec + i*sec, Sent: 11*sec + i*sec, Done: 11*sec + i*sec + ms, Phase: "probe", Track: "APIAvailability/API", Code: 200}
		if i >= 20 && i < 30 {
			r.Code, r.Error = 0, "connection"
		}
		h.asked = append(h.asked, r)
	}
	h.mark(10*sec, "APIAvailability", "API", "start", `{"threshold":100}`)
	h.mark(30*sec, "APIAvailability", "API", "pause", "")
	h.mark(41*sec, "APIAvailability", "API", "unpause", "")
	h.mark(70*sec, "APIAvailability", "API", "gather", "")
	if v := value(t, is(t, h.examine(t), results.Pass, results.Pass), "availability"); v.N != 39 || v.Value != 100 {
		t.Errorf("%+v", v)
	}
}
