package paper

import (
	"bytes"
	"fmt"
	"strings"

	"windtunnel/analysis/chart"
)

// markdown writes GitHub-flavoured Markdown with SVG figures beside it.
func markdown(d Document) ([]File, error) {
	figures, err := d.drawn(chart.SVG)
	if err != nil {
		return nil, err
	}
	w := &markdownWriter{doc: &d}
	fmt.Fprintf(w, "# %s\n\n%s\n\n", markdownText(d.Title), markdownText(d.Subtitle))
	w.mark()
	w.WriteString("## Abstract\n\n")
	w.blocks(d.Abstract)
	for i, s := range d.Sections {
		fmt.Fprintf(w, "## %d. %s\n\n", i+1, markdownText(s.Title))
		w.mark()
		w.blocks(s.Blocks)
		for j, sub := range s.Sections {
			fmt.Fprintf(w, "### %d.%d %s\n\n", i+1, j+1, markdownText(sub.Title))
			w.blocks(sub.Blocks)
		}
	}
	w.WriteString("## References\n\n")
	for i, r := range d.References {
		fmt.Fprintf(w, "<a id=\"ref-%s\"></a>\\[%d\\] %s", r.Key, i+1, markdownText(r.Text))
		if r.URL != "" {
			fmt.Fprintf(w, " <%s>", r.URL)
		}
		w.WriteString("\n\n")
	}
	return append([]File{{"paper.md", append(bytes.TrimRight(w.Bytes(), "\n"), '\n')}}, figures...), nil
}

type markdownWriter struct {
	bytes.Buffer
	doc *Document
}

// mark repeats the document's warning: Markdown has no pages, so every section carries it.
func (w *markdownWriter) mark() {
	if w.doc.Mark != "" {
		fmt.Fprintf(w, "> **%s**\n\n", markdownText(w.doc.Mark))
	}
}

func (w *markdownWriter) blocks(bs []Block) {
	for _, b := range bs {
		switch b := b.(type) {
		case Paragraph:
			fmt.Fprintf(w, "%s\n\n", w.line(b))
		case List:
			for _, p := range b {
				fmt.Fprintf(w, "- %s\n", w.line(p))
			}
			w.WriteString("\n")
		case Listing:
			for _, l := range b {
				fmt.Fprintf(w, "    %s\n", strings.ReplaceAll(l, "\n", " "))
			}
			w.WriteString("\n")
		case Table:
			w.table(b)
		case Figure:
			fmt.Fprintf(w, "<a id=\"%s\"></a>\n\n![%s](%s)\n\n", anchor(ToFigure, b.Number), markdownText(b.Chart.Note), figureFile(b, chart.SVG))
			fmt.Fprintf(w, "**Figure %s.** %s\n\n", b.Number, w.line(b.Caption))
		}
	}
}

func (w *markdownWriter) table(t Table) {
	fmt.Fprintf(w, "<a id=\"%s\"></a>\n\n**Table %s.** %s\n\n", anchor(ToTable, t.Number), t.Number, w.line(t.Caption))
	row := func(cells []string) {
		for _, c := range cells {
			fmt.Fprintf(w, "| %s ", markdownText(c))
		}
		w.WriteString("|\n")
	}
	row(t.Header)
	for i := range t.Header {
		if t.column(i) == right {
			w.WriteString("| ---: ")
		} else {
			w.WriteString("| --- ")
		}
	}
	w.WriteString("|\n")
	for _, r := range t.Rows {
		row(r)
	}
	w.WriteString("\n")
	if len(t.Note) > 0 {
		fmt.Fprintf(w, "%s\n\n", w.line(t.Note))
	}
}

func (w *markdownWriter) line(p Paragraph) string {
	var b strings.Builder
	for _, s := range p {
		switch s.Kind {
		case Plain:
			b.WriteString(markdownText(s.Text))
		case Code:
			b.WriteString(markdownCode(s.Text))
		case Strong:
			b.WriteString("**" + markdownText(s.Text) + "**")
		case Cite:
			fmt.Fprintf(&b, "[\\[%d\\]](#ref-%s)", w.doc.number(s.Text), s.Text)
		case ToTable, ToFigure:
			fmt.Fprintf(&b, "[%s %s](#%s)", word(s.Kind), s.Text, anchor(s.Kind, s.Text))
		}
	}
	return strings.TrimSpace(b.String())
}

// markdownText keeps text from being read as markup, in running text and in the cells of a table.
func markdownText(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch r {
		case '\\', '*', '_', '`', '[', ']', '|', '#', '~', '$', '!':
			b.WriteRune('\\')
			b.WriteRune(r)
		case '<':
			b.WriteString("&lt;")
		case '>':
			b.WriteString("&gt;")
		case '&':
			b.WriteString("&amp;")
		case '\n', '\r', '\t':
			b.WriteRune(' ')
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// markdownCode fences code by more backquotes than there are within it.
func markdownCode(s string) string {
	s = strings.NewReplacer("\n", " ", "\r", " ").Replace(s)
	fence := "`"
	for strings.Contains(s, fence) {
		fence += "`"
	}
	if strings.HasPrefix(s, "`") || strings.HasSuffix(s, "`") {
		s = " " + s + " "
	}
	return fence + s + fence
}
