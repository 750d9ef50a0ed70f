package capacity

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"windtunnel/analysis/stats"
	"windtunnel/results"
)

// Finding is one sign of what gave out: a figure at the level outside beside the same at the level inside. It is evidence, not
// proof: what is saturated first is often the cause, and sometimes the victim.
type Finding struct {
	Rank      Rank   `json:"rank"`
	Component string `json:"component"`
	Name      string `json:"name"`
	Text      string `json:"text"` // one sentence with the numbers
	// Inside and Outside are the figure at the two levels, medians over their runs; Inside is null when no level passed.
	Inside  *float64 `json:"inside"`
	Outside float64  `json:"outside"`
	Limit   float64  `json:"limit,omitempty"` // at which the thing is used up, 0 where none is known
	Unit    string   `json:"unit"`
	Runs    int      `json:"runs"` // at the level outside
	N       int64    `json:"n"`    // observations behind Outside, of all those runs
}

// Rank is how strong a finding is.
type Rank string

// The ranks, strongest first.
const (
	Harness  Rank = "harness"  // the generator or the run gave out: the level says nothing about the system
	Violated Rank = "violated" // a row of the SLO that failed
	GaveOut  Rank = "gave out" // at its limit
	Slow     Rank = "slow"     // a mean wait that alone takes a tenth of the time that a violated row allows, or more
	Near     Rank = "near"     // at 80 % of a limit or more
	Rose     Rank = "rose"     // by twice as much as the load
)

func (r Rank) order() int {
	return slices.Index([]Rank{Harness, Violated, GaveOut, Slow, Near, Rose}, r)
}

// figure is a number of a run that can be compared between levels.
type figure struct {
	component, name, text, unit string
	value                       float64
	limit                       float64 // 0: none is known, only its rise counts
	least                       float64 // below it a rise means nothing
	n                           int64
	zero                        bool   // anything above 0 counts as at its limit
	of                          string // what the limit is, for people
	wait                        bool   // a mean time that what is measured may be waiting for
}

// slowShare is the part of the time that a row allows from which on one wait is worth naming.
const slowShare = 0.1

// limits of figures that have one. etcd's are those of its documentation (etcd.io/docs, "Hardware" and "Metrics": the 99th
// percentile of a flush under 10 ms and of a commit under 25 ms; a mean at that size is beyond doubt; the default quota of
// the store is 2 GiB).
const (
	fsyncLimit  = 0.010
	commitLimit = 0.025
	quotaLimit  = 2 << 30
)

// Findings compares the runs at the level outside with those at the largest level inside, whose runs may be none. load is the
// ratio of the two levels.
func Findings(inside, outside []results.Summary, load float64) []Finding {
	var all []Finding
	all = append(all, harness(outside)...)
	all = append(all, violated(inside, outside)...)
	c := comparison{load: load, compared: len(inside) > 0, allowed: allowed(outside)}
	before, after := gather(inside), gather(outside)
	for _, key := range slices.Sorted(maps.Keys(after)) {
		if f, ok := c.weigh(before[key], after[key]); ok {
			all = append(all, f)
		}
	}
	slices.SortStableFunc(all, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Rank.order(), b.Rank.order()), -cmp.Compare(a.strength(), b.strength()))
	})
	return all
}

// comparison is what figures are weighed by.
type comparison struct {
	load     float64 // the ratio of the levels
	compared bool    // there are runs inside to compare with
	allowed  float64 // seconds that a violated row allows, of several the shortest; 0: none was violated
}

func allowed(runs []results.Summary) float64 {
	least := 0.0
	for _, s := range runs {
		for _, r := range s.SLOs {
			if r.Required && r.Verdict == results.Fail && (least == 0 || r.Threshold < least) {
				least = r.Threshold
			}
		}
	}
	return least
}

// strength orders the findings of one rank: by how much of the limit is used, and without one by the rise.
func (f Finding) strength() float64 {
	if f.Limit > 0 {
		return f.Outside / f.Limit
	}
	if f.Inside != nil && *f.Inside > 0 {
		return f.Outside / *f.Inside
	}
	return 0
}

// harness are the checks of validity that failed: then the level tells where the harness ends.
func harness(runs []results.Summary) []Finding {
	var all []Finding
	failed := map[string]int{}
	for _, s := range runs {
		for _, c := range s.Validity.Checks {
			if c.Verdict == results.Pass {
				continue
			}
			if failed[c.Name]++; failed[c.Name] > 1 {
				continue // the first run of those that failed it is quoted
			}
			all = append(all, Finding{Rank: Harness, Component: "run", Name: c.Name, Text: c.Text, Outside: c.Measured, Limit: c.Limit, Unit: c.Unit, N: c.N})
		}
	}
	for i := range all {
		all[i].Runs = failed[all[i].Name]
	}
	return all
}

// violated are the required rows that failed.
func violated(inside, outside []results.Summary) []Finding {
	var all []Finding
	rows := map[string][]results.SLOResult{}
	for _, s := range outside {
		for _, r := range s.SLOs {
			if r.Required && r.Verdict == results.Fail && s.Validity.Verdict == results.Pass {
				rows[r.Expression] = append(rows[r.Expression], r)
			}
		}
	}
	for _, expression := range slices.Sorted(maps.Keys(rows)) {
		failing := rows[expression]
		var shares []float64
		var n int64
		for _, r := range failing {
			shares, n = append(shares, *r.Measured), n+r.N
		}
		f := Finding{Rank: Violated, Component: "SLO", Name: expression, Outside: stats.Median(shares).Value, Limit: 0.99, Unit: "fraction", Runs: len(failing), N: n}
		var before []float64
		for _, s := range inside {
			for _, r := range s.SLOs {
				if r.Expression == expression && r.Measured != nil {
					before = append(before, *r.Measured)
				}
			}
		}
		f.Text = fmt.Sprintf("%s failed in %d of %s: %.2f %% of %d were within it", expression, len(failing), count(len(outside), "run"), 100*f.Outside, n)
		if len(before) > 0 {
			m := stats.Median(before).Value
			f.Inside = &m
			f.Text += fmt.Sprintf(", %.2f %% at the level inside", 100*m)
		}
		all = append(all, f)
	}
	// The row that is furthest from its objective comes first.
	slices.SortStableFunc(all, func(a, b Finding) int { return cmp.Compare(a.Outside, b.Outside) })
	for i := range all {
		all[i].Limit = 0 // its strength is its place in the list
	}
	return all
}

// gather collects a figure over the runs of a level.
func gather(runs []results.Summary) map[string][]figure {
	all := map[string][]figure{}
	for _, s := range runs {
		for _, f := range figures(s) {
			all[f.component+" "+f.name] = append(all[f.component+" "+f.name], f)
		}
	}
	return all
}

// weigh turns a figure at two levels into a finding, if it is one.
func (c comparison) weigh(before, after []figure) (Finding, bool) {
	slices.SortStableFunc(after, func(a, b figure) int { return cmp.Compare(a.value, b.value) })
	f := after[len(after)/2] // whose text is told
	f.n = 0
	var values []float64
	for _, a := range after {
		values, f.n = append(values, a.value), f.n+a.n
	}
	f.value = stats.Median(values).Value
	out := Finding{Component: f.component, Name: f.name, Outside: f.value, Limit: f.limit, Unit: f.unit, Runs: len(after), N: f.n}
	values = values[:0]
	for _, b := range before {
		values = append(values, b.value)
	}
	if len(values) == 0 && c.compared {
		values = []float64{0} // such as a queue that nothing went through
	}
	rise := 0.0
	if len(values) > 0 {
		m := stats.Median(values).Value
		out.Inside = &m
		rise = f.value / max(m, f.least)
	}
	switch {
	case f.zero && f.value > 0, f.limit > 0 && f.value >= f.limit:
		out.Rank = GaveOut
	case f.wait && c.allowed > 0 && f.value >= slowShare*c.allowed:
		out.Rank, out.Limit, f.limit, f.of = Slow, c.allowed, c.allowed, " that the violated row allows"
	case f.limit > 0 && f.value >= 0.8*f.limit:
		out.Rank = Near
	case f.value > f.least && rise > 2*c.load:
		out.Rank = Rose
	default:
		return Finding{}, false
	}
	out.Text = fmt.Sprintf("%s: %s", f.text, quantity(f.value, f.unit))
	if f.limit > 0 {
		out.Text += fmt.Sprintf(", %.0f %% of %s%s", 100*f.value/f.limit, quantity(f.limit, f.unit), f.of)
	}
	if out.Inside != nil {
		out.Text += fmt.Sprintf("; %s at the level inside", quantity(*out.Inside, f.unit))
	}
	return out, true
}

// quantity is a number with its unit, for people.
func quantity(v float64, unit string) string {
	switch unit {
	case "s":
		if v >= 1 {
			return fmt.Sprintf("%.3g s", v)
		}
		return fmt.Sprintf("%.3g ms", v*1e3)
	case "bytes":
		return fmt.Sprintf("%.0f MiB", v/(1<<20))
	case "fraction":
		return fmt.Sprintf("%.1f %%", 100*v)
	case "cores":
		return fmt.Sprintf("%.2f cores", v)
	}
	return strings.TrimSpace(fmt.Sprintf("%.4g %s", v, unit))
}
