package chart

import (
	"fmt"
	"image/color"
	"strings"
)

// Theme is a set of colours. Light is for paper and bright pages, Dark for dark ones.
type Theme struct {
	name                           string
	ground, area, ink, muted, grid color.NRGBA
	measured                       color.NRGBA // ground of the spans that are judged
	limit                          color.NRGBA // reference lines
	series                         []color.NRGBA
	heat                           []color.NRGBA // from few to many
}

// Light is the theme for paper and bright pages.
func Light() Theme {
	return Theme{
		name:   "light",
		ground: hex("FFFFFF"), area: hex("F6F7F9"), measured: hex("FEFEFE"), ink: hex("1B1F24"), muted: hex("57606A"), grid: hex("DCE0E5"),
		limit: hex("B3261E"),
		// Okabe and Ito's colours, the yellow last and darker: it is too faint on white.
		series: hexes("0072B2", "D55E00", "009E73", "CC79A7", "E69F00", "56B4E9", "4D4D4D", "B8A800"),
		heat:   hexes("DCE9F6", "BDD7EC", "94C2E0", "66A9D2", "3F8FC5", "2173B3", "0F589C", "083D7F", "07255A"),
	}
}

// Dark is the theme for dark pages: the same hues, lighter.
func Dark() Theme {
	return Theme{
		name:   "dark",
		ground: hex("14171B"), area: hex("1A1E23"), measured: hex("22272E"), ink: hex("E6EAEF"), muted: hex("9BA5B0"), grid: hex("343B44"),
		limit:  hex("FF8A80"),
		series: hexes("4BA6E0", "F5844C", "2CC59B", "E3A0C6", "F2B63C", "8FD0F7", "B8BFC7", "E8DC4E"),
		heat:   hexes("1E3346", "20435F", "225579", "266893", "2F7DAD", "4593C4", "67A9D6", "93C2E6", "CBE2F6"),
	}
}

func hex(s string) color.NRGBA {
	var c color.NRGBA
	c.A = 0xFF
	// The palettes are constants of this file, so this cannot fail.
	_, _ = fmt.Sscanf(s, "%02X%02X%02X", &c.R, &c.G, &c.B)
	return c
}

func hexes(s ...string) []color.NRGBA {
	cs := make([]color.NRGBA, len(s))
	for i := range s {
		cs[i] = hex(s[i])
	}
	return cs
}

// slot is the colour of a place in the palette, which begins again after its end.
func (t Theme) slot(i int) color.NRGBA { return t.series[i%len(t.series)] }

// colours are all colours of the theme with the names that a style sheet knows them by.
func (t Theme) colours() []namedColour {
	cs := []namedColour{{"ground", t.ground}, {"area", t.area}, {"measured", t.measured}, {"ink", t.ink}, {"muted", t.muted}, {"grid", t.grid}, {"limit", t.limit}}
	for i, c := range t.series {
		cs = append(cs, namedColour{fmt.Sprintf("series-%d", i+1), c})
	}
	for i, c := range t.heat {
		cs = append(cs, namedColour{fmt.Sprintf("heat-%d", i+1), c})
	}
	return cs
}

type namedColour struct {
	name string
	color.NRGBA
}

func (c namedColour) variable() string { return "--chart-" + c.name }
func (c namedColour) code() string     { return fmt.Sprintf("#%02X%02X%02X", c.R, c.G, c.B) }

// Variables are the declarations of a style sheet that the elements of HTML take their colours from:
// --chart-ground: #FFFFFF; and so on.
func (t Theme) Variables() string {
	var b strings.Builder
	for _, c := range t.colours() {
		fmt.Fprintf(&b, "%s: %s; ", c.variable(), c.code())
	}
	return strings.TrimSpace(b.String())
}
