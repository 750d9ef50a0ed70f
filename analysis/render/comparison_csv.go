package render

import (
	"encoding/csv"
	"fmt"
	"io"

	"windtunnel/analysis/compare"
)

// ComparisonCSV writes every figure of a comparison, one a line, in base units; what is not known is an empty field.
func ComparisonCSV(w io.Writer, c compare.Comparison) error {
	t := longTable{csv.NewWriter(w)}
	t.line("section", "row", "figure", "unit", "better", "base_runs", "base", "base_low", "base_high", "new_runs", "new", "new_low", "new_high",
		"change_kind", "change", "change_low", "change_high", "relative", "p", "p_adjusted", "cliffs_delta", "verdict")
	for _, r := range c.Rows {
		t.line(r.Section, r.Row, r.Name, r.Unit, string(r.Better), count(int64(r.Base.N)), full(&r.Base.Median), full(r.Base.Low), full(r.Base.High),
			count(int64(r.New.N)), full(&r.New.Median), full(r.New.Low), full(r.New.High), r.Change.Kind, full(&r.Change.Value), full(r.Change.Low),
			full(r.Change.High), full(r.Change.Relative), full(&r.P), full(&r.AdjustedP), full(&r.Delta), string(r.Verdict))
	}
	t.w.Flush()
	if err := t.w.Error(); err != nil {
		return fmt.Errorf("write comparison: %w", err)
	}
	return nil
}
