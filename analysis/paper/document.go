package paper

import (
	"fmt"
	"slices"

	"windtunnel/analysis/chart"
)

// Document is a paper without a format.
type Document struct {
	Title, Subtitle string
	// Mark is what every page has to say, such as that a run is invalid; empty when there is nothing.
	Mark       string
	Abstract   []Block
	Sections   []Section
	References []Reference // those that are cited, in the order of their numbers, which begin at 1
}

// Section is a part of the paper with a title of its own.
type Section struct {
	Title    string
	Blocks   []Block
	Sections []Section // one level deep
}

// Block is what a section is made of: a Paragraph, List, Table, Figure or Listing.
type Block interface{ block() }

// Paragraph is running text.
type Paragraph []Span

// List is a list of paragraphs.
type List []Paragraph

// Listing is lines to be typed or read as they stand.
type Listing []string

// Table is a table with a caption; its rows have as many cells as its header.
type Table struct {
	Number  string // as in "table 3"
	Caption Paragraph
	Header  []string
	// Left are the columns of words, which are left-aligned; Wide those of sentences, which may break. All others are right-aligned.
	Left, Wide []int
	Rows       [][]string
	Note       Paragraph // beneath the table; may be empty
}

// Figure is a drawing with a caption.
type Figure struct {
	Number  string // as in "figure 7"
	Caption Paragraph
	// Chart is what is drawn; its name is that of its file, and its note is for those who do not see it.
	Chart chart.Chart
}

func (Paragraph) block() {}
func (List) block()      {}
func (Listing) block()   {}
func (Table) block()     {}
func (Figure) block()    {}

// Span is a piece of text of one kind.
type Span struct {
	Kind SpanKind
	Text string // of a citation the reference's key, of a mention the number
}

// SpanKind is what a Span is.
type SpanKind int

// The kinds of spans. ToTable and ToFigure are mentions of a table or figure by its number.
const (
	Plain SpanKind = iota
	Code
	Strong
	Cite
	ToTable
	ToFigure
)

// para makes a paragraph of spans and of anything else, which becomes plain text: there is no markup in it that data could
// be mistaken for.
func para(parts ...any) Paragraph {
	var p Paragraph
	for _, part := range parts {
		if s, ok := part.(Span); ok {
			p = append(p, s)
			continue
		}
		p = append(p, Span{Text: fmt.Sprint(part)})
	}
	return p
}

func code(s string) Span    { return Span{Code, s} }
func strong(s string) Span  { return Span{Strong, s} }
func cite(key string) Span  { return Span{Cite, key} }
func table(no string) Span  { return Span{ToTable, no} }
func figure(no string) Span { return Span{ToFigure, no} }

// number is the place of a reference, from 1; 0 when there is none of that key.
func (d *Document) number(key string) int {
	return 1 + slices.IndexFunc(d.References, func(r Reference) bool { return r.Key == key })
}

// resolve leaves of the sources those that are cited, in the order in which they are, and of the mentions of tables and figures
// that are not there just their words.
func (d *Document) resolve(sources []Reference) {
	there := map[string]bool{}
	d.walk(func(b Block) {
		switch b := b.(type) {
		case Table:
			there[anchor(ToTable, b.Number)] = true
		case Figure:
			there[anchor(ToFigure, b.Number)] = true
		}
	})
	d.spans(func(s *Span) {
		switch s.Kind {
		case Cite:
			i := slices.IndexFunc(sources, func(r Reference) bool { return r.Key == s.Text })
			if i >= 0 && d.number(s.Text) == 0 {
				d.References = append(d.References, sources[i])
			}
		case ToTable, ToFigure:
			if !there[anchor(s.Kind, s.Text)] {
				*s = Span{Text: word(s.Kind) + " " + s.Text}
			}
		}
	})
}

// walk visits every block, in order.
func (d *Document) walk(visit func(Block)) {
	blocks := func(bs []Block) {
		for _, b := range bs {
			visit(b)
		}
	}
	blocks(d.Abstract)
	for _, s := range d.Sections {
		blocks(s.Blocks)
		for _, sub := range s.Sections {
			blocks(sub.Blocks)
		}
	}
}

// spans visits every span of the text, in order.
func (d *Document) spans(visit func(*Span)) {
	paragraph := func(p Paragraph) {
		for i := range p {
			visit(&p[i])
		}
	}
	d.walk(func(b Block) {
		switch b := b.(type) {
		case Paragraph:
			paragraph(b)
		case List:
			for _, p := range b {
				paragraph(p)
			}
		case Table:
			paragraph(b.Caption)
			paragraph(b.Note)
		case Figure:
			paragraph(b.Caption)
		}
	})
}

// Reference is a source.
type Reference struct {
	Key  string
	Text string // author, title, where and when
	URL  string // may be empty
}
