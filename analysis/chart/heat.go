package chart

import (
	"math"

	"gonum.org/v1/plot/vg"
)

func (h Heat) extent(c *Chart, e *extents) {
	for i := range h.Count {
		for j, n := range h.Count[i] {
			if n > 0 {
				e.x(c.X, h.X[i], h.X[i+1])
				e.y(c.Y, h.Y[j], h.Y[j+1])
			}
		}
	}
}

func (h Heat) keys() []key {
	return []key{{Series: Series{Name: h.Of + " in a cell", N: h.n()}, symbol: asHeat, heat: &h}}
}

func (h Heat) n() int64 {
	var n int64
	for _, column := range h.Count {
		for _, k := range column {
			n += k
		}
	}
	return n
}

// most is the largest count of a cell.
func (h Heat) most() int64 {
	most := int64(1)
	for _, column := range h.Count {
		for _, k := range column {
			most = max(most, k)
		}
	}
	return most
}

// shade is the step of the ladder that a count is drawn in, by its logarithm.
func shade(n, most int64, steps int) int {
	if most <= 1 {
		return steps - 1
	}
	return int(math.Round(math.Log(float64(n)) / math.Log(float64(most)) * float64(steps-1)))
}

// draw puts all cells of one shade into one path, and cells of one shade that lie on top of each other into one rectangle.
func (h Heat) draw(f *frame) {
	most, steps := h.most(), len(f.theme.heat)
	for s, c := range f.theme.heat {
		var p vg.Path
		for i, column := range h.Count {
			for j := 0; j < len(column); j++ {
				if column[j] == 0 || shade(column[j], most, steps) != s {
					continue
				}
				from := j
				for j+1 < len(column) && column[j+1] > 0 && shade(column[j+1], most, steps) == s {
					j++
				}
				h.cell(f, &p, i, from, j)
			}
		}
		if len(p) > 0 {
			f.c.SetColor(c)
			f.c.Fill(p)
		}
	}
}

func (h Heat) cell(f *frame, p *vg.Path, column, from, to int) {
	low, high := f.py(h.Y[from]), f.py(h.Y[to+1])
	if f.y.log && h.Y[from] <= 0 {
		low = f.area.Min.Y
	}
	x0, x1 := f.px(h.X[column]), f.px(h.X[column+1])+0.15 // no seam between neighbours
	low, high = max(low, f.area.Min.Y), min(high, f.area.Max.Y)
	p.Move(vg.Point{X: x0, Y: low})
	p.Line(vg.Point{X: x1, Y: low})
	p.Line(vg.Point{X: x1, Y: high})
	p.Line(vg.Point{X: x0, Y: high})
	p.Close()
}
