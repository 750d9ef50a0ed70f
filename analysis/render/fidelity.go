package render

import (
	"bufio"
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"

	"windtunnel/analysis/fidelity"
	"windtunnel/results"
)

// Fidelity writes a comparison of two recordings for a terminal: the verdict, every call, and of watches, order and latencies what
// differs, or with all everything.
func Fidelity(w io.Writer, c fidelity.Comparison, style Style, all bool) error {
	out := bufio.NewWriter(w) // keeps the first error for Flush
	fmt.Fprintf(out, "%s  %s\n", style.paint(colour(c.Verdict), mark(c.Verdict)+" "+strings.ToUpper(fidelityWord(c.Verdict))),
		style.paint(bold, c.A.Script+": B against A"))
	paragraph(out, "  A  ", sideText(c.A), style)
	paragraph(out, "  B  ", sideText(c.B), style)
	fmt.Fprintln(out)
	for _, p := range c.Parts {
		paragraph(out, fmt.Sprintf("  %s %-10s ", style.mark(p.Verdict), p.Name), partText(p), style)
	}
	for _, g := range fidelityGrids(c, all, style.mark) {
		writeGrid(out, g)
	}
	if all {
		sequences(out, c, style)
	} else {
		fmt.Fprintf(out, "\nWatches, pairs of calls and latencies that match are left out; --all shows them.\n")
	}
	list(out, "Notes", c.Notes, style)
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write comparison: %w", err)
	}
	return nil
}

// FidelityMarkdown writes everything as GitHub-flavoured Markdown, with the reason for each tolerance.
func FidelityMarkdown(w io.Writer, c fidelity.Comparison) error {
	out := bufio.NewWriter(w)
	fmt.Fprintf(out, "# %s %s: B %s A\n\n", mark(c.Verdict), escape(c.A.Script), fidelityWord(c.Verdict))
	fmt.Fprintf(out, "- A: %s\n- B: %s\n\n", escape(sideText(c.A)), escape(sideText(c.B)))
	for _, p := range c.Parts {
		fmt.Fprintf(out, "- %s %s: %s\n", mark(p.Verdict), p.Name, escape(partText(p)))
	}
	for _, g := range fidelityGrids(c, true, mark) {
		markdownGrid(out, g)
	}
	var orders []string
	for _, s := range c.Sequences {
		orders = append(orders, fmt.Sprintf("%s, A: %s", s.Stage, strings.Join(s.A, " → ")), fmt.Sprintf("%s, B: %s", s.Stage, strings.Join(s.B, " → ")))
	}
	markdownList(out, "In which order the calls begin", orders)
	markdownList(out, "Notes", c.Notes)
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write comparison: %w", err)
	}
	return nil
}

// FidelityCSV writes every row, one a line; what is not known is an empty field.
func FidelityCSV(w io.Writer, c fidelity.Comparison) error {
	t := longTable{csv.NewWriter(w)}
	t.line("section", "stage", "who", "verb", "resource", "detail", "per", "a", "b", "within", "a_errors", "b_errors", "a_bytes", "b_bytes", "verdict", "bodies", "why", "gap", "bodies_gap")
	rows := func(section string, all []fidelity.CallRow) {
		for _, r := range all {
			t.line(section, r.Stage, r.Who, r.Verb, r.Resource, r.Detail, r.Per, full(&r.A), full(&r.B), full(&r.Within), full(&r.ErrorsA), full(&r.ErrorsB),
				full(r.BytesA), full(r.BytesB), string(r.Verdict), string(r.Bodies), r.Why, r.Gap, r.BodiesGap)
		}
	}
	rows("calls", c.Calls)
	rows("watches", c.Watches)
	for _, r := range c.Order {
		t.line("order", r.Stage, "", "", r.Before, "before "+r.After, r.Of, "", "", "", "", "", "", "", string(results.Fail), "",
			fmt.Sprintf("always on %s, %d of %d on the other", r.Always, r.Held, r.Both), "", "")
	}
	for _, r := range c.Latencies {
		t.line("latencies", "", "", "", r.Name, r.Group, "seconds", full(&r.A), full(&r.B), "", "", "", "", "", string(r.Verdict), "", "", "", "")
	}
	t.w.Flush()
	if err := t.w.Error(); err != nil {
		return fmt.Errorf("write comparison: %w", err)
	}
	return nil
}

func fidelityWord(v results.Verdict) string {
	switch v {
	case results.Pass:
		return "matches"
	case results.Fail:
		return "differs from"
	}
	return string(v)
}

func sideText(s fidelity.Source) string {
	parts := []string{runs(len(s.Runs)) + ": " + strings.Join(s.Runs, ", "), fmt.Sprintf("%d nodes %s", s.Chosen, strings.Join(s.Nodes, ", "))}
	if s.Tier != "" {
		parts = append(parts, "tier "+s.Tier)
	}
	parts = append(parts, s.Provider, "Kubernetes "+s.Kubernetes, "audit log at level "+s.Audit)
	if s.Note != "" {
		parts = append(parts, s.Note)
	}
	return strings.Join(parts, " · ")
}

func partText(p fidelity.Part) string {
	if !p.Required {
		return p.Text + " (not required)"
	}
	return p.Text
}

// fidelityGrids are the tables; but for that of the calls they leave out what matches unless all is to be shown.
func fidelityGrids(c fidelity.Comparison, all bool, sign func(results.Verdict) string) []grid {
	calls := grid{title: "Calls", note: "counts per node, per pod, or per node and 10 s; bytes are the mean size of the body as the audit log has it",
		header: []string{"", "stage", "who", "call", "per", "A", "B", "within", "errors A", "errors B", "", "bytes A", "bytes B"}, left: []int{0, 1, 2, 3, 4}}
	for _, r := range c.Calls {
		bodies := ""
		if r.Bodies != "" {
			bodies = signOrGap(sign, r.Bodies, r.BodiesGap)
		}
		calls.rows = append(calls.rows, []string{signOrGap(sign, r.Verdict, r.Gap), r.Stage, r.Who, r.Kind.String(), r.Per, twoDecimals(r.A), twoDecimals(r.B), someDecimals(r.Within),
			someDecimals(r.ErrorsA), someDecimals(r.ErrorsB), bodies, whole(r.BytesA), whole(r.BytesB)})
	}
	watches := grid{title: "Watches open at the end of each stage, per node", header: []string{"", "stage", "who", "watch", "A", "B"}, left: []int{0, 1, 2, 3}}
	for _, r := range c.Watches {
		if all || r.Verdict == results.Fail {
			watches.rows = append(watches.rows, []string{sign(r.Verdict), r.Stage, r.Who, r.Kind.String(), twoDecimals(r.A), twoDecimals(r.B)})
		}
	}
	order := grid{title: "Calls in the opposite order", header: []string{"", "stage", "before", "after", "which", "always on", "on the other"}, left: []int{0, 1, 2, 3, 4, 5}}
	for _, r := range c.Order {
		order.rows = append(order.rows, []string{sign(results.Fail), r.Stage, r.Before, r.After, r.Of, r.Always, fmt.Sprintf("%d of %d", r.Held, r.Both)})
	}
	return []grid{calls, watches, order, latencyGrid(c, all, sign), whyGrid(c, all), gapGrid(c)}
}

// signOrGap is the sign of a verdict, or that of a difference that is known.
func signOrGap(sign func(results.Verdict) string, v results.Verdict, gap string) string {
	if gap != "" {
		return "≠"
	}
	return sign(v)
}

// gapGrid says why rows are known to differ.
func gapGrid(c fidelity.Comparison) grid {
	g := grid{title: "Known differences, marked ≠", header: []string{"stage", "call", "what", "because"}, left: []int{0, 1, 2, 3}}
	for _, r := range c.Calls {
		if r.Gap != "" {
			g.rows = append(g.rows, []string{r.Stage, r.Kind.String(), "count", r.Gap})
		}
		if r.BodiesGap != "" {
			g.rows = append(g.rows, []string{r.Stage, r.Kind.String(), "size", r.BodiesGap})
		}
	}
	return g
}

func latencyGrid(c fidelity.Comparison, all bool, sign func(results.Verdict) string) grid {
	g := grid{title: "Latencies (ms), of all callers", note: "ratio of B to A; below 50 ms a request, and below 1 s a pod's start-up, counts as that",
		header: []string{"", "metric", "n A", "n B", "A", "B", "ratio"}, left: []int{0, 1}}
	for _, r := range c.Latencies {
		if all || r.Verdict == results.Fail {
			name := r.Name
			if r.Group == fidelity.Startup {
				name = r.Group + ", " + name
			}
			g.rows = append(g.rows, []string{sign(r.Verdict), name, count(r.NA), count(r.NB), milliseconds(&r.A), milliseconds(&r.B), twoDecimals(r.Ratio)})
		}
	}
	return g
}

// whyGrid says why rows may differ, each reason once.
func whyGrid(c fidelity.Comparison, all bool) grid {
	g := grid{title: "Why some counts may differ", header: []string{"stage", "call", "within", "because"}, left: []int{0, 1, 3}}
	if !all {
		return g
	}
	seen := map[string]bool{}
	for _, r := range c.Calls {
		key := r.Stage + r.Verb + r.Resource
		if r.Why == "" || seen[key] {
			continue
		}
		seen[key] = true
		g.rows = append(g.rows, []string{r.Stage, r.Verb + " " + r.Resource, twoDecimals(r.Within), r.Why})
	}
	return g
}

func sequences(w io.Writer, c fidelity.Comparison, style Style) {
	if len(c.Sequences) == 0 {
		return
	}
	fmt.Fprintf(w, "\nIn which order the calls begin\n")
	for _, s := range c.Sequences {
		fmt.Fprintf(w, "  %s, per %s\n", s.Stage, s.Of)
		paragraph(w, "    A  ", strings.Join(s.A, " → "), style)
		paragraph(w, "    B  ", strings.Join(s.B, " → "), style)
	}
}

func twoDecimals(v float64) string { return strconv.FormatFloat(v, 'f', 2, 64) }

// someDecimals leaves nothing where there is nothing.
func someDecimals(v float64) string {
	if v == 0 {
		return ""
	}
	return twoDecimals(v)
}

func whole(v *float64) string {
	if v == nil {
		return ""
	}
	return strconv.FormatFloat(*v, 'f', 0, 64)
}
