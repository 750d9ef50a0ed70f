package compare

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"windtunnel/analysis/chart"
)

// How many rows are drawn: the first when no change was shown, and the largest changes otherwise.
const (
	unchangedCharts = 8
	changedCharts   = 24
)

// chartHeight is in points, the same for charts that stand side by side.
const chartHeight = 240

// Charts draws the rows whose change was shown, or the first ones when there is none: each as its runs in the order in which they
// were made and, where the runs have them, the distributions of both sides over each other. The runs must be those that were compared.
func Charts(c Comparison, base, new []Run) ([]chart.Chart, error) {
	sides := [2]map[string][]Distribution{}
	for i, runs := range [][]Run{base, new} {
		sides[i] = map[string][]Distribution{}
		for _, r := range runs {
			if len(r.Invalid) > 0 {
				continue
			}
			ds, err := r.Distributions()
			if err != nil {
				return nil, err
			}
			for _, d := range ds {
				key := d.Section + " " + d.Row
				sides[i][key] = append(sides[i][key], d)
			}
		}
	}
	var charts []chart.Chart
	drawn := map[string]bool{}
	for _, row := range drawnRows(c) {
		if len(c.Base.Runs)+len(c.New.Runs) > 2 {
			charts = append(charts, runsChart(row, base, new))
		}
		key := row.Section + " " + row.Row
		if a, b := sides[0][key], sides[1][key]; !drawn[key] && len(a) > 0 && len(b) > 0 {
			charts = append(charts, overlay(key, a, b))
		}
		drawn[key] = true
	}
	return charts, nil
}

// drawnRows are those with a change and those that stand apart, in the comparison's order; without any the first ones.
func drawnRows(c Comparison) []Row {
	rows := slices.DeleteFunc(slices.Clone(c.Rows), func(r Row) bool {
		return r.Verdict != Regression && r.Verdict != Improvement && !(r.Verdict == Unknown && r.Apart && r.Matters())
	})
	if len(rows) == 0 {
		return c.Rows[:min(len(c.Rows), unchangedCharts)]
	}
	if len(rows) <= changedCharts {
		return rows
	}
	bySize := slices.SortedFunc(slices.Values(rows), func(a, b Row) int { return cmp.Compare(b.Proportion(), a.Proportion()) })
	least := bySize[changedCharts-1].Proportion()
	return slices.DeleteFunc(rows, func(r Row) bool { return r.Proportion() < least })
}

// overlay draws the distributions of a row on both sides, of each the middle of its runs and the band that they lie in.
func overlay(name string, base, new []Distribution) chart.Chart {
	c := chart.Chart{Name: fileName("distribution " + name), Title: name, Height: chartHeight,
		Note: "How to read it: at 2 lies the median, at 10 the p90, at 100 the p99. Lines are the middle of the runs, bands reach from the least to the most of them.",
		X:    chart.Axis{Label: "all but one in … are below", Log: true},
		Y:    chart.Axis{Label: "latency", Unit: chart.Seconds, Log: positive(base) && positive(new)}}
	if strings.HasPrefix(name, "pod_startup") {
		c.Y.Label = "time"
	}
	for i, side := range [][]Distribution{base, new} {
		label := []string{"base", "new"}[i]
		var n int64
		for _, d := range side {
			n += d.N
		}
		band := chart.Band{Series: chart.Series{Slot: i + 1}}
		line := chart.Line{Series: chart.Series{Name: label, N: n, Slot: i + 1}}
		for k := 0; ; k++ {
			var at []float64
			for _, d := range side {
				if k < len(d.Values) {
					at = append(at, d.Values[k])
				}
			}
			if len(at) < len(side) {
				break // beyond what every run reaches
			}
			slices.Sort(at)
			band.X, band.Low, band.High = append(band.X, OneIn(k)), append(band.Low, at[0]), append(band.High, at[len(at)-1])
			line.Points = append(line.Points, chart.Point{X: OneIn(k), Y: (at[(len(at)-1)/2] + at[len(at)/2]) / 2})
		}
		c.Layers = append(c.Layers, band, line)
	}
	// Bands first, so that no line is covered.
	c.Layers[1], c.Layers[2] = c.Layers[2], c.Layers[1]
	return c
}

// positive tells whether all values have a place on a logarithmic axis.
func positive(ds []Distribution) bool {
	return !slices.ContainsFunc(ds, func(d Distribution) bool { return slices.Min(d.Values) <= 0 })
}

// runsChart draws one figure of every run, in the order in which the runs were made.
func runsChart(row Row, base, new []Run) chart.Chart {
	var order []Run
	for _, r := range slices.Concat(base, new) {
		if len(r.Invalid) == 0 {
			order = append(order, r)
		}
	}
	slices.SortStableFunc(order, func(a, b Run) int { return a.Started.Compare(b.Started) })
	zero := 0.0
	ch := chart.Chart{Name: fileName("runs " + row.Figure.String()), Title: row.Figure.String() + ", run by run", Height: chartHeight,
		Note: "Every point is one run. A drift along the axis would show as a change when the sides were not made in turns.",
		X:    chart.Axis{Label: "runs in the order in which they were made", Categories: numbers(len(order))},
		Y:    chart.Axis{Label: row.Name, Unit: Unit(row.Unit), Min: &zero}}
	for i, side := range [][]Run{base, new} {
		label := []string{"base", "new"}[i]
		points := chart.Points{Series: chart.Series{Name: label, Slot: i + 1}}
		for at, r := range order {
			if !slices.ContainsFunc(side, func(s Run) bool { return s.ID == r.ID }) {
				continue
			}
			for _, reading := range r.Readings {
				if reading.Figure.String() == row.Figure.String() {
					points.Points = append(points.Points, chart.Point{X: float64(at), Y: reading.Value.Value})
				}
			}
		}
		points.Series.N = int64(len(points.Points))
		ch.Layers = append(ch.Layers, points)
	}
	return ch
}

// numbers are 1 … n.
func numbers(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = strconv.Itoa(i + 1)
	}
	return names
}

// Unit is how a chart and a table write a figure's unit.
func Unit(of string) chart.Unit {
	switch of {
	case "s":
		return chart.Seconds
	case "bytes":
		return chart.Bytes
	case "fraction":
		return chart.Fraction
	}
	return chart.Unit(of)
}

// fileName keeps small letters and digits.
func fileName(s string) string {
	return strings.Trim(strings.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' || '0' <= r && r <= '9' {
			return r
		}
		return '-'
	}, strings.ToLower(s)), "-")
}
