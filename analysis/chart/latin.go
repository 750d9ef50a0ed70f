package chart

import (
	"strings"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/vgpdf"
)

// latin is a canvas for PDF, whose fonts have no signs beyond those of Windows-1252: the others are spelled out.
type latin struct{ *vgpdf.Canvas }

// FillString implements vg.Canvas.
func (l latin) FillString(face font.Face, at vg.Point, s string) {
	s = strings.NewReplacer("≤", "<=", "≥", ">=", "→", "to", "↑", "(above)", "−", "–", "∞", "inf", "\u202f", " ", "✓", "ok", "✗", "x",
		"λ", "lambda", "σ", "sigma", "κ", "kappa").Replace(s)
	coded, err := encoding.ReplaceUnsupported(charmap.Windows1252.NewEncoder()).String(s)
	if err != nil { // not reached: what has no code is replaced
		coded = s
	}
	l.Canvas.FillString(face, at, coded)
}
