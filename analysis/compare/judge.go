package compare

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"windtunnel/analysis/stats"
)

// judge corrects for the number of figures and gives every row and the whole their verdicts.
//
// A figure whose values are so tied that its test could not have reached the level alone (LeastP) is no member of the family: it can
// raise no alarm. Which these are depends on the values but not on which side they stand, so leaving them out costs nothing of the
// correction's promise (Tarone, 1990).
func (c *Comparison) judge() {
	var family []int
	var ps []float64
	for i, r := range c.Rows {
		few := stats.LeastRankP(r.Base.N, r.New.N) > c.Level
		if r.LeastP <= c.Level || few && !r.constant() {
			family, ps = append(family, i), append(ps, r.P)
		}
	}
	c.Family = len(family)
	for n, p := range stats.Holm(ps) {
		c.Rows[family[n]].AdjustedP = p
	}
	for c.Needed = 1; stats.LeastRankP(c.Needed, c.Needed)*float64(max(1, c.Family)) > c.Level; {
		c.Needed++
	}
	for i := range c.Rows {
		c.Rows[i].Verdict = c.verdict(c.Rows[i])
	}
	c.Verdict = Unknown
	for _, v := range []Verdict{NotShown, Small, Improvement, Regression} {
		if slices.ContainsFunc(c.Rows, func(r Row) bool { return r.Verdict == v }) {
			c.Verdict = v
		}
	}
}

// constant tells whether all runs of both sides have the same value.
func (r Row) constant() bool {
	all := slices.Concat(r.Base.Values, r.New.Values)
	return slices.Min(all) == slices.Max(all)
}

func (c *Comparison) verdict(r Row) Verdict {
	if stats.LeastRankP(r.Base.N, r.New.N)*float64(max(1, c.Family)) > c.Level {
		return Unknown
	}
	switch {
	case r.AdjustedP > c.Level:
		return NotShown
	case !r.Matters():
		return Small
	case r.Worse():
		return Regression
	}
	return Improvement
}

// Matters tells whether the change is large enough to matter, shown or not.
func (r Row) Matters() bool {
	return r.Change.absolute > 0 && r.Change.absolute >= r.LeastAbsolute && r.Change.relative() >= r.LeastRelative
}

// size is the change as a gate measures it: of a share in its own unit, of all else relative to the base.
func (r Row) size() float64 {
	if r.Unit == "fraction" {
		return r.Change.absolute
	}
	return r.Change.relative()
}

// Worse tells whether the change, shown or not, is for the worse.
func (r Row) Worse() bool {
	up := r.Change.Value > 0
	if r.Change.Kind == "ratio" {
		up = r.Change.Value > 1
	}
	return up == (r.Better == Lower)
}

// Count is how many rows have a verdict.
func (c Comparison) Count(v Verdict) int {
	n := 0
	for _, r := range c.Rows {
		if r.Verdict == v {
			n++
		}
	}
	return n
}

// notes says what a reader must know of how the runs were chosen.
func (c *Comparison) notes(base, new []Run) {
	for _, side := range []struct {
		name string
		side Side
	}{{"base", c.Base}, {"new", c.New}} {
		for _, l := range side.side.LeftOut {
			c.Notes = append(c.Notes, fmt.Sprintf("left out of %s: %s", side.name, l))
		}
	}
	switch {
	case len(base) == 1 && len(new) == 1:
		c.Notes = append(c.Notes, fmt.Sprintf("One run a side: the intervals are those within each run, and two runs of the same system differ by more. "+
			"No change can be shown; that takes at least %d runs a side.", c.Needed))
	case c.Verdict == Unknown && len(c.Rows) > 0:
		c.Notes = append(c.Notes, fmt.Sprintf("%d + %d runs cannot show a change in any of %d figures: that takes at least %d a side, or fewer figures (--figures).",
			len(base), len(new), c.Family, c.Needed))
	}
	if len(base)+len(new) > 2 && (before(base, new) || before(new, base)) {
		c.Notes = append(c.Notes, "The runs of one side were all made before those of the other: what else changed on the machine in between shows as a change as well. "+
			"Runs made in turns (base, new, base, new, …) are safe from that.")
	}
	if seedsOf(base) != seedsOf(new) && len(base) == len(new) {
		c.Notes = append(c.Notes, fmt.Sprintf("The sides have different seeds (%s and %s), so part of a change may come from other requests being sent.", seedsOf(base), seedsOf(new)))
	}
	names := maps.Clone(base[0].Instrument)
	maps.Copy(names, new[0].Instrument)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if a, b := base[0].Instrument[name], new[0].Instrument[name]; a != b {
			c.Notes = append(c.Notes, fmt.Sprintf("What measured differs: %s %s and %s.", name, orAbsent(a), orAbsent(b)))
		}
	}
}

// before tells whether every run of a started before every run of b.
func before(a, b []Run) bool {
	last, first := a[0].Started, b[0].Started
	for _, r := range a {
		last = later(last, r.Started)
	}
	for _, r := range b {
		if r.Started.Before(first) {
			first = r.Started
		}
	}
	return last.Before(first)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// seedsOf are the seeds of a side in ascending order.
func seedsOf(runs []Run) string {
	var seeds []uint64
	for _, r := range runs {
		seeds = append(seeds, r.Seed)
	}
	slices.Sort(seeds)
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(slices.Compact(seeds)), " ", ", "), "[]")
}

// sentence is the answer in words, of the largest change where one was shown.
func sentence(c Comparison) string {
	switch c.Verdict {
	case Regression, Improvement:
		worst := c.largest(c.Verdict)
		s := worst.Figure.String() + " " + inWords(worst)
		if n := c.Count(c.Verdict) - 1; n > 0 {
			s += fmt.Sprintf("; %d more %s", n, map[Verdict]string{Regression: "got worse", Improvement: "got better"}[c.Verdict])
		}
		if n := c.Count(Improvement); c.Verdict == Regression && n > 0 {
			s += fmt.Sprintf(", %d got better", n)
		}
		return s + "."
	case Small:
		return fmt.Sprintf("%d figures changed, by less than matters.", c.Count(Small))
	case NotShown:
		return "No change is shown. " + c.resolution()
	}
	if len(c.Rows) == 0 {
		return "There is nothing to compare."
	}
	return "No change can be shown from so few runs."
}

// largest is the row of a verdict whose change is the largest in proportion; of equals the first.
func (c Comparison) largest(v Verdict) Row {
	var worst *Row
	for i, r := range c.Rows {
		if r.Verdict == v && (worst == nil || r.Proportion() > worst.Proportion()) {
			worst = &c.Rows[i]
		}
	}
	return *worst
}

// Proportion is the size of the change, shown or not, such that doubling and halving are alike.
func (r Row) Proportion() float64 {
	if r.Change.Kind == "ratio" {
		return math.Abs(math.Log(r.Change.Value))
	}
	return math.Log1p(r.Change.relative())
}

func inWords(r Row) string {
	c := r.Change
	if c.Kind == "ratio" {
		s := fmt.Sprintf("is %.2f times what it is in base", c.Value)
		if c.Low != nil {
			s += fmt.Sprintf(" (95 %% interval %.2f to %.2f)", *c.Low, *c.High)
		}
		return s
	}
	scale, unit := 1.0, r.Unit
	if unit == "fraction" {
		scale, unit = 100, "percentage points"
	}
	s := fmt.Sprintf("changed by %+.3g %s", c.Value*scale, unit)
	if c.Low != nil {
		s += fmt.Sprintf(" (95 %% interval %+.3g to %+.3g)", *c.Low*scale, *c.High*scale)
	}
	return s
}

// resolution says how small a change would have been seen: half of the ratios are known at least so well.
func (c Comparison) resolution() string {
	var widths []float64
	for _, r := range c.Rows {
		if r.Change.Kind == "ratio" && r.Change.Low != nil {
			widths = append(widths, max(*r.Change.High/r.Change.Value, r.Change.Value / *r.Change.Low)-1)
		}
	}
	if len(widths) == 0 {
		return ""
	}
	return fmt.Sprintf("Half of the changes are known to within ±%.1f %%.", 100*stats.Median(widths).Value)
}
