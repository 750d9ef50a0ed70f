package analysis

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"windtunnel/analysis/slo"
	"windtunnel/profiles"
	"windtunnel/results"
)

// builtin reads a built-in set.
func builtin(t testing.TB, name string) *slo.File {
	t.Helper()
	data, _ := slo.Builtin(name)
	f, err := slo.Read(name, data)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// objectives reads a file of these expressions.
func objectives(t testing.TB, expressions ...string) *slo.File {
	t.Helper()
	text := "apiVersion: windtunnel/v1alpha1\nkind: SLO\nname: test\nobjectives:\n"
	for _, e := range expressions {
		text += "  - expression: '" + e + "'\n"
	}
	f, err := slo.Read("test.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func (h *history) judge(t testing.TB, f *slo.File) slo.Report {
	t.Helper()
	return judgeDir(t, h.write(t), f)
}

func judgeDir(t testing.TB, d *results.Dir, f *slo.File) slo.Report {
	t.Helper()
	r, err := Judge(d, f)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestOfficialAgrees: a row that a profile requires by its slo section and the same row of the official set have the same numbers and
// the same verdict, in runs of all sorts.
func TestOfficialAgrees(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for range 12 {
		h := newHistory()
		var rows []profiles.APICallSLO
		var before, after strings.Builder
		for _, c := range []struct{ verb, resource, subresource, scope string }{
			{"PATCH", "pods", "status", "resource"}, {"GET", "pods", "", "resource"}, {"LIST", "pods", "", "namespace"}, {"LIST", "nodes", "", "cluster"}, {"DELETE", "configmaps", "", "resource"},
		} {
			all := int64(250 + rng.IntN(400))
			second := all - int64(rng.IntN(8))
			before.WriteString(sli(c.verb, c.resource, c.subresource, c.scope, 3, 4, 5))
			after.WriteString(sli(c.verb, c.resource, c.subresource, c.scope, 3+second/2, 4+second, 5+all))
			rows = append(rows, profiles.APICallSLO{Verb: c.verb, Resource: strings.TrimSuffix(c.resource+"/"+c.subresource, "/"), Scope: c.scope})
		}
		h.scrapes[0].Body, h.scrapes[1].Body = exposition(1000, before.String()), exposition(1000, after.String())
		h.profile.SLO.APICalls = rows
		for i := range rng.IntN(6) { // pods that never run, and pods that are late
			h.pods[3*i+2].Event = "seen"
			h.pods[3*(i+10)+2].At += 5 * sec
		}
		s, r := h.summarize(t), h.judge(t, builtin(t, "official"))
		for _, want := range s.SLOs {
			if !want.Required {
				continue
			}
			have := officialRow(t, r, want.Expression)
			if have.N != want.N || *have.Measured != *want.Measured || have.Verdict != want.Verdict || *have.Low != want.Interval[0] || *have.High != want.Interval[1] || *have.Margin != *want.Margin {
				t.Errorf("%s: %d %g %s, official: %d %g %s", want.Expression, want.N, *want.Measured, want.Verdict, have.N, *have.Measured, have.Verdict)
			}
		}
	}
}

// officialRow finds the row of the official set that is the same as one of a summary.
func officialRow(t *testing.T, r slo.Report, expression string) slo.Row {
	t.Helper()
	if strings.Contains(expression, "running within") {
		return r.Results[3].Rows[0]
	}
	var verb, path, scope string
	if _, err := fmt.Sscanf(strings.NewReplacer("99 % of ", "", "(", "", ")", "").Replace(expression), "%s %s %s", &verb, &path, &scope); err != nil {
		t.Fatal(err)
	}
	resource, subresource, _ := strings.Cut(path, "/")
	for _, o := range r.Results {
		for _, row := range o.Rows {
			g := row.Group
			if g["resource"] == resource && g["subresource"] == subresource && (g["verb"] == verb || g["verb"] == "" && g["scope"] == scope && (verb == "GET" || verb == "LIST")) {
				return row
			}
		}
	}
	t.Fatalf("the official set has no row for %s", expression)
	return slo.Row{}
}

// TestJudgeByPhase: the phases of a run are told apart in every metric, and together they are the whole.
func TestJudgeByPhase(t *testing.T) {
	h := busyHistory()
	h.scrapes[0].Phase = "workload"
	h.scrapes = append(h.scrapes[:1],
		results.Scrape{At: 35 * sec, Component: "kube-apiserver", Phase: "workload", Mark: "end", Body: exposition(1000, sli("PATCH", "pods", "status", "resource", 110, 110, 110))},
		results.Scrape{At: 35 * sec, Component: "kube-apiserver", Phase: "night", Mark: "begin", Body: exposition(1000, sli("PATCH", "pods", "status", "resource", 110, 110, 110))},
		results.Scrape{At: 50 * sec, Component: "kube-apiserver", Phase: "night", Mark: "end", Body: exposition(1000, sli("PATCH", "pods", "status", "resource", 310, 406, 410))})
	h.metrics = []results.Metric{}
	for i := range int64(61) {
		h.metrics = append(h.metrics, results.Metric{At: i * sec, Component: "etcd", Name: "x_seconds_sum", Labels: `{op="a,b"}`, Value: float64(i)},
			results.Metric{At: i * sec, Component: "etcd", Name: "depth", Value: float64(i)})
	}
	dir := h.write(t)
	for _, c := range []struct {
		metric     string
		workload   int64
		night, all int64
	}{
		{`count(requests{verb="GET"})`, 600, 0, 600}, // all of them name the phase workload
		{`count(requests{verb="POST"})`, 294, 294, 588},
		{`count(errors{verb="POST"})`, 6, 6, 12},
		{`count(request_latency{verb="POST"})`, 288, 288, 576},
		{`count(server_latency)`, 100, 300, 400},
		{`count(pod_startup{stage="schedule_to_run"})`, 297, 0, 297},
		{`count(pods_created)`, 300, 0, 300},
		{`max(memory{component="kube-apiserver"})`, 334 << 20, 350 << 20, 350 << 20},
		{`increase(metric{name="x_seconds_sum", op="a,b"})`, 15, 15, 30},
		{`max(metric{name="depth"})`, 34, 50, 50},
		{`min(nodes_ready)`, 2, 2, 2},
	} {
		function, rest, _ := strings.Cut(c.metric, "(")
		for phase, want := range map[string]int64{`phase="workload"`: c.workload, `phase="night"`: c.night, `phase!="boot"`: c.all} {
			selector := strings.TrimSuffix(rest, ")")
			if inner, has := strings.CutSuffix(selector, "}"); has {
				selector = inner + ", " + phase + "}"
			} else {
				selector += "{" + phase + "}"
			}
			unit := ""
			for name, u := range map[string]string{"memory": "B", "seconds_sum": "s"} {
				if strings.Contains(selector, name) {
					unit = u
				}
			}
			row := judgeDir(t, dir, objectives(t, fmt.Sprintf("%s(%s) >= %d%s", function, selector, 1, unit))).Results[0].Rows[0]
			got := int64(0)
			if row.Measured != nil {
				got = int64(*row.Measured)
			}
			if got != want {
				t.Errorf("%s(%s): %d, not %d (%s)", function, selector, got, want, row.Note)
			}
		}
	}
	r := judgeDir(t, dir, objectives(t, `quantile(0.9, watch_latency) by (phase) <= 1s`))
	if rows := r.Results[0].Rows; len(rows) != 2 || rows[0].N != rows[1].N || rows[0].N == 0 {
		t.Errorf("watch latency by phase: %+v", rows)
	}
	mean := judgeDir(t, dir, objectives(t, `mean(cpu{component="kube-apiserver"}) == 0.5`)).Results[0].Rows[0]
	if mean.Measured == nil || !near(*mean.Measured, 0.5) {
		t.Errorf("CPU: %+v", mean)
	}
}

// TestRowsByPhase: the rows of the phases add up to the whole.
func TestRowsByPhase(t *testing.T) {
	s := busyHistory().summarize(t)
	type kind struct{ verb, resource string }
	n, answered, failed := map[kind]int64{}, map[kind]int64{}, map[kind]int64{}
	for _, r := range s.RequestsByPhase {
		k := kind{r.Verb, r.Resource}
		n[k] += r.N
		answered[k] += r.Answered
		failed[k] += r.Errors
	}
	for _, r := range s.Requests {
		if k := (kind{r.Verb, r.Resource}); r.Phase != "" || n[k] != r.N || answered[k] != r.Answered || failed[k] != r.Errors {
			t.Errorf("%+v: phases have n %d, answered %d, errors %d", r, n[k], answered[k], failed[k])
		}
	}
	phases := []string{}
	for _, r := range s.RequestsByPhase {
		phases = append(phases, r.Phase)
	}
	if want := []string{"workload", "workload", "night"}; !slices.Equal(phases, want) {
		t.Errorf("rows of phases %v, not %v", phases, want)
	}
	if a, b := s.PodStartupByPhase["workload"]["total"].N, s.PodStartup["total"].N; a == 0 || a != b {
		t.Errorf("pods of the phase %d, of all %d", a, b)
	}
	if one := newHistory().summarize(t); one.RequestsByPhase != nil || one.PodStartupByPhase != nil {
		t.Error("a run of one measured phase has rows by phase")
	}
}

// TestSchedulable: pods that name a scheduler which is not there are not judged by the official set.
func TestSchedulable(t *testing.T) {
	h := newHistory()
	h.profile.Objects = map[string]profiles.Object{"idle": {Manifest: map[string]any{"kind": "Pod", "spec": map[string]any{"schedulerName": "none"}}}}
	for i := range 50 {
		h.pods = append(h.pods, results.PodEvent{At: 21 * sec, Source: "watch", Event: "created", UID: fmt.Sprintf("idle-%d", i), Object: "idle", Phase: "workload"})
	}
	r := h.judge(t, builtin(t, "official"))
	if row := r.Results[3].Rows[0]; row.N != 300 || row.Verdict != results.Pass {
		t.Errorf("%+v", row)
	}
	all := h.judge(t, objectives(t, `within(pod_startup{stage="total"}, 5s) by (schedulable) >= 99%`)).Results[0].Rows
	slices.SortFunc(all, func(a, b slo.Row) int { return cmp.Compare(a.N, b.N) })
	if len(all) != 2 || all[0].N != 50 || *all[0].Measured != 0 {
		t.Errorf("%+v", all)
	}
}

// TestCounters: an objective's rise of a counter is that of the summary, whatever the order of the records: a little less than before is made
// up for, half is a reset, a restart begins at 0, and what is no number is left out.
func TestCounters(t *testing.T) {
	h := newHistory()
	const size = "etcd_mvcc_db_total_size_in_bytes"
	look := func(at int64, start, n float64) {
		h.metrics = append(h.metrics, lookAt(at, "etcd", start, map[string]float64{"grpc_server_handled_total": n, size: n})...)
	}
	look(20*sec, 1, 1000)
	look(25*sec, 1, 1100)
	look(26*sec, 1, 1090) // asked for later and answered earlier
	look(30*sec, 1, 1200) // 200
	look(35*sec, 1, 100)  // reset: 100
	look(40*sec, 2, 90)   // restarted: 90
	look(50*sec, 2, 100)  // 10
	h.metrics = append(h.metrics, results.Metric{At: 45 * sec, Component: "etcd", Name: size, Value: math.Inf(1)}, results.Metric{At: 45 * sec, Component: "etcd", Name: size, Value: math.NaN()})
	rng := rand.New(rand.NewPCG(3, 4))
	for range 5 {
		rng.Shuffle(len(h.metrics), func(i, j int) { h.metrics[i], h.metrics[j] = h.metrics[j], h.metrics[i] })
		dir := h.write(t)
		r := judgeDir(t, dir, objectives(t, `increase(metric{name="grpc_server_handled_total"}) >= 1`, `max(metric{name="etcd_mvcc_db_total_size_in_bytes"}) >= 1B`))
		s, err := Summarize(dir)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := *r.Results[0].Rows[0].Measured, figure(t, s, "etcd", "requests").Value; got != 400 || want != 400 {
			t.Errorf("increase %g, of the summary %g, not 400", got, want)
		}
		if row := r.Results[1].Rows[0]; row.Measured == nil || *row.Measured != 1200 {
			t.Errorf("max %+v", row)
		}
	}
}

// TestNodesReady: what came at one instant counts as if it ended ready, and an instant beyond belief ends.
func TestNodesReady(t *testing.T) {
	h := newHistory()
	h.nodes = append(h.nodes, results.NodeEvent{At: 30 * sec, Name: "hollow-0", Event: "ready"}, results.NodeEvent{At: 30 * sec, Name: "hollow-0", Event: "notready"})
	f := objectives(t, `min(nodes_ready) >= 1`)
	if row := h.judge(t, f).Results[0].Rows[0]; *row.Measured != 2 || row.N != 31 {
		t.Errorf("%+v", row)
	}
	h.run.Phases[2].End = math.MaxInt64 - 5
	if r := h.judge(t, f); r.Verdict != results.Invalid {
		t.Errorf("a phase of 292 years: %s", r.Verdict)
	}
}

// TestUnmeasuredBetween: what happens between two measured phases is in no figure, neither of the summary nor of an objective, and
// what is missing is said by both.
func TestUnmeasuredBetween(t *testing.T) {
	h := newHistory()
	h.run.Phases = []results.PhaseSpan{{Name: "day", Begin: 20 * sec, End: 30 * sec, Measured: true}, {Name: "pause", Begin: 30 * sec, End: 40 * sec}, {Name: "night", Begin: 40 * sec, End: 50 * sec, Measured: true}}
	scrape := func(at int64, phase, mark string, start float64, n int64) {
		h.scrapes = append(h.scrapes, results.Scrape{At: at, Component: apiServer, Phase: phase, Mark: mark, Body: exposition(start, sli("PATCH", "pods", "status", "resource", n, n, n))})
	}
	h.scrapes = nil
	scrape(20*sec, "day", "begin", 1000, 100)
	scrape(30*sec, "day", "end", 1000, 300)
	scrape(35*sec, "pause", "", 1000, 5000)
	scrape(40*sec, "night", "begin", 1000, 9000)
	scrape(45*sec, "night", "", 1000, 9100)
	scrape(47*sec, "night", "", 1045, 20)
	scrape(50*sec, "night", "end", 1045, 200)
	s, r := h.summarize(t), h.judge(t, objectives(t, `count(server_latency) >= 1`))
	if s.Server[0].N != 500 || *r.Results[0].Rows[0].Measured != 500 {
		t.Errorf("summary %d, objective %g, not 500", s.Server[0].N, *r.Results[0].Rows[0].Measured)
	}
	for _, notes := range [][]string{s.Notes, r.Notes} {
		if text := strings.Join(notes, "\n"); !strings.Contains(text, "restarted in phase night (1)") {
			t.Errorf("notes %q", text)
		}
	}
	if c := check(t, s, "scrapes"); c.Verdict != results.Pass {
		t.Errorf("%+v", c)
	}
	h.scrapes[1].Mark = ""
	if s := h.summarize(t); check(t, s, "scrapes").Verdict != results.Invalid || !strings.Contains(strings.Join(s.Notes, "\n"), "the end of phase day is missing") {
		t.Errorf("without the end of a phase: %q", s.Notes)
	}
}
