package render

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"windtunnel/results"
)

// Style is how text is laid out.
type Style struct {
	Color bool   // ANSI colours
	Width int    // columns that sentences are wrapped at; 0: no wrapping. Tables keep their own width.
	Dir   string // the run directory, to say where the files are; "" leaves that out
}

// Text writes the summary for a terminal: the verdict and the required SLOs first, then whether the run can be trusted,
// then the figures.
func Text(w io.Writer, s results.Summary, style Style) error {
	out := bufio.NewWriter(w) // keeps the first error for Flush
	headline(out, s, style)
	testFailures(out, s, style)
	objectives(out, s, style)
	validity(out, s, style)
	writeGrid(out, conditionGrid(s))
	short, left := shorten(s)
	for _, g := range grids(short) {
		writeGrid(out, g)
	}
	if left > 0 {
		fmt.Fprintf(out, "\n%d rows of the API server with fewer than %d answers are left out here; summary.json has them.\n", left, fewAnswers)
	}
	list(out, "Remarks", remarks(s), style)
	list(out, "Notes", s.Notes, style)
	list(out, "Damage", s.Damage, style)
	if style.Dir != "" {
		fmt.Fprintf(out, "\nFiles: %s\n", style.Dir)
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write summary: %w", err)
	}
	return nil
}

// A table of the API server's rows that is longer than manyRows leaves out those with fewer than fewAnswers, whose p99 is
// just their slowest answer.
const manyRows, fewAnswers = 30, 100

// shorten drops rows that a terminal has no room for, and counts them.
func shorten(s results.Summary) (results.Summary, int) {
	if len(s.Server) <= manyRows {
		return s, 0
	}
	all := len(s.Server)
	s.Server = slices.DeleteFunc(slices.Clone(s.Server), func(r results.ServerRow) bool { return r.N < fewAnswers })
	return s, all - len(s.Server)
}

func headline(w io.Writer, s results.Summary, style Style) {
	verdict := mark(s.Verdict) + " " + strings.ToUpper(string(s.Verdict))
	fmt.Fprintf(w, "%s\n", strings.TrimRight(style.paint(colour(s.Verdict), verdict)+"  "+style.paint(bold, s.Run.ID), " "))
	r := s.Run
	if r.ID == "" {
		return // run.json could not be read
	}
	if r.Provider != "" && r.Provider != "embedded" {
		r.Profile += " on " + r.Provider
	}
	fmt.Fprintf(w, "  %s · %d nodes · %d pods · seed %d · %s · %s\n", r.Profile, r.Nodes, r.Pods, r.Seed, duration(r.Seconds), r.Outcome)
	var versions []string
	for _, name := range slices.Sorted(maps.Keys(r.Versions)) {
		versions = append(versions, name+" "+r.Versions[name])
	}
	if len(versions) > 0 {
		fmt.Fprintf(w, "  %s\n", strings.Join(versions, " · "))
	}
	fmt.Fprintf(w, "  %d × %s · %s MiB · %s\n", r.Machine.Cores, r.Machine.CPU, fmt.Sprint(r.Machine.MemoryBytes>>20), KernelRelease(r.Machine.Kernel))
}

// objectives writes the required rows and those others that are below what is required, and counts the rest.
func objectives(w io.Writer, s results.Summary, style Style) {
	var shown []results.SLOResult
	rest := map[results.Verdict]int{}
	for _, r := range s.SLOs {
		if r.Required || Short(r) {
			shown = append(shown, r)
		} else {
			rest[r.Verdict]++
		}
	}
	if len(shown) > 0 {
		writeGrid(w, sloGrid(shown, style.mark))
	} else if s.ClusterLoader == nil {
		fmt.Fprintf(w, "\nSLOs\n  None is required.\n")
	}
	for _, r := range shown {
		if r.Note != "" {
			paragraph(w, "  "+style.mark(r.Verdict)+" ", r.Expression+": "+r.Note+".", style)
		}
	}
	if n := rest[results.Pass] + rest[results.NoData]; n > 0 {
		fmt.Fprintf(w, "  Not required: %d rows, of which %d pass and %d have no data.\n", n, rest[results.Pass], rest[results.NoData])
	}
}

func validity(w io.Writer, s results.Summary, style Style) {
	if len(s.Validity.Checks) == 0 {
		return
	}
	fmt.Fprintf(w, "\nCan the run be trusted? %s\n", style.paint(colour(s.Validity.Verdict), mark(s.Validity.Verdict)+" "+string(s.Validity.Verdict)))
	width := 0
	for _, c := range s.Validity.Checks {
		width = max(width, len(c.Name))
	}
	for _, c := range s.Validity.Checks {
		paragraph(w, fmt.Sprintf("  %s %-*s  ", style.mark(c.Verdict), width, c.Name), c.Text, style)
		if c.Remedy != "" {
			paragraph(w, strings.Repeat(" ", width+6)+"→ ", c.Remedy, style)
		}
	}
}

func list(w io.Writer, title string, items []string, style Style) {
	if len(items) == 0 {
		return
	}
	fmt.Fprintf(w, "\n%s\n", title)
	for _, item := range items {
		paragraph(w, "  · ", item, style)
	}
}

// paragraph writes a sentence behind a lead, wrapped with its later lines under the first.
func paragraph(w io.Writer, lead, sentence string, style Style) {
	indent := text.StringWidthWithoutEscSequences(lead)
	if room := style.Width - indent; style.Width > 0 && room >= 20 {
		sentence = strings.ReplaceAll(text.WrapSoft(sentence, room), "\n", "\n"+strings.Repeat(" ", indent))
	}
	for i, line := range strings.Split(lead+sentence, "\n") {
		if i > 0 {
			line = strings.TrimRight(line, " ")
		}
		fmt.Fprintf(w, "%s\n", strings.TrimRight(line, " "))
	}
}

// writeGrid writes a table with its title, nothing when it has no rows.
func writeGrid(w io.Writer, g grid) {
	if len(g.rows) == 0 {
		return
	}
	fmt.Fprintf(w, "\n%s\n", g.title)
	if g.note != "" {
		fmt.Fprintf(w, "  %s\n", g.note)
	}
	for line := range strings.SplitSeq(g.writer().Render(), "\n") {
		fmt.Fprintf(w, "  %s\n", strings.TrimRight(line, " "))
	}
}

// filled is the grid without the columns that are empty throughout.
func (g grid) filled() grid {
	out := grid{title: g.title, note: g.note, rows: make([][]string, len(g.rows))}
	for i := range g.header {
		if g.header[i] != "" && !slices.ContainsFunc(g.rows, func(r []string) bool { return r[i] != "" }) {
			continue
		}
		if slices.Contains(g.left, i) {
			out.left = append(out.left, len(out.header))
		}
		out.header = append(out.header, g.header[i])
		for n, r := range g.rows {
			out.rows[n] = append(out.rows[n], r[i])
		}
	}
	return out
}

// writer is the table for go-pretty, without columns that are empty throughout.
func (g grid) writer() table.Writer {
	g = g.filled()
	row := func(cells []string) table.Row {
		var row table.Row
		for _, c := range cells {
			row = append(row, c)
		}
		return row
	}
	t := table.NewWriter()
	t.SetStyle(plain())
	t.AppendHeader(row(g.header))
	for _, r := range g.rows {
		t.AppendRow(row(r))
	}
	var configs []table.ColumnConfig
	for i := range g.header {
		align := text.AlignRight
		if slices.Contains(g.left, i) {
			align = text.AlignLeft
		}
		configs = append(configs, table.ColumnConfig{Number: i + 1, Align: align, AlignHeader: align})
	}
	t.SetColumnConfigs(configs)
	return t
}

// plain is a table without lines.
func plain() table.Style {
	style := table.StyleDefault
	style.Box.PaddingLeft, style.Box.PaddingRight = "", "  "
	style.Format.Header = text.FormatDefault
	style.Options = table.OptionsNoBordersAndSeparators
	return style
}
