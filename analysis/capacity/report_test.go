package capacity

import (
	"bytes"
	"errors"
	"fmt"
	"html"
	"math"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"windtunnel/analysis/stats"
	"windtunnel/internal/golden"
	"windtunnel/results"
)

// searched is a search against a synthetic control plane: a law of throughput whose answers take longer the more load there
// is, an API server whose CPU grows with it, and an SLO that holds up to 700 requests a second.
func searched(s Search) (Record, map[string]results.Summary) {
	law := stats.USL{Lambda: 150, Sigma: 0.12, Kappa: 0.0004}
	random := rand.New(rand.NewPCG(3, 3))
	r := Record{Format: Format, ID: "synthetic-rate-20260101T000000Z-000000", Profile: "synthetic", Axis: "rate", Unit: "requests/s", Description: "Requests of the users.",
		Search: s, Started: "2026-01-01T00:00:00Z", Source: Source{File: "synthetic.yaml", Seed: 7}}
	summaries := map[string]results.Summary{}
	for {
		next := s.Next(r.History())
		if next.Done {
			r.Stopped, r.Finished = next.Why, true
			return r, summaries
		}
		seconds, ok := latencyAt(law, next.Level)
		if !ok {
			seconds = 2
		}
		noisy := seconds * (1 + 0.05*random.NormFloat64())
		p := Point{Outcome: Outcome{Level: next.Level, Stage: next.Stage, Verdict: results.Pass}, Run: fmt.Sprintf("synthetic-%02d", len(r.Runs)+1), Seed: r.SeedAt(next.Level),
			Seconds: 15, MachineCores: 4, Traffic: Traffic{Answers: int64(15 * next.Level), Throughput: next.Level, InFlight: next.Level * noisy, Mean: noisy, P50: noisy * 0.8, P99: noisy * 5},
			Cores: map[string]float64{"kube-apiserver": 3.2 * next.Level / 700, "etcd": 0.6 * next.Level / 700}}
		within := 1.0
		if next.Level > 700 {
			p.Verdict, within = results.Fail, 0.93
			p.Why = []string{"99 % of POST configmaps (resource) within 1 s: fail, 93.00 % within, n 3000"}
		}
		p.Tightest = &Row{Expression: "99 % of POST configmaps (resource) within 1 s", Within: within, Margin: within - 0.99, N: 3000, Threshold: 1}
		r.Runs = append(r.Runs, p)
		summaries[p.Run] = summaryOf(p, within)
	}
}

// latencyAt is the latency of an open loop with a rate of x a second: N is the smaller root of κN² + (σ−κ−λ/x)N + (1−σ) = 0,
// and R = N/x. From the peak on there is none.
func latencyAt(u stats.USL, x float64) (seconds float64, ok bool) {
	b := u.Lambda/x - u.Sigma + u.Kappa
	root := b*b - 4*u.Kappa*(1-u.Sigma)
	return 2 * (1 - u.Sigma) / (b + math.Sqrt(root)) / x, b > 0 && root >= 0
}

func summaryOf(p Point, within float64) results.Summary {
	margin, wait := within-0.99, 0.001*p.Level
	return results.Summary{Verdict: p.Verdict, Validity: results.Validity{Verdict: results.Pass},
		Run:    results.RunInfo{ID: p.Run, Seconds: 25, Machine: results.Machine{Cores: 4, CPU: "synthetic", MemoryBytes: 16 << 30}, Versions: map[string]string{"kubernetes": "v1.36.3"}},
		Phases: []results.PhaseSpan{{Name: "workload", Begin: 0, End: 15e9, Measured: true}},
		SLOs:   []results.SLOResult{{Expression: p.Tightest.Expression, Measured: &within, Margin: &margin, N: 3000, Verdict: p.Verdict, Required: true}},
		Components: []results.ComponentUse{{Name: "kube-apiserver", CPUSeconds: p.Cores["kube-apiserver"] * 15, PeakBytes: 1 << 30, Samples: 15},
			{Name: "etcd", CPUSeconds: p.Cores["etcd"] * 15, PeakBytes: 1 << 28, Samples: 15}},
		ServerSide: &results.ServerSide{
			PriorityLevels: []results.PriorityLevel{{Name: "workload-low", Requests: 9000, MeanWait: &wait, MostSeats: p.Level / 4, Seats: 245, Looks: 9}},
			Figures:        []results.ComponentFigure{{Component: "etcd", Name: "fsync_mean", Value: 0.002, Unit: "s", N: 400, Text: "mean time to flush its log to the disk"}}},
	}
}

func TestReport(t *testing.T) {
	record, summaries := searched(Search{From: 100, To: 3200, Step: 10, Resolution: 0.1, Repeats: 5, Retries: 2, Confidence: 0.95})
	r := Analyse(record, summaries)
	if r.Answer.Inside == nil || *r.Answer.Inside > 700 || *r.Answer.Inside < 600 || r.Law == nil {
		t.Fatalf("answer %+v, law %v: %s", r.Answer, r.Law, r.NoLaw)
	}
	check(t, "report.txt", func(b *bytes.Buffer) error { return Text(b, r) })
	check(t, "report.md", func(b *bytes.Buffer) error { return Markdown(b, r) })
	check(t, "report.csv", func(b *bytes.Buffer) error { return CSV(b, r) })
}

// TestPage: the page has the answer, every table and every chart, asks the network for nothing, and is the same every time.
func TestPage(t *testing.T) {
	record, summaries := searched(usual())
	record.Description = "<b>not markup</b>"
	r := Analyse(record, summaries)
	var page, again bytes.Buffer
	if err := errors.Join(HTML(&page, r), HTML(&again, Analyse(record, summaries))); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(page.Bytes(), again.Bytes()) {
		t.Error("two pages of one search differ")
	}
	text := page.String()
	for _, want := range append(r.Sentences(), "Levels", "What gave out first", "Universal Scalability Law", "&lt;b&gt;not markup") {
		if !strings.Contains(html.UnescapeString(text), html.UnescapeString(want)) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if n := strings.Count(text, "<svg"); n != len(r.Charts()) || n != 5 {
		t.Errorf("%d drawings of %d charts", n, len(r.Charts()))
	}
	for _, bad := range []string{"<script", "<link", "src=", "href=", "url(", "@import", "<b>"} {
		if strings.Contains(text, bad) {
			t.Errorf("the page has %s", bad)
		}
	}
}

// check compares what is written with a file.
func check(t *testing.T, name string, write func(b *bytes.Buffer) error) {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b); err != nil {
		t.Fatal(err)
	}
	golden.Check(t, filepath.Join("testdata", name), b.String())
}

// TestWhatGaveOut: the strongest evidence comes first, and what did not change is not evidence.
func TestWhatGaveOut(t *testing.T) {
	run := func(level float64, verdict results.Verdict, within float64, change func(s *results.Summary)) results.Summary {
		p := Point{Outcome: Outcome{Level: level, Verdict: verdict}, Tightest: &Row{Expression: "99 % of x"}, Cores: map[string]float64{"kube-apiserver": 1}}
		s := summaryOf(p, within)
		change(&s)
		return s
	}
	same := func(*results.Summary) {}
	top := func(f []Finding) string {
		var all []string
		for _, x := range f {
			all = append(all, fmt.Sprintf("%s: %s %s", x.Rank, x.Component, x.Name))
		}
		return strings.Join(all, "; ")
	}
	check := func(what, want string, before, after []results.Summary) {
		t.Helper()
		begins, more := strings.CutSuffix(want, " …")
		if got := top(Findings(before, after, 1.25)); got != want && !(more && strings.HasPrefix(got, begins)) {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
	}
	good := []results.Summary{run(400, results.Pass, 1, same)}
	check("nothing changed", "", good, []results.Summary{run(400, results.Pass, 1, same)})
	check("a row failed", "violated: SLO 99 % of x", good, []results.Summary{run(400, results.Fail, 0.9, same)})
	check("the processor is full", "gave out: machine cpu; rose: kube-apiserver cpu", good, []results.Summary{run(400, results.Pass, 1, func(s *results.Summary) { s.Components[0].CPUSeconds = 15 * 3.7 })})
	check("rejections", "gave out: kube-apiserver priority level workload-low rejected", good,
		[]results.Summary{run(400, results.Pass, 1, func(s *results.Summary) { s.ServerSide.PriorityLevels[0].Rejected = 3 })})
	check("seats", "gave out: kube-apiserver priority level workload-low seats", good,
		[]results.Summary{run(400, results.Pass, 1, func(s *results.Summary) { s.ServerSide.PriorityLevels[0].MostSeats = 250 })})
	check("a slow disk", "near: etcd fsync_mean", good, []results.Summary{run(400, results.Pass, 1, func(s *results.Summary) { s.ServerSide.Figures[0].Value = 0.0085 })})
	check("a limiter that was slow before", "violated: SLO 99 % of x; slow: kube-scheduler limiter_mean", limited(run(40, results.Pass, 1, same), 0.4),
		limited(run(40, results.Fail, 0.9, same), 0.8))
	check("a limiter that holds little back", "violated: SLO 99 % of x", limited(run(40, results.Pass, 1, same), 0.4), limited(run(40, results.Fail, 0.9, same), 0.09))
	check("a queue", "rose: kube-controller-manager queue deployment", good, []results.Summary{run(400, results.Pass, 1, func(s *results.Summary) {
		wait := 4.0
		s.ServerSide.WorkQueues = []results.WorkQueue{{Component: "kube-controller-manager", Name: "deployment", MeanWait: &wait, N: 100}}
	})})
	lag := []results.Check{{Name: "lag", Verdict: results.Invalid, Text: "The generator was late.", Measured: 0.3, Limit: 0.1, Unit: "s", N: 9}}
	check("the generator", "harness: run lag …", good, []results.Summary{run(400, results.Invalid, 1, func(s *results.Summary) {
		s.Validity = results.Validity{Verdict: results.Invalid, Checks: lag}
		s.Components[0].CPUSeconds = 15 * 3.7
	})})
}

// TestFiguresAreMedians: of two runs a figure is the mean, as of any even number the median.
func TestFiguresAreMedians(t *testing.T) {
	run := func(cpu float64) results.Summary {
		p := Point{Outcome: Outcome{Level: 400, Verdict: results.Pass}, Tightest: &Row{Expression: "x"}, Cores: map[string]float64{"kube-apiserver": cpu}}
		return summaryOf(p, 1)
	}
	f := Findings([]results.Summary{run(1), run(2)}, []results.Summary{run(3.7), run(3.9)}, 1.25)
	if len(f) == 0 || f[0].Rank != GaveOut || math.Abs(f[0].Outside-3.8) > 1e-9 || math.Abs(*f[0].Inside-1.5) > 1e-9 || f[0].N != 60 {
		t.Errorf("%+v", f)
	}
}

// limited is a run in which the scheduler's own limit held each request back for so many seconds.
func limited(s results.Summary, wait float64) []results.Summary {
	s.SLOs[0].Threshold = 1
	s.ServerSide.Figures = append(s.ServerSide.Figures, results.ComponentFigure{Component: "kube-scheduler", Name: "limiter_mean", Value: wait, Unit: "s", N: 12, Text: "held back"})
	return []results.Summary{s}
}

// TestTheHarnessIsNamed: where the level outside has no verdict the answer says that the harness gave out, not the system.
func TestTheHarnessIsNamed(t *testing.T) {
	record, summaries := searched(Search{From: 100, To: 3200, Step: 10, Resolution: 0.5, Repeats: 3, Retries: 0, Confidence: 0.95})
	for i := range record.Runs {
		p := &record.Runs[i]
		if p.Verdict == results.Fail {
			p.Verdict = results.Invalid
			s := summaries[p.Run]
			s.Verdict = results.Invalid
			s.Validity = results.Validity{Verdict: results.Invalid, Checks: []results.Check{{Name: "lag", Verdict: results.Invalid, Text: "The generator was late."}}}
			summaries[p.Run] = s
		}
	}
	text := strings.Join(Analyse(record, summaries).Sentences(), "\n")
	if !strings.Contains(text, "The harness gave out first, not the system: The generator was late.") || strings.Contains(text, "outside is") {
		t.Error(text)
	}
}

// TestEmpty: a search without a run has a page, too.
func TestEmpty(t *testing.T) {
	r := Analyse(Record{Search: usual()}, nil)
	var b bytes.Buffer
	for _, write := range []func() error{func() error { return Text(&b, r) }, func() error { return Markdown(&b, r) }, func() error { return CSV(&b, r) }, func() error { return HTML(&b, r) }} {
		if err := write(); err != nil {
			t.Error(err)
		}
	}
	if !strings.Contains(b.String(), "Nothing was run.") {
		t.Error(b.String())
	}
}
