package chart

import (
	"fmt"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// symbol is how a series looks.
type symbol int

const (
	asLine symbol = iota
	asPoint
	asArea
	asBand
	asHeat
	asReference
)

// key is an entry of the legend.
type key struct {
	Series
	symbol symbol
	marked bool // a line with markers
	heat   *Heat
}

func (k key) text() string {
	if k.N > 0 {
		return fmt.Sprintf("%s  n %d", k.Name, k.N)
	}
	return k.Name
}

// keys are the entries of all layers with their slots, in order of the layers.
func (c *Chart) keys() []key {
	var all []key
	next := 0
	for _, l := range c.Layers {
		for _, k := range l.keys() {
			if k.symbol != asHeat {
				next++
				if k.Slot == 0 {
					k.Slot = next
				}
			}
			all = append(all, k)
		}
	}
	return all
}

// take hands out the slot of the next series, from 0.
func (f *frame) take(s Series) int {
	f.next++
	if s.Slot > 0 {
		return s.Slot - 1
	}
	return f.next - 1
}

// legend draws the entries in rows below top and returns where the rows end.
func (f *frame) legend(top vg.Length) vg.Length {
	const symbolWidth = 20
	style := f.style(smallSize, f.theme.ink)
	style.YAlign = draw.YCenter
	height := style.Height("0") + 3
	x, y, rows := f.c.Min.X+margin, top-height/2, 0
	for _, k := range append(f.chart.keys(), f.referenceKeys()...) {
		if k.Name == "" {
			continue
		}
		width := symbolWidth + style.Width(k.text()) + 14
		if k.symbol == asHeat {
			width += 8*vg.Length(len(f.theme.heat)) + style.Width(fmt.Sprint(k.heat.most()))
		}
		if x+width > f.c.Max.X && x > f.c.Min.X+margin {
			x, y = f.c.Min.X+margin, y-height
		}
		if k.symbol == asHeat {
			f.heatKey(k, x, y)
		} else {
			f.keySymbol(k, x, y)
			f.text(style, x+symbolWidth, y, k.text())
		}
		x += width
		rows++
	}
	if rows == 0 {
		return top
	}
	return y - height/2 - gap
}

func (f *frame) keySymbol(k key, x, y vg.Length) {
	c := f.theme.slot(max(k.Slot-1, 0))
	switch k.symbol {
	case asArea:
		f.rectangle(c, x+2, y-3.5, x+14, y+3.5)
	case asBand:
		f.rectangle(faint(c, bandAlpha), x+2, y-3.5, x+14, y+3.5)
	case asReference:
		f.line(f.theme.limit, 1, limitDashes(), vg.Point{X: x, Y: y}, vg.Point{X: x + 16, Y: y})
	case asPoint:
		f.marker(k.Slot-1, vg.Point{X: x + 8, Y: y}, 3)
	default:
		f.line(c, lineWidth+0.3, dashes(k.Slot-1), vg.Point{X: x, Y: y}, vg.Point{X: x + 16, Y: y})
		if k.marked {
			f.marker(k.Slot-1, vg.Point{X: x + 8, Y: y}, 2.6)
		}
	}
}

// heatKey is the ladder of shades with the counts that they begin and end with.
func (f *frame) heatKey(k key, x, y vg.Length) {
	style := f.style(smallSize, f.theme.ink)
	style.YAlign = draw.YCenter
	most := k.heat.most()
	low := "1"
	f.text(style, x, y, low)
	x += style.Width(low) + 4
	for _, c := range f.theme.heat {
		f.rectangle(c, x, y-4, x+8.2, y+4)
		x += 8
	}
	f.text(style, x+4, y, fmt.Sprintf("%d %s", most, k.text()))
}

// dashes of a line by its slot: the first round of the palette is solid.
func dashes(slot int) []vg.Length {
	switch slot / 8 {
	case 0:
		return nil
	case 1:
		return []vg.Length{6, 2}
	}
	return []vg.Length{2, 2}
}

// marker draws the sign of a slot: lines and points are told apart without colours by it.
func (f *frame) marker(slot int, at vg.Point, radius float64) {
	glyphs := []draw.GlyphDrawer{draw.CircleGlyph{}, draw.BoxGlyph{}, draw.PyramidGlyph{}, draw.CrossGlyph{}, draw.RingGlyph{}, draw.SquareGlyph{}, diamond{}, draw.PlusGlyph{}}
	f.c.DrawGlyphNoClip(draw.GlyphStyle{Color: f.theme.slot(slot), Radius: vg.Points(radius), Shape: glyphs[slot%len(glyphs)]}, at)
}

// diamond is a filled square that stands on its corner.
type diamond struct{}

// DrawGlyph implements draw.GlyphDrawer.
func (diamond) DrawGlyph(c *draw.Canvas, style draw.GlyphStyle, at vg.Point) {
	r := style.Radius * 1.3
	var p vg.Path
	p.Move(vg.Point{X: at.X, Y: at.Y + r})
	p.Line(vg.Point{X: at.X + r, Y: at.Y})
	p.Line(vg.Point{X: at.X, Y: at.Y - r})
	p.Line(vg.Point{X: at.X - r, Y: at.Y})
	p.Close()
	c.SetColor(style.Color)
	c.Fill(p)
}
