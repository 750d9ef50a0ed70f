package render

import (
	"bufio"
	"cmp"
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"

	"windtunnel/analysis/compare"
)

// Histories writes the changes in the histories of runs for a terminal.
func Histories(w io.Writer, hs []compare.History, style Style) error {
	out := bufio.NewWriter(w)
	for i, h := range hs {
		if i > 0 {
			fmt.Fprintln(out)
		}
		fmt.Fprintf(out, "%s\n", style.paint(bold, historyTitle(h)))
		paragraph(out, "  ", historySentence(h), style)
		g := historyGrid(h, func(v compare.Verdict) string { return style.paint(changeColour(v), changeMark(v)) })
		writeGrid(out, g)
		list(out, "Not searched: too few runs have them", h.TooFew, style)
		list(out, "Invalid runs, left out", leftOutTexts(h), style)
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write history: %w", err)
	}
	return nil
}

// HistoriesMarkdown writes them as GitHub-flavoured Markdown.
func HistoriesMarkdown(w io.Writer, hs []compare.History) error {
	out := bufio.NewWriter(w)
	for i, h := range hs {
		if i > 0 {
			fmt.Fprintln(out)
		}
		fmt.Fprintf(out, "# %s\n\n%s\n", escape(historyTitle(h)), escape(historySentence(h)))
		markdownGrid(out, historyGrid(h, changeMark))
		markdownList(out, "Not searched: too few runs have them", h.TooFew)
		markdownList(out, "Invalid runs, left out", leftOutTexts(h))
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write history: %w", err)
	}
	return nil
}

// HistoriesCSV writes one change a line, in base units.
func HistoriesCSV(w io.Writer, hs []compare.History) error {
	t := longTable{csv.NewWriter(w)}
	t.line("profile", "run", "started", "section", "row", "figure", "unit", "before_runs", "before", "after_runs", "after", "change_kind", "change", "change_low",
		"change_high", "p", "verdict", "versions")
	for _, h := range hs {
		for _, s := range h.Changes {
			t.line(h.Profile, s.First.ID, s.First.Started, s.Section, s.Row, s.Name, s.Unit, count(int64(s.Before.N)), full(&s.Before.Median), count(int64(s.After.N)),
				full(&s.After.Median), s.Change.Kind, full(&s.Change.Value), full(s.Change.Low), full(s.Change.High), full(&s.P), string(s.Verdict), strings.Join(s.Versions, "; "))
		}
	}
	t.w.Flush()
	if err := t.w.Error(); err != nil {
		return fmt.Errorf("write history: %w", err)
	}
	return nil
}

func historyTitle(h compare.History) string {
	s := fmt.Sprintf("%s: %s", cmp.Or(h.Profile, "unreadable"), runs(len(h.Runs)))
	if n := len(h.Runs); n > 1 {
		s += fmt.Sprintf(" from %s to %s", h.Runs[0].Started, h.Runs[n-1].Started)
	}
	return s
}

func historySentence(h compare.History) string {
	switch {
	case h.Figures == 0:
		return "? Too short to show a change."
	case len(h.Runs) < h.Needed:
		return fmt.Sprintf("? Too short to show a change in any of %d figures: that takes at least %d runs.", h.Figures, h.Needed)
	case len(h.Changes) == 0:
		return fmt.Sprintf("~ No change is shown in any of %d figures.", h.Figures)
	}
	changed := map[string]bool{}
	for _, s := range h.Changes {
		changed[s.Figure.String()] = true
	}
	return fmt.Sprintf("%d of %d figures changed.", len(changed), h.Figures)
}

func historyGrid(h compare.History, sign func(compare.Verdict) string) grid {
	g := grid{title: "Changes", note: "medians of the runs before and from there on, up to the next change; p of the change point, to be held against " + strconv.FormatFloat(h.Level/float64(max(1, h.Figures)), 'g', 2, 64),
		header: []string{"", "from run", "figure", "before", "after", "change", "95 % interval", "p", "runs", "versions"}, left: []int{0, 1, 2, 9}}
	for _, s := range h.Changes {
		r := compare.Row{Figure: s.Figure, Change: s.Change}
		g.rows = append(g.rows, []string{sign(s.Verdict), s.First.ID, s.Figure.String(), amount(r, &s.Before.Median), amount(r, &s.After.Median), change(r, &s.Change.Value),
			changeInterval(r), strconv.FormatFloat(s.P, 'g', 2, 64), fmt.Sprintf("%d+%d", s.Before.N, s.After.N), strings.Join(s.Versions, ", ")})
	}
	return g
}

func leftOutTexts(h compare.History) []string {
	var out []string
	for _, l := range h.LeftOut {
		out = append(out, l.String())
	}
	return out
}
