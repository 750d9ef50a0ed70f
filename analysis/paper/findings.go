package paper

import (
	"fmt"
	"math"
	"slices"

	"windtunnel/analysis/stats"
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

	ratios []ratio
}

// FindingRow is a claim about one kind of call in one run.
type FindingRow struct {
	Run, What string
	// Measured is the figure with its 95 % interval; nil without enough data.
	Measured *results.Bounds
	N        int64 // responses, of a ratio of the smaller of its two samples
	Result   Judgement
	Note     string
	// Whole is the same over all stages, where Measured leaves out those in which more is planned than usual; else nil.
	Whole *FindingRow
}

// apart tells whether a row of the finding leaves peaks out.
func (f Finding) apart() bool {
	return slices.ContainsFunc(f.Rows, func(r FindingRow) bool { return r.Whole != nil })
}

// whole are the rows of the finding over all stages.
func (f Finding) whole() []FindingRow {
	rows := slices.Clone(f.Rows)
	for i, r := range rows {
		if r.Whole != nil {
			rows[i] = *r.Whole
		}
	}
	return rows
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

// overall is the judgement of a finding by those of its rows: one row in which it does not hold refutes it, unless it holds
// in others.
func overall(rows []FindingRow) Judgement {
	n := map[Judgement]int{}
	for _, r := range rows {
		n[r.Result]++
	}
	switch {
	case n[NoData] == len(rows):
		return NoData
	case n[Holds] > 0 && n[Fails] > 0:
		return InPart
	case n[Fails] > 0:
		return Fails
	case n[Undecided] > 0:
		return Undecided
	}
	return Holds
}

// Findings checks what the source found: the first claim in every run, the others, which are about the load test, in every run
// of load. The seed is the bootstrap's.
func Findings(density, load []*Experiment, seed uint64) []Finding {
	second := Finding{Claim: "99 % of the API calls stay within 1 s.", Share: true,
		Test: "The share of the users' requests of all types that were answered within 1 s of their planned instant, failed ones counted as never answered; beside it the share of all callers' requests on one object by the server's own histogram."}
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
		pods := e.calls(onPods)
		for _, c := range pods {
			half.ratios = append(half.ratios, ratio{e, e.label(c), c, 0.5, c, 0.9})
			tail.ratios = append(tail.ratios, ratio{e, e.label(c), c, 0.99, c, 0.9})
		}
		for _, d := range pods {
			for _, c := range pods {
				if d.Verb == "DELETE" && c != d {
					del.ratios = append(del.ratios, ratio{e, "DELETE ÷ " + e.label(c), d, 0.9, c, 0.9})
				}
			}
		}
	}
	half.judge(seed, within{0.4, 0.6})
	tail.judge(seed, within{2, 4})
	del.judge(seed, within{2, 3})
	all := []Finding{second, half, tail, del}
	for i := range all {
		all[i].Result = overall(all[i].Rows)
	}
	return all
}

// withinSecond is the share of a run's calls that were answered within 1 s: of all that the users sent, and, as the server
// saw it, of all callers' calls on one object, for which its histogram gives that share exactly.
func withinSecond(e *Experiment) []FindingRow {
	var sent []Request
	for _, s := range e.Calls {
		sent = append(sent, s.Requests...)
	}
	slices.SortFunc(sent, Request.compare)
	users := FindingRow{Run: e.Name, What: "the users' requests of all types", N: int64(len(sent)), Measured: share(sent, 1)}

	var k, n int64
	for _, r := range e.Summary.Server {
		if r.Scope == "resource" {
			n += r.N
			k += int64(math.Round(r.Within * float64(r.N)))
		}
	}
	server := FindingRow{Run: e.Name, What: "all callers' requests on one object, as the server saw them", N: n}
	if n > 0 {
		server.Measured = serverShare(float64(k)/float64(n), n)
	}
	rows := []FindingRow{users, server}
	for i := range rows {
		rows[i].Result = within{0.99, 1}.judge(rows[i].Measured)
	}
	return rows
}

// serverShare is a share that a histogram gives, with its exact interval; the histogram tells nothing of the order of its n
// observations, which are taken to be independent.
func serverShare(share float64, n int64) *results.Bounds {
	low, high := stats.ProportionInterval(int64(math.Round(share*float64(n))), n)
	return &results.Bounds{Value: share, Low: &low, High: &high}
}

// ratio is one row of a finding about ratios: the p-quantile of one kind of call by the q-quantile of another.
type ratio struct {
	e       *Experiment
	what    string
	above   Call
	p       float64
	beneath Call
	q       float64
}

// row judges the ratio outside of the peaks, where the profile plans any, and over all stages beside it.
func (r ratio) row(seed uint64, level float64, claim within) FindingRow {
	whole := newBlocks(r.e.strata, func(stratum) bool { return true })
	usual := newBlocks(r.e.strata, func(s stratum) bool { return !r.e.peak(s) })
	row := r.over(usual, seed, level, claim)
	if usual.part {
		w := r.over(whole, seed, level, claim)
		row.Whole = &w
	}
	return row
}

// judge makes the rows of a finding about ratios. Their intervals hold together with 95 % (Bonferroni): any one that misses
// could refute the claim.
func (f *Finding) judge(seed uint64, claim within) {
	level := 1 - (1-stats.Confidence)/float64(max(len(f.ratios), 1))
	for _, r := range f.ratios {
		f.Rows = append(f.Rows, r.row(seed, level, claim))
	}
}

// over compares the two quantiles over some blocks of the run; each needs enough responses to be known from above.
func (r ratio) over(b blocks, seed uint64, level float64, claim within) FindingRow {
	row := FindingRow{Run: r.e.Name, What: r.what, Result: NoData}
	u, v := r.e.Calls[r.above].weighted(b), r.e.Calls[r.beneath].weighted(b)
	x, y := len(u.value), len(v.value)
	row.N = int64(min(x, y))
	if least := max(stats.LeastToShow(r.p), stats.LeastToShow(r.q)); x < stats.LeastToShow(r.p) || y < stats.LeastToShow(r.q) {
		row.Note = fmt.Sprintf("too few responses for p%g: %d are needed", max(r.p, r.q)*100, least)
		return row
	}
	statistic := func(times []int) (float64, bool) {
		x, ok := u.quantile(r.p, times)
		y, ok2 := v.quantile(r.q, times)
		return x / y, ok && ok2 && y > 0
	}
	once := make([]int, b.n)
	for i := range once {
		once[i] = 1
	}
	value, ok := statistic(once)
	if !ok {
		row.Note = "the divisor is 0"
		return row
	}
	row.Measured = &results.Bounds{Value: value}
	row.Measured.Low, row.Measured.High = bootstrap(b, seed, level, statistic)
	if row.Result = claim.judge(row.Measured); row.Measured.Low == nil {
		row.Note = fmt.Sprintf("no interval: there are %d blocks of %d s, %d are needed", b.n, blockSeconds, minBlocks)
	}
	return row
}
