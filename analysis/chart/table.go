package chart

import (
	"encoding/csv"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Table is the data behind a chart: a header and rows of plain numbers, whose unit the header names. It is what a reader
// who does not see the picture gets, and what CSV writes.
type Table struct {
	Header []string
	Rows   [][]string

	xFactor float64 // what a number of the first column counts, in the X axis' own unit
}

// table gathers the columns of the layers, which are joined by their place on the X axis.
type table struct {
	columns []column
	spans   [][]string // rows of a timeline, which has no columns to join
}

// column holds the values at each place; scattered points can share one.
type column struct {
	name   string
	unit   Unit
	values map[float64][]float64
}

// Table gives the data behind the chart.
func (c Chart) Table() Table {
	var t table
	for _, l := range c.Layers {
		l.fill(&c, &t)
	}
	if len(t.spans) > 0 {
		return Table{Header: []string{c.Y.Label, "what", "from (s)", "to (s)"}, Rows: t.spans, xFactor: 1}
	}
	return t.join(c.X)
}

// WriteCSV writes the table with its header.
func (t Table) WriteCSV(w io.Writer) error {
	out := csv.NewWriter(w)
	if err := out.WriteAll(append([][]string{t.Header}, t.Rows...)); err != nil {
		return fmt.Errorf("write table: %w", err)
	}
	return nil
}

// add puts a value into a column that is open.
func (t *table) add(x, v float64) {
	c := t.columns[len(t.columns)-1]
	c.values[x] = append(c.values[x], v)
}

func (t *table) open(name string, unit Unit) {
	t.columns = append(t.columns, column{name, unit, map[float64][]float64{}})
}

// join makes the rows: one for each place on the X axis that any column has, in order.
func (t *table) join(x Axis) Table {
	places := map[float64]int{} // with the rows that each needs
	for _, c := range t.columns {
		for at, vs := range c.values {
			places[at] = max(places[at], len(vs))
		}
	}
	keys := slices.Sorted(maps.Keys(places))
	first := numbers(x.Label, tableUnit(x.Unit), keys)
	out := Table{Header: []string{first.header}, xFactor: first.factor}
	formats := make([]numberColumn, len(t.columns))
	of := map[Unit][]float64{} // columns of one unit, which share an axis, are written at one scale
	for _, c := range t.columns {
		of[c.unit] = append(of[c.unit], slices.Concat(slices.Collect(maps.Values(c.values))...)...)
	}
	for i, c := range t.columns {
		formats[i] = numbers(c.name, tableUnit(c.unit), of[c.unit])
		out.Header = append(out.Header, formats[i].header)
	}
	for _, at := range keys {
		name := first.format(at)
		if i := int(at); len(x.Categories) > 0 && i < len(x.Categories) {
			name = strings.ReplaceAll(x.Categories[i], "\n", " ")
		}
		for i := range places[at] {
			row, any := []string{name}, false
			for j, c := range t.columns {
				cell := ""
				if vs := c.values[at]; i < len(vs) {
					cell = formats[j].format(vs[i])
				}
				row, any = append(row, cell), any || cell != ""
			}
			if any {
				out.Rows = append(out.Rows, row)
			}
		}
	}
	return out
}

// tableUnit is the unit of a column of an axis: times of the run are plain seconds there.
func tableUnit(u Unit) Unit {
	if u == Elapsed {
		return "s of the run"
	}
	return u
}

// numberColumn is how the numbers of a column are written: all at one scale.
type numberColumn struct {
	header string
	factor float64
}

func numbers(name string, u Unit, vs []float64) numberColumn {
	size := 0.0
	for _, v := range vs {
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			size = math.Max(size, math.Abs(v))
		}
	}
	factor, suffix := u.scale(size)
	return numberColumn{withUnit(name, suffix), factor}
}

// format writes a number with up to six significant digits, "" for one that is not known.
func (c numberColumn) format(v float64) string {
	if math.IsNaN(v) {
		return ""
	}
	return significant(v/c.factor, 6)
}

func (l Line) fill(c *Chart, t *table)  { fillPoints(c, t, l.Series, l.Points) }
func (l Steps) fill(c *Chart, t *table) { fillPoints(c, t, l.Series, l.Points) }

func fillPoints(c *Chart, t *table, s Series, points []Point) {
	t.open(columnName(c, s), c.Y.Unit)
	for _, p := range points {
		t.add(p.X, p.Y)
	}
}

// columnName is the name of a series, with its observations.
func columnName(c *Chart, s Series) string {
	name := s.Name
	if name == "" {
		name = c.Y.Label
	}
	if s.N > 0 {
		name += ", n " + strconv.FormatInt(s.N, 10)
	}
	return name
}

func (l Points) fill(c *Chart, t *table) {
	fillPoints(c, t, l.Series, l.Points)
	for _, edge := range []struct {
		name   string
		values []float64
	}{{"low", l.Low}, {"high", l.High}} {
		if len(edge.values) == 0 {
			continue
		}
		t.open(l.Name+" "+edge.name, c.Y.Unit)
		for i, p := range l.Points {
			t.add(p.X, at(edge.values, i))
		}
	}
}

func (l Ranges) fill(c *Chart, t *table) { Band{l.Series, l.X, l.Low, l.High}.fill(c, t) }

func (l Band) fill(c *Chart, t *table) {
	t.open(l.Name+" low", c.Y.Unit)
	for i, x := range l.X {
		t.add(x, l.Low[i])
	}
	t.open(l.Name+" high", c.Y.Unit)
	for i, x := range l.X {
		t.add(x, l.High[i])
	}
}

func (b Bars) fill(c *Chart, t *table) {
	for _, g := range b.Groups {
		t.open(columnName(c, g.Series), c.Y.Unit)
		for i := range c.X.Categories {
			t.add(float64(i), at(g.Values, i))
		}
		if len(g.Low) == 0 && len(g.High) == 0 {
			continue
		}
		t.open(g.Name+" low", c.Y.Unit)
		for i := range c.X.Categories {
			t.add(float64(i), at(g.Low, i))
		}
		t.open(g.Name+" high", c.Y.Unit)
		for i := range c.X.Categories {
			t.add(float64(i), at(g.High, i))
		}
	}
}

func (s Spans) fill(c *Chart, t *table) {
	for _, i := range s.Items {
		row := ""
		if i.Row < len(c.Y.Categories) {
			row = c.Y.Categories[i.Row]
		}
		text := i.Text
		if text == "" {
			text = s.Name
		}
		t.spans = append(t.spans, []string{row, text, significant(i.From, 6), significant(i.To, 6)})
	}
}

// fill makes a column of every row of cells that anything fell into.
func (h Heat) fill(c *Chart, t *table) {
	for j := range h.Y[:max(0, len(h.Y)-1)] {
		any := false
		for i := range h.Count {
			any = any || h.Count[i][j] > 0
		}
		if !any {
			continue
		}
		t.open(fmt.Sprintf("%s to %s", c.Y.Unit.Format(h.Y[j]), c.Y.Unit.Format(h.Y[j+1])), None)
		for i := range h.Count {
			t.add(h.X[i], float64(h.Count[i][j]))
		}
	}
}
