package analysis

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"windtunnel/analysis/stats"
	"windtunnel/profiles"
	"windtunnel/results"
)

// mixed is a history with everything that a study draws: several kinds of requests, failures, a component that is restarted,
// metrics and a node that is lost.
func mixed() *history {
	h := newHistory()
	h.requests = nil
	random := rand.New(rand.NewPCG(3, 4))
	for i := range int64(400) {
		at := 15*sec + i*80*ms
		r := results.Request{Planned: at, Sent: at + random.Int64N(3*ms), Phase: "workload", Verb: []string{"GET", "POST"}[i%2], Version: "v1", Resource: []string{"pods", "nodes", "secrets"}[i%3],
			Scope: "resource", Code: 200, Attempt: 1, Object: []string{"a", "b"}[i%2]}
		r.FirstByte = r.Sent + random.Int64N(50*ms)
		r.Done = r.FirstByte + random.Int64N(4)*10*ms // ties among the slowest
		if i%23 == 0 {
			r.Code, r.Error = 500, []string{"conflict", "timeout"}[i%2]
		}
		h.requests = append(h.requests, r)
	}
	for t := range int64(31) {
		h.samples = append(h.samples, results.ProcessSample{At: (t + 30) * sec, Component: "etcd", PID: int32(3 + t/20), CPUSeconds: float64(t%20) * 0.25, RSS: t << 20})
		h.metrics = append(h.metrics,
			results.Metric{At: 2 * t * sec, Component: "etcd", Name: "etcd_mvcc_db_total_size_in_bytes", Value: float64(t << 20)},
			results.Metric{At: 2 * t * sec, Component: "kube-apiserver", Name: flow + "rejected_requests_total", Labels: `{priority_level="x",reason="a"}`, Value: float64(t)},
			results.Metric{At: 2 * t * sec, Component: "kube-apiserver", Name: flow + "rejected_requests_total", Labels: `{priority_level="x",reason="b"}`, Value: float64(2 * t)})
	}
	h.nodes = append(h.nodes, results.NodeEvent{At: 45 * sec, Name: "hollow-1", Event: "notready"})
	return h
}

func (h *history) examine(t testing.TB) Study {
	t.Helper()
	s, err := Examine(h.write(t))
	if err != nil {
		t.Fatal(err)
	}
	s.Run, s.Summary.Run = results.Run{}, results.RunInfo{} // the same, but for the directories' names
	return s
}

// TestStudyOrderDoesNotMatter: in whatever order requests and samples were recorded, and in whatever batches, the pictures are
// the same. Looks at metrics stand together, as they are written, and their order is that of time.
func TestStudyOrderDoesNotMatter(t *testing.T) {
	h := mixed()
	want := h.examine(t)
	for seed := range uint64(8) {
		other, random := *h, rand.New(rand.NewPCG(seed, 0))
		other.requests, other.pods = shuffled(random, h.requests), shuffled(random, h.pods)
		if diff := cmp.Diff(want, other.examine(t), cmpopts.EquateNaNs(), cmpopts.IgnoreTypes(profiles.Profile{})); diff != "" {
			t.Fatalf("seed %d: %.3000s", seed, diff)
		}
	}
}

// TestCurvesOrderDoesNotMatter shuffles what Summarize needs in order but the pictures do not.
func TestCurvesOrderDoesNotMatter(t *testing.T) {
	h := mixed()
	time := newTimeline(60 * sec)
	curves := func(samples []results.ProcessSample, nodes []results.NodeEvent, metrics []results.Metric) []any {
		u, r, m := newUsage(), newReadiness(), newMetricHistory()
		for _, s := range samples {
			u.add(s)
		}
		for _, n := range nodes {
			r.add(n)
		}
		for _, v := range metrics {
			m.add(v)
		}
		cpu, memory, lives := u.finish(time)
		return []any{cpu, memory, lives, r.finish(time), m.finish(time)}
	}
	want := curves(h.samples, h.nodes, h.metrics)
	for seed := range uint64(50) {
		random := rand.New(rand.NewPCG(seed, 0))
		got := curves(shuffled(random, h.samples), shuffled(random, h.nodes), shuffled(random, h.metrics))
		if diff := cmp.Diff(want, got, cmpopts.EquateNaNs(), cmpopts.IgnoreTypes(profiles.Profile{})); diff != "" {
			t.Fatalf("seed %d: %.3000s", seed, diff)
		}
	}
}

// TestTraffic counts a run by hand.
func TestTraffic(t *testing.T) {
	h := newHistory()
	s := h.examine(t)
	tr := s.Traffic
	if s.Step != 1 || s.End != 60 || len(tr.Planned.At) != 60 || tr.Outside != 0 {
		t.Fatalf("step %g, end %g, %d places, %d outside", s.Step, s.End, len(tr.Planned.At), tr.Outside)
	}
	if tr.Planned.N != 600 || tr.Planned.Value[19] != 0 || tr.Planned.Value[20] != 20 || tr.Planned.Value[49] != 20 || tr.Planned.Value[50] != 0 {
		t.Errorf("planned %+v", tr.Planned)
	}
	if len(tr.Rows) != 1 || tr.Rows[0].N != 600 || len(tr.Rows[0].P50.At) != 30 || tr.Rows[0].P50.At[0] != 20.5 {
		t.Errorf("rows %+v", tr.Rows)
	}
	// 20 a second: a p99 of 100 requests takes in 5 s.
	if p := tr.P99; len(p.At) != 6 || p.At[0] != 22.5 || math.Abs(p.Value[0]/0.002-1) > 0.04 {
		t.Errorf("p99 %+v", p)
	}
	var n int64
	for _, column := range tr.Latency.Count {
		for _, k := range column {
			n += k
		}
	}
	if n != 600 || tr.Latency.N != 600 {
		t.Errorf("the grid counts %d and says %d", n, tr.Latency.N)
	}
	if len(s.Slowest) != slowestKept || s.Slowest[0].Planned != 20*sec {
		t.Errorf("%d slowest, the first at %d", len(s.Slowest), s.Slowest[0].Planned)
	}
	if c := s.Pods[2]; c.Name != "running" || c.Value[59] != 300 || c.Value[19] != 0 || s.Pods[0].Value[59] != 0 {
		t.Errorf("pods %+v", s.Pods)
	}
	for i := range s.Pods[0].Value { // all that were created are in one of the states
		want := min(max((i+1-20)*20+1, 0), 300)
		if i+1 < 20 {
			want = 0
		}
		if sum := s.Pods[0].Value[i] + s.Pods[1].Value[i] + s.Pods[2].Value[i] + s.Pods[3].Value[i]; math.Abs(sum-float64(want)) > 1 {
			t.Errorf("after %d s there are %g pods, not %d", i+1, sum, want)
		}
	}
	if c := s.CPU[0]; c.Name != "kube-apiserver" || math.Abs(c.Value[30]-0.5) > 1e-9 {
		t.Errorf("cpu %+v", c)
	}
}

// TestFollowUps: what follows another request at once is not planned, and what the generator asks for itself and watches are in
// no latency.
func TestFollowUps(t *testing.T) {
	h := newHistory()
	like := h.requests[0]
	follow := func(change func(*results.Request)) {
		r := like
		change(&r)
		h.requests = append(h.requests, r)
	}
	follow(func(r *results.Request) { r.Part = 1 })
	follow(func(r *results.Request) { r.Attempt = 2 })
	follow(func(r *results.Request) { r.Variant = "targets" })
	follow(func(r *results.Request) { r.Verb = "WATCH" })
	follow(func(r *results.Request) { r.Verb, r.Sent = "WATCH", 0 })
	tr := h.examine(t).Traffic
	if want := (Following{Parts: 1, Attempts: 1, Targets: 1, Watches: 1}); tr.FollowingBy != want || tr.Following.N != 4 {
		t.Errorf("following %+v, %d in the curve", tr.FollowingBy, tr.Following.N)
	}
	if tr.Planned.N != 600 || tr.Sent.N != 600 || tr.Answered.N != 600 || tr.Judged != 600 {
		t.Errorf("%d planned, %d sent, %d answered, %d judged", tr.Planned.N, tr.Sent.N, tr.Answered.N, tr.Judged)
	}
	if tr.Latency.N != 602 {
		t.Errorf("%d latencies", tr.Latency.N)
	}
}

// TestQuantilesOfOnePhase: no point of a curve mixes two phases, and the line is parted between them.
func TestQuantilesOfOnePhase(t *testing.T) {
	a := newTraffic(newTimeline(60*sec), []results.PhaseSpan{{End: 30 * sec}, {Begin: 30 * sec, End: 60 * sec}})
	for i := range int64(60) { // 40 a second: 100 of them take 3 s, and 30 s leave none; 1 ms in the first phase, 1 s in the second
		for j := range int64(40) {
			r := results.Request{Planned: i*sec + j*25*ms, Sent: i*sec + j*25*ms, Verb: "GET", Code: 200}
			r.Done = r.Planned + ms
			if i >= 30 {
				r.Done = r.Planned + sec
			}
			if i != 28 { // too few are left at the end of the first phase
				a.add(&r)
			}
		}
	}
	p := a.finish().P99
	gaps := 0
	for i, v := range p.Value {
		switch {
		case math.IsNaN(v):
			gaps++
			if p.At[i] != 30 {
				t.Errorf("the line is parted at %g s", p.At[i])
			}
		case p.At[i] < 30 && v > 0.002, p.At[i] > 30 && v < 0.9:
			t.Errorf("at %g s the p99 is %g s", p.At[i], v)
		}
	}
	if gaps != 1 || len(p.At) != 9+1+10 {
		t.Errorf("%d gaps in %+v", gaps, p)
	}
}

// TestOutages: overlapping times in which nodes are not ready are one; a node that was never ready or is deleted is not missed.
func TestOutages(t *testing.T) {
	r := newReadiness()
	for _, e := range []results.NodeEvent{
		{At: 1 * sec, Name: "a", Event: "ready"}, {At: 2 * sec, Name: "b", Event: "ready"}, {At: 2 * sec, Name: "c", Event: "notready"},
		{At: 10 * sec, Name: "a", Event: "notready"}, {At: 12 * sec, Name: "b", Event: "notready"}, {At: 15 * sec, Name: "a", Event: "ready"}, {At: 18 * sec, Name: "b", Event: "deleted"},
		{At: 50 * sec, Name: "a", Event: "notready"},
	} {
		r.add(e)
	}
	want := []Outage{{From: 10, Until: 18, Nodes: 2}, {From: 50, Until: 60, Nodes: 1}}
	if diff := cmp.Diff(want, r.outages(newTimeline(60*sec))); diff != "" {
		t.Error(diff)
	}
}

// TestPooled: the variants of a call are put together, and a call with one variant is left out.
func TestPooled(t *testing.T) {
	h := newHistory()
	other := h.requests[0]
	other.Resource = "secrets"
	h.requests = append(h.requests, other)
	for i := range 300 {
		h.requests[i].Variant = "table"
	}
	s := h.examine(t)
	if len(s.Pooled) != 1 || s.Pooled[0].Answered != 600 || s.Pooled[0].Variant != "" || len(s.Summary.Requests) != 3 {
		t.Errorf("pooled %+v of %d rows", s.Pooled, len(s.Summary.Requests))
	}
}

// TestOutside: instants that make no sense are counted, not drawn, and take no memory.
func TestOutside(t *testing.T) {
	h := newHistory()
	for _, at := range []int64{-5, 61 * sec, mostInstant} {
		r := h.requests[0]
		r.Planned = at
		h.requests = append(h.requests, r)
	}
	if s := h.examine(t); s.Traffic.Outside != 3 || s.Traffic.Planned.N != 600 {
		t.Errorf("%d outside, %d planned", s.Traffic.Outside, s.Traffic.Planned.N)
	}
}

// TestGridQuantile: a quantile of the grid is within half a cell of the exact one.
func TestGridQuantile(t *testing.T) {
	a := newTraffic(newTimeline(sec), nil)
	rapid.Check(t, func(t *rapid.T) {
		ns := rapid.SliceOfN(rapid.Int64Range(200e3, 900e9), 1, 300).Draw(t, "latencies")
		var c cells
		exact := make([]float64, len(ns))
		for i, v := range ns {
			c[a.cell(v)]++
			exact[i] = seconds(v)
		}
		slices.Sort(exact)
		for _, q := range []float64{0.5, 0.9, 0.99, 1} {
			if got, want := c.quantile(q), stats.Quantile(exact, q); math.Abs(math.Log10(got/want)) > 0.5/gridPerDecade+1e-6 {
				t.Fatalf("p%g is %g, on the grid %g", 100*q, want, got)
			}
		}
	})
}

// TestTimelineIsBounded: however long a run was, a curve has at most maxPlaces places and they cover it.
func TestTimelineIsBounded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		end := rapid.Int64Range(0, 5*365*86400*sec).Draw(t, "end")
		line := newTimeline(end)
		if n := line.places(); n < 1 || n > maxPlaces || int64(n)*line.step < end {
			t.Fatalf("%d places of %d ns for %d ns", n, line.step, end)
		}
		if i, ok := line.place(end); !ok || i >= line.places() {
			t.Fatalf("the end is at place %d of %d, %v", i, line.places(), ok)
		}
	})
}
