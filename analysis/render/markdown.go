package render

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"windtunnel/results"
)

// Markdown writes the whole summary as GitHub-flavoured Markdown, every judged row included.
func Markdown(w io.Writer, s results.Summary) error {
	out := bufio.NewWriter(w) // keeps the first error for Flush
	r := s.Run
	fmt.Fprintf(out, "# %s %s: %s\n\n", mark(s.Verdict), escape(r.ID), s.Verdict)
	fmt.Fprintf(out, "Profile %s, %d nodes, %d pods, seed %d, %s, %s; %d × %s.\n", escape(r.Profile), r.Nodes, r.Pods, r.Seed,
		duration(r.Seconds), r.Outcome, r.Machine.Cores, escape(r.Machine.CPU))
	markdownList(out, "What went wrong in the test", testErrors(s))
	markdownGrid(out, sloGrid(s.SLOs, mark))
	checks := grid{title: "Validity: " + mark(s.Validity.Verdict) + " " + string(s.Validity.Verdict),
		header: []string{"", "check", "measured", "limit", "n", "what", "remedy"}, left: []int{0, 1, 5, 6}}
	for _, c := range s.Validity.Checks {
		checks.rows = append(checks.rows, []string{mark(c.Verdict), c.Name, withUnit(short(c.Measured), c.Unit), withUnit(short(c.Limit), c.Unit),
			count(c.N), c.Text, c.Remedy})
	}
	markdownGrid(out, checks)
	markdownGrid(out, conditionGrid(s))
	for _, g := range grids(s) {
		markdownGrid(out, g)
	}
	markdownList(out, "Remarks", remarks(s))
	markdownList(out, "Notes", s.Notes)
	markdownList(out, "Damage", s.Damage)
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write summary: %w", err)
	}
	return nil
}

func markdownGrid(w io.Writer, g grid) {
	if len(g.rows) == 0 {
		return
	}
	fmt.Fprintf(w, "\n## %s\n\n", g.title)
	if g.note != "" {
		fmt.Fprintf(w, "%s\n\n", g.note)
	}
	fmt.Fprintf(w, "%s\n", g.writer().RenderMarkdown())
}

func markdownList(w io.Writer, title string, items []string) {
	if len(items) == 0 {
		return
	}
	fmt.Fprintf(w, "\n## %s\n\n", title)
	for _, item := range items {
		fmt.Fprintf(w, "- %s\n", escape(item))
	}
}

// escape keeps text from being read as markup.
func escape(s string) string {
	return strings.NewReplacer("\\", "\\\\", "*", "\\*", "_", "\\_", "`", "\\`", "<", "&lt;", "\n", " ").Replace(s)
}
