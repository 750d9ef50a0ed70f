package paper

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"windtunnel/results"
)

// Input is what a paper is written about.
type Input struct {
	Density  []*Experiment // the first is the one that figures 3 to 6 show; all are compared
	Load     []*Experiment // the first is the one that figures 7 to 9 show; all are held against the findings
	Capacity []Capacity    // searches over the load, which answer the question backwards
	Seed     uint64        // of the bootstrap
	Commit   string        // of windtunnel that writes the paper; empty when it is not known
}

// all are the experiments in the order of the paper.
func (in Input) all() []*Experiment { return slices.Concat(in.Density, in.Load) }

// Gaps names what the runs do not have that the paper is about: of a density run the start-up of pods, of every run requests.
// What is named is left out of the paper with that reason.
func (in Input) Gaps() []string {
	var gaps []string
	if len(in.Density) == 0 {
		gaps = append(gaps, "no density run was given: figures 3 to 6 are left out")
	}
	if len(in.Load) == 0 {
		gaps = append(gaps, "no load run was given: figures 7 to 9 and the findings about load are left out")
	}
	for _, e := range in.Density {
		if len(e.Pods) == 0 {
			gaps = append(gaps, e.Run.ID+" has no pod that was created and seen running in its measured phases: figure 3 needs them")
		}
	}
	for _, e := range in.all() {
		if len(e.Calls) == 0 {
			gaps = append(gaps, e.Run.ID+" has no request of an open loop in its measured phases: figures 4 to 9 and the findings need them")
		}
	}
	return gaps
}

// Invalid are the experiments whose run is invalid.
func (in Input) Invalid() []*Experiment {
	return slices.DeleteFunc(in.all(), func(e *Experiment) bool { return e.Summary.Validity.Verdict == results.Pass })
}

// Write writes the paper about at least one experiment.
func Write(in Input) Document {
	name("density", in.Density)
	name("load", in.Load)
	findings := Findings(in.Density, in.Load, in.Seed)
	d := Document{Title: title(in), Subtitle: subtitle(in), Mark: mark(in), Abstract: abstract(in, findings)}
	d.Sections = []Section{
		{Title: "Introduction", Blocks: introduction(in)},
		{Title: "Method", Sections: method(in)},
		{Title: "Objectives and environment", Blocks: environment(in)},
		{Title: "Results", Sections: resultSections(in, findings)},
		{Title: "Discussion", Blocks: discussion(in, findings)},
		{Title: "Threats to validity", Blocks: threats(in)},
		{Title: "How to reproduce this paper", Blocks: reproduction(in)},
	}
	d.resolve(references())
	return d
}

// name numbers the experiments of one kind, where there are several.
func name(kind string, es []*Experiment) {
	for i, e := range es {
		e.Name = kind
		if len(es) > 1 {
			e.Name = fmt.Sprintf("%s %d", kind, i+1)
		}
	}
}

func title(in Input) string {
	var tests []string
	if len(in.Density) > 0 {
		tests = append(tests, "density")
	}
	if len(in.Load) > 0 {
		tests = append(tests, "load")
	}
	versions := each(in.all(), func(e *Experiment) string { return e.Run.Versions["kubernetes"] })
	nodes := each(in.all(), func(e *Experiment) string { return fmt.Sprint(e.Summary.Run.Nodes) })
	return fmt.Sprintf("Kubernetes %s under %s: a Kubemark experiment repeated on %s hollow nodes", listing(versions), listing(tests), listing(nodes))
}

func subtitle(in Input) string {
	versions := each(in.all(), func(e *Experiment) string { return e.Run.Versions["windtunnel"] })
	return fmt.Sprintf("From the records of %s of windtunnel %s", plural(len(in.all()), "run"), listing(versions))
}

// mark is the warning on every page.
func mark(in Input) string {
	bad := in.Invalid()
	if len(bad) == 0 {
		return ""
	}
	return "Invalid: " + listing(each(bad, func(e *Experiment) string { return e.Run.ID })) + " did not pass the checks of validity. Nothing here is a result."
}

func abstract(in Input, findings []Finding) []Block {
	var b []Block
	p := para("We repeat Lei Qing's experiment of 2020 ", cite("lei"), ": a control plane of Kubernetes is surrounded by hollow nodes ", cite("kubemark"), " and put under a density test and a load test.")
	if len(in.Density) > 0 {
		p = append(p, densityAbstract(in.Density[0])...)
	}
	if len(in.Load) > 0 {
		p = append(p, loadAbstract(in.Load[0])...)
	}
	b = append(b, p)
	var said []string
	for _, f := range findings {
		said = append(said, fmt.Sprintf("“%s” %s", strings.TrimSuffix(f.Claim, "."), verdictPhrase(f.Result)))
	}
	where := "."
	if slices.ContainsFunc(findings, Finding.apart) {
		where = "; the ratios are taken outside of the load's peaks."
	}
	return append(b, para("Of the source's findings: ", strings.Join(said, "; "), where))
}

// verdictPhrase is a judgement as the end of a sentence about a claim.
func verdictPhrase(j Judgement) string {
	switch j {
	case NoData:
		return "could not be tested"
	case Undecided:
		return "is not decided by these data"
	}
	return string(j)
}

func densityAbstract(e *Experiment) Paragraph {
	p := para(fmt.Sprintf(" In the density test %d pods were started on %d nodes, %s per node on average", len(e.Pods), e.Summary.Run.Nodes, short(e.podsPerNode())))
	if most := e.mostPodsPerNode(); most != "" {
		p = append(p, para(" and at most ", most, " on one node at a time (measured)")...)
	}
	bars := e.startupBars()
	if half, ok := bar(bars, 0.5); ok {
		p = append(p, para(": half of them were seen running within ", inText(&half.Total, number, " s"), " of being seen created")...)
	}
	if most, ok := bar(bars, 0.99); ok {
		p = append(p, para(", 99 % within ", inText(&most.Total, number, " s"))...)
	}
	if last, ok := bar(bars, 1); ok {
		p = append(p, para(", the last after ", number(last.Total.Value), " s")...)
	}
	return append(p, para(".")...)
}

func loadAbstract(e *Experiment) Paragraph {
	var sent int64
	for _, s := range e.Calls {
		sent += s.sent()
	}
	p := para(fmt.Sprintf(" In the load test users sent %d requests in %s.", sent, duration(e.measuredSeconds())))
	if low, high, ok := e.extremes(onPods, 0.99); ok {
		p = append(p, para(fmt.Sprintf(" On pods the 99th percentile of their latency lay between %s for %s and %s for %s.",
			inText(&low.Bounds, milliseconds, " ms"), e.label(low.call), inText(&high.Bounds, milliseconds, " ms"), e.label(high.call)))...)
	}
	return p
}

// ranked is a request type with a quantile of its latency in seconds.
type ranked struct {
	call Call
	results.Bounds
}

// ranking are the calls whose sample is large enough for a quantile, by that quantile, the fastest first.
func (e *Experiment) ranking(keep func(Call) bool, q float64) []ranked {
	var all []ranked
	for _, c := range e.calls(keep) {
		if b := e.bounds(c, q); b != nil {
			all = append(all, ranked{c, *b})
		}
	}
	slices.SortStableFunc(all, func(a, b ranked) int { return cmp.Compare(a.Value, b.Value) })
	return all
}

// extremes are the fastest and the slowest of a ranking; ok is false when there are fewer than two.
func (e *Experiment) extremes(keep func(Call) bool, q float64) (low, high ranked, ok bool) {
	all := e.ranking(keep, q)
	if len(all) < 2 {
		return ranked{}, ranked{}, false
	}
	return all[0], all[len(all)-1], true
}
