package chart

import (
	"bytes"
	"fmt"
	"html"
	"io"
	"regexp"
	"strings"
	"sync"

	"codeberg.org/go-pdf/fpdf"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgpdf"
	"gonum.org/v1/plot/vg/vgsvg"
)

// Format is a file format that a chart can be written in.
type Format string

// The formats. The same chart in the same theme gives the same bytes in each.
const (
	SVG Format = "svg"
	PNG Format = "png" // 192 pixels an inch
	PDF Format = "pdf" // its fonts embedded
)

const pngResolution = 192 // pixels an inch

// Write draws the chart. The error is that of the writer, or of a format that is none.
func (c Chart) Write(w io.Writer, format Format, theme Theme) error {
	var data []byte
	var err error
	switch format {
	case SVG:
		data, err = c.svg(theme)
	case PNG:
		canvas := vgimg.NewWith(vgimg.UseWH(c.size()), vgimg.UseDPI(pngResolution))
		c.frame(canvas, theme).draw()
		data, err = rendered(vgimg.PngCanvas{Canvas: canvas})
	case PDF:
		inOrder()
		canvas := vgpdf.New(c.size())
		f := c.frame(latin{canvas}, theme)
		f.plain = true // the library mixes up two weights of a font
		f.draw()
		data, err = rendered(canvas)
		data = timeless(data)
	default:
		return fmt.Errorf("draw chart %s: no format is called %q", c.Name, format)
	}
	if err == nil {
		_, err = w.Write(data)
	}
	if err != nil {
		return fmt.Errorf("draw chart %s: %w", c.Name, err)
	}
	return nil
}

// size is the width and height.
func (c Chart) size() (w, h vg.Length) {
	w, h = vg.Points(c.Width), vg.Points(c.Height)
	if w <= 0 {
		w = vg.Points(600)
	}
	if h <= 0 {
		h = vg.Points(320)
	}
	return w, h
}

func (c Chart) frame(canvas vg.CanvasSizer, theme Theme) *frame {
	return newFrame(&c, theme, draw.New(canvas))
}

func rendered(w io.WriterTo) ([]byte, error) {
	var b bytes.Buffer
	_, err := w.WriteTo(&b)
	return b.Bytes(), err
}

// inOrder makes PDFs list their fonts in order instead of at random; the library knows only one setting for all.
var inOrder = sync.OnceFunc(func() { fpdf.SetDefaultCatalogSort(true) })

// timeless takes the time of writing out of a PDF: it would be the only difference between two of the same chart. Its
// length stays, by which the file finds its parts.
func timeless(pdf []byte) []byte {
	return regexp.MustCompile(`\(D:\d{14}\)`).ReplaceAll(pdf, []byte("(D:20000101000000)"))
}

// svg draws the chart with its title and its note in it, for readers who listen.
func (c Chart) svg(theme Theme) ([]byte, error) {
	canvas := &measured{Canvas: vgsvg.New(c.size())}
	f := c.frame(canvas, theme)
	f.draw()
	data, err := rendered(canvas)
	if err != nil {
		return nil, err
	}
	text := string(data)
	_, inner, ok := strings.Cut(text[strings.Index(text, "<svg"):], ">\n")
	if !ok {
		return nil, fmt.Errorf("the drawing has no svg element")
	}
	inner = canvas.fit(strings.ReplaceAll(inner, "\n\tstyle=", " style="))
	w, h := c.size()
	id := "chart-" + c.Name
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%g" height="%g" viewBox="0 0 %g %g" role="img" aria-labelledby="%s-title %s-desc" %s>`+"\n",
		float64(w), float64(h), float64(w), float64(h), id, id, f.geometry())
	fmt.Fprintf(&b, "<title id=\"%s-title\">%s</title>\n<desc id=\"%s-desc\">%s</desc>\n", id, html.EscapeString(c.Title), id, html.EscapeString(c.Note))
	b.WriteString(inner)
	return []byte(b.String()), nil
}

// geometry says where the data lie and what the X axis means, for scripts that tell the values under a pointer: the area's
// left, top, right and bottom edge in the drawing's own units, and the axis' ends in the unit of the table's first column,
// or the number of its categories.
func (f *frame) geometry() string {
	_, h := f.chart.size()
	area := fmt.Sprintf(`data-area="%.5g %.5g %.5g %.5g"`, float64(f.area.Min.X), float64(h-f.area.Max.Y), float64(f.area.Max.X), float64(h-f.area.Min.Y))
	if n := len(f.chart.X.Categories); n > 0 {
		return fmt.Sprintf(`%s data-categories="%d"`, area, n)
	}
	scale := "linear"
	if f.x.log {
		scale = "log"
	}
	factor := f.chart.Table().xFactor
	return fmt.Sprintf(`%s data-x="%.6g %.6g %s"`, area, f.x.min/factor, f.x.max/factor, scale)
}

// HTML is the chart as an svg element for a page. Its colours are variables of the page's style sheet, which Theme.Variables
// declares, so that one drawing serves light and dark; without them it is light.
func (c Chart) HTML() (string, error) {
	data, err := c.svg(Light())
	if err != nil {
		return "", fmt.Errorf("draw chart %s: %w", c.Name, err)
	}
	var pairs []string
	for _, colour := range Light().colours() {
		pairs = append(pairs, ":"+colour.code(), fmt.Sprintf(":var(%s,%s)", colour.variable(), colour.code()))
	}
	return strings.NewReplacer(pairs...).Replace(string(data)), nil
}
