package render

import (
	"bufio"
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"windtunnel/analysis/slo"
	"windtunnel/results"
)

// Objectives writes a run judged by objectives for a terminal: the verdict, then every row that decides or failed. Of the rows that
// have too little data and decide nothing only the number is given.
func Objectives(w io.Writer, r slo.Report, style Style) error {
	out := bufio.NewWriter(w) // keeps the first error for Flush
	verdict := mark(r.Verdict) + " " + strings.ToUpper(string(r.Verdict))
	fmt.Fprintf(out, "%s  %s by %s\n", style.paint(colour(r.Verdict), verdict), style.paint(bold, r.Run), r.SLO)
	if r.Validity != results.Pass {
		paragraph(out, "  ", "The run is not valid, so that nothing is judged by it; windtunnel report says why. What was found is shown.", style)
	}
	for _, o := range r.Results {
		fmt.Fprintf(out, "\n%s %s%s\n", style.mark(o.Verdict), o.Name, observed(o))
		if o.Name != o.Expression {
			paragraph(out, "  ", o.Expression, style)
		}
		shown, left := deciding(o)
		writeIndented(out, objectiveGrid(o, shown, style.mark))
		if left > 0 {
			fmt.Fprintf(out, "  %d of %d groups have fewer than %d samples and decide nothing; -o markdown shows them.\n", left, len(o.Rows), o.MinSamples)
		}
		if o.Note != "" {
			paragraph(out, "  ", o.Note+".", style)
		}
	}
	if len(r.NotMeasured) > 0 {
		fmt.Fprintf(out, "\nNot measurable here\n")
		for _, n := range r.NotMeasured {
			paragraph(out, "  · ", n.Name+": "+n.Reason, style)
		}
	}
	list(out, "Notes", r.Notes, style)
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write objectives: %w", err)
	}
	return nil
}

func observed(o slo.Result) string {
	if o.Required {
		return ""
	}
	return " (observed)"
}

// deciding are the rows of an objective without those that have too little data and decide nothing.
func deciding(o slo.Result) (rows []slo.Row, left int) {
	for _, r := range o.Rows {
		if o.Required && !r.Required && len(r.Group) > 0 {
			left++
			continue
		}
		rows = append(rows, r)
	}
	return rows, left
}

// objectiveGrid has a row for each group; its labels are the first columns.
func objectiveGrid(o slo.Result, rows []slo.Row, sign func(results.Verdict) string) grid {
	labels := o.By
	g := grid{header: slices.Concat([]string{""}, labels, []string{"measured", "required", o.Interval, "margin", "n", "n eff.", "shown", "verdict", ""})}
	for i := range labels {
		g.left = append(g.left, i+1)
	}
	g.left = append(g.left, 0, len(labels)+7, len(labels)+8, len(labels)+9)
	required := ""
	if o.Threshold != nil {
		required = o.Comparison + " " + o.Unit.Format(*o.Threshold)
	}
	for _, r := range rows {
		cells := []string{sign(r.Verdict)}
		for _, l := range labels {
			cells = append(cells, r.Group[l])
		}
		g.rows = append(g.rows, append(cells, measured(o, r.Measured), required, objectiveInterval(o.Unit, r), margin(o.Unit, r.Margin), count(r.N), effective(r), shown(r), found(r), r.Note))
	}
	return g
}

func inUnit(u slo.Unit, v *float64) string {
	if v == nil {
		return none
	}
	return u.Format(*v)
}

// measured is a value that does not look like the limit unless it is it: 98.9994 % is not 99.00 %.
func measured(o slo.Result, v *float64) string {
	text := inUnit(o.Unit, v)
	if v == nil || o.Threshold == nil || *v == *o.Threshold || text != o.Unit.Format(*o.Threshold) {
		return text
	}
	if o.Unit == slo.Fraction {
		return strconv.FormatFloat(*v*100, 'f', 4, 64) + " %"
	}
	return strconv.FormatFloat(*v, 'g', 7, 64) + " " + string(o.Unit)
}

func objectiveInterval(u slo.Unit, r slo.Row) string {
	if r.Low == nil && r.High == nil {
		return ""
	}
	return "[" + inUnit(u, r.Low) + ", " + inUnit(u, r.High) + "]"
}

// margin is signed; of a fraction it is in percentage points.
func margin(u slo.Unit, v *float64) string {
	if v == nil {
		return ""
	}
	if u == slo.Fraction {
		if text := points(v); *v == 0 || text != "+0.00" && text != "-0.00" {
			return text + " pp"
		}
		return fmt.Sprintf("%+.4f pp", *v*100)
	}
	if *v > 0 {
		return "+" + u.Format(*v)
	}
	return u.Format(*v)
}

func effective(r slo.Row) string {
	if r.Effective == 0 {
		return ""
	}
	return strconv.FormatFloat(r.Effective, 'f', 0, 64)
}

// shown says whether the interval bears the verdict out.
func shown(r slo.Row) string {
	switch {
	case r.Shown == nil:
		return ""
	case *r.Shown:
		return "yes"
	}
	return "no"
}

func found(r slo.Row) string {
	if r.IfValid != "" {
		return string(r.Verdict) + " (else " + string(r.IfValid) + ")"
	}
	return string(r.Verdict)
}

// writeIndented writes a table without a title.
func writeIndented(w io.Writer, g grid) {
	if len(g.rows) == 0 {
		return
	}
	for line := range strings.SplitSeq(g.writer().Render(), "\n") {
		fmt.Fprintf(w, "  %s\n", strings.TrimRight(line, " "))
	}
}

// ObjectivesMarkdown writes every row as GitHub-flavoured Markdown.
func ObjectivesMarkdown(w io.Writer, r slo.Report) error {
	out := bufio.NewWriter(w)
	fmt.Fprintf(out, "# %s %s by %s: %s\n", mark(r.Verdict), escape(r.Run), escape(r.SLO), r.Verdict)
	if r.Validity != results.Pass {
		fmt.Fprintf(out, "\nThe run is not valid, so that nothing is judged by it. What was found is shown.\n")
	}
	for _, o := range r.Results {
		fmt.Fprintf(out, "\n## %s %s%s: %s\n\n`%s`\n", mark(o.Verdict), escape(o.Name), observed(o), o.Verdict, o.Expression)
		if g := objectiveGrid(o, o.Rows, mark); len(g.rows) > 0 {
			fmt.Fprintf(out, "\n%s\n", g.writer().RenderMarkdown())
		}
		if o.Note != "" {
			fmt.Fprintf(out, "\n%s.\n", escape(o.Note))
		}
	}
	var missing []string
	for _, n := range r.NotMeasured {
		missing = append(missing, n.Name+": "+n.Reason)
	}
	markdownList(out, "Not measurable here", missing)
	markdownList(out, "Notes", r.Notes)
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write objectives: %w", err)
	}
	return nil
}

// ObjectivesCSV writes every row as a line, values in base units (seconds, bytes, fractions). A number that is not known is an
// empty field.
func ObjectivesCSV(w io.Writer, r slo.Report) error {
	c := longTable{csv.NewWriter(w)}
	c.line("objective", "expression", "group", "verdict", "required", "measured", "unit", "comparison", "threshold", "low", "high", "margin", "n", "effective", "shown", "note")
	for _, o := range r.Results {
		for _, row := range o.Rows {
			var group []string
			for _, l := range o.By {
				group = append(group, l+"="+row.Group[l])
			}
			c.line(o.Name, o.Expression, strings.Join(group, " "), string(row.Verdict), strconv.FormatBool(row.Required), full(row.Measured), string(o.Unit), o.Comparison,
				full(o.Threshold), full(row.Low), full(row.High), full(row.Margin), count(row.N), effective(row), shown(row), row.Note)
		}
	}
	c.w.Flush()
	if err := c.w.Error(); err != nil {
		return fmt.Errorf("write objectives: %w", err)
	}
	return nil
}
