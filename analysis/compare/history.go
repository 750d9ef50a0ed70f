package compare

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"windtunnel/analysis/stats"
)

// History is what became of one kind of run over time.
type History struct {
	Profile string    `json:"profile"`
	Runs    []RunID   `json:"runs"`    // in the order in which they were made
	LeftOut []LeftOut `json:"leftOut"` // runs that are invalid
	// Level is the probability of a change point in any of the figures where nothing changed; Figures is how many were searched.
	Level   float64 `json:"level"`
	Figures int     `json:"figures"`
	// Needed is the least number of runs in which a change of one of so many figures, in the middle, can be shown.
	Needed int `json:"neededRuns"`
	// TooFew are figures that some of the runs have, too few to show a change. Others are searched over the runs that have them.
	TooFew  []string `json:"tooFewRuns,omitempty"`
	Changes []Step   `json:"changes"` // in the order of the runs
}

// Step is a change of one figure from one run on.
type Step struct {
	Figure
	At     int    `json:"at"`    // index in Runs of the first run after the change
	First  RunID  `json:"first"` // that run
	Before Sample `json:"before"`
	After  Sample `json:"after"` // up to the next change of the figure
	Change Change `json:"change"`
	// P is of the change point among all places where one might have been, not corrected for the number of figures: it is at
	// most Level/Figures.
	P       float64 `json:"p"`
	Verdict Verdict `json:"verdict"` // regression, improvement or small
	// Versions are those that changed between that run and the one before it.
	Versions []string `json:"versions"`
}

// Histories sorts runs by what they have in common, all traits but versions, and by the time at which they were made, and searches
// every figure for change points (stats.ChangePoints) over the valid runs of a kind that have it, at a level shared among the figures
// (Bonferroni). The kinds are in order of their profile and first run. Runs that cannot be read could be of any kind and are named in each.
// level 0 is 0.05.
func Histories(runs []Run, patterns []Pattern, level float64) []History {
	if level == 0 {
		level = 1 - stats.Confidence
	}
	kinds := map[string][]Run{}
	var unreadable []Run
	for _, r := range runs {
		if r.unreadable {
			unreadable = append(unreadable, r)
			continue
		}
		key := kindOf(r)
		kinds[key] = append(kinds[key], r)
	}
	if len(kinds) == 0 && len(unreadable) > 0 {
		kinds[""] = nil
	}
	histories := []History{}
	for _, key := range slices.Sorted(maps.Keys(kinds)) {
		histories = append(histories, historyOf(append(kinds[key], unreadable...), patterns, level))
	}
	slices.SortStableFunc(histories, func(a, b History) int {
		return cmp.Or(strings.Compare(a.Profile, b.Profile), strings.Compare(firstStart(a), firstStart(b)))
	})
	return histories
}

func firstStart(h History) string {
	if len(h.Runs) == 0 {
		return ""
	}
	return h.Runs[0].Started
}

// kindOf is the same for runs that belong to one history.
func kindOf(r Run) string {
	var b strings.Builder
	fmt.Fprintln(&b, r.Profile)
	for _, path := range slices.Sorted(maps.Keys(r.Traits)) {
		if !below(path, "versions") {
			fmt.Fprintln(&b, path, r.Traits[path])
		}
	}
	return b.String()
}

func historyOf(all []Run, patterns []Pattern, level float64) History {
	runs, side, _ := valid("", all) // without any the history is empty
	slices.SortStableFunc(runs, func(a, b Run) int { return a.Started.Compare(b.Started) })
	slices.SortFunc(side.Runs, func(a, b RunID) int { return strings.Compare(a.Started, b.Started) })
	h := History{Profile: all[0].Profile, Runs: side.Runs, LeftOut: side.LeftOut, Level: level, Changes: []Step{}}
	searched := slices.DeleteFunc(figures(runs, patterns), func(f Figure) bool {
		s := sampleOf(f, runs)
		return slices.Min(s.Values) == slices.Max(s.Values)
	})
	h.Figures = len(searched)
	for h.Needed = 2 * stats.LeastSegment; stats.LeastRankP(h.Needed/2, h.Needed-h.Needed/2)*float64(max(1, h.Figures)) > level; {
		h.Needed++
	}
	if len(runs) < h.Needed {
		return h
	}
	for _, f := range searched {
		if sampleOf(f, runs).N < h.Needed {
			h.TooFew = append(h.TooFew, f.String())
			continue
		}
		h.Changes = append(h.Changes, steps(f, runs, h, level/float64(h.Figures))...)
	}
	slices.SortStableFunc(h.Changes, func(a, b Step) int { return cmp.Compare(a.At, b.At) })
	return h
}

// steps are the changes of one figure over the runs that have it.
func steps(f Figure, all []Run, h History, level float64) []Step {
	var steps []Step
	var runs []Run
	var place []int // of each in all
	for i, r := range all {
		if r.has(f) {
			runs, place = append(runs, r), append(place, i)
		}
	}
	points := stats.ChangePoints(sampleOf(f, runs).Values, level)
	for i, p := range points {
		from, to := 0, len(runs)
		if i > 0 {
			from = points[i-1].At
		}
		if i < len(points)-1 {
			to = points[i+1].At
		}
		x, y := sampleOf(f, runs[from:p.At]), sampleOf(f, runs[p.At:to])
		row := Row{Figure: f, Base: x, New: y, Change: changeOf(f, x, y)}
		s := Step{Figure: f, At: place[p.At], First: h.Runs[place[p.At]], Before: x, After: y, Change: row.Change, P: p.P, Verdict: Small, Versions: newVersions(runs[p.At-1], runs[p.At])}
		switch {
		case row.Matters() && row.Worse():
			s.Verdict = Regression
		case row.Matters():
			s.Verdict = Improvement
		}
		steps = append(steps, s)
	}
	return steps
}

func (r Run) has(f Figure) bool {
	return slices.ContainsFunc(r.Readings, func(reading Reading) bool { return reading.Figure == f })
}

// newVersions are what changed between two runs, of what was tested and of what measured it.
func newVersions(before, after Run) []string {
	out := []string{}
	versions := func(r Run) map[string]string {
		all := maps.Clone(r.Instrument)
		for path, v := range r.Traits {
			if name, ok := strings.CutPrefix(path, "versions."); ok {
				all[name] = v
			}
		}
		return all
	}
	a, b := versions(before), versions(after)
	for _, name := range slices.Sorted(maps.Keys(b)) {
		if a[name] != b[name] {
			out = append(out, fmt.Sprintf("%s %s → %s", name, orAbsent(a[name]), orAbsent(b[name])))
		}
	}
	return out
}
