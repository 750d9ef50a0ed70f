package render

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"io"

	"windtunnel/analysis/chart"
	"windtunnel/analysis/compare"
)

//go:embed comparison.html
var comparisonPage string

// ComparisonHTML writes a comparison as one page that needs nothing else: no script, no network, light and dark.
func ComparisonHTML(w io.Writer, c compare.Comparison, charts []chart.Chart) error {
	page, err := template.New("comparison").Parse(comparisonPage)
	if err != nil {
		return fmt.Errorf("write comparison: %w", err)
	}
	type drawing struct {
		SVG  template.HTML
		Note string
	}
	type table struct {
		Title, Note string
		Header      []string
		Rows        [][]string
		Left        map[int]bool
	}
	tableOf := func(g grid) table {
		g = g.filled()
		t := table{g.title, g.note, g.header, g.rows, map[int]bool{}}
		for _, i := range g.left {
			t.Left[i] = true
		}
		return t
	}
	data := struct {
		compare.Comparison
		Mark, Tally   string
		Light, Dark   template.CSS
		Changed, All  table
		Differing     []string
		Charts        []drawing
		BaseN, NewN   string
		GateTexts     []string
		BaseIDs, News []string
	}{Comparison: c, Mark: changeMark(c.Verdict), Tally: tally(c, true), Light: template.CSS(chart.Light().Variables()), Dark: template.CSS(chart.Dark().Variables()),
		Changed: tableOf(comparisonGrid(c, false, changeMark)), All: tableOf(comparisonGrid(c, true, changeMark)), Differing: differenceTexts(c),
		BaseN: runs(len(c.Base.Runs)), NewN: runs(len(c.New.Runs)), BaseIDs: ids(c.Base), News: ids(c.New)}
	for _, g := range c.Gates {
		data.GateTexts = append(data.GateTexts, changeMark(g.Verdict)+" "+gateText(g))
	}
	for _, ch := range charts {
		svg, err := ch.HTML()
		if err != nil {
			return err
		}
		data.Charts = append(data.Charts, drawing{template.HTML(svg), ch.Note})
	}
	var whole bytes.Buffer // nothing half written
	if err := page.Execute(&whole, data); err != nil {
		return fmt.Errorf("write comparison: %w", err)
	}
	_, err = w.Write(whole.Bytes())
	return err
}
