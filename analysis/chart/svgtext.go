package chart

import (
	"fmt"
	"regexp"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/vgsvg"
)

// measured is a canvas for SVG that remembers how wide each text is.
type measured struct {
	*vgsvg.Canvas
	widths []vg.Length
}

// FillString implements vg.Canvas.
func (m *measured) FillString(face font.Face, at vg.Point, s string) {
	m.widths = append(m.widths, face.Width(s))
	m.Canvas.FillString(face, at, s)
}

// fit makes every text as wide as it was measured, whichever font the viewer has, and names fonts that most have.
func (m *measured) fit(svg string) string {
	next := 0
	svg = regexp.MustCompile(`<text `).ReplaceAllStringFunc(svg, func(string) string {
		width := m.widths[next]
		next++
		return fmt.Sprintf(`<text textLength="%.5g" lengthAdjust="spacingAndGlyphs" `, width.Points())
	})
	return regexp.MustCompile(`font-family:[^;"]*;font-variant:[^;"]*`).ReplaceAllString(svg, "font-family:'Liberation Sans',Arial,Helvetica,sans-serif")
}
