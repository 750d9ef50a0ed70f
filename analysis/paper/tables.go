package paper

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"windtunnel/analysis/stats"
	"windtunnel/results"
)

// sloTable is table 1: the objectives, and what the API server's own histogram and the pods' start-ups say of them.
func sloTable(all []*Experiment) Table {
	t := Table{Number: "1", Caption: para("The service level objectives (99th percentile; ", cite("slos"), ") and what was measured. Of API calls: the kind of call with the smallest share within the threshold among those with at least the samples that the profile asks for, by the API server's own histogram, of all callers."),
		Header: []string{"indicator", "objective", "run", "kinds", "n", "worst kind", "within [95 % interval]"}, Left: []int{1, 2}, Wide: []int{0, 5}}
	classes := []struct {
		name, limit string
		of          func(results.ServerRow) bool
	}{
		{"latency of calls that change one object", "≤ 1 s", func(r results.ServerRow) bool { return r.Scope == "resource" && r.Verb != "GET" && r.Verb != "LIST" }},
		{"latency of reads of one object", "≤ 1 s", func(r results.ServerRow) bool { return r.Scope == "resource" && (r.Verb == "GET" || r.Verb == "LIST") }},
		{"latency of reads of a namespace or of the cluster", "≤ 30 s", func(r results.ServerRow) bool { return r.Scope != "resource" && (r.Verb == "GET" || r.Verb == "LIST") }},
	}
	for _, class := range classes {
		for _, e := range all {
			t.Rows = append(t.Rows, append([]string{class.name, class.limit, e.Name}, e.worst(class.of)...))
		}
	}
	for _, e := range all {
		row := []string{"start-up of stateless pods, from creation to seen running", "≤ 5 s", e.Name, none, "0", none, none}
		if slo := e.podSLO(); slo != nil {
			row[4] = count(slo.N)
			if slo.Measured != nil {
				b := results.Bounds{Value: *slo.Measured}
				if len(slo.Interval) == 2 {
					b.Low, b.High = &slo.Interval[0], &slo.Interval[1]
				}
				row[6] = withInterval(&b, percent)
			}
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// worst are the cells of a class of calls in table 1: how many kinds, how many calls, and the kind with the least share within
// the threshold.
func (e *Experiment) worst(of func(results.ServerRow) bool) []string {
	var kinds, n int64
	var least *results.ServerRow
	for i, r := range e.Summary.Server {
		if !of(r) {
			continue
		}
		kinds++
		n += r.N
		if r.N >= int64(e.minSamples()) && (least == nil || r.Within < least.Within) {
			least = &e.Summary.Server[i]
		}
	}
	if least == nil {
		return []string{count(kinds), count(n), none, none}
	}
	return []string{count(kinds), count(n), fmt.Sprintf("%s %s (%s), n = %d", least.Verb, path(least.Group, least.Resource, least.Subresource), least.Scope, least.N), withInterval(serverShare(least.Within, least.N), percent)}
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
		Header: []string{"resource"}, Left: []int{0}}
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
			row = append(row, count(s.N), bucket(s.P50), bucket(s.P90), bucket(s.P99))
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
	t := Table{Number: no, Caption: para("Percentile latency of the users' calls on pods after RFC 2679 ", cite("rfc2679"), " and RFC 5166 ", cite("rfc5166"), ": within which time at least γ of the requests are answered, and whether the agreement (γ = 99 %, T_D the objective's threshold) holds. A request that failed is one that was never answered."),
		Header: []string{"run", "call", "sent", "failed", "γ = 50 %", "γ = 90 %", "γ = 99 %", "T_D", "within T_D", "holds"}, Left: []int{0, 1, 9}}
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

// measuredTable are the rows of a finding with their figures and intervals.
func measuredTable(no string, f Finding) Table {
	t := Table{Number: no, Caption: para("“", f.Claim, "” ", f.Test), Header: []string{"run", "what", "n", "measured [95 % interval]", "claim", ""}, Left: []int{0, 4}, Wide: []int{1, 5}}
	for _, r := range f.Rows {
		format := number
		if f.Share {
			format = percent
		}
		t.Rows = append(t.Rows, []string{r.Run, r.What, count(r.N), withInterval(r.Measured, format), string(r.Result), r.Note})
	}
	return t
}
