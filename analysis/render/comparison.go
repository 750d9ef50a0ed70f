package render

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"windtunnel/analysis/compare"
)

// Comparison writes a comparison for a terminal: the verdict first, then the figures that changed and how many did not; with all
// every figure.
func Comparison(w io.Writer, c compare.Comparison, style Style, all bool) error {
	out := bufio.NewWriter(w) // keeps the first error for Flush
	fmt.Fprintf(out, "%s  %s\n", style.paint(changeColour(c.Verdict), changeMark(c.Verdict)+" "+strings.ToUpper(string(c.Verdict))),
		style.paint(bold, fmt.Sprintf("%s: %s against %s of the base", c.Profile, runs(len(c.New.Runs)), runs(len(c.Base.Runs)))))
	paragraph(out, "  ", c.Sentence, style)
	for _, g := range c.Gates {
		paragraph(out, "  "+style.paint(changeColour(g.Verdict), changeMark(g.Verdict))+" ", gateText(g), style)
	}
	writeGrid(out, comparisonGrid(c, all, func(v compare.Verdict) string { return style.paint(changeColour(v), changeMark(v)) }))
	fmt.Fprintf(out, "\n%s\n", tally(c, all))
	list(out, "Compared across these differences", differenceTexts(c), style)
	list(out, "Only in the base", c.OnlyBase, style)
	list(out, "Only in new", c.OnlyNew, style)
	list(out, "Notes", c.Notes, style)
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write comparison: %w", err)
	}
	return nil
}

// ComparisonMarkdown writes every figure of a comparison as GitHub-flavoured Markdown.
func ComparisonMarkdown(w io.Writer, c compare.Comparison) error {
	out := bufio.NewWriter(w)
	fmt.Fprintf(out, "# %s %s: %s\n\n%s\n", changeMark(c.Verdict), escape(c.Profile), c.Verdict, escape(c.Sentence))
	for _, g := range c.Gates {
		fmt.Fprintf(out, "\n%s %s\n", changeMark(g.Verdict), escape(gateText(g)))
	}
	markdownGrid(out, comparisonGrid(c, true, changeMark))
	fmt.Fprintf(out, "\n%s\n", tally(c, true))
	markdownList(out, "Compared across these differences", differenceTexts(c))
	markdownList(out, "Only in the base", c.OnlyBase)
	markdownList(out, "Only in new", c.OnlyNew)
	markdownList(out, "Runs of the base", ids(c.Base))
	markdownList(out, "Runs of new", ids(c.New))
	markdownList(out, "Notes", c.Notes)
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write comparison: %w", err)
	}
	return nil
}

func ids(s compare.Side) []string {
	var out []string
	for _, r := range s.Runs {
		out = append(out, r.ID)
	}
	return out
}

func runs(n int) string {
	if n == 1 {
		return "1 run"
	}
	return strconv.Itoa(n) + " runs"
}

// changeMark is the sign of a verdict about a change.
func changeMark(v compare.Verdict) string {
	switch v {
	case compare.Regression:
		return "✗"
	case compare.Improvement:
		return "✓"
	case compare.Small:
		return "·"
	case compare.NotShown:
		return "~"
	}
	return "?"
}

func changeColour(v compare.Verdict) string {
	switch v {
	case compare.Regression:
		return red
	case compare.Improvement:
		return green
	case compare.Unknown:
		return yellow
	}
	return ""
}

func gateText(g compare.GateResult) string {
	switch g.Verdict {
	case compare.Regression:
		return fmt.Sprintf("--fail-on %s: %s", g.Gate, strings.Join(g.Failed, ", "))
	case compare.Unknown:
		var why []string
		if g.Figures == 0 {
			why = append(why, "no figure is called so")
		}
		if n := len(g.Unknown); n > 0 {
			why = append(why, fmt.Sprintf("%d of %d figures could not be judged", n, g.Figures))
		}
		if len(g.Gone) > 0 {
			why = append(why, "new has no "+strings.Join(g.Gone, ", "))
		}
		if len(g.LeftOut) > 0 {
			why = append(why, runs(len(g.LeftOut))+" of new left out: "+strings.Join(g.LeftOut, ", "))
		}
		return fmt.Sprintf("--fail-on %s: cannot tell: %s", g.Gate, strings.Join(why, "; "))
	}
	return fmt.Sprintf("--fail-on %s: not shown in any of %d figures", g.Gate, g.Figures)
}

// comparisonGrid is the table of the figures: those that changed, where none could have those that stand apart, or all.
func comparisonGrid(c compare.Comparison, all bool, sign func(compare.Verdict) string) grid {
	g := grid{title: "Changes", note: "medians of the runs; [95 % interval]; p of the rank test, corrected for " + strconv.Itoa(c.Family) + " figures (Holm); δ is Cliff's: ±1 when no run of one side reaches the other",
		header: []string{"", "figure", "base", "interval", "new", "interval", "change", "95 % interval", "p", "δ", "runs"}, left: []int{0, 1}}
	single := len(c.Base.Runs) == 1 && len(c.New.Runs) == 1
	if single {
		g.note = "[95 % interval within the run]; what differs by more than these intervals comes first to mind, but two runs of one system differ by more as well"
	}
	for _, r := range rowsToShow(c, all) {
		cells := []string{sign(r.Verdict), r.Figure.String(), amount(r, &r.Base.Median), amounts(r, r.Base), amount(r, &r.New.Median), amounts(r, r.New),
			change(r, &r.Change.Value)}
		if single {
			cells = append(cells, "", "", "", "") // columns that are empty throughout are left out
		} else {
			cells = append(cells, changeInterval(r), pValue(r), fmt.Sprintf("%+.2f", r.Delta), fmt.Sprintf("%d+%d", r.Base.N, r.New.N))
		}
		g.rows = append(g.rows, cells)
	}
	return g
}

// mostSuggestions is how many rows are shown that only suggest a change.
const mostSuggestions = 15

// rowsToShow are the rows of the table, in the comparison's order.
func rowsToShow(c compare.Comparison, all bool) []compare.Row {
	if all {
		return c.Rows
	}
	var limit float64 // the size of change from which on suggestions are shown
	var sizes []float64
	for _, r := range c.Rows {
		if r.Verdict == compare.Unknown && worthShowing(r) {
			sizes = append(sizes, r.Proportion())
		}
	}
	if slices.Sort(sizes); len(sizes) > mostSuggestions {
		limit = sizes[len(sizes)-mostSuggestions]
	}
	return slices.DeleteFunc(slices.Clone(c.Rows), func(r compare.Row) bool {
		return !worthShowing(r) || r.Verdict == compare.Unknown && r.Proportion() < limit
	})
}

// worthShowing are rows with a change, and those that suggest one where none can be shown.
func worthShowing(r compare.Row) bool {
	switch r.Verdict {
	case compare.Regression, compare.Improvement, compare.Small:
		return true
	}
	return r.Verdict == compare.Unknown && r.Apart && r.Matters()
}

// tally counts the rows by their verdicts.
func tally(c compare.Comparison, all bool) string {
	var parts []string
	for _, v := range []struct {
		v    compare.Verdict
		text string
	}{{compare.Regression, "worse"}, {compare.Improvement, "better"}, {compare.Small, "changed by less than matters (·)"},
		{compare.NotShown, "without a change shown (~)"}, {compare.Unknown, "that cannot tell (?)"}} {
		if n := c.Count(v.v); n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, v.text))
		}
	}
	s := fmt.Sprintf("%d figures", len(c.Rows))
	if len(parts) > 0 {
		s += ": " + strings.Join(parts, ", ")
	}
	if !all && len(rowsToShow(c, false)) < len(c.Rows) {
		s += "; --all shows all"
	}
	return s + "."
}

// mostDifferences is how many differences of the sides are listed; JSON has all.
const mostDifferences = 12

func differenceTexts(c compare.Comparison) []string {
	var out []string
	for i, d := range c.Differences {
		if i == mostDifferences {
			return append(out, fmt.Sprintf("… and %d more", len(c.Differences)-i))
		}
		text := d.String()
		if !d.Named {
			text += " (forced)"
		}
		out = append(out, text)
	}
	return out
}

// amount is a number in the row's unit.
func amount(r compare.Row, v *float64) string {
	if v == nil {
		return none
	}
	if r.Unit == "fraction" {
		return percentOf(*v) + " %"
	}
	return compare.Unit(r.Unit).Format(*v)
}

func amounts(r compare.Row, s compare.Sample) string {
	if s.Low == nil && s.High == nil {
		return none
	}
	return "[" + amount(r, s.Low) + ", " + amount(r, s.High) + "]"
}

// change is a ratio in per cent of the base, or a difference in its unit, with its sign.
func change(r compare.Row, v *float64) string {
	switch {
	case v == nil:
		return none
	case r.Change.Kind == "ratio" && *v >= 10:
		return fmt.Sprintf("×%.3g", *v)
	case r.Change.Kind == "ratio":
		return signed(100*(*v-1), 1) + " %"
	case r.Unit == "fraction":
		return signed(100**v, 2) + " pp"
	case *v < 0:
		return "-" + compare.Unit(r.Unit).Format(math.Abs(*v))
	}
	return "+" + compare.Unit(r.Unit).Format(*v)
}

// signed is a number with its sign; what rounds to nothing is +0.
func signed(v float64, decimals int) string {
	scale := math.Pow10(decimals)
	return fmt.Sprintf("%+.*f", decimals, math.Round(v*scale)/scale+0)
}

func changeInterval(r compare.Row) string {
	if r.Change.Low == nil {
		return none
	}
	return "[" + change(r, r.Change.Low) + ", " + change(r, r.Change.High) + "]"
}

// pValue is the corrected p; with none that could have been small enough it says nothing.
func pValue(r compare.Row) string {
	if r.Verdict == compare.Unknown {
		return none
	}
	if r.AdjustedP < 0.001 {
		return "<0.001"
	}
	return strconv.FormatFloat(r.AdjustedP, 'f', 3, 64)
}
