package report

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"

	"windtunnel/analysis"
	"windtunnel/analysis/chart"
	"windtunnel/analysis/render"
	"windtunnel/results"
)

//go:embed page.html
var pageText string

//go:embed page.css
var styleText string

//go:embed page.js
var scriptText string

// page is what the template is filled with.
type page struct {
	Policy, Title string
	Style         template.CSS
	Script        template.JS
	Head          head
	Sections      []section
}

// section is a part of the page with a place in its table of contents.
type section struct {
	ID, Short, Title, Lead string // Short is its name in the table of contents
	Blocks                 []block
}

// block is one of its parts.
type block struct {
	Figure  *figure
	Table   *table
	Checks  []check
	List    []item
	Pre     *pre
	Records []record
}

// figure is a chart with the table behind it.
type figure struct {
	Name, Title, Note string
	SVG               template.HTML
	Data              table
}

// table is a table; one that is Folded is opened by a click.
type table struct {
	Title, Note string
	Header      []cell
	Rows        [][]cell
	Folded      bool
}

type cell struct {
	Text string
	Left bool
	Row  bool   // it names its row
	Mark string // class of a cell that holds the sign of a verdict
	Word string // what the sign says, for those who do not see it
}

type item struct{ Term, Text string }

type pre struct {
	Title, Text string
	Open        bool
}

// HTML writes the page of a run: one file that asks the network for nothing.
func HTML(w io.Writer, s analysis.Study) error {
	p, err := newPage(s)
	if err != nil {
		return fmt.Errorf("make the page of %s: %w", s.Run.ID, err)
	}
	t, err := template.New("page").Parse(pageText)
	if err != nil {
		return fmt.Errorf("make the page of %s: %w", s.Run.ID, err)
	}
	if err := t.Execute(w, p); err != nil {
		return fmt.Errorf("write the page of %s: %w", s.Run.ID, err)
	}
	return nil
}

func newPage(s analysis.Study) (page, error) {
	sum := sha256.Sum256([]byte(scriptText))
	p := page{
		// Nothing may be loaded and no script run but the one below; the drawings carry their styles in attributes.
		Policy: fmt.Sprintf("default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-%s'; base-uri 'none'; form-action 'none'", base64.StdEncoding.EncodeToString(sum[:])),
		Title:  fmt.Sprintf("%s %s · %s", render.Mark(s.Summary.Verdict), s.Summary.Verdict, s.Run.ID),
		Style:  template.CSS(strings.NewReplacer("/*light*/", chart.Light().Variables(), "/*dark*/", chart.Dark().Variables()).Replace(styleText)),
		Script: template.JS(scriptText),
		Head:   newHead(s),
	}
	parts := sections()
	if s.Summary.Verdict == results.Invalid { // why comes first
		parts[0], parts[1] = parts[1], parts[0]
	}
	for _, part := range parts {
		section, err := part(s)
		if err != nil {
			return page{}, err
		}
		if len(section.Blocks) > 0 {
			p.Sections = append(p.Sections, section)
		}
	}
	return p, nil
}

// figures are the blocks of charts.
func figures(charts []chart.Chart) ([]block, error) {
	var blocks []block
	for _, c := range charts {
		svg, err := c.HTML()
		if err != nil {
			return nil, err
		}
		data := c.Table()
		t := table{}
		for _, name := range data.Header {
			t.Header = append(t.Header, cell{Text: name})
		}
		for _, row := range data.Rows {
			t.Rows = append(t.Rows, cells(row, nil))
		}
		// The drawing comes from chart, which escapes the words in it.
		blocks = append(blocks, block{Figure: &figure{Name: c.Name, Title: c.Title, Note: c.Note, SVG: template.HTML(svg), Data: t}})
	}
	return blocks, nil
}

func cells(row []string, left []bool) []cell {
	cs := make([]cell, len(row))
	for i, text := range row {
		cs[i] = cell{Text: text, Left: left != nil && left[i]}
		cs[i].Mark, cs[i].Word = markMeaning(text)
	}
	return cs
}

// markMeaning is the class of a verdict's sign, and the verdict.
func markMeaning(text string) (mark, word string) {
	for _, v := range []results.Verdict{results.Pass, results.Fail, results.NoData, results.Invalid} {
		if text == render.Mark(v) {
			return class(v), string(v)
		}
	}
	return "", ""
}

// tableBlock is a block of one of the summary's tables.
func tableBlock(t render.Table, folded bool) []block {
	if len(t.Rows) == 0 {
		return nil
	}
	out := table{Title: t.Title, Note: t.Note, Folded: folded}
	for i, name := range t.Header {
		out.Header = append(out.Header, cell{Text: name, Left: t.Left[i]})
	}
	names := slices.IndexFunc(t.Header, func(name string) bool { return name != "" }) // before it are signs
	for _, row := range t.Rows {
		cs := cells(row, t.Left)
		if names >= 0 {
			cs[names].Row = true
		}
		out.Rows = append(out.Rows, cs)
	}
	return []block{{Table: &out}}
}

// titled are the summary's tables of these titles, without the units that follow in brackets, in that order.
func titled(s analysis.Study, titles ...string) []block {
	var blocks []block
	all := render.Tables(s.Summary)
	for _, wanted := range titles {
		for _, t := range all {
			if title, _, _ := strings.Cut(t.Title, " ("); title == wanted {
				blocks = append(blocks, tableBlock(t, false)...)
			}
		}
	}
	return blocks
}
