package paper

import (
	"fmt"
	"slices"

	"windtunnel/analysis"
	"windtunnel/results"
)

// Judgement says whether a finding of the source holds in our data.
type Judgement string

// The judgements. A finding over several rows holds in part when some hold and others do not.
const (
	Holds     Judgement = "holds"
	Fails     Judgement = "does not hold"
	InPart    Judgement = "holds in part"
	Undecided Judgement = "not decided"
	NoData    Judgement = "no data"
)

// Finding is one claim of the source, held against the runs.
type Finding struct {
	Claim  string // as the source has it
	Test   string // how it is decided here
	Share  bool   // the figures are shares, not ratios
	Rows   []FindingRow
	Result Judgement
}

// FindingRow is a claim about one kind of call in one run.
type FindingRow struct {
	Run, What string
	// Measured is the figure with its 95 % interval; nil without enough data.
	Measured *results.Bounds
	N        int64 // answers, of a ratio of the smaller of its two samples
	Result   Judgement
	Note     string
}

// within is the range of figures for which a claim holds.
type within struct{ low, high float64 }

// judge decides by the interval: the claim holds when all of it lies in the range, does not when none of it does, and
// otherwise the data do not say.
func (w within) judge(b *results.Bounds) Judgement {
	switch {
	case b == nil:
		return NoData
	case b.Low == nil || b.High == nil:
		return Undecided
	case *b.Low >= w.low && *b.High <= w.high:
		return Holds
	case *b.High < w.low || *b.Low > w.high:
		return Fails
	}
	return Undecided
}

// overall is the judgement of a finding by those of its rows.
func overall(rows []FindingRow) Judgement {
	n := map[Judgement]int{}
	for _, r := range rows {
		n[r.Result]++
	}
	switch {
	case len(rows) == n[NoData]:
		return NoData
	case n[Holds] > 0 && n[Fails] > 0:
		return InPart
	case n[Fails] > 0 && n[Fails] == len(rows)-n[NoData]:
		return Fails
	case n[Holds] > 0 && n[Holds] == len(rows)-n[NoData]:
		return Holds
	}
	return Undecided
}

// Findings checks what the source found: the first claim in every run, the others, which are about the load test, in every run
// of load. The seed is the bootstrap's.
func Findings(density, load []*Experiment, seed uint64) []Finding {
	second := Finding{Claim: "99 % of the API calls stay within 1 s.", Share: true,
		Test: "The share of the users' requests of every kind that were answered within 1 s of their planned instant, failed ones counted as never answered; exact interval (Clopper and Pearson). It holds when the whole interval is at 99 % or more."}
	for _, e := range slices.Concat(density, load) {
		second.Rows = append(second.Rows, withinSecond(e)...)
	}
	half := Finding{Claim: "On pods under load, p50 is about half of p90.",
		Test: "p50 ÷ p90 of the users' latency; “about half” is read as 0.4 to 0.6."}
	tail := Finding{Claim: "On pods under load, p99 takes 1 to 3 times more than p90.",
		Test: "p99 ÷ p90 of the users' latency; 1 to 3 times more is read as 2 to 4 times as much."}
	del := Finding{Claim: "On pods under load, DELETE takes 1 to 2 times more than the other verbs.",
		Test: "p90 of DELETE ÷ p90 of each other verb; 1 to 2 times more is read as 2 to 3 times as much."}
	for _, e := range load {
		b := newBlocks(e.Run)
		pods := e.calls(onPods)
		for _, c := range pods {
			half.Rows = append(half.Rows, ratioRow(e, b, seed, e.label(c), c, 0.5, c, 0.9, within{0.4, 0.6}))
			tail.Rows = append(tail.Rows, ratioRow(e, b, seed, e.label(c), c, 0.99, c, 0.9, within{2, 4}))
		}
		for _, d := range pods {
			if d.Verb != "DELETE" {
				continue
			}
			for _, c := range pods {
				if c != d && c.Verb != "DELETECOLLECTION" {
					del.Rows = append(del.Rows, ratioRow(e, b, seed, "DELETE ÷ "+e.label(c), d, 0.9, c, 0.9, within{2, 3}))
				}
			}
		}
	}
	all := []Finding{second, half, tail, del}
	for i := range all {
		all[i].Result = overall(all[i].Rows)
	}
	return all
}

// withinSecond is the share of a run's calls that were answered within 1 s: of all that the users sent, and, as the server
// saw it, of all callers' calls on one object, for which its histogram gives that share exactly.
func withinSecond(e *Experiment) []FindingRow {
	var k, n, sk, sn int64
	for _, s := range e.Calls {
		n += s.Sent
		for _, a := range s.Answers {
			if a.Latency <= 1 {
				k++
			}
		}
	}
	for _, r := range e.Summary.Server {
		if r.Threshold == 1 {
			sn += r.N
			sk += int64(r.Within*float64(r.N) + 0.5)
		}
	}
	return []FindingRow{shareRow(e, "users, all calls", k, n), shareRow(e, "server, all callers, calls on one object", sk, sn)}
}

func shareRow(e *Experiment, what string, k, n int64) FindingRow {
	r := FindingRow{Run: e.Name, What: what, N: n, Result: NoData}
	if n == 0 {
		r.Note = "no such call"
		return r
	}
	low, high := analysis.ProportionInterval(k, n)
	r.Measured = &results.Bounds{Value: float64(k) / float64(n), Low: &low, High: &high}
	r.Result = within{0.99, 1}.judge(r.Measured)
	return r
}

// ratioRow compares two quantiles of a run, each of which needs enough answers for an interval of its own.
func ratioRow(e *Experiment, b blocks, seed uint64, what string, num Call, p float64, den Call, q float64, claim within) FindingRow {
	r := FindingRow{Run: e.Name, What: what, Result: NoData}
	x, y := e.latencies(num), e.latencies(den)
	r.N = int64(min(len(x), len(y)))
	if !shown(len(x), p) || !shown(len(y), q) {
		r.Note = fmt.Sprintf("too few answers for p%g", max(p, q)*100)
		return r
	}
	under := analysis.Quantile(y, q)
	if under <= 0 {
		r.Note = "the divisor is 0"
		return r
	}
	u, v := b.weigh(e.Calls[num].Answers), b.weigh(e.Calls[den].Answers)
	r.Measured = &results.Bounds{Value: analysis.Quantile(x, p) / under}
	r.Measured.Low, r.Measured.High = bootstrap(b, seed, func(times []int) (float64, bool) {
		x, ok := u.quantile(p, times)
		y, ok2 := v.quantile(q, times)
		return x / y, ok && ok2 && y > 0
	})
	if r.Result = claim.judge(r.Measured); r.Measured.Low == nil {
		r.Note = fmt.Sprintf("no interval: the measured phases have %d blocks of %d s, %d are needed", b.n, blockSeconds, minBlocks)
	}
	return r
}
