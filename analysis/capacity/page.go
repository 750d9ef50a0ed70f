package capacity

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"

	"windtunnel/analysis/chart"
)

//go:embed page.html
var pageText string

// HTML writes the answer as one page that needs nothing else: tables, charts, light and dark.
func HTML(w io.Writer, r Report) error {
	type figure struct {
		Title, Note string
		SVG         template.HTML
	}
	type section struct {
		Title, Note string
		Header      []string
		Rows        [][]string
		Right       []bool
	}
	page := struct {
		Report    Report
		Sentences []string
		Method    string
		Warnings  []string
		Figures   []figure
		Sections  []section
		Light     template.CSS
		Dark      template.CSS
	}{Report: r, Sentences: r.Sentences(), Method: r.method(), Warnings: r.warnings(),
		// The declarations are made of constants of the chart package.
		Light: template.CSS(chart.Light().Variables()), Dark: template.CSS(chart.Dark().Variables())}
	for _, c := range r.Charts() {
		svg, err := c.HTML()
		if err != nil {
			return fmt.Errorf("write capacity.html: %w", err)
		}
		// The chart escapes its texts itself.
		page.Figures = append(page.Figures, figure{c.Title, c.Note, template.HTML(svg)})
	}
	for _, g := range r.grids() {
		header, rows := g.filled()
		s := section{Title: g.title, Note: g.note, Header: header, Rows: rows, Right: g.right()}
		page.Sections = append(page.Sections, s)
	}
	t, err := template.New("capacity").Parse(pageText)
	if err == nil {
		err = t.Execute(w, page)
	}
	if err != nil {
		return fmt.Errorf("write capacity.html: %w", err)
	}
	return nil
}
