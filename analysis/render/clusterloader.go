package render

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"windtunnel/results"
)

// testGrids are the tables of a test of ClusterLoader2: its measurements and its steps; none for a run that was no test.
func testGrids(s results.Summary) []grid {
	if s.ClusterLoader == nil {
		return nil
	}
	return []grid{measurementGrid(s.ClusterLoader), skippedGrid(s.ClusterLoader), stepGrid(s.ClusterLoader)}
}

// measurementGrid has a row for each measurement, and one for each of its values where there is more than one.
func measurementGrid(c *results.ClusterLoader) grid {
	g := grid{title: "ClusterLoader2: measurements", note: "by ClusterLoader2's own definitions; every figure is in the files in clusterloader2/",
		header: []string{"", "measurement", "identifier", "step", "value", "measured", "threshold", "n", "verdict", "why"}, left: []int{0, 1, 2, 4, 8, 9}}
	for _, m := range c.Measurements {
		if m.Skip != "" && len(m.Values) == 0 {
			continue
		}
		why := strings.Join(slices.Concat(m.Errors, m.Violations, m.Notes), "; ")
		if m.NotEnforced && len(m.Violations) > 0 {
			why += "; the test does not want violations to fail it"
		}
		row := []string{mark(m.Verdict), m.Method, m.Identifier, fmt.Sprint(m.Step), "", "", "", "", string(m.Verdict), oneLine(why)}
		if len(m.Values) != 1 {
			g.rows = append(g.rows, row)
		}
		values, left := shownValues(m.Values)
		if left > 0 {
			row[4] = fmt.Sprintf("%d of %d values; all are in summary.json", len(values), len(m.Values))
		}
		for _, v := range values {
			if len(m.Values) > 1 {
				row = []string{"", "", "", "", "", "", "", "", string(v.Verdict), ""}
			}
			row[4], row[5], row[6], row[7] = v.Name, withUnit(short(v.Value), v.Unit), limit(v), count(v.N)
			g.rows = append(g.rows, row)
		}
	}
	return g
}

// mostValues is how many values of a measurement a table has room for, those beyond their thresholds apart.
const mostValues = 16

// shownValues are the values that are beyond their thresholds and the first of the others, and how many are left out.
func shownValues(values []results.MeasuredValue) (shown []results.MeasuredValue, left int) {
	room := mostValues
	for _, v := range values {
		if v.Verdict != results.Fail {
			if room--; room < 0 {
				left++
				continue
			}
		}
		shown = append(shown, v)
	}
	return shown, left
}

// limit is a value's threshold, with the side on which it is.
func limit(v results.MeasuredValue) string {
	switch {
	case v.Threshold == nil:
		return ""
	case v.Lower:
		return "≥ " + short(*v.Threshold)
	}
	return "≤ " + short(*v.Threshold)
}

func skippedGrid(c *results.ClusterLoader) grid {
	g := grid{title: "ClusterLoader2: not measured", header: []string{"measurement", "identifier", "because"}, left: []int{0, 1, 2}}
	for _, m := range c.Measurements {
		if m.Skip != "" {
			g.rows = append(g.rows, []string{m.Method, m.Identifier, oneLine(m.Skip)})
		}
	}
	return g
}

func stepGrid(c *results.ClusterLoader) grid {
	g := grid{title: "ClusterLoader2: steps", header: []string{"", "step", "name", "module", "from s", "took s", "errors"}, left: []int{0, 2, 3, 6}}
	for _, s := range c.Steps {
		g.rows = append(g.rows, []string{mark(s.Verdict), fmt.Sprint(s.Number), s.Name, s.Module, fmt.Sprintf("%.1f", s.Begin), fmt.Sprintf("%.1f", s.Seconds),
			oneLine(strings.Join(s.Errors, "; "))})
	}
	return g
}

// oneLine is a text whose lines are parted by semicolons, and cut where it is too long for a table; the files have the whole.
func oneLine(text string) string {
	const most = 200
	var lines []string
	for line := range strings.Lines(text) {
		if words := strings.Fields(line); len(words) > 0 {
			lines = append(lines, strings.Join(words, " "))
		}
	}
	text = strings.ReplaceAll(strings.Join(lines, "; "), ":; ", ": ")
	if letters := []rune(text); len(letters) > most {
		return strings.TrimSpace(string(letters[:most])) + " …"
	}
	return text
}

// testErrors are what went wrong in a test, a line a step.
func testErrors(s results.Summary) []string {
	if s.ClusterLoader == nil {
		return nil
	}
	var all []string
	for _, step := range s.ClusterLoader.Steps {
		for _, text := range step.Errors {
			all = append(all, fmt.Sprintf("step %d (%s): %s", step.Number, step.Name, oneLine(text)))
		}
	}
	return all
}

// testFailures says first how a test ended.
func testFailures(w io.Writer, s results.Summary, style Style) {
	c := s.ClusterLoader
	if c == nil {
		return
	}
	failed := 0
	for _, step := range c.Steps {
		if step.Verdict == results.Fail {
			failed++
		}
	}
	fmt.Fprintf(w, "\nClusterLoader2 test %s: %s, %d of %d steps failed\n", c.Test, style.paint(colour(c.Verdict), mark(c.Verdict)+" "+string(c.Verdict)), failed, len(c.Steps))
	for _, text := range testErrors(s) {
		paragraph(w, "  "+style.mark(results.Fail)+" ", text, style)
	}
}

// test writes the values of a test's measurements and how they were judged.
func (t longTable) test(s results.Summary) {
	if s.ClusterLoader == nil {
		return
	}
	t.line("clusterloader2", s.ClusterLoader.Test, "verdict", string(s.ClusterLoader.Verdict), "", "", "", "")
	for _, m := range s.ClusterLoader.Measurements {
		row := m.Method + " " + m.Identifier
		t.line("clusterloader2", row, "verdict", string(m.Verdict), "", "", "", "")
		for _, v := range m.Values {
			t.number("clusterloader2", row, v.Name, v.Value, v.Unit, v.N)
		}
	}
	for _, step := range s.ClusterLoader.Steps {
		row := fmt.Sprintf("step %d", step.Number)
		t.line("clusterloader2", row, "verdict", string(step.Verdict), "", "", "", "")
		t.number("clusterloader2", row, "duration", step.Seconds, "s", 1)
	}
}

// testSuite has a case for each step and each measurement of a test. When the run is invalid, none fails.
func testSuite(s results.Summary) suite {
	part := suite{Name: "clusterloader2", Timestamp: timestamp(s)}
	for _, step := range s.ClusterLoader.Steps {
		part.add(testCaseOf(fmt.Sprintf("step %d: %s", step.Number, step.Name), step.Verdict, strings.Join(step.Errors, "\n"), s.Verdict))
	}
	for _, m := range s.ClusterLoader.Measurements {
		why := strings.Join(slices.Concat(m.Errors, m.Violations, m.Notes), "\n")
		part.add(testCaseOf(m.Method+" "+m.Identifier, m.Verdict, strings.TrimSpace(m.Skip+" "+why), s.Verdict))
	}
	return part
}

func testCaseOf(name string, v results.Verdict, found string, run results.Verdict) testCase {
	tc := testCase{Class: "windtunnel.clusterloader2", Name: name, Out: found}
	switch {
	case run == results.Invalid:
		tc.Skipped = &outcome{Message: strings.TrimSpace("the run is invalid; " + found)}
	case v == results.Fail:
		tc.Failure = &outcome{Message: found}
	case v == results.NoData:
		tc.Error = &outcome{Message: found}
	case v == results.NotJudged:
		tc.Skipped = &outcome{Message: strings.TrimSpace("not judged; " + found)}
	}
	return tc
}
