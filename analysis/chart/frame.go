package chart

import (
	"image/color"
	"math"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/font/liberation"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	xfont "golang.org/x/image/font"
)

// Sizes in points.
const (
	titleSize, textSize, smallSize = 13, 10.5, 9
	margin, gap                    = 8, 5
	lineWidth, thinWidth           = 1.4, 0.6
)

// frame is where a chart is being drawn: the area of the data, the scales of its axes and the theme.
type frame struct {
	chart *Chart
	theme Theme
	fonts *font.Cache
	c     draw.Canvas  // the whole
	area  vg.Rectangle // of the data
	x, y  scale
	next  int  // slot of the palette
	plain bool // one weight of the font only
}

// newFrame measures the chart's data.
func newFrame(chart *Chart, theme Theme, c draw.Canvas) *frame {
	e := newExtents()
	for _, l := range chart.Layers {
		l.extent(chart, &e)
	}
	for _, m := range chart.Marks {
		e.x(chart.X, m.At)
		if m.Until > m.At {
			e.x(chart.X, m.Until)
		}
	}
	reach := 3.0
	if chart.Y.Log {
		reach = 10
	}
	for _, r := range chart.References {
		if top := e.ymax; r.Value <= top*reach {
			e.y(chart.Y, r.Value)
		}
	}
	f := &frame{chart: chart, theme: theme, c: c, fonts: font.NewCache(liberation.Collection()),
		x: chart.X.over(e.xmin, e.xmax), y: chart.Y.over(e.ymin, e.ymax)}
	if len(chart.Y.Categories) > 0 { // the first row is at the top
		f.y.min, f.y.max = f.y.max, f.y.min
	}
	return f
}

// style is a text style; it is aligned at its left end and its baseline's bottom unless changed.
func (f *frame) style(size float64, c color.Color) draw.TextStyle {
	return draw.TextStyle{Color: c, Font: font.Font{Typeface: "Liberation", Variant: "Sans", Size: vg.Points(size)},
		Handler: text.Plain{Fonts: f.fonts}}
}

// draw puts everything on the canvas, from the outside to the inside.
func (f *frame) draw() {
	f.c.SetColor(f.theme.ground)
	f.c.Fill(f.c.Rectangle.Path())
	top := f.c.Max.Y - margin
	if f.chart.Title != "" {
		title := f.style(titleSize, f.theme.ink)
		if !f.plain {
			title.Font.Weight = xfont.WeightBold
		}
		title.YAlign = draw.YTop
		f.c.FillText(title, vg.Point{X: f.c.Min.X + margin, Y: top}, f.chart.Title)
		top -= title.Height(f.chart.Title) + gap
	}
	top = f.legend(top)
	f.layout(top)
	f.marks()
	f.axes()
	for _, l := range f.chart.Layers {
		l.draw(f)
	}
	f.references()
	f.border()
}

// layout finds the area of the data: below top, beside the labels of the ticks, above those of the X axis.
func (f *frame) layout(top vg.Length) {
	small := f.style(smallSize, f.theme.muted)
	line := small.Height("0")
	if f.yLabel() != "" {
		top -= f.style(textSize, f.theme.muted).Height("0") + gap
	}
	if len(f.chart.Marks) > 0 {
		top -= line + 2
	} else {
		top -= 6
	}
	left := vg.Length(margin)
	for _, label := range f.yTickLabels() {
		left = max(left, margin+small.Width(label)+gap)
	}
	right := vg.Length(margin)
	left = max(left, f.slantRoom(right))
	bottom := vg.Length(margin) + f.xTickHeight() + gap
	if f.xLabel() != "" {
		bottom += f.style(textSize, f.theme.muted).Height("0") + 2
	}
	if ts, _ := f.xTicks(); len(ts) > 0 && len(f.chart.X.Categories) == 0 {
		last := ts[len(ts)-1] // its label may reach over the edge
		right += small.Width(last.label) / 2
	}
	f.area = vg.Rectangle{Min: vg.Point{X: f.c.Min.X + left, Y: f.c.Min.Y + bottom}, Max: vg.Point{X: f.c.Max.X - right, Y: top}}
}

// place is where a point of the data lies; ok is false where it has no place.
func (f *frame) place(x, y float64) (p vg.Point, ok bool) {
	px, py := f.x.at(x), f.y.at(y)
	if math.IsNaN(px) || math.IsNaN(py) || math.IsInf(px, 0) || math.IsInf(py, 0) {
		return vg.Point{}, false
	}
	return vg.Point{X: f.px(x), Y: f.py(y)}, true
}

func (f *frame) px(x float64) vg.Length {
	return f.area.Min.X + vg.Length(f.x.at(x))*(f.area.Max.X-f.area.Min.X)
}

func (f *frame) py(y float64) vg.Length {
	return f.area.Min.Y + vg.Length(f.y.at(y))*(f.area.Max.Y-f.area.Min.Y)
}

// floor is the place of a bar's foot.
func (f *frame) floor() vg.Length {
	if f.y.log || f.y.min > 0 {
		return f.area.Min.Y
	}
	return f.py(0)
}

// data is the canvas cut to the area of the data, with a little room for the width of lines.
func (f *frame) data() *draw.Canvas {
	r := f.area
	r.Min.X, r.Min.Y, r.Max.X, r.Max.Y = r.Min.X-1, r.Min.Y-1, r.Max.X+1, r.Max.Y+1
	return &draw.Canvas{Canvas: f.c.Canvas, Rectangle: r}
}

func (f *frame) fill(c color.Color, corners ...vg.Point) {
	var p vg.Path
	p.Move(corners[0])
	for _, at := range corners[1:] {
		p.Line(at)
	}
	p.Close()
	f.c.SetColor(c)
	f.c.Fill(p)
}

func (f *frame) rectangle(c color.Color, x0, y0, x1, y1 vg.Length) {
	f.fill(c, vg.Point{X: x0, Y: y0}, vg.Point{X: x1, Y: y0}, vg.Point{X: x1, Y: y1}, vg.Point{X: x0, Y: y1})
}

func (f *frame) line(c color.Color, width float64, dashes []vg.Length, points ...vg.Point) {
	f.c.StrokeLines(draw.LineStyle{Color: c, Width: vg.Points(width), Dashes: dashes}, points)
}

// bandAlpha is how much of a band's colour covers what is below it, of 255.
const bandAlpha = 0x48

// faint is a colour that lets what is below show through.
func faint(c color.NRGBA, alpha uint8) color.NRGBA {
	c.A = alpha
	return c
}
