package chart

import (
	"fmt"
	"math"
	"strings"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// xTicks and yTicks are the ticks of the axes; the unit is what the axis' label has to name.
func (f *frame) xTicks() ([]tick, string) {
	if n := len(f.chart.X.Categories); n > 0 {
		names := f.chart.X.Categories
		if f.crowded() {
			names = flat(names)
		}
		return categoryTicks(names), ""
	}
	return f.chart.X.ticks(f.x, max(3, int(f.c.Max.X-f.c.Min.X)/75))
}

func (f *frame) yTicks() ([]tick, string) {
	if len(f.chart.Y.Categories) > 0 {
		return categoryTicks(f.chart.Y.Categories), ""
	}
	return f.chart.Y.ticks(f.y, max(3, int(f.c.Max.Y-f.c.Min.Y)/50))
}

func categoryTicks(names []string) []tick {
	ts := make([]tick, len(names))
	for i, name := range names {
		ts[i] = tick{float64(i), name}
	}
	return ts
}

// flat are names in one line each.
func flat(names []string) []string {
	out := make([]string, len(names))
	for i, name := range names {
		out[i] = strings.ReplaceAll(name, "\n", " ")
	}
	return out
}

func (f *frame) yTickLabels() []string {
	ts, _ := f.yTicks()
	labels := make([]string, len(ts))
	for i, t := range ts {
		labels[i] = t.label
	}
	return labels
}

func (f *frame) xLabel() string {
	_, unit := f.xTicks()
	return withUnit(f.chart.X.Label, unit)
}

func (f *frame) yLabel() string {
	_, unit := f.yTicks()
	return withUnit(f.chart.Y.Label, unit)
}

func withUnit(label, unit string) string {
	if unit == "" {
		return label
	}
	if label == "" {
		return unit
	}
	return fmt.Sprintf("%s (%s)", label, unit)
}

// leading is the distance between the lines of a name.
const leading = smallSize * 1.25

// slant is the angle of category names that have no room side by side.
const slant = math.Pi / 6

// crowded tells whether the names of the X axis' categories need to be slanted.
func (f *frame) crowded() bool {
	n := len(f.chart.X.Categories)
	if n == 0 {
		return false
	}
	room := (f.c.Max.X - f.c.Min.X - 60) / vg.Length(n)
	for _, name := range f.chart.X.Categories {
		if f.style(smallSize, f.theme.ink).Width(name) > room-4 {
			return true
		}
	}
	return false
}

// slantRoom is how far from the left edge the data have to begin for slanted names not to be cut off there.
func (f *frame) slantRoom(right vg.Length) vg.Length {
	if !f.crowded() {
		return 0
	}
	style, n := f.style(smallSize, f.theme.ink), vg.Length(len(f.chart.X.Categories))
	room := vg.Length(0)
	for i, name := range flat(f.chart.X.Categories) {
		// Its end is at left + share·(width − left − right) and it reaches this far to the left of that:
		reach, share := style.Width(name)*vg.Length(math.Cos(slant))+margin/2, (vg.Length(i)+0.5)/n
		room = max(room, (reach-share*(f.c.Max.X-f.c.Min.X-right))/(1-share))
	}
	return room
}

// xTickHeight is the height of the X axis' tick labels.
func (f *frame) xTickHeight() vg.Length {
	style := f.style(smallSize, f.theme.ink)
	h := style.Height("0")
	if !f.crowded() {
		for _, name := range f.chart.X.Categories {
			h = max(h, style.Height("0")+vg.Length(strings.Count(name, "\n"))*leading)
		}
		return h
	}
	for _, name := range flat(f.chart.X.Categories) {
		h = max(h, style.Width(name)*vg.Length(math.Sin(slant))+style.Height("0"))
	}
	return h
}

// axes draws the grid, the tick labels and the labels of the axes. The Y axis' label stands upright above it: nobody has to
// turn their head.
func (f *frame) axes() {
	f.yAxis()
	f.xAxis()
}

func (f *frame) yAxis() {
	label := f.style(smallSize, f.theme.muted)
	label.XAlign, label.YAlign = draw.XRight, draw.YCenter
	ts, _ := f.yTicks()
	for _, t := range ts {
		y := f.py(t.at)
		if y < f.area.Min.Y-0.5 || y > f.area.Max.Y+0.5 || t.label == "" {
			continue
		}
		if len(f.chart.Y.Categories) == 0 {
			f.line(f.theme.grid, thinWidth, nil, vg.Point{X: f.area.Min.X, Y: y}, vg.Point{X: f.area.Max.X, Y: y})
		}
		f.text(label, f.area.Min.X-gap, y, t.label)
	}
	if name := f.yLabel(); name != "" {
		style := f.style(textSize, f.theme.muted)
		f.c.FillText(style, vg.Point{X: f.c.Min.X + margin, Y: f.labelY()}, name)
	}
}

// labelY is where the line of the Y axis' label stands: above the strip of the marks.
func (f *frame) labelY() vg.Length {
	y := f.area.Max.Y + 6 + f.style(textSize, f.theme.muted).FontExtents().Descent
	if len(f.chart.Marks) > 0 {
		y += f.style(smallSize, f.theme.muted).Height("0") - 2
	}
	return y
}

func (f *frame) xAxis() {
	label := f.style(smallSize, f.theme.muted)
	label.XAlign, label.YAlign = draw.XCenter, draw.YTop
	if f.crowded() {
		label.Rotation, label.XAlign = slant, draw.XRight
	}
	ts, _ := f.xTicks()
	for _, t := range ts {
		x := f.px(t.at)
		if x < f.area.Min.X-0.5 || x > f.area.Max.X+0.5 {
			continue
		}
		if len(f.chart.X.Categories) == 0 {
			length := vg.Length(2)
			if t.label != "" {
				length = 4
				if f.x.log {
					f.line(f.theme.grid, thinWidth, nil, vg.Point{X: x, Y: f.area.Min.Y}, vg.Point{X: x, Y: f.area.Max.Y})
				}
			}
			f.line(f.theme.muted, thinWidth, nil, vg.Point{X: x, Y: f.area.Min.Y}, vg.Point{X: x, Y: f.area.Min.Y - length})
		}
		f.text(label, x, f.area.Min.Y-gap, t.label)
	}
	if name := f.xLabel(); name != "" {
		style := f.style(textSize, f.theme.muted)
		style.XAlign = draw.XCenter
		f.c.FillText(style, vg.Point{X: (f.area.Min.X + f.area.Max.X) / 2, Y: f.c.Min.Y + margin/2 + style.FontExtents().Descent}, name)
	}
}

// text draws a text whose vertical alignment is that of its capitals rather than of its line.
func (f *frame) text(style draw.TextStyle, x, y vg.Length, s string) {
	if s == "" {
		return
	}
	if style.YAlign == draw.YCenter {
		y += style.FontExtents().Descent
	}
	for _, line := range strings.Split(s, "\n") {
		f.c.FillText(style, vg.Point{X: x, Y: y}, line)
		y -= leading
	}
}

// border is the line that the data stand on.
func (f *frame) border() {
	f.line(f.theme.muted, thinWidth, nil, vg.Point{X: f.area.Min.X, Y: f.area.Min.Y}, vg.Point{X: f.area.Max.X, Y: f.area.Min.Y})
}

// marks draws the ground of the data, spans and instants with their names in the strip above.
func (f *frame) marks() {
	ground := f.theme.area
	f.rectangle(ground, f.area.Min.X, f.area.Min.Y, f.area.Max.X, f.area.Max.Y)
	style := f.style(smallSize, f.theme.muted)
	style.XAlign = draw.XCenter
	free := f.area.Min.X // of the strip, from here on
	for _, m := range f.chart.Marks {
		from, to := max(f.px(m.At), f.area.Min.X), min(f.px(m.Until), f.area.Max.X)
		if m.Until > m.At {
			if m.Measured {
				f.rectangle(f.theme.measured, from, f.area.Min.Y, to, f.area.Max.Y)
			}
		} else {
			to = from
		}
		dash := []vg.Length{2, 2}
		f.line(f.theme.muted, thinWidth, dash, vg.Point{X: from, Y: f.area.Min.Y}, vg.Point{X: from, Y: f.area.Max.Y})
		width := style.Width(m.Name)
		middle := (from + to) / 2
		if m.Until <= m.At { // an instant: its sign and its name beside it
			f.fill(f.theme.muted, vg.Point{X: from, Y: f.area.Max.Y}, vg.Point{X: from - 3, Y: f.area.Max.Y + 4}, vg.Point{X: from + 3, Y: f.area.Max.Y + 4})
			middle = from + 5 + width/2
		}
		fits := to-from >= width || m.Until <= m.At && middle+width/2 <= f.area.Max.X
		if fits && middle-width/2 >= free {
			f.c.FillText(style, vg.Point{X: middle, Y: f.area.Max.Y + 1 + style.FontExtents().Descent}, m.Name)
			free = middle + width/2 + 4
		}
	}
}

// references draws the values to compare with, dashed; the legend names them.
func (f *frame) references() {
	for _, r := range f.chart.References {
		if at := f.y.at(r.Value); at >= 0 && at <= 1 {
			y, from, to := f.py(r.Value), f.area.Min.X, f.area.Max.X
			if r.Over != nil {
				from, to = f.px(float64(*r.Over)-0.5), f.px(float64(*r.Over)+0.5)
			}
			f.line(f.theme.limit, 1, limitDashes(), vg.Point{X: from, Y: y}, vg.Point{X: to, Y: y})
		}
	}
}

func limitDashes() []vg.Length { return []vg.Length{5, 3} }

// referenceKeys are the references' entries of the legend; one that the axis does not reach says so.
func (f *frame) referenceKeys() []key {
	var ks []key
	for _, r := range f.chart.References {
		name := r.Name + " " + f.chart.Y.Unit.Format(r.Value)
		if at := f.y.at(r.Value); !(at >= 0 && at <= 1) {
			name += ", beyond this axis"
		}
		ks = append(ks, key{Series: Series{Name: name}, symbol: asReference})
	}
	return ks
}
