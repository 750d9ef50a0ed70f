package paper

import (
	"bytes"
	_ "embed"
	"fmt"
	"html"
	"strings"

	"windtunnel/analysis/chart"
)

//go:embed paper.css
var stylesheet string

// htmlPage writes one self-contained page: style sheet and figures are in it, nothing is fetched.
func htmlPage(d Document) ([]File, error) {
	w := &htmlWriter{doc: &d}
	fmt.Fprintf(w, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>%s</title>\n<style>\n%s%s%s</style>\n</head>\n<body>\n",
		html.EscapeString(d.Title), colours(), stylesheet, pageHead(d.Mark))
	if d.Mark != "" {
		fmt.Fprintf(w, "<p class=\"mark\" role=\"alert\">%s</p>\n", html.EscapeString(d.Mark))
	}
	fmt.Fprintf(w, "<article>\n<header>\n<h1>%s</h1>\n<p class=\"subtitle\">%s</p>\n</header>\n<section class=\"abstract\">\n<h2>Abstract</h2>\n", html.EscapeString(d.Title), html.EscapeString(d.Subtitle))
	if err := w.blocks(d.Abstract); err != nil {
		return nil, err
	}
	w.WriteString("</section>\n")
	for i, s := range d.Sections {
		fmt.Fprintf(w, "<section>\n<h2>%d. %s</h2>\n", i+1, html.EscapeString(s.Title))
		if err := w.blocks(s.Blocks); err != nil {
			return nil, err
		}
		for j, sub := range s.Sections {
			fmt.Fprintf(w, "<h3>%d.%d %s</h3>\n", i+1, j+1, html.EscapeString(sub.Title))
			if err := w.blocks(sub.Blocks); err != nil {
				return nil, err
			}
		}
		w.WriteString("</section>\n")
	}
	w.WriteString("<section>\n<h2>References</h2>\n<ol class=\"references\">\n")
	for _, r := range d.References {
		fmt.Fprintf(w, "<li id=\"ref-%s\">%s", r.Key, html.EscapeString(r.Text))
		if r.URL != "" {
			fmt.Fprintf(w, " <a href=\"%[1]s\">%[1]s</a>", html.EscapeString(r.URL))
		}
		w.WriteString("</li>\n")
	}
	w.WriteString("</ol>\n</section>\n</article>\n</body>\n</html>\n")
	return []File{{"paper.html", w.Bytes()}}, nil
}

// colours are the colours of the charts, light and dark; paper is always light.
func colours() string {
	return fmt.Sprintf(":root { %s }\n@media screen and (prefers-color-scheme: dark) { :root { %s } }\n", chart.Light().Variables(), chart.Dark().Variables())
}

// pageHead puts the document's warning on the head of every printed page.
func pageHead(mark string) string {
	if mark == "" {
		return ""
	}
	var text strings.Builder
	for _, r := range mark {
		if r == ' ' || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || r == '.' || r == ':' {
			text.WriteRune(r)
		} else {
			fmt.Fprintf(&text, "\\%06x", r) // whatever it is, it does not end the string
		}
	}
	return fmt.Sprintf("@page { @top-center { content: \"%s\"; font: bold 8pt sans-serif; color: #8a1c12 } }\n", text.String())
}

type htmlWriter struct {
	bytes.Buffer
	doc *Document
}

func (w *htmlWriter) blocks(bs []Block) error {
	for _, b := range bs {
		switch b := b.(type) {
		case Paragraph:
			fmt.Fprintf(w, "<p>%s</p>\n", w.line(b))
		case List:
			w.WriteString("<ul>\n")
			for _, p := range b {
				fmt.Fprintf(w, "<li>%s</li>\n", w.line(p))
			}
			w.WriteString("</ul>\n")
		case Listing:
			fmt.Fprintf(w, "<pre><code>%s</code></pre>\n", html.EscapeString(strings.Join(b, "\n")))
		case Table:
			w.table(b)
		case Figure:
			if err := w.figure(b); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *htmlWriter) table(t Table) {
	fmt.Fprintf(w, "<figure class=\"table\" id=\"%s\">\n<figcaption><b>Table %s.</b> %s</figcaption>\n<div class=\"scroll\">\n<table>\n<thead><tr>", anchor(ToTable, t.Number), html.EscapeString(t.Number), w.line(t.Caption))
	classes := [...]string{right: "", left: " class=\"l\"", wide: " class=\"w\""}
	for i, h := range t.Header {
		fmt.Fprintf(w, "<th scope=\"col\"%s>%s</th>", classes[t.column(i)], html.EscapeString(h))
	}
	w.WriteString("</tr></thead>\n<tbody>\n")
	for _, r := range t.Rows {
		w.WriteString("<tr>")
		for i, c := range r {
			fmt.Fprintf(w, "<td%s>%s</td>", classes[t.column(i)], html.EscapeString(c))
		}
		w.WriteString("</tr>\n")
	}
	w.WriteString("</tbody>\n</table>\n</div>\n")
	if len(t.Note) > 0 {
		fmt.Fprintf(w, "<p class=\"note\">%s</p>\n", w.line(t.Note))
	}
	w.WriteString("</figure>\n")
}

func (w *htmlWriter) figure(f Figure) error {
	svg, err := f.Chart.HTML()
	if err != nil {
		return fmt.Errorf("figure %s: %w", f.Number, err)
	}
	fmt.Fprintf(w, "<figure id=\"%s\" style=\"max-width: %gpt; margin-left: auto; margin-right: auto\">\n%s\n<figcaption><b>Figure %s.</b> %s</figcaption>\n</figure>\n", anchor(ToFigure, f.Number), f.Chart.Width,
		strings.TrimSpace(svg), html.EscapeString(f.Number), w.line(f.Caption))
	return nil
}

func (w *htmlWriter) line(p Paragraph) string {
	var b strings.Builder
	for _, s := range p {
		text := html.EscapeString(nonbreaking(s))
		switch s.Kind {
		case Plain:
			b.WriteString(text)
		case Code:
			b.WriteString("<code>" + text + "</code>")
		case Strong:
			b.WriteString("<strong>" + text + "</strong>")
		case Cite:
			fmt.Fprintf(&b, "<a href=\"#ref-%s\">[%d]</a>", text, w.doc.number(s.Text))
		case ToTable, ToFigure:
			fmt.Fprintf(&b, "<a href=\"#%s\">%s %s</a>", anchor(s.Kind, text), word(s.Kind), text)
		}
	}
	return strings.TrimSpace(b.String())
}
