package analysis

import (
	"bytes"
	"strings"
	"testing"

	"windtunnel/results"
)

func parsed(t *testing.T, histograms ...string) calls {
	t.Helper()
	cs, err := parseCalls(exposition(1, histograms...))
	if err != nil {
		t.Fatal(err)
	}
	return cs
}

func TestParseCalls(t *testing.T) {
	v1 := sli("LIST", "events", "", "cluster", 10, 20, 30)
	cs := parsed(t, v1, strings.ReplaceAll(v1, `version="v1"`, `version="v1beta1"`), sli("WATCH", "pods", "", "cluster", 1, 1, 1),
		sli("CONNECT", "pods", "exec", "resource", 1, 1, 1), sli("GET", "pods", "log", "resource", 1, 1, 1), sli("GET", "pods", "", "resource", 2, 4, 4),
		sli("GET", "", "/openapi/v3", "", 1, 1, 1))
	if len(cs) != 2 {
		t.Errorf("calls %v", cs)
	}
	events := cs[call{verb: "LIST", resource: "events", scope: "cluster"}]
	if n, ok := events.within(30); events.n != 60 || n != 60 || !ok {
		t.Errorf("two versions of one resource make %+v", events)
	}
	if n, _ := events.within(1); n != 40 {
		t.Errorf("%d within 1 s", n)
	}
	if _, ok := events.within(2); ok {
		t.Error("2 s is no edge, yet known")
	}
	if _, err := parseCalls([]byte(sliMetric + "_bucket{le=\"1\" 3\n")); err == nil {
		t.Error("nonsense was parsed")
	}
	if cs, err := parseCalls(nil); err != nil || len(cs) > 0 {
		t.Errorf("nothing gives %v, %v", cs, err)
	}
}

func TestThresholds(t *testing.T) {
	for c, want := range map[call]float64{
		{verb: "PATCH", resource: "pods", scope: "resource"}: 1, {verb: "GET", resource: "pods", scope: "resource"}: 1,
		{verb: "LIST", resource: "pods", scope: "namespace"}: 30, {verb: "LIST", resource: "pods", scope: "cluster"}: 30,
	} {
		if got := c.threshold(); got != want {
			t.Errorf("%+v: %g s", c, got)
		}
	}
}

// TestHistogramQuantile compares with what Prometheus' histogram_quantile gives.
func TestHistogramQuantile(t *testing.T) {
	cs := parsed(t, sli("GET", "pods", "", "resource", 50, 100, 100))
	h := cs[call{verb: "GET", resource: "pods", scope: "resource"}]
	for q, want := range map[float64][3]float64{0.25: {0.05, 0, 0.05}, 0.5: {0.1, 0.05, 0.1}, 0.75: {0.55, 0.1, 1}, 1: {1, 0.1, 1}} {
		b := h.quantile(q)
		if b == nil || !near(b.Value, want[0]) || !near(*b.Low, want[1]) || !near(*b.High, want[2]) {
			t.Errorf("q %g: %+v, not %v", q, b, want)
		}
	}
	var none histogram
	if none.quantile(0.5) != nil {
		t.Error("an empty histogram has a median")
	}
	h.add(histogram{n: 100, buckets: map[float64]int64{}}, 1) // another 100 beyond 30 s
	if b := h.quantile(0.99); b == nil || b.High != nil || *b.Low != 30 || b.Value != 30 {
		t.Errorf("beyond the last edge: %+v", b)
	}
}

func TestOnly(t *testing.T) {
	body := exposition(5, sli("GET", "pods", "", "resource", 1, 1, 1))
	kept := only(body, sliMetric)
	if bytes.Contains(kept, []byte("other_total")) || !bytes.Contains(kept, []byte("# TYPE "+sliMetric)) {
		t.Errorf("kept %s", kept)
	}
	if got := processStart(body); got != 5 {
		t.Errorf("process start %g", got)
	}
	if got := processStart([]byte(startMetric + " 1.7e+09")); got != 1.7e9 {
		t.Errorf("process start without a newline %g", got)
	}
}

// TestRestart kills the API server in the middle: the pieces are summed, and what fell between is said to be lost.
func TestRestart(t *testing.T) {
	h := newHistory()
	patch := func(fast, second, all int64) string {
		return sli("PATCH", "pods", "status", "resource", fast, second, all)
	}
	scrape := func(at int64, start float64, mark, body string) results.Scrape {
		return results.Scrape{At: at, Component: apiServer, Phase: "workload", Mark: mark, Body: exposition(start, body)}
	}
	h.scrapes = []results.Scrape{
		scrape(20*sec, 1000, "begin", patch(50, 50, 50)),
		scrape(30*sec, 1000, "", patch(250, 250, 250)), // 200 more
		scrape(40*sec, 2000, "", patch(20, 20, 20)),
		scrape(50*sec, 2000, "end", patch(150, 150, 150)), // 150 since its start
		scrape(55*sec, 2000, "begin", patch(900, 900, 900)),
	}
	s := h.summarize(t)
	if len(s.Server) != 1 || s.Server[0].N != 350 || s.Server[0].Within != 1 {
		t.Errorf("server %+v", s.Server)
	}
	if len(s.Notes) != 1 || !strings.Contains(s.Notes[0], "restarted") {
		t.Errorf("notes %v", s.Notes)
	}
	// Without a start time, a counter that falls tells the same.
	h = newHistory()
	for i, n := range []int64{500, 320} {
		h.scrapes[i].Body, _, _ = bytes.Cut(exposition(1, patch(n, n, n)), []byte("# TYPE "+startMetric))
	}
	s = h.summarize(t)
	if len(s.Server) != 1 || s.Server[0].N != 320 || len(s.Notes) != 1 || !strings.Contains(s.Notes[0], "was reset") {
		t.Errorf("server %+v, notes %v", s.Server, s.Notes)
	}
}

// TestSameResourceInTwoGroups requires a row without naming the group.
func TestSameResourceInTwoGroups(t *testing.T) {
	h := newHistory()
	row := sli("POST", "events", "", "resource", 200, 200, 200)
	other := strings.ReplaceAll(row, `group=""`, `group="events.k8s.io"`)
	h.scrapes[1].Body = append(h.scrapes[1].Body, (row + other)...)
	h.profile.SLO.APICalls = append(h.profile.SLO.APICalls, apiCall("POST", "events"))
	s := h.summarize(t)
	if r := s.SLOs[1]; r.N != 400 || r.Verdict != results.Pass || !r.Required {
		t.Errorf("%+v", r)
	}
	if len(s.Server) != 3 || len(s.SLOs) != 3 { // the groups' rows are shown apart, and not judged a second time
		t.Errorf("%d server rows, %d SLOs", len(s.Server), len(s.SLOs))
	}
}

func FuzzParseCalls(f *testing.F) {
	f.Add(exposition(1, sli("GET", "pods", "", "resource", 1, 2, 3)))
	f.Add([]byte("# TYPE " + sliMetric + " counter\n" + sliMetric + " 1\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		cs, err := parseCalls(body)
		if err != nil {
			return
		}
		d, _ := difference(calls{}, cs)
		for _, r := range serverRows(d) {
			if r.N < 0 {
				t.Fatalf("%+v", r)
			}
		}
		processStart(body)
	})
}
