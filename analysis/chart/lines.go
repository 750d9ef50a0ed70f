package chart

import (
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

func (l Line) extent(c *Chart, e *extents)  { extentOf(c, e, l.Points) }
func (l Steps) extent(c *Chart, e *extents) { extentOf(c, e, l.Points) }

func (l Points) extent(c *Chart, e *extents) {
	extentOf(c, e, l.Points)
	e.y(c.Y, l.Low...)
	e.y(c.Y, l.High...)
}

func (l Ranges) extent(c *Chart, e *extents) {
	e.x(c.X, l.X...)
	e.y(c.Y, l.Low...)
	e.y(c.Y, l.High...)
}

func (l Band) extent(c *Chart, e *extents) {
	e.x(c.X, l.X...)
	e.y(c.Y, l.Low...)
	e.y(c.Y, l.High...)
}

func extentOf(c *Chart, e *extents, points []Point) {
	for _, p := range points {
		if !math.IsNaN(p.Y) {
			e.x(c.X, p.X)
			e.y(c.Y, p.Y)
		}
	}
}

func (l Line) keys() []key   { return []key{{Series: l.Series, marked: true}} }
func (l Steps) keys() []key  { return []key{{Series: l.Series, marked: true}} }
func (l Points) keys() []key { return []key{{Series: l.Series, symbol: asPoint}} }
func (l Ranges) keys() []key { return []key{{Series: l.Series, symbol: asArea}} }
func (l Band) keys() []key   { return []key{{Series: l.Series, symbol: asBand}} }

func (l Line) draw(f *frame) {
	slot := f.take(l.Series)
	runs := f.runs(l.Points)
	f.stroke(slot, runs)
	if !l.Sampled {
		f.markers(slot, runs)
		return
	}
	data := f.data()
	for _, p := range slices.Concat(runs...) {
		if data.Contains(p) {
			f.marker(slot, p, 2)
		}
	}
}

func (l Steps) draw(f *frame) {
	slot := f.take(l.Series)
	runs := f.runs(l.Points)
	for i, run := range runs {
		var stairs []vg.Point
		for j, p := range run {
			if j > 0 && p.Y != run[j-1].Y {
				stairs = append(stairs, vg.Point{X: p.X, Y: run[j-1].Y})
			}
			if j == 0 || j == len(run)-1 || p.Y != run[j-1].Y {
				stairs = append(stairs, p)
			}
		}
		runs[i] = stairs
	}
	f.stroke(slot, runs)
	f.markers(slot, runs)
}

// runs are the places of the points, parted where one has none.
func (f *frame) runs(points []Point) [][]vg.Point {
	var runs [][]vg.Point
	var run []vg.Point
	for _, p := range points {
		at, ok := f.place(p.X, p.Y)
		if ok {
			run = append(run, at)
			continue
		}
		if len(run) > 0 {
			runs, run = append(runs, run), nil
		}
	}
	if len(run) > 0 {
		runs = append(runs, run)
	}
	return runs
}

func (f *frame) stroke(slot int, runs [][]vg.Point) {
	data := f.data()
	for _, run := range runs {
		if len(run) == 1 {
			if data.Contains(run[0]) {
				f.marker(slot, run[0], 1.6)
			}
			continue
		}
		for _, part := range data.ClipLinesXY(run) {
			f.line(f.theme.slot(slot), lineWidth, dashes(slot), part...)
		}
	}
}

// markers puts the sign of the slot on a few places of a line, at other places than its neighbours do.
func (f *frame) markers(slot int, runs [][]vg.Point) {
	const every = 80
	data := f.data()
	all := slices.Concat(runs...)
	next := f.area.Min.X + vg.Length(every*(float64(slot%8)+0.5)/8)
	for _, p := range all {
		if p.X < next || !data.Contains(p) {
			continue
		}
		f.marker(slot, p, 2.6)
		next = max(next, p.X) + every
	}
}

func (l Points) draw(f *frame) {
	slot := f.take(l.Series)
	data := f.data()
	for i, p := range l.Points {
		at, ok := f.place(p.X, p.Y)
		if !ok || !data.Contains(at) {
			continue
		}
		at.X += vg.Points(l.Beside)
		if i < len(l.Low) && i < len(l.High) {
			f.whisker(at.X, p.Y, l.Low[i], l.High[i])
		}
		f.marker(slot, at, 2.6)
		if l.Labelled {
			label := f.style(smallSize, f.theme.ink)
			label.YAlign = draw.YCenter
			f.text(label, at.X+6, at.Y, f.chart.Y.Unit.Format(p.Y))
		}
	}
}

// openEnd is how far an arrow reaches from its value for an end that is open.
const openEnd = 15

// whisker draws an interval around a value. An end that is NaN is open and has an arrow head; where both are, nothing is known.
func (f *frame) whisker(x vg.Length, value, low, high float64) {
	if math.IsNaN(low) && math.IsNaN(high) {
		return
	}
	c, from := f.theme.ink, f.py(value)
	end := func(v float64, direction vg.Length) {
		if v == value {
			return
		}
		if math.IsNaN(v) {
			tip := from + direction*openEnd
			f.line(c, 0.8, nil, vg.Point{X: x, Y: from}, vg.Point{X: x, Y: tip})
			f.arrowHead(c, x, tip, direction)
			return
		}
		y := f.area.Min.Y
		if at := f.y.at(v); !math.IsNaN(at) {
			y = f.py(v)
		}
		y = min(max(y, f.area.Min.Y), f.area.Max.Y)
		f.line(c, 0.8, nil, vg.Point{X: x, Y: from}, vg.Point{X: x, Y: y})
		f.line(c, 0.8, nil, vg.Point{X: x - 2, Y: y}, vg.Point{X: x + 2, Y: y})
	}
	end(low, -1)
	end(high, 1)
}

// arrowHead is at the tip of what goes on; direction is 1 upward and -1 downward.
func (f *frame) arrowHead(c color.Color, x, tip, direction vg.Length) {
	f.line(c, 0.8, nil, vg.Point{X: x - 2.6, Y: tip - 3.5*direction}, vg.Point{X: x, Y: tip}, vg.Point{X: x + 2.6, Y: tip - 3.5*direction})
}

// draw makes a bar of each range, with an edge at either end that it has.
func (l Ranges) draw(f *frame) {
	slot := f.take(l.Series)
	c := f.theme.slot(slot)
	const half = 4
	for i, place := range l.X {
		low, high := l.Low[i], l.High[i]
		if math.IsNaN(low) || math.IsNaN(high) {
			continue
		}
		x, from, to := f.px(place)+vg.Points(l.Beside), f.area.Min.Y, f.area.Max.Y
		if y := f.y.at(low); !math.IsNaN(y) && !math.IsInf(y, 0) {
			from = max(f.py(low), f.area.Min.Y)
		}
		if !math.IsInf(high, 1) {
			to = min(f.py(high), f.area.Max.Y)
		}
		f.rectangle(faint(c, bandAlpha), x-half, from, x+half, to)
		f.line(c, lineWidth, nil, vg.Point{X: x - half, Y: from}, vg.Point{X: x + half, Y: from})
		if math.IsInf(high, 1) {
			f.arrowHead(c, x, to, 1)
			continue
		}
		f.line(c, lineWidth, nil, vg.Point{X: x - half, Y: to}, vg.Point{X: x + half, Y: to})
	}
}

func (l Band) draw(f *frame) {
	slot := f.take(l.Series)
	var low, high []vg.Point
	for i, x := range l.X {
		a, okLow := f.place(x, l.Low[i])
		b, okHigh := f.place(x, l.High[i])
		if okLow && okHigh {
			low, high = append(low, a), append(high, b)
		}
	}
	slices.Reverse(high)
	if outline := append(low, high...); len(outline) > 2 {
		data := f.data()
		if cut := data.ClipPolygonXY(outline); len(cut) > 2 {
			f.fill(faint(f.theme.slot(slot), bandAlpha), cut...)
		}
	}
}
