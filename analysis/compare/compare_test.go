package compare

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"windtunnel/results"
)

// latency is a figure of the client.
func latency(row, name string) Figure {
	return Figure{"client", row, name, "s", Lower, leastRelative, leastLatency}
}

// makeRuns gives runs of one system, one every minute from a minute on: 45 figures, of which those of a row move together, as do all with the run;
// and four shares that are nearly always the same.
func makeRuns(random *rand.Rand, n, minute int, change func(f Figure) float64) []Run {
	var runs []Run
	for i := range n {
		r := Run{ID: fmt.Sprintf("run-%03d", minute+i), Profile: "test", Started: time.Date(2026, 1, 2, 3, minute+i, 0, 0, time.UTC), Seed: 1,
			Traits: map[string]string{"provider": "embedded", "machine.cpu": "test", "controlPlane.scheduler.qps": "50", "versions.kubernetes": "v1.36.3"}, Instrument: map[string]string{"windtunnel": "0.1.0"}}
		luck := random.NormFloat64()
		for row := range 15 {
			rowLuck := random.NormFloat64()
			for q, name := range []string{"p50", "p90", "p99"} {
				f := latency(fmt.Sprintf("GET things-%d resource", row), name)
				v := 0.010 * float64(q+1) * math.Exp(0.03*luck+0.05*rowLuck+0.05*random.NormFloat64())
				r.Readings = append(r.Readings, Reading{f, Value{Value: v * change(f)}})
			}
		}
		for row := range 4 {
			f := Figure{"client", fmt.Sprintf("GET things-%d resource", row), "errors", "fraction", Lower, 0, leastFraction}
			share := 0.0
			if random.IntN(6) == 0 {
				share = 0.003
			}
			r.Readings = append(r.Readings, Reading{f, Value{Value: share * change(f)}})
		}
		runs = append(runs, r)
	}
	return runs
}

func same(Figure) float64 { return 1 }

func must(t testing.TB, base, new []Run, o Options) Comparison {
	t.Helper()
	c, err := Compare(base, new, o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func rowOf(t testing.TB, c Comparison, name string) Row {
	t.Helper()
	for _, r := range c.Rows {
		if r.Figure.String() == name {
			return r
		}
	}
	t.Fatalf("no row %s", name)
	return Row{}
}

// TestRelabelings: of 1 000 ways to call 8 of 16 unchanged runs the base and the others new, at most 5 % show a change in any
// figure, within the error of so many trials. Without the correction it would be far more.
func TestRelabelings(t *testing.T) {
	if testing.Short() {
		t.Skip("a simulation, which make test runs without the race detector")
	}
	const relabelings = 1000
	random := rand.New(rand.NewPCG(31, 32))
	all := makeRuns(random, 16, 0, same)
	alarms, raw, tight := 0, 0, 0.0
	for range relabelings {
		random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		c := must(t, all[:8], all[8:], Options{LeastRelative: &tight})
		if c.Count(Unknown) > 0 || c.Family < 45 {
			t.Fatalf("%d rows cannot tell; the family is %d", c.Count(Unknown), c.Family)
		}
		if c.Verdict != NotShown {
			alarms++
		}
		if slices.ContainsFunc(c.Rows, func(r Row) bool { return r.P <= 0.05 }) {
			raw++
		}
	}
	t.Logf("of %d relabelings %d show a change; %d would without the correction", relabelings, alarms, raw)
	if limit := 0.05 + 3*math.Sqrt(0.05*0.95/relabelings); float64(alarms)/relabelings > limit {
		t.Errorf("%d of %d relabelings show a change, more than %.3f", alarms, relabelings, limit)
	}
	if raw < relabelings/4 {
		t.Errorf("without the correction only %d of %d relabelings would show a change: this test shows nothing", raw, relabelings)
	}
}

func TestRegressionAndImprovement(t *testing.T) {
	random := rand.New(rand.NewPCG(33, 34))
	base := makeRuns(random, 8, 0, same)
	new := makeRuns(random, 8, 8, func(f Figure) float64 {
		switch f.String() {
		case "client GET things-3 resource p50":
			return 1.5
		case "client GET things-5 resource p90":
			return 0.6
		}
		return 1
	})
	c := must(t, base, new, Options{})
	if c.Verdict != Regression || c.Count(Regression) != 1 || c.Count(Improvement) != 1 {
		t.Fatalf("verdict %s, %d regressions, %d improvements", c.Verdict, c.Count(Regression), c.Count(Improvement))
	}
	worse, better := rowOf(t, c, "client GET things-3 resource p50"), rowOf(t, c, "client GET things-5 resource p90")
	if worse.Verdict != Regression || better.Verdict != Improvement || worse.Delta != 1 || better.Delta != -1 {
		t.Errorf("%+v\n%+v", worse, better)
	}
	if *worse.Change.Low > 1.5 || *worse.Change.High < 1.5 || *worse.Change.Low < 1.2 {
		t.Errorf("the true ratio is 1.5, the interval [%g, %g]", *worse.Change.Low, *worse.Change.High)
	}
	if !strings.Contains(c.Sentence, "things-3 resource p50 is 1.") || !strings.Contains(c.Sentence, "1 got better") {
		t.Errorf("sentence: %s", c.Sentence)
	}
	// What is good the other way round turns the verdict.
	for _, runs := range [][]Run{base, new} {
		for _, r := range runs {
			for i := range r.Readings {
				r.Readings[i].Better = Higher
			}
		}
	}
	if c := must(t, base, new, Options{}); rowOf(t, c, "client GET things-3 resource p50").Verdict != Improvement {
		t.Error("more of what is better is no improvement")
	}
	// A change that is shown but less than what matters is neither.
	much := 0.7
	if c := must(t, base, new, Options{LeastRelative: &much}); c.Verdict != Small || c.Count(Small) != 2 {
		t.Errorf("of at least 70 %%: %s, %d small", c.Verdict, c.Count(Small))
	}
}

// TestTiedFiguresAreNotCounted: what could raise no alarm costs the others nothing.
func TestTiedFiguresAreNotCounted(t *testing.T) {
	side := func(from int, varies float64) []Run {
		var runs []Run
		for i := range 8 {
			once := 0.0
			if i == 5 {
				once = varies
			}
			runs = append(runs, Run{ID: fmt.Sprint(from + i), Readings: []Reading{{latency("GET a", "p50"), Value{Value: float64(from + i)}},
				{latency("GET b", "p50"), Value{Value: 7}}, {Figure{"client", "GET a", "errors", "fraction", Lower, 0, leastFraction}, Value{Value: once}}}})
		}
		return runs
	}
	c := must(t, side(10, 0), side(20, 0.5), Options{})
	if c.Family != 1 || len(c.Rows) != 3 || c.Rows[0].AdjustedP != c.Rows[0].P || c.Rows[0].Verdict != Regression {
		t.Errorf("family of %d, %d rows, first %+v", c.Family, len(c.Rows), c.Rows[0])
	}
	if tied, once := rowOf(t, c, "client GET b p50"), rowOf(t, c, "client GET a errors"); tied.Verdict != NotShown || once.Verdict != NotShown {
		t.Errorf("tied: %s, once: %s; with so many runs they could have shown a change", tied.Verdict, once.Verdict)
	}
}

func TestFewRunsCannotTell(t *testing.T) {
	random := rand.New(rand.NewPCG(35, 36))
	twice := func(Figure) float64 { return 2 }
	for _, c := range []struct {
		n    int
		want Verdict
	}{{1, Unknown}, {3, Unknown}, {4, Unknown}, {6, Unknown}, {7, Regression}} {
		got := must(t, makeRuns(random, c.n, 0, same), makeRuns(random, c.n, 20, twice), Options{})
		if got.Verdict != c.want {
			t.Errorf("%d + %d runs of a system twice as slow: %s, want %s", c.n, c.n, got.Verdict, c.want)
		}
		if got.Verdict == Unknown && (got.Needed != 7 || !rowOf(t, got, "client GET things-0 resource p50").Apart && c.n > 1) {
			t.Errorf("%d + %d runs: needs %d; apart %v", c.n, c.n, got.Needed, rowOf(t, got, "client GET things-0 resource p50").Apart)
		}
	}
	// One figure, named before: 4 + 4 do.
	one := Options{Figures: []Pattern{ParsePattern("*things-2*p50")}}
	if got := must(t, makeRuns(random, 4, 0, same), makeRuns(random, 4, 20, twice), one); got.Verdict != Regression || len(got.Rows) != 1 || got.Needed != 4 {
		t.Errorf("one figure: %s of %d rows, needs %d", got.Verdict, len(got.Rows), got.Needed)
	}
}

func TestOneRunASide(t *testing.T) {
	bounds := func(v float64) Value { low, high := v*0.95, v*1.05; return Value{v, &low, &high} }
	run := func(id string, minute int, v float64) Run {
		return Run{ID: id, Started: time.Date(2026, 1, 2, 3, minute, 0, 0, time.UTC), Readings: []Reading{{latency("GET a", "p50"), bounds(0.1)}, {latency("GET b", "p50"), bounds(v)}}}
	}
	c := must(t, []Run{run("one", 0, 0.1)}, []Run{run("two", 1, 0.3)}, Options{})
	near, far := rowOf(t, c, "client GET a p50"), rowOf(t, c, "client GET b p50")
	if c.Verdict != Unknown || near.Apart || !far.Apart || !far.New.WithinRun || math.Abs(far.Change.Value-3) > 1e-9 || far.Change.Low != nil {
		t.Errorf("%s\n%+v\n%+v", c.Verdict, near, far)
	}
	if !strings.Contains(strings.Join(c.Notes, "\n"), "No change can be shown") {
		t.Errorf("notes: %v", c.Notes)
	}
}

func TestUnlikeRunsAreRefused(t *testing.T) {
	random := rand.New(rand.NewPCG(37, 38))
	base, new := makeRuns(random, 2, 0, same), makeRuns(random, 2, 2, same)
	for _, r := range new {
		r.Traits["controlPlane.scheduler.qps"], r.Traits["versions.kubernetes"] = "100", "v1.37.0"
	}
	var unlike *Unlike
	if _, err := Compare(base, new, Options{}); !errors.As(err, &unlike) || len(unlike.Differences) != 2 {
		t.Fatalf("err = %v", err)
	}
	for _, want := range []string{"controlPlane.scheduler.qps  50 | 100", "v1.36.3 | v1.37.0", "--differ controlPlane,versions"} {
		if !strings.Contains(unlike.Error(), want) {
			t.Errorf("%q is not in: %v", want, unlike)
		}
	}
	if _, err := Compare(base, new, Options{Differ: []string{"versions", "controlPlane.sched"}}); !errors.As(err, &unlike) || len(unlike.Differences) != 1 {
		t.Errorf("half a name is none: %v", err)
	}
	c := must(t, base, new, Options{Differ: []string{"versions.kubernetes", "controlPlane"}})
	if want := (Difference{"controlPlane.scheduler.qps", "50", "100", true}); len(c.Differences) != 2 || c.Differences[0] != want {
		t.Errorf("%+v", c.Differences)
	}
	if c := must(t, base, new, Options{Force: true}); len(c.Differences) != 2 || c.Differences[0].Named {
		t.Errorf("%+v", c.Differences)
	}
	// The runs of one side may not differ in what is named for the other.
	if _, err := Compare(slices.Concat(base, new), makeRuns(random, 2, 4, same), Options{Differ: []string{"versions", "controlPlane"}}); !errors.As(err, &unlike) {
		t.Errorf("a mixed side: %v", err)
	}
}

func TestInvalidRunsAreLeftOut(t *testing.T) {
	random := rand.New(rand.NewPCG(39, 40))
	base, new := makeRuns(random, 3, 0, same), makeRuns(random, 2, 3, same)
	base[1].Invalid = []string{"lag: too late."}
	c := must(t, base, new, Options{})
	if want := []LeftOut{{"run-001", []string{"lag: too late."}}}; len(c.Base.Runs) != 2 || cmp.Diff(want, c.Base.LeftOut) != "" {
		t.Errorf("%+v", c.Base)
	}
	if r := c.Rows[0]; r.Base.N != 2 || r.New.N != 2 {
		t.Errorf("n = %d + %d", r.Base.N, r.New.N)
	}
	new[0].Invalid, new[1].Invalid = base[1].Invalid, base[1].Invalid
	if _, err := Compare(base, new, Options{}); !errors.Is(err, ErrNoRuns) || !strings.Contains(err.Error(), "run-003 is invalid: lag: too late.") {
		t.Errorf("err = %v", err)
	}
	if _, err := Compare(nil, base, Options{}); !errors.Is(err, ErrNoRuns) {
		t.Errorf("no runs at all: %v", err)
	}
}

// TestOneSidedFigures are listed, not compared.
func TestOneSidedFigures(t *testing.T) {
	random := rand.New(rand.NewPCG(41, 42))
	base, new := makeRuns(random, 2, 0, same), makeRuns(random, 2, 2, same)
	new[1].Readings = append(new[1].Readings, Reading{latency("PUT other", "p50"), Value{Value: 1}})
	base[0].Readings = append(base[0].Readings, Reading{latency("GET gone", "p50"), Value{Value: 1}})
	c := must(t, base, new, Options{})
	if !slices.Equal(c.OnlyBase, []string{"client GET gone p50"}) || !slices.Equal(c.OnlyNew, []string{"client PUT other p50"}) || len(c.Rows) != 49 {
		t.Errorf("%v, %v, %d rows", c.OnlyBase, c.OnlyNew, len(c.Rows))
	}
}

// TestOrderChangesNothing but the order of the values.
func TestOrderChangesNothing(t *testing.T) {
	random := rand.New(rand.NewPCG(43, 44))
	base, new := makeRuns(random, 7, 0, same), makeRuns(random, 9, 7, func(f Figure) float64 { return 1.2 })
	want := must(t, base, new, Options{})
	random.Shuffle(len(base), func(i, j int) { base[i], base[j] = base[j], base[i] })
	random.Shuffle(len(new), func(i, j int) { new[i], new[j] = new[j], new[i] })
	got := must(t, base, new, Options{})
	for _, c := range []*Comparison{&want, &got} {
		c.Base.Runs, c.New.Runs = nil, nil
		for i := range c.Rows {
			slices.Sort(c.Rows[i].Base.Values)
			slices.Sort(c.Rows[i].New.Values)
		}
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(Change{})); diff != "" {
		t.Error(diff)
	}
	// Turning the sides turns the signs.
	turned := must(t, new, base, Options{})
	for i, r := range turned.Rows {
		w := want.Rows[i]
		if math.Abs(r.P-w.P) > 1e-12 || r.Delta != -w.Delta || w.Change.Kind == "ratio" && math.Abs(r.Change.Value*w.Change.Value-1) > 1e-9 {
			t.Errorf("%s: p %g and %g, δ %g and %g", r.Figure, r.P, w.P, r.Delta, w.Delta)
		}
	}
}

func TestNotes(t *testing.T) {
	random := rand.New(rand.NewPCG(45, 46))
	all := makeRuns(random, 4, 0, same)
	for _, c := range []struct {
		base, new []Run
		want      string
		noted     bool
	}{
		{[]Run{all[0], all[1]}, []Run{all[2], all[3]}, "were all made before", true},
		{[]Run{all[0], all[2]}, []Run{all[1], all[3]}, "were all made before", false},
	} {
		if got := strings.Contains(strings.Join(must(t, c.base, c.new, Options{}).Notes, "\n"), c.want); got != c.noted {
			t.Errorf("%q noted: %v", c.want, got)
		}
	}
	all[3].Seed, all[2].Instrument = 9, map[string]string{"windtunnel": "0.2.0"}
	notes := strings.Join(must(t, all[:2], all[2:], Options{}).Notes, "\n")
	for _, want := range []string{"different seeds (1 and 1, 9)", "What measured differs: windtunnel 0.1.0 and 0.2.0"} {
		if !strings.Contains(notes, want) {
			t.Errorf("%q is not in:\n%s", want, notes)
		}
	}
}

// TestRelabelingsOfRecordedRuns does the same with recorded runs, those in the folders base and same of the one that WINDTUNNEL_UNCHANGED names:
// .ci/bench slowed makes them.
func TestRelabelingsOfRecordedRuns(t *testing.T) {
	folder := os.Getenv("WINDTUNNEL_UNCHANGED")
	if folder == "" {
		t.Skip("WINDTUNNEL_UNCHANGED names no runs")
	}
	var all []Run
	for _, side := range []string{"base", "same"} {
		dirs, err := results.List(filepath.Join(folder, side))
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range dirs {
			r, err := Read(d)
			if err != nil {
				t.Fatal(err)
			}
			if len(r.Invalid) == 0 {
				all = append(all, r)
			}
		}
	}
	const relabelings = 1000
	random, tight, alarms := rand.New(rand.NewPCG(33, 34)), 0.0, 0
	var last Comparison
	for range relabelings {
		random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		last = must(t, all[:len(all)/2], all[len(all)/2:], Options{LeastRelative: &tight})
		if last.Verdict != NotShown {
			alarms++
		}
	}
	t.Logf("of %d relabelings of %d runs, in %d figures of which %d vary, %d show a change", relabelings, len(all), len(last.Rows), last.Family, alarms)
	if limit := 0.05 + 3*math.Sqrt(0.05*0.95/relabelings); float64(alarms)/relabelings > limit {
		t.Errorf("%d of %d relabelings show a change, more than %.3f", alarms, relabelings, limit)
	}
}
