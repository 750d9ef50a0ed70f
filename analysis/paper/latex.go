package paper

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"

	"windtunnel/analysis/chart"
)

// latexHead is the preamble: packages of every TeX distribution, nothing else.
const latexHead = `\documentclass[a4paper,10pt]{article}
\usepackage[utf8]{inputenc}
\usepackage[T1]{fontenc}
\usepackage{lmodern}
\usepackage{textcomp}
\usepackage[margin=22mm]{geometry}
\usepackage{graphicx}
\usepackage{booktabs}
\usepackage{tabularx}
\usepackage{longtable}
\usepackage{array}
\usepackage{float}
\usepackage[skip=4pt]{caption}
\usepackage{fancyhdr}
\usepackage[hidelinks]{hyperref}
\newcolumntype{Y}{>{\raggedright\arraybackslash}X}
\setlength{\emergencystretch}{3em}
\setlength{\tabcolsep}{4pt}
\pagestyle{fancy}
\fancyhf{}
\fancyfoot[C]{\thepage}
`

// latexMake compiles the paper; twice, for the numbers of what is mentioned before it is seen.
const latexMake = `# Needs pdflatex with the packages of Debian's texlive-latex-recommended and lmodern.
paper.pdf: paper.tex $(wildcard figures/*.pdf)
	pdflatex -interaction=nonstopmode -halt-on-error paper.tex
	pdflatex -interaction=nonstopmode -halt-on-error paper.tex
`

// latex writes a LaTeX file with PDF figures beside it and a Makefile.
func latex(d Document) ([]File, error) {
	figures, err := d.drawn(chart.PDF)
	if err != nil {
		return nil, err
	}
	w := &latexWriter{}
	w.WriteString(latexHead)
	if d.Mark == "" {
		w.WriteString("\\renewcommand{\\headrulewidth}{0pt}\n")
	} else {
		fmt.Fprintf(w, "\\fancyhead[C]{\\textbf{%s}}\n\\setlength{\\headheight}{28pt}\n", latexText(d.Mark))
	}
	fmt.Fprintf(w, "\\title{%s}\n\\author{%s}\n\\date{}\n\\begin{document}\n\\maketitle\n\\thispagestyle{fancy}\n", latexText(d.Title), latexText(d.Subtitle))
	w.WriteString("\\begin{abstract}\n")
	w.blocks(d.Abstract)
	w.WriteString("\\end{abstract}\n\n")
	for _, s := range d.Sections {
		fmt.Fprintf(w, "\\section{%s}\n\n", latexText(s.Title))
		w.blocks(s.Blocks)
		for _, sub := range s.Sections {
			fmt.Fprintf(w, "\\subsection{%s}\n\n", latexText(sub.Title))
			w.blocks(sub.Blocks)
		}
	}
	w.WriteString("\\begin{thebibliography}{99}\n\\raggedright\n")
	for _, r := range d.References {
		fmt.Fprintf(w, "\\bibitem{%s} %s", r.Key, latexText(r.Text))
		if r.URL != "" {
			fmt.Fprintf(w, " \\url{%s}", strings.NewReplacer("%", "\\%", "#", "\\#").Replace(r.URL))
		}
		w.WriteString("\n")
	}
	w.WriteString("\\end{thebibliography}\n\\end{document}\n")
	return append([]File{{"paper.tex", w.Bytes()}, {"Makefile", []byte(latexMake)}}, figures...), nil
}

type latexWriter struct{ bytes.Buffer }

func (w *latexWriter) blocks(bs []Block) {
	for _, b := range bs {
		switch b := b.(type) {
		case Paragraph:
			fmt.Fprintf(w, "%s\n\n", latexLine(b))
		case List:
			w.WriteString("\\begin{itemize}\n")
			for _, p := range b {
				fmt.Fprintf(w, "\\item %s\n", latexLine(p))
			}
			w.WriteString("\\end{itemize}\n\n")
		case Listing:
			w.WriteString("\\begin{flushleft}\\small\n")
			for i, l := range b {
				if i > 0 {
					w.WriteString("\\\\\n")
				}
				fmt.Fprintf(w, "\\texttt{%s}", latexText(l))
			}
			w.WriteString("\n\\end{flushleft}\n\n")
		case Table:
			w.table(b)
		case Figure:
			w.WriteString("\\begin{figure}[H]\n\\centering\n")
			fmt.Fprintf(w, "\\includegraphics[width=\\linewidth,height=0.4\\textheight,keepaspectratio]{%s}\n", figureFile(b, chart.PDF))
			fmt.Fprintf(w, "\\renewcommand{\\thefigure}{%s}\n\\caption{%s}\\label{%s}\n\\end{figure}\n\n", latexText(b.Number), latexLine(b.Caption), anchor(ToFigure, b.Number))
		}
	}
}

// longest is how many rows a table may have that has to fit on one page.
const longest = 40

func (w *latexWriter) table(t Table) {
	columns, flexible := "", false
	for i := range t.Header {
		c := "r"
		switch t.column(i) {
		case left:
			c = "l"
		case wide:
			c, flexible = "Y", true
		}
		columns += c
	}
	size := "\\small"
	if len(t.Header) > 7 || flexible {
		size = "\\footnotesize"
	}
	if len(t.Header) > 8 {
		size = "\\scriptsize"
	}
	number := fmt.Sprintf("\\renewcommand{\\thetable}{%s}", latexText(t.Number))
	caption := fmt.Sprintf("\\caption{%s}\\label{%s}", latexLine(t.Caption), anchor(ToTable, t.Number))
	if len(t.Rows) > longest {
		w.long(t, columns, size, number, caption)
		return
	}
	fmt.Fprintf(w, "\\begin{table}[H]\n%s\n%s\n\\centering%s\n", number, caption, size)
	if flexible {
		fmt.Fprintf(w, "\\begin{tabularx}{\\linewidth}{%s}\n", columns)
	} else {
		fmt.Fprintf(w, "\\begin{tabular}{%s}\n", columns)
	}
	fmt.Fprintf(w, "\\toprule\n%s\\midrule\n", latexRow(t.Header))
	for _, r := range t.Rows {
		w.WriteString(latexRow(r))
	}
	w.WriteString("\\bottomrule\n")
	if flexible {
		w.WriteString("\\end{tabularx}\n")
	} else {
		w.WriteString("\\end{tabular}\n")
	}
	if len(t.Note) > 0 {
		fmt.Fprintf(w, "\\par\\smallskip\\begin{minipage}{\\linewidth}\\footnotesize %s\\end{minipage}\n", latexLine(t.Note))
	}
	w.WriteString("\\end{table}\n\n")
}

// long writes a table that goes over pages; its sentences get a fixed width.
func (w *latexWriter) long(t Table, columns, size, number, caption string) {
	columns = strings.ReplaceAll(columns, "Y", ">{\\raggedright\\arraybackslash}p{40mm}")
	head := latexRow(t.Header)
	fmt.Fprintf(w, "{%s\n%s\n\\begin{longtable}{%s}\n%s\\\\\n\\toprule\n%s\\midrule\n\\endfirsthead\n\\toprule\n%s\\midrule\n\\endhead\n\\bottomrule\n\\endlastfoot\n",
		size, number, columns, caption, head, head)
	for _, r := range t.Rows {
		w.WriteString(latexRow(r))
	}
	w.WriteString("\\end{longtable}\n")
	if len(t.Note) > 0 {
		fmt.Fprintf(w, "\\noindent %s\n\n", latexLine(t.Note))
	}
	w.WriteString("}\n\n")
}

func latexRow(cells []string) string {
	escaped := make([]string, len(cells))
	for i, c := range cells {
		escaped[i] = latexText(c)
		if strings.HasPrefix(escaped[i], "[") { // after the end of a row this would be its distance
			escaped[i] = "{}" + escaped[i]
		}
	}
	return strings.Join(escaped, " & ") + " \\\\\n"
}

func latexLine(p Paragraph) string {
	var b strings.Builder
	for _, s := range p {
		switch s.Kind {
		case Plain:
			b.WriteString(latexText(nonbreaking(s)))
		case Code:
			b.WriteString("\\texttt{" + strings.ReplaceAll(latexText(s.Text), "\\_", "\\_\\allowbreak{}") + "}")
		case Strong:
			b.WriteString("\\textbf{" + latexText(s.Text) + "}")
		case Cite:
			b.WriteString("\\cite{" + s.Text + "}")
		case ToTable, ToFigure:
			fmt.Fprintf(&b, "%s~\\ref{%s}", word(s.Kind), anchor(s.Kind, s.Text))
		}
	}
	return strings.TrimSpace(b.String())
}

// latexText keeps text from being read as commands. What pdflatex has no letter for is written as its code point, so that
// no name can break the paper.
func latexText(s string) string {
	var b strings.Builder
	last := rune(0)
	for _, r := range s {
		switch command := latexRune(r); {
		case command != "":
			b.WriteString(command)
		case r == '-' && last == '-':
			b.WriteString("{}-") // two would become a dash
		case r == '\n' || r == '\r' || r == '\t':
			b.WriteRune(' ')
		case unicode.IsControl(r):
		case r < 0x180: // ASCII and what T1 has of Latin
			b.WriteRune(r)
		default:
			fmt.Fprintf(&b, "[U+%04X]", r)
		}
		last = r
	}
	return b.String()
}

// latexRune is the command for a character that needs one, "" for others.
func latexRune(r rune) string {
	switch r {
	case '\\':
		return "\\textbackslash{}"
	case '{', '}', '$', '&', '#', '_', '%':
		return "\\" + string(r)
	case '^':
		return "\\textasciicircum{}"
	case '~':
		return "\\textasciitilde{}"
	case '<':
		return "\\textless{}"
	case '>':
		return "\\textgreater{}"
	case '|':
		return "\\textbar{}"
	case '"':
		return "\\textquotedbl{}"
	case '\'':
		return "\\textquotesingle{}"
	case '`':
		return "\\textasciigrave{}"
	case '\u00a0':
		return "~"
	case '×':
		return "$\\times$"
	case '÷':
		return "$\\div$"
	case '±':
		return "$\\pm$"
	case '−':
		return "$-$"
	case '≤':
		return "$\\le$"
	case '≥':
		return "$\\ge$"
	case '≈':
		return "$\\approx$"
	case '→':
		return "$\\to$"
	case '∞':
		return "$\\infty$"
	case 'γ':
		return "$\\gamma$"
	case 'µ', 'μ':
		return "$\\mu$"
	case '·':
		return "$\\cdot$"
	case '…':
		return "\\ldots{}"
	case '–':
		return "\\textendash{}"
	case '—':
		return "\\textemdash{}"
	case '“':
		return "\\textquotedblleft{}"
	case '”':
		return "\\textquotedblright{}"
	case '’':
		return "\\textquoteright{}"
	case '§':
		return "\\S{}"
	}
	return ""
}
