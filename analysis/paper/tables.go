package paper

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"windtunnel/analysis/render"
	"windtunnel/analysis/stats"
	"windtunnel/results"
)

// objective is a class of API calls that has an objective of its own.
type objective struct {
	name string
	of   func(results.ServerRow) bool
}

// objectives are those of sig-scalability's api_call_latency.md.
func objectives() []objective {
	read := func(r results.ServerRow) bool { return r.Verb == "GET" || r.Verb == "LIST" }
	return []objective{
		{"changes of one object ≤ 1 s", func(r results.ServerRow) bool { return r.Scope == "resource" && !read(r) }},
		{"reads of one object ≤ 1 s", func(r results.ServerRow) bool { return r.Scope == "resource" && read(r) }},
		{"reads of a namespace or the cluster ≤ 30 s", func(r results.ServerRow) bool { return r.Scope != "resource" && read(r) }},
	}
}

// sloTables are table 1, the objectives and what the API server's own histogram and the pods' start-ups say of them, and table 1b,
// the same of the request types that are too few to be judged.
func sloTables(all []*Experiment) []Block {
	judged := Table{Number: "1", Caption: para("The service level objectives (99th percentiles of latency; ", cite("slos"), ") and what was measured. Of API calls, by the API server's own histogram, of all callers: of the request types with at least the n that the profile asks for, the one with the smallest share within the threshold. The verdict goes by the share itself, the point, as the objective is defined; “shown” says whether the whole 95 % interval is on the same side. A pod's start-up counts from being seen created to being seen running."),
		Header: []string{"objective", "run", "request types", "the worst of them", "within [95 % interval]", "verdict (point)", "shown"}, Left: []int{1, 5, 6}, Wide: []int{0, 2, 3}}
	fewer := Table{Number: "1b", Caption: para("The request types with fewer responses than ", table("1"), " asks for, which do not decide: how many, and the one with the smallest share within the threshold."),
		Header: []string{"objective", "run", "request types", "the worst of them", "within"}, Left: []int{0, 1}, Wide: []int{3}}
	for _, o := range objectives() {
		for _, e := range all {
			enough, few := e.rows(o.of)
			judged.Rows = append(judged.Rows, append([]string{o.name, e.Name}, e.kept(enough)...))
			if len(few) > 0 {
				name, r := worst(few)
				fewer.Rows = append(fewer.Rows, []string{o.name, e.Name, count(int64(len(few))), name, percent(r.Within)})
			}
		}
	}
	for _, e := range all {
		judged.Rows = append(judged.Rows, append([]string{"start-up of stateless pods ≤ 5 s", e.Name}, e.podsKept()...))
	}
	if len(fewer.Rows) == 0 {
		return []Block{judged}
	}
	return []Block{judged, fewer}
}

// rows are the server's rows of a class of requests, those with enough responses to be judged and those with fewer.
func (e *Experiment) rows(of func(results.ServerRow) bool) (enough, few []results.ServerRow) {
	for _, r := range e.Summary.Server {
		switch {
		case !of(r) || r.N == 0:
		case r.N >= int64(e.minSamples()):
			enough = append(enough, r)
		default:
			few = append(few, r)
		}
	}
	return enough, few
}

// kept are the cells of a class of requests in table 1.
func (e *Experiment) kept(rows []results.ServerRow) []string {
	var n int64
	for _, r := range rows {
		n += r.N
	}
	types := fmt.Sprintf("%d with n ≥ %d, %d responses", len(rows), e.minSamples(), n)
	if len(rows) == 0 {
		return []string{types, none, none, string(results.NoData), string(NoData)}
	}
	name, r := worst(rows)
	b := serverShare(r.Within, r.N)
	return []string{types, name, withInterval(b, percent), e.verdict(r.Within >= 0.99), shown(b)}
}

// worst is the row with the smallest share within the threshold, of equals the one of the smallest sample, and how a table names it: where all
// are the same there is no worst, and the smallest sample is the one that says least.
func worst(rows []results.ServerRow) (string, results.ServerRow) {
	r := slices.MinFunc(rows, func(a, b results.ServerRow) int {
		return cmp.Or(cmp.Compare(a.Within, b.Within), cmp.Compare(a.N, b.N))
	})
	name := fmt.Sprintf("%s %s (%s), n = %d", r.Verb, results.ResourcePath(r.Group, r.Resource, r.Subresource), r.Scope, r.N)
	if r.Within == 1 && len(rows) > 1 {
		name = fmt.Sprintf("all %d: 100 %%; smallest: %s", len(rows), name)
	}
	return name, r
}

// verdict is the verdict by a share itself; an invalid run has none.
func (e *Experiment) verdict(kept bool) string {
	switch {
	case e.Summary.Validity.Verdict != results.Pass:
		return string(results.Invalid)
	case kept:
		return string(results.Pass)
	}
	return string(results.Fail)
}

// shown says whether the whole interval of a share is on one side of 99 %.
func shown(b *results.Bounds) string {
	if j := (within{0.99, 1}).judge(b); j == Holds || j == Fails {
		return "yes"
	}
	return "no"
}

// podsKept are the cells of the pods' start-up in table 1.
func (e *Experiment) podsKept() []string {
	slo := e.podSLO()
	if slo == nil || slo.Measured == nil {
		return []string{"0 pods", none, none, string(results.NoData), string(NoData)}
	}
	b := results.Bounds{Value: *slo.Measured}
	if len(slo.Interval) == 2 {
		b.Low, b.High = &slo.Interval[0], &slo.Interval[1]
	}
	return []string{plural(int(slo.N), "pod"), none, withInterval(&b, percent), string(slo.Verdict), shown(&b)}
}

// minSamples is the least n of a judged row, as the profile asks for it or by default.
func (e *Experiment) minSamples() int {
	if e.Profile.SLO.MinSamples > 0 {
		return e.Profile.SLO.MinSamples
	}
	return 299
}

// podSLO is the judged row of the pods' start-up; nil when there is none.
func (e *Experiment) podSLO() *results.SLOResult {
	for i, r := range e.Summary.SLOs {
		if strings.Contains(r.Expression, " running within ") {
			return &e.Summary.SLOs[i]
		}
	}
	return nil
}

// verbs are the columns of table 3 in the source's order, others after them.
func verbs(e *Experiment) []string {
	order := []string{"DELETE", "GET", "LIST", "PATCH", "POST", "PUT"}
	var have []string
	for _, v := range order {
		if len(e.calls(func(c Call) bool { return c.Verb == v })) > 0 {
			have = append(have, v)
		}
	}
	for _, c := range e.calls(func(c Call) bool { return !slices.Contains(order, c.Verb) }) {
		if !slices.Contains(have, c.Verb) {
			have = append(have, c.Verb)
		}
	}
	return have
}

// actionTable is table 3 of a run: how many requests of each verb were sent to each kind of object.
func actionTable(no string, e *Experiment) Table {
	t := Table{Number: no, Caption: para("Actions × resource objects of ", e.Name, ": requests that the users sent in the measured phases."),
		Header: []string{"resource"}, Left: []int{0}, Note: e.ownNote()}
	t.Header = append(append(t.Header, verbs(e)...), "sum")
	sent := map[string]map[string]int64{}
	for c, s := range e.Calls {
		if sent[c.Resource] == nil {
			sent[c.Resource] = map[string]int64{}
		}
		sent[c.Resource][c.Verb] += s.sent()
	}
	totals := make([]int64, len(t.Header)-1)
	for _, resource := range slices.Sorted(maps.Keys(sent)) {
		row, sum := []string{resource}, int64(0)
		for i, verb := range verbs(e) {
			n := sent[resource][verb]
			sum += n
			totals[i] += n
			row = append(row, zeroless(n))
		}
		totals[len(totals)-1] += sum
		t.Rows = append(t.Rows, append(row, count(sum)))
	}
	row := []string{"sum"}
	for _, n := range totals {
		row = append(row, count(n))
	}
	t.Rows = append(t.Rows, row)
	return t
}

// ownNote says what the harness itself sent in the measured phases; empty for nothing.
func (e *Experiment) ownNote() Paragraph {
	var words []string
	for _, c := range slices.SortedFunc(maps.Keys(e.own), Call.compare) {
		words = append(words, fmt.Sprintf("%s %s (%d)", c.Verb, c.Resource, e.own[c]))
	}
	if len(words) == 0 {
		return nil
	}
	return para("Beside the users the harness itself brought objects to the number that the profile asks for: ", listing(words), ". These requests are in no table of the users.")
}

func zeroless(n int64) string {
	if n == 0 {
		return ""
	}
	return count(n)
}

// latencyTable are the data of a figure of latencies: each call with its name, the users' quantiles and the server's own.
func latencyTable(no string, caption Paragraph, e *Experiment, calls []Call, name func(Call) string) Table {
	t := Table{Number: no, Caption: caption, Left: []int{0},
		Header: []string{"", "n", "p50", "p90", "p99", "server n", "server p50", "server p90", "server p99"}}
	for _, c := range calls {
		row := []string{name(c), count(int64(len(e.Calls[c].answers())))}
		for _, q := range quantiles() {
			row = append(row, withInterval(e.bounds(c, q), milliseconds))
		}
		if s := e.server(c); s != nil {
			row = append(row, count(s.N), render.Bucket(s.P50), render.Bucket(s.P90), render.Bucket(s.P99))
		} else {
			row = append(row, "0", none, none, none)
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// quantiles are those of the figures of latencies.
func quantiles() []float64 { return []float64{0.5, 0.9, 0.99} }

// slaTable is the percentile latency after RFC 2679 and RFC 5166 of the calls on pods of every run.
func slaTable(no string, all []*Experiment) Table {
	t := Table{Number: no, Caption: para("Percentile latency of the users' requests on pods after RFC 2679 ", cite("rfc2679"), ", now RFC 7679 ", cite("rfc7679"), ", and RFC 5166 ", cite("rfc5166"), ": within which time at least γ of the requests are answered, and whether the agreement (γ = 99 %, T_D the objective's threshold) holds. A request that failed is one that was never answered."),
		Header: []string{"run", "request type", "sent", "failed", "γ = 50 %", "γ = 90 %", "γ = 99 %", "T_D", "within T_D", "holds"}, Left: []int{0, 1, 9}}
	for _, e := range all {
		for _, c := range e.calls(onPods) {
			t.Rows = append(t.Rows, slaRow(e, c))
		}
	}
	return t
}

func slaRow(e *Experiment, c Call) []string {
	requests, limit := e.Calls[c].Requests, threshold(c)
	row := []string{e.Name, e.label(c), count(int64(len(requests))), count(int64(len(requests) - len(e.Calls[c].answers())))}
	latencies := make([]float64, len(requests))
	for i, r := range requests {
		latencies[i] = r.Latency
	}
	slices.Sort(latencies)
	for _, q := range quantiles() {
		switch {
		case len(latencies) < stats.LeastFor(q):
			row = append(row, none)
		case math.IsInf(stats.Quantile(latencies, q), 1):
			row = append(row, "∞")
		default:
			row = append(row, milliseconds(stats.Quantile(latencies, q))+" ms")
		}
	}
	kept := share(requests, limit)
	return append(row, fmt.Sprintf("%g s", limit), withInterval(kept, percent), holds(within{0.99, 1}.judge(kept)))
}

// threshold is the objective's limit for a call, in seconds (sig-scalability, api_call_latency.md).
func threshold(c Call) float64 {
	if c.Scope == "resource" {
		return 1
	}
	return 30
}

func holds(j Judgement) string {
	switch j {
	case Holds:
		return "yes"
	case Fails:
		return "no"
	}
	return string(j)
}

// findingTable is the check of the source's findings, one line each.
func findingTable(no string, fs []Finding) Table {
	t := Table{Number: no, Caption: para("What the source found, and whether it holds in these runs."), Header: []string{"claim", "how it is decided", "rows that hold", "do not", "not decided", "no data", "the claim"}, Left: []int{6}, Wide: []int{0, 1}}
	for _, f := range fs {
		n := map[Judgement]int64{}
		for _, r := range f.Rows {
			n[r.Result]++
		}
		t.Rows = append(t.Rows, []string{f.Claim, f.Test, count(n[Holds]), count(n[Fails]), count(n[Undecided]), count(n[NoData]), string(f.Result)})
	}
	return t
}

// measuredTable are the rows of a finding with their figures and intervals; where peaks are left out, the same over all stages beside.
func measuredTable(no string, f Finding) Table {
	t := Table{Number: no, Caption: para("“", f.Claim, "” ", f.Test), Header: []string{"run", "what", "n", "measured [95 % interval]", "claim"}, Left: []int{0, 1, 4}}
	format := number
	if f.Share {
		format = percent
	}
	apart, whole := f.apart(), f.whole()
	if apart {
		t.Caption = append(t.Caption, para(" The claim is judged outside of the peaks; the last three columns are about all stages.")...)
		t.Header = []string{"run", "what", "n", "outside of peaks [95 %]", "claim", "n, all", "all stages [95 %]", "there"}
		t.Left = append(t.Left, 7)
	}
	var notes []string
	for i, r := range f.Rows {
		row := []string{r.Run, r.What, count(r.N), withInterval(r.Measured, format), string(r.Result)}
		if apart {
			all := whole[i]
			row = append(row, count(all.N), withInterval(all.Measured, format), string(all.Result))
		}
		t.Rows = append(t.Rows, row)
		if r.Note != "" {
			notes = append(notes, r.What+" in "+r.Run+": "+r.Note)
		}
	}
	if len(notes) > 0 {
		t.Note = para(strings.Join(notes, "; "), ".")
	}
	return t
}
