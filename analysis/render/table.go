package render

import (
	"slices"

	"windtunnel/results"
)

// Table is one of the summary's tables as text, for writers of other formats. Columns that are empty throughout are left out.
type Table struct {
	Title, Note string
	Header      []string
	Left        []bool // columns that are aligned to the left; the others hold numbers
	Rows        [][]string
}

// Tables are the tables of figures in the order of the text report; those without rows are left out.
func Tables(s results.Summary) []Table {
	var all []Table
	for _, g := range grids(s) {
		all = append(all, g.table())
	}
	return all
}

// ObjectiveTable is the table of judged rows, with a mark for each verdict.
func ObjectiveTable(slos []results.SLOResult) Table { return sloGrid(slos, mark).table() }

// ConditionTable is the table of the SLO's preconditions.
func ConditionTable(s results.Summary) Table { return conditionGrid(s).table() }

// Mark is the sign of a verdict: ✓ ✗ ? (no data) ! (invalid) – (not judged).
func Mark(v results.Verdict) string { return mark(v) }

// Duration is a number of seconds for people, such as 2m46.6s.
func Duration(seconds float64) string { return duration(seconds) }

func (g grid) table() Table {
	t := Table{Title: g.title, Note: g.note, Rows: make([][]string, len(g.rows))}
	for i, name := range g.header {
		if name != "" && !slices.ContainsFunc(g.rows, func(r []string) bool { return r[i] != "" }) {
			continue
		}
		t.Header = append(t.Header, name)
		t.Left = append(t.Left, slices.Contains(g.left, i))
		for j, r := range g.rows {
			t.Rows[j] = append(t.Rows[j], r[i])
		}
	}
	return t
}
