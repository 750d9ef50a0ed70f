package slo

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"windtunnel/results"
)

const sec = int64(1e9)

// read reads a file of one objective.
func read(t testing.TB, expression string, more ...string) *File {
	t.Helper()
	f, err := Read("test.yaml", []byte("apiVersion: windtunnel/v1alpha1\nkind: SLO\nname: test\nobjectives:\n  - expression: '"+
		strings.ReplaceAll(expression, "'", "''")+"'\n"+strings.Join(more, "")))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// twoPhases is a run of two measured phases, day from 0 s to 60 s and night from 60 s to 90 s. In the day 600 GETs of pods take 10 ms
// and every twentieth 2 s; at night 300 take 20 ms. 6 PUTs fail of 60. The API server's histogram has 400 GETs, 396 of them within 1 s.
func twoPhases() Data {
	labels := func(phase, verb, code, failure string) map[string]string {
		return map[string]string{"phase": phase, "verb": verb, "resource": "pods", "scope": "resource", "loop": "open", "code": code, "error": failure}
	}
	points := func(n int, from, to int64, value func(i int) float64) []Point {
		var all []Point
		for i := range n {
			all = append(all, Point{from + int64(i)*(to-from)/int64(n), value(i)})
		}
		return all
	}
	one := func(int) float64 { return 1 }
	day := points(600, 0, 60*sec, func(i int) float64 {
		if i%20 == 7 {
			return 2
		}
		return 0.01
	})
	night := points(300, 60*sec, 90*sec, func(int) float64 { return 0.02 })
	return Data{Run: "run", Validity: results.Pass,
		Phases: []results.PhaseSpan{{Name: "day", Begin: 0, End: 60 * sec, Measured: true}, {Name: "night", Begin: 60 * sec, End: 90 * sec, Measured: true}},
		Series: map[string][]Series{
			RequestLatency: {{Labels: labels("day", "GET", "", ""), Points: day}, {Labels: labels("night", "GET", "", ""), Points: night}},
			Requests: {
				{Labels: labels("day", "GET", "200", ""), Points: points(600, 0, 60*sec, one)}, {Labels: labels("night", "GET", "200", ""), Points: points(300, 60*sec, 90*sec, one)},
				{Labels: labels("day", "PUT", "200", ""), Points: points(53, 0, 30*sec, one)}, {Labels: labels("day", "PUT", "409", "conflict"), Points: points(6, 30*sec, 60*sec, one)},
				{Labels: labels("day", "PUT", "0", "canceled"), Points: points(1, 59*sec, 60*sec, one)},
			},
			ServerLatency: {{Labels: map[string]string{"verb": "GET", "resource": "pods", "scope": "resource", "builtin": "true", "phase": "day"},
				Counts: &Counts{N: 400, Within: map[float64]int64{0.05: 380, 0.6: 396, 0.8: 396, 1: 396, 2: 400, math.Inf(1): 400}}}},
			PodStartup: {{Labels: map[string]string{"stage": "total", "object": "web", "schedulable": "true", "phase": "day"}, Points: points(100, 0, 60*sec, func(i int) float64 {
				if i < 2 {
					return math.Inf(1)
				}
				return float64(i) / 100
			})}},
			Memory: {{Labels: map[string]string{"component": "etcd"}, Points: points(90, 0, 90*sec, func(i int) float64 { return float64(i) * (1 << 20) })},
				{Labels: map[string]string{"component": "kube-apiserver"}, Points: points(90, 0, 90*sec, func(int) float64 { return 3 << 30 })}},
			ComponentMetric: {{Labels: map[string]string{"name": "apiserver_x_total", "component": "kube-apiserver", "phase": "day"}, Points: points(10, 0, 60*sec, func(int) float64 { return 9 })}},
		}}
}

// TestVerdicts holds what expressions come to on that run: value, n and verdict, and what is shown.
func TestVerdicts(t *testing.T) {
	shown, merely := "shown", "merely"
	for _, c := range []struct {
		expression string
		value      float64 // NaN: none
		n          int64
		verdict    results.Verdict
		shown      string // empty: there is no interval
	}{
		{`quantile(0.5, request_latency) <= 15ms`, 0.01, 900, results.Pass, ""}, // the night differs: 900 values tell no more than two,
		{`quantile(0.9, request_latency) <= 20ms`, 0.02, 900, results.Pass, shown},
		{`quantile(0.99, request_latency) <= 1s`, 2, 900, results.Fail, shown},
		{`quantile(0.99, request_latency{phase="night"}) <= 1s`, 0.02, 300, results.Pass, merely}, // under 368 the upper bound is open
		{`quantile(0.99, request_latency{phase="night"}) >= 1s`, 0.02, 300, results.Fail, merely},
		{`quantile(0.99, request_latency{phase=~"day|night"}) <= 2s`, 2, 900, results.Pass, shown},
		{`within(request_latency, 1s) >= 96%`, 870.0 / 900, 900, results.Pass, merely},
		{`within(request_latency, 1s) >= 97%`, 870.0 / 900, 900, results.Fail, merely},
		{`within(request_latency, 10ms) >= 50%`, 570.0 / 900, 900, results.Pass, merely},
		{`mean(request_latency{phase="night"}) <= 20ms`, 0.02, 300, results.Pass, ""},
		{`max(request_latency) < 2s`, 2, 900, results.Fail, ""},
		{`min(request_latency) == 10ms`, 0.01, 900, results.Pass, ""},
		{`count(requests{verb="GET"}) >= 900`, 900, 900, results.Pass, ""},
		{`rate(requests{verb="GET"}) >= 10/s`, 10, 900, results.Pass, ""},
		{`rate(requests{verb="GET", phase="night"}) > 10/s`, 10, 300, results.Fail, ""},
		{`max_rate(requests{verb="PUT"}, 30s) <= 2/s`, 53.0 / 30, 60, results.Pass, ""},
		{`ratio(errors{verb="PUT"}, requests{verb="PUT"}) <= 11%`, 0.1, 60, results.Pass, merely},
		{`ratio(errors{verb="PUT", code="409"}, requests{verb="PUT"}) <= 1%`, 0.1, 60, results.NoData, ""}, // 299 are needed
		{`ratio(errors{verb="GET"}, requests{verb="GET"}) <= 1%`, 0, 900, results.Pass, shown},
		{`ratio(requests{verb="PUT"}, requests{verb="GET"}) <= 10%`, 60.0 / 900, 900, results.Pass, ""},
		{`count(errors{verb="GET"}) == 0`, 0, 900, results.Pass, ""},
		{`count(errors{verb="PUT"}) <= 5`, 6, 60, results.Fail, ""},
		{`count(errors{verb="DELETE"}) == 0`, math.NaN(), 0, results.NoData, ""}, // no request, no failure, no pass
		{`within(server_latency, 1s) >= 99%`, 0.99, 400, results.Pass, merely},
		{`within(server_latency, 700ms) >= 99%`, 0.99, 400, results.Pass, merely}, // between edges with the same count
		{`within(server_latency, 1500ms) >= 99%`, math.NaN(), 400, results.NoData, ""},
		{`quantile(0.99, server_latency) <= 600ms`, 0.6, 400, results.Pass, shown},
		{`quantile(0.99, server_latency) <= 500ms`, 0.6, 400, results.NoData, ""}, // the limit lies in the bucket
		{`quantile(0.99, server_latency) <= 50ms`, 0.6, 400, results.Fail, shown},
		{`within(pod_startup{stage="total"}, 5s) >= 90%`, 0.98, 100, results.Pass, merely},        // the two that never ran came together,
		{`quantile(0.99, pod_startup{stage="total"}) <= 5s`, math.NaN(), 100, results.NoData, ""}, // 299 are needed
		{`max(memory{component="etcd"}) <= 89MiB`, 89 << 20, 90, results.Pass, ""},
		{`quantile(0.5, memory{component="etcd"}) <= 1GiB`, 44 << 20, 90, results.Pass, ""},
		{`increase(metric{name="apiserver_x_total"}) == 90`, 90, 10, results.Pass, ""},
		{`rate(metric{name="apiserver_x_total"}) <= 1/s`, 1, 10, results.Pass, ""},
		{`good(10s, quantile(0.99, request_latency) <= 1s) >= 33%`, 3.0 / 9, 9, results.Pass, merely},
		{`good(1m, rate(requests{verb="GET"}) >= 10/s) >= 50%`, 1, 1, results.NoData, ""},       // the night has no whole minute; 5 are needed
		{`good(20s, rate(requests{verb="PUT"}) >= 1/s) >= 50%`, 1.0 / 4, 4, results.NoData, ""}, // 0 at night
		{`good(10s, count(requests{verb="PUT"}) >= 1) >= 50%`, 6.0 / 9, 9, results.Pass, merely},
		{`good(10s, max_rate(requests{verb="PUT"}, 1s) >= 1/s) >= 50%`, 6.0 / 9, 9, results.Pass, merely},
		{`good(10s, max_rate(requests, 11s) >= 1/s) >= 50%`, math.NaN(), 0, results.NoData, ""},
		{`good(10s, rate(requests{verb="DELETE"}) <= 1/s) >= 50%`, math.NaN(), 0, results.NoData, ""}, // none in the whole run
		{`max_rate(requests{phase="night"}, 31s) <= 100/s`, math.NaN(), 300, results.NoData, ""},
		{`good(5s, count(errors) <= 1) <= 100%`, 1, 18, results.Pass, shown},
		{`count(watch_latency) >= 1`, math.NaN(), 0, results.NoData, ""},
		{`rate(requests{verb="GET", phase="dawn"}) >= 10/s`, math.NaN(), 0, results.NoData, ""},
	} {
		r := Judge(read(t, c.expression), twoPhases())
		row := r.Results[0].Rows[0]
		value := math.NaN()
		if row.Measured != nil {
			value = *row.Measured
		}
		if same := value == c.value || math.Abs(value-c.value) < 1e-12 || math.IsNaN(value) && math.IsNaN(c.value); !same || row.N != c.n || row.Verdict != c.verdict || r.Verdict != c.verdict {
			t.Errorf("%s: %v, n %d, %s (%s); not %v, n %d, %s", c.expression, value, row.N, row.Verdict, row.Note, c.value, c.n, c.verdict)
		}
		got := ""
		if row.Shown != nil {
			got = map[bool]string{true: shown, false: merely}[*row.Shown]
		}
		if got != c.shown {
			t.Errorf("%s: %q, not %q; interval %v … %v", c.expression, got, c.shown, text(row.Low), text(row.High))
		}
		if row.Verdict == results.NoData && row.Note == "" {
			t.Errorf("%s: nothing says why there is no data", c.expression)
		}
	}
}

func text(v *float64) any {
	if v == nil {
		return "open"
	}
	return *v
}

// TestOutage: the windows of an outage are bad, for what is counted and for latencies.
func TestOutage(t *testing.T) {
	d := Data{Validity: results.Pass, Phases: []results.PhaseSpan{{Name: "day", End: 100 * sec}}, Series: map[string][]Series{}}
	add := func(metric, failure string, from, to, every int64, value float64) {
		s := Series{Labels: map[string]string{"phase": "day", "verb": "GET", "error": failure}}
		for at := from; at < to; at += every {
			s.Points = append(s.Points, Point{at, value})
		}
		d.Series[metric] = append(d.Series[metric], s)
	}
	add(Requests, "", 0, 50*sec, sec/20, 1)
	add(RequestLatency, "", 0, 50*sec, sec/20, 0.01)
	add(Requests, "timeout", 50*sec, 70*sec, sec/20, 1) // 20 s without an answer
	add(Requests, "", 70*sec, 80*sec, sec/5, 1)         // 10 s in which every fourth is answered
	add(Requests, "timeout", 70*sec, 80*sec, sec/15, 1)
	add(RequestLatency, "", 70*sec, 80*sec, sec/5, 0.01)
	add(Requests, "canceled", 80*sec, 90*sec, sec/20, 1) // and 20 s without a request that counts
	for _, c := range []struct {
		expression string
		value      float64
		n          int64
	}{
		{`good(10s, quantile(0.99, request_latency) <= 1s) >= 90%`, 5.0 / 8, 8},
		{`good(10s, max(request_latency) <= 1s) >= 90%`, 6.0 / 8, 8},
		{`good(10s, rate(request_latency) >= 1/s) >= 90%`, 6.0 / 10, 10},
		{`good(10s, count(errors) <= 0) >= 90%`, 6.0 / 9, 9},
	} {
		row := Judge(read(t, c.expression), d).Results[0].Rows[0]
		if row.Measured == nil || *row.Measured != c.value || row.N != c.n {
			t.Errorf("%s: %v of %d (%s), not %g of %d", c.expression, text(row.Measured), row.N, row.Note, c.value, c.n)
		}
	}
	if asked := read(t, `good(10s, max(request_latency) <= 1s) >= 90%`).Metrics(); !slices.Equal(asked, []string{RequestLatency, Requests}) {
		t.Errorf("it needs %v", asked)
	}
}

// TestRateByPhase: the rate of a phase is over its own length.
func TestRateByPhase(t *testing.T) {
	for _, e := range []string{`rate(requests{verb="GET"}) by (phase) >= 10/s`, `good(30s, rate(requests{verb="GET"}) >= 10/s) by (phase) >= 50%`} {
		r := Judge(read(t, e, "    minSamples: 1\n"), twoPhases())
		if rows := r.Results[0].Rows; r.Verdict != results.Pass || len(rows) != 2 || *rows[0].Measured != *rows[1].Measured {
			t.Errorf("%s: %s %+v", e, r.Verdict, r.Results[0].Rows)
		} else if strings.HasPrefix(e, "good") && (rows[0].N != 2 || rows[1].N != 1) {
			t.Errorf("%s: %d and %d windows", e, rows[0].N, rows[1].N)
		}
	}
}

// TestDamagedInstants: windows end, whatever the phases say of themselves.
func TestDamagedInstants(t *testing.T) {
	d := twoPhases()
	d.Phases[1].End = math.MaxInt64
	if row := Judge(read(t, `good(1ms, count(requests) >= 0) >= 50%`), d).Results[0].Rows[0]; row.Verdict != results.NoData || !strings.Contains(row.Note, "windows") {
		t.Errorf("%+v", row)
	}
	_, err := Read("test.yaml", []byte("apiVersion: windtunnel/v1alpha1\nkind: SLO\nname: test\nobjectives:\n  - expression: good(0.0001us, count(requests) >= 0) >= 50%\n"))
	if err == nil || !strings.Contains(err.Error(), "5:22: objectives[0].expression: a window is at least 1 ms, not 0.0001us") {
		t.Errorf("a window without length: %v", err)
	}
}

// TestEndless: a quantile that falls among pods that never ran is beyond any limit.
func TestEndless(t *testing.T) {
	r := Judge(read(t, `quantile(0.99, pod_startup{stage="total"}) <= 5s`, "    minSamples: 100\n"), twoPhases())
	if row := r.Results[0].Rows[0]; r.Verdict != results.Fail || row.Measured != nil || row.Low == nil && row.Shown != nil || !strings.Contains(row.Note, "never ran") {
		t.Errorf("%+v", row)
	}
}

func TestGroups(t *testing.T) {
	for _, c := range []struct {
		expression string
		more       string
		verdict    results.Verdict
		rows       []results.Verdict
	}{
		{`max(memory) by (component) <= 1GiB`, "", results.Fail, []results.Verdict{results.Pass, results.Fail}},
		{`quantile(0.99, request_latency) by (phase) <= 2s`, "", results.Pass, []results.Verdict{results.Pass, results.Pass}},
		{`ratio(errors, requests) by (verb) <= 1%`, "", results.NoData, []results.Verdict{results.Pass, results.NoData}},
		{`ratio(errors, requests) by (verb) <= 1%`, "    fewSamples: observe\n", results.Pass, []results.Verdict{results.Pass, results.NoData}},
		{`ratio(errors, requests) by (verb) <= 1%`, "    minSamples: 60\n", results.Fail, []results.Verdict{results.Pass, results.Fail}},
		{`ratio(errors{verb="PUT"}, requests{verb="PUT"}) by (verb) <= 1%`, "    fewSamples: observe\n", results.NoData, []results.Verdict{results.NoData}},
		{`quantile(0.99, watch_latency) by (resource) <= 1s`, "    fewSamples: observe\n", results.NoData, nil},
		{`quantile(0.99, request_latency{phase="night"}) by (phase) <= 1s`, "    minSamples: 301\n    fewSamples: observe\n", results.NoData, []results.Verdict{results.NoData}},
		{`quantile(0.99, server_latency) by (verb) <= 500ms`, "    fewSamples: observe\n", results.NoData, []results.Verdict{results.NoData}}, // undecided is not few
		{`rate(requests) by (verb) <= 1/s`, "    observe: true\n", results.NotJudged, []results.Verdict{results.Fail, results.Pass}},
	} {
		r := Judge(read(t, c.expression, c.more), twoPhases())
		var got []results.Verdict
		for _, row := range r.Results[0].Rows {
			got = append(got, row.Verdict)
		}
		if r.Verdict != c.verdict || !slices.Equal(got, c.rows) {
			t.Errorf("%s: %s %v, not %s %v", c.expression, r.Verdict, got, c.verdict, c.rows)
		}
	}
}

// TestInvalid: what cannot be trusted is not judged, and what it would have been is kept.
func TestInvalid(t *testing.T) {
	d := twoPhases()
	d.Validity = results.Invalid
	r := Judge(read(t, `rate(requests) >= 1/s`), d)
	if row := r.Results[0].Rows[0]; r.Verdict != results.Invalid || r.Results[0].Verdict != results.Invalid || row.Verdict != results.Invalid || row.IfValid != results.Pass {
		t.Errorf("%s %+v", r.Verdict, row)
	}
}

// TestNothingIsNoPass: without data no objective of any kind passes.
func TestNothingIsNoPass(t *testing.T) {
	for _, name := range Builtins() {
		data, _ := Builtin(name)
		f, err := Read(name, data)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range []Data{{Validity: results.Pass}, {Validity: results.Pass, Phases: twoPhases().Phases}} {
			r := Judge(f, d)
			if want := map[bool]results.Verdict{true: results.NotJudged, false: results.NoData}[name == "wip"]; r.Verdict != want {
				t.Errorf("%s without data: %s", name, r.Verdict)
			}
		}
	}
	for _, e := range []string{`rate(requests) <= 1/s`, `count(errors) == 0`, `ratio(errors, requests) <= 1%`, `max(memory) <= 1B`, `good(1s, count(errors) == 0) >= 1%`,
		`increase(metric{name="x_total"}) == 0`, `quantile(0.5, server_latency) <= 1s`, `within(pod_startup{stage="total"}, 5s) >= 1%`, `max_rate(requests, 1s) <= 1/s`} {
		if r := Judge(read(t, e), Data{Validity: results.Pass, Phases: twoPhases().Phases}); r.Verdict != results.NoData {
			t.Errorf("%s without data: %s", e, r.Verdict)
		}
	}
}

// TestAgainstTheLongWay compares with definitions worked out the slow way, whatever the order of points and however series are cut.
func TestAgainstTheLongWay(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(r, "seed"), 1))
		n := rapid.IntRange(100, 700).Draw(r, "n")
		var values []float64
		series := make([]Series, rapid.IntRange(1, 5).Draw(r, "series"))
		for i := range n {
			v := float64(rng.IntN(50)) / 10
			values = append(values, v)
			s := &series[rng.IntN(len(series))]
			s.Points = append(s.Points, Point{int64(i/2) * sec / 10, v})
		}
		for i := range series {
			rng.Shuffle(len(series[i].Points), func(a, b int) {
				p := series[i].Points
				p[a], p[b] = p[b], p[a]
			})
		}
		d := Data{Validity: results.Pass, Phases: []results.PhaseSpan{{Name: "p", End: 70 * sec}}, Series: map[string][]Series{RequestLatency: series}}
		value := func(expression string) Row { return Judge(read(t, expression), d).Results[0].Rows[0] }
		limit := float64(rng.IntN(50)) / 10
		k := 0
		for _, v := range values {
			if v <= limit {
				k++
			}
		}
		slices.Sort(values)
		if row := value(`within(request_latency, ` + plain(limit) + `s) >= 50%`); *row.Measured != float64(k)/float64(n) || row.N != int64(n) || *row.Low > *row.Measured || *row.High < *row.Measured {
			r.Fatalf("within %g: %+v, not %d of %d", limit, row, k, n)
		}
		if row := value(`quantile(0.9, request_latency) <= 1s`); *row.Measured != values[int(math.Ceil(float64(n)*0.9))-1] {
			r.Fatalf("quantile: %+v", row)
		}
		most := 0
		for _, s := range series {
			for _, from := range s.Points {
				in := 0
				for _, s := range series {
					for _, p := range s.Points {
						if p.At >= from.At && p.At < from.At+sec {
							in++
						}
					}
				}
				most = max(most, in)
			}
		}
		if row := value(`max_rate(request_latency, 1s) >= 1/s`); *row.Measured != float64(most) {
			r.Fatalf("max_rate %g, not %d", *row.Measured, most)
		}
	})
}
