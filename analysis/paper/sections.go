package paper

import (
	"fmt"
	"slices"

	"windtunnel/results"
)

func resultSections(in Input, findings []Finding) []Section {
	sections := []Section{{Title: "What was driven", Blocks: drivenBlocks(in)}}
	if len(in.Density) > 0 {
		sections = append(sections, Section{Title: "Density", Blocks: densityBlocks(in.Density)})
	} else {
		sections = append(sections, Section{Title: "Density", Blocks: []Block{para("No density run was given: figures 3 to 6 are left out.")}})
	}
	if len(in.Load) > 0 {
		sections = append(sections, Section{Title: "Load", Blocks: callBlocks(in.Load[0], "7", "8", "9")})
	} else {
		sections = append(sections, Section{Title: "Load", Blocks: []Block{para("No load run was given: figures 7 to 9 are left out.")}})
	}
	return append(sections,
		Section{Title: "The findings of the source", Blocks: findingBlocks(findings)},
		Section{Title: "Percentile latency, and the question backwards", Blocks: slaBlocks(in)})
}

func drivenBlocks(in Input) []Block {
	var blocks []Block
	for i, e := range in.all() {
		no := "3"
		if len(in.all()) > 1 {
			no += letter(i)
		}
		if len(e.Calls) == 0 {
			blocks = append(blocks, para("Table ", no, " is left out: ", e.Name, " has no request of an open loop in its measured phases."))
			continue
		}
		blocks = append(blocks, actionTable(no, e))
	}
	return blocks
}

// letter is a, b, c … for 0, 1, 2 …; after z come two letters.
func letter(i int) string {
	if i < 26 {
		return string(rune('a' + i))
	}
	return letter(i/26-1) + letter(i%26)
}

func densityBlocks(es []*Experiment) []Block {
	e := es[0]
	var blocks []Block
	if bars := e.startupBars(); len(bars) > 0 {
		blocks = append(blocks, startupFigure("3", e, bars), startupTable("D3", e, bars))
	} else {
		blocks = append(blocks, para("Figure 3 is left out: no pod of ", e.Name, " was created and seen running in the measured phases."))
	}
	blocks = append(blocks, callBlocks(e, "4", "5", "6")...)
	return append(blocks, overDensities(es)...)
}

// startupTable are the data of figure 3: two rows for each share of the pods.
func startupTable(no string, e *Experiment, bars []StartupBar) Table {
	names := stageNames()
	t := Table{Number: no, Caption: para("The data of ", figure("3"), " in s: the total's quantile with its 95 % interval; each stage's own quantile; the mean stages of the n pods around the total's quantile."),
		Header: []string{"pods", "stages", "n", names[0], names[1], names[2], "sum", "total"}, Left: []int{0, 1}}
	cells := func(stages [3]float64) []string {
		sum := 0.0
		var row []string
		for _, s := range stages {
			row, sum = append(row, number(s)), sum+s
		}
		return append(row, number(sum))
	}
	for _, b := range bars {
		total := withInterval(&b.Total, number)
		if b.Quantile == 1 {
			total = number(b.Total.Value) // the largest of a sample has no interval of this kind
		}
		share := fmt.Sprintf("%g %%", b.Quantile*100)
		t.Rows = append(t.Rows,
			append(append([]string{share, "each stage's quantile", count(int64(len(e.Pods)))}, cells(b.Stage)...), total),
			append(append([]string{"", "mean of the pods around", count(int64(b.N))}, cells(b.Around)...), ""))
	}
	if more := e.Summary.PodStartup["total"].N - int64(len(e.Pods)); more > 0 {
		t.Note = para(fmt.Sprintf("%d more pods were seen running, of which a stage is not known.", more))
	}
	return t
}

// callBlocks are the figures of a run's requests: on pods by verb, GET by resource, LIST by resource.
func callBlocks(e *Experiment, pods, get, list string) []Block {
	verb := func(v string) func(Call) bool { return func(c Call) bool { return c.Verb == v } }
	return slices.Concat(
		latencyFigures(pods, e, "requests on pods by verb", onPods, e.label),
		latencyFigures(get, e, "GET by resource"+e.ofResources(verb("GET")), verb("GET"), e.resourceLabel),
		latencyFigures(list, e, "LIST by resource"+e.ofResources(verb("LIST")), verb("LIST"), e.resourceLabel))
}

// resources are those that the users sent some request types to, in order.
func (e *Experiment) resources(keep func(Call) bool) []string {
	var all []string
	for _, c := range e.calls(keep) {
		all = append(all, c.Resource)
	}
	return slices.Compact(all)
}

func (e *Experiment) ofResources(keep func(Call) bool) string {
	return " (of " + plural(len(e.resources(keep)), "resource") + ")"
}

// overDensities compares several density runs and names the best density among them.
func overDensities(es []*Experiment) []Block {
	if len(es) < 2 {
		return []Block{para("One density run was given, so that no number of pods per node can be called the best.")}
	}
	blocks := []Block{overDensity("10", es), densityTable("4", es)}
	best, found := 0.0, false
	for _, e := range es {
		if d := e.podsPerNode(); passed(es, d) && (!found || d > best) {
			best, found = d, true
		}
	}
	if !found {
		return append(blocks, para("There is no number of pods per node at which every run passed, so that none of these can be called good."))
	}
	return append(blocks, para(fmt.Sprintf("The largest mean number of pods per node at which every run kept all objectives that its profile requires is %s. Between the numbers that were run nothing is known.", short(best))))
}

// passed tells whether every run at a number of pods a node passed.
func passed(es []*Experiment, podsPerNode float64) bool {
	return !slices.ContainsFunc(es, func(e *Experiment) bool { return e.podsPerNode() == podsPerNode && e.Summary.Verdict != results.Pass })
}

func findingBlocks(findings []Finding) []Block {
	blocks := []Block{
		para("A claim about a figure holds in a row when the figure's whole 95 % interval lies in the range that the claim allows, and does not when none of it does; otherwise these data do not decide. Ratios are those outside of peaks, where the profile plans any. A claim as a whole does not hold when there is a row in which it does not; it holds in part when it does in others, and holds when it does in every row that has data."),
		findingTable("5", findings),
	}
	for i, f := range findings {
		if len(f.Rows) == 0 {
			blocks = append(blocks, para("“", f.Claim, "” could not be tested: no run has such requests."))
			continue
		}
		blocks = append(blocks, measuredTable("5"+letter(i), f))
	}
	return blocks
}

func slaBlocks(in Input) []Block {
	var blocks []Block
	if t := slaTable("6", in.all()); len(t.Rows) > 0 {
		blocks = append(blocks, t)
	} else {
		blocks = append(blocks, para("Table 6 is left out: no run has a request on pods."))
	}
	return append(blocks, backwards(in.Capacity)...)
}
