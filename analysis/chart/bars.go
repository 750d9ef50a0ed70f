package chart

import (
	"math"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

func (b Bars) extent(c *Chart, e *extents) {
	for i := range c.X.Categories {
		sum := 0.0
		for _, g := range b.Groups {
			v := at(g.Values, i)
			if !b.Stacked {
				e.y(c.Y, v, at(g.Low, i), at(g.High, i))
				if c.Y.Log { // so that the smallest bar has a height
					e.y(c.Y, v*0.7)
				}
			} else if !math.IsNaN(v) {
				sum += v
				e.y(c.Y, sum*1.03) // with room for its label
			}
		}
	}
}

// at is an element, NaN where there is none.
func at(vs []float64, i int) float64 {
	if i < len(vs) {
		return vs[i]
	}
	return math.NaN()
}

func (b Bars) keys() []key {
	var ks []key
	for _, g := range b.Groups {
		ks = append(ks, key{Series: g.Series, symbol: asArea})
	}
	return ks
}

func (b Bars) draw(f *frame) {
	slots := make([]int, len(b.Groups))
	for i, g := range b.Groups {
		slots[i] = f.take(g.Series)
	}
	if b.Stacked {
		b.stack(f, slots)
		return
	}
	width := f.px(1) - f.px(0)
	one := min(width*0.8/vg.Length(len(b.Groups)), 34)
	for i := range f.chart.X.Categories {
		left := f.px(float64(i)) - one*vg.Length(len(b.Groups))/2
		for j, g := range b.Groups {
			x := left + one*vg.Length(j)
			v := at(g.Values, i)
			if place := f.y.at(v); math.IsNaN(place) {
				continue
			}
			f.rectangle(f.theme.slot(slots[j]), x+0.5, f.floor(), x+one-0.5, min(max(f.py(v), f.area.Min.Y), f.area.Max.Y))
			if len(g.Low) > 0 || len(g.High) > 0 {
				f.whisker(x+one/2, v, at(g.Low, i), at(g.High, i))
			}
		}
	}
}

// stack draws the groups on top of each other.
func (b Bars) stack(f *frame, slots []int) {
	width := min((f.px(1)-f.px(0))*0.62, 70)
	style := f.style(smallSize, f.theme.ink)
	style.XAlign = draw.XCenter
	for i := range f.chart.X.Categories {
		x, sum, any := f.px(float64(i)), 0.0, false
		for j, g := range b.Groups {
			v := at(g.Values, i)
			if math.IsNaN(v) {
				continue
			}
			from, to := f.py(sum), f.py(sum+v)
			if f.y.log && sum <= 0 {
				from = f.area.Min.Y
			}
			f.rectangle(f.theme.slot(slots[j]), x-width/2, from, x+width/2, to)
			if j > 0 { // a seam: neighbours are told apart without their colours
				f.line(f.theme.ground, 0.8, nil, vg.Point{X: x - width/2, Y: from}, vg.Point{X: x + width/2, Y: from})
			}
			sum, any = sum+v, true
		}
		if any && b.Sums {
			f.c.FillText(style, vg.Point{X: x, Y: f.py(sum) + 1 + style.FontExtents().Descent}, f.chart.Y.Unit.Format(sum))
		}
	}
}

func (s Spans) extent(c *Chart, e *extents) {
	for _, i := range s.Items {
		e.x(c.X, i.From, i.To)
		e.y(c.Y, float64(i.Row))
	}
}

func (s Spans) keys() []key { return []key{{Series: s.Series, symbol: asArea}} }

func (s Spans) draw(f *frame) {
	slot := f.take(s.Series)
	beside := f.style(smallSize, f.theme.ink)
	beside.YAlign = draw.YCenter
	style := f.style(smallSize, f.theme.ground)
	style.XAlign, style.YAlign = draw.XCenter, draw.YCenter
	half := min((f.py(0)-f.py(1))*0.36, 12)
	used := f.area.Min.X // by the last text beside a point
	for n, i := range s.Items {
		y := f.py(float64(i.Row))
		from, to := f.px(i.From), f.px(i.To)
		if to-from < 1 {
			f.marker(slot, vg.Point{X: from, Y: y}, 3)
			begin, end := f.area.Min.X, f.area.Max.X // the room for its text on either side
			if n > 0 && s.Items[n-1].Row == i.Row {
				begin = max(used, f.px(s.Items[n-1].To)) + 5
			}
			if n+1 < len(s.Items) && s.Items[n+1].Row == i.Row {
				end = f.px(s.Items[n+1].From) - 5
			}
			switch width := beside.Width(i.Text); {
			case from+6+width <= end:
				f.text(beside, from+6, y, i.Text)
				used = from + 6 + width
			case from-6-width >= begin:
				f.text(beside, from-6-width, y, i.Text)
			}
			continue
		}
		f.rectangle(f.theme.slot(slot), from, y-half, to, y+half)
		f.line(f.theme.ground, 0.8, nil, vg.Point{X: to, Y: y - half}, vg.Point{X: to, Y: y + half})
		if style.Width(i.Text)+6 <= to-from {
			f.text(style, (from+to)/2, y, i.Text)
		}
	}
}
