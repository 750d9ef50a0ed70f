package render

import (
	"bufio"
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"windtunnel/results"
)

// RunsText writes the runs of an archive as a table for a terminal, and below it what is wrong with them and what was
// concluded from them, by run.
func RunsText(w io.Writer, entries []results.Entry) error {
	out := bufio.NewWriter(w) // keeps the first error for Flush
	if len(entries) == 0 {
		fmt.Fprintln(out, "no runs")
	} else {
		fmt.Fprintln(out, runsGrid(entries).writer().Render())
	}
	for _, e := range entries {
		for _, p := range e.Problems {
			fmt.Fprintf(out, "! %s: %s\n", e.ID, strings.ReplaceAll(p, "\n", "; "))
		}
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write the list of runs: %w", err)
	}
	return nil
}

// RunsMarkdown writes the same as Markdown.
func RunsMarkdown(w io.Writer, entries []results.Entry) error {
	out := bufio.NewWriter(w) // keeps the first error for Flush
	g := runsGrid(entries)
	g.title = "Runs"
	markdownGrid(out, g)
	var problems []string
	for _, e := range entries {
		for _, p := range e.Problems {
			problems = append(problems, e.ID+": "+p)
		}
	}
	markdownList(out, "Problems", problems)
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write the list of runs: %w", err)
	}
	return nil
}

func runsGrid(entries []results.Entry) grid {
	g := grid{header: []string{"", "run", "started", "took", "state", "verdict", "nodes", "pods", "start p99 s", "API p99 s", "size MiB", "notes"},
		left: []int{0, 1, 2, 4, 5, 11}}
	for _, e := range entries {
		sign, verdict := mark(e.Verdict), string(e.Verdict)
		if e.Verdict == "" {
			sign, verdict = "", none
		}
		if e.State == results.StateDamaged {
			sign = mark(results.Invalid) // whatever it once passed
		}
		known := func(n int) string {
			if e.Verdict == "" {
				return none
			}
			return strconv.Itoa(n)
		}
		g.rows = append(g.rows, []string{sign, e.ID, started(e.Started), took(e.Seconds), state(e), verdict, known(e.Nodes), known(e.Pods),
			secondsText(e.StartP99), secondsText(e.APIP99), mebibytes(float64(e.Bytes)), noteText(e.Notes)})
	}
	return g
}

// state is the state with the outcome of a run that ended otherwise than as planned.
func state(e results.Entry) string {
	if e.State == results.StateFinished && e.Outcome != "completed" {
		return e.Outcome
	}
	return string(e.State)
}

func started(at string) string {
	t, err := time.Parse(time.RFC3339, at)
	if err != nil {
		return none
	}
	return t.UTC().Format("2006-01-02 15:04")
}

func took(seconds float64) string {
	if seconds <= 0 {
		return none
	}
	return time.Duration(seconds * float64(time.Second)).Round(time.Second).String()
}

// maxNote is how much of a note fits into a line of the list.
const maxNote = 60

// noteText is the last conclusion, or else the last note, with the number of the others.
func noteText(notes []results.Note) string {
	if len(notes) == 0 {
		return ""
	}
	text := results.Conclusion(notes)
	if text == "" {
		text = notes[len(notes)-1].Text
	}
	text = strings.Join(strings.Fields(text), " ")
	if runes := []rune(text); len(runes) > maxNote {
		text = string(runes[:maxNote-1]) + "…"
	}
	if more := len(notes) - 1; more > 0 {
		text += fmt.Sprintf(" (+%d)", more)
	}
	return text
}

// RunsCSV writes a line a run: times in seconds, sizes in bytes, unknown numbers empty. The notes are joined by " | ".
func RunsCSV(w io.Writer, entries []results.Entry) error {
	out := csv.NewWriter(w)
	_ = out.Write([]string{"run", "path", "state", "profile", "outcome", "started", "seconds", "verdict", "nodes", "pods", "start_p99_s", "api_p99_s",
		"bytes", "conclusion", "notes", "problems"}) // the writer keeps its first error
	for _, e := range entries {
		var notes []string
		for _, n := range e.Notes {
			notes = append(notes, n.At+" "+n.Text)
		}
		_ = out.Write([]string{e.ID, e.Path, string(e.State), e.Profile, e.Outcome, e.Started, full(&e.Seconds), string(e.Verdict), strconv.Itoa(e.Nodes),
			strconv.Itoa(e.Pods), full(e.StartP99), full(e.APIP99), strconv.FormatInt(e.Bytes, 10), results.Conclusion(e.Notes),
			strings.Join(notes, " | "), strings.Join(e.Problems, " | ")})
	}
	out.Flush()
	if err := out.Error(); err != nil {
		return fmt.Errorf("write the list of runs: %w", err)
	}
	return nil
}

// remarks are the notes that people attached to a run, one line each.
func remarks(s results.Summary) []string {
	var lines []string
	for _, n := range s.Remarks {
		lines = append(lines, n.At+"  "+n.Kind()+": "+n.Text)
	}
	return lines
}

// NotesText writes the notes of a run, the oldest first.
func NotesText(w io.Writer, notes []results.Note) error {
	out := bufio.NewWriter(w) // keeps the first error for Flush
	if len(notes) == 0 {
		fmt.Fprintln(out, "no notes")
	}
	for _, n := range notes {
		fmt.Fprintf(out, "%s  %s: %s\n", n.At, n.Kind(), strings.ReplaceAll(n.Text, "\n", "\n"+strings.Repeat(" ", len(n.At)+2)))
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write notes: %w", err)
	}
	return nil
}
