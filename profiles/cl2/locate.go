package cl2

import (
	"bytes"
	"slices"
	"unicode/utf8"
)

// source says where a byte of the rendered text was written: there, when it stands in the source as it is, otherwise the action
// that printed it, whole.
func (r *rendered) source(offset, width int) place {
	i, exact := slices.BinarySearchFunc(r.pieces, offset, func(p piece, at int) int { return p.out - at })
	if !exact {
		i--
	}
	if i < 0 {
		return r.file.at(0, 1)
	}
	p := r.pieces[i]
	if p.verbatim {
		return r.file.at(p.at+offset-p.out, width)
	}
	return r.file.action(p.at)
}

// document is one YAML document of a rendered text, with its place in it.
type document struct {
	from  *rendered
	start int // byte of the text
	text  []byte
	lines []int
}

// byteAt is the byte of the whole rendered text that a line and column of the document stand for, both counted from 1, the column
// in characters.
func (d *document) byteAt(line, column int) int {
	if line < 1 || line > len(d.lines) {
		return d.start + len(d.text)
	}
	at := d.lines[line-1]
	for ; column > 1 && at < len(d.text) && d.text[at] != '\n'; column-- {
		_, size := utf8.DecodeRune(d.text[at:])
		at += size
	}
	return d.start + at
}

// place is where in the source a line and column of the document were written.
func (d *document) place(line, column, width int) place {
	return d.from.source(d.byteAt(line, column), width)
}

// documents cuts a text into its YAML documents, as ClusterLoader2 does: at lines of --- and nothing else. Documents without
// content are left out.
func (r *rendered) documents() []*document {
	var all []*document
	begin := 0
	end := func(at int) {
		if text := r.text[begin:at]; hasContent(text) {
			d := &document{from: r, start: begin, text: text, lines: []int{0}}
			for i, b := range text {
				if b == '\n' {
					d.lines = append(d.lines, i+1)
				}
			}
			all = append(all, d)
		}
	}
	for at := 0; at < len(r.text); {
		next := len(r.text)
		if i := bytes.IndexByte(r.text[at:], '\n'); i >= 0 {
			next = at + i + 1
		}
		if line := r.text[at:next]; bytes.HasPrefix(line, []byte("---")) && len(bytes.TrimSpace(line[3:])) == 0 {
			end(at)
			begin = next
		}
		at = next
	}
	end(len(r.text))
	return all
}

// hasContent tells whether there is more in a text than white space and comments.
func hasContent(text []byte) bool {
	for line := range bytes.Lines(text) {
		if line = bytes.TrimSpace(line); len(line) > 0 && line[0] != '#' {
			return true
		}
	}
	return false
}
