package paper

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"slices"

	"windtunnel/analysis/chart"
)

// File is one file of a written paper.
type File struct {
	Name string // relative, with slashes
	Data []byte
}

// Formats are the formats that a document can be written in.
func Formats() []string { return []string{"latex", "html", "markdown"} }

// Render writes a document in one of the Formats. The first file is the paper, the others are what it needs beside it. The same
// document gives the same bytes.
func Render(d Document, format string) ([]File, error) {
	switch format {
	case "latex":
		return latex(d)
	case "html":
		return htmlPage(d)
	case "markdown":
		return markdown(d)
	}
	return nil, fmt.Errorf("there is no format %q; there are %v", format, Formats())
}

// align is what a column of a table is.
type align int

const (
	right align = iota
	left
	wide
)

func (t Table) column(i int) align {
	switch {
	case slices.Contains(t.Wide, i):
		return wide
	case slices.Contains(t.Left, i):
		return left
	}
	return right
}

// anchor is the name of a place in the paper, such as table-3.
func anchor(kind SpanKind, number string) string {
	if kind == ToFigure {
		return "figure-" + number
	}
	return "table-" + number
}

// word is how the text calls a table or a figure.
func word(kind SpanKind) string {
	if kind == ToFigure {
		return "figure"
	}
	return "table"
}

// nonbreaking keeps a number and its unit on one line, in plain text.
func nonbreaking(s Span) string {
	if s.Kind != Plain {
		return s.Text
	}
	return regexp.MustCompile(`([0-9\])]) (ms|s|%|GiB)`).ReplaceAllString(s.Text, "${1}\u00a0$2")
}

// drawn are the files of a document's figures in a format, for bright ground.
func (d Document) drawn(format chart.Format) ([]File, error) {
	var files []File
	var problems []error
	d.walk(func(b Block) {
		f, ok := b.(Figure)
		if !ok {
			return
		}
		var data bytes.Buffer
		if err := f.Chart.Write(&data, format, chart.Light()); err != nil {
			problems = append(problems, fmt.Errorf("figure %s: %w", f.Number, err))
		}
		files = append(files, File{figureFile(f, format), data.Bytes()})
	})
	return files, errors.Join(problems...)
}

func figureFile(f Figure, format chart.Format) string {
	return "figures/" + f.Chart.Name + "." + string(format)
}
