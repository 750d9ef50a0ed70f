package profiles

import (
	"fmt"
	"strings"
	"unicode"
)

// setFile stands for the file name of values that come from --set.
const setFile = "--set"

// source is a text that a profile's values come from: a file, or one --set flag.
type source struct {
	name  string
	genre genre
	lines []string
	flag  int // number of the --set flag, from 1; 0 for a file

	// The characters of the line that was looked at last: a file can have all its values on one line.
	lastLine  int
	lastRunes []rune
}

// genre is what a file holds, for messages.
type genre struct{ noun, toStartFrom string }

var profileGenre = genre{noun: "profile", toStartFrom: "windtunnel profiles show smoke prints a profile to start from"}

func newSource(name string, data []byte) *source {
	return &source{name: name, genre: profileGenre, lines: splitLines(string(data))}
}

// runes are the characters of a line, counted from 1; nil where there is no such line.
func (s *source) runes(line int) []rune {
	if line < 1 || line > len(s.lines) {
		return nil
	}
	if line != s.lastLine {
		s.lastLine, s.lastRunes = line, []rune(s.lines[line-1])
	}
	return s.lastRunes
}

// splitLines cuts where YAML does, so that line numbers agree with the parser's.
func splitLines(s string) []string {
	s = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u0085", "\n", "\u2028", "\n", "\u2029", "\n").Replace(s)
	return strings.Split(s, "\n")
}

// mark is where something was written: a source and a position in it, in characters from 1.
type mark struct {
	src       *source
	line, col int
	width     int  // characters to underline; 0 underlines one
	bare      bool // the place of the whole document: no line is shown
}

// problem makes a problem of this place.
func (m mark) problem(path, hint, message string) Problem {
	p := Problem{Path: path, Message: message, Hint: hint}
	if m.src == nil {
		return p
	}
	p.File, p.Line, p.Column = m.src.name, m.line, m.col
	p.Snippet = m.snippet()
	if m.src.flag > 0 {
		p.Line = m.src.flag
	}
	return p
}

// Longer lines are cut to a window around the place.
const (
	widestLine  = 120
	leadingText = 60
)

// snippet is the source line with carets below, or nothing when the place is not in the text.
func (m mark) snippet() string {
	if m.bare || m.line < 1 || m.line > len(m.src.lines) {
		return ""
	}
	line := m.src.runes(m.line)
	start := min(max(m.col-1, 0), len(line))
	width := min(max(m.width, 1), max(len(line)-start, 1))
	prefix := ""
	if len(line) > widestLine && start > leadingText {
		line, start, prefix = line[start-leadingText:], leadingText, "…"
	}
	if len(line) > widestLine {
		line = append(line[:widestLine:widestLine], '…') // the bound on the capacity makes it a copy
		width = min(width, max(len(line)-start, 1))
	}
	number := fmt.Sprintf("%4d", m.line)
	if m.src.flag > 0 {
		number = fmt.Sprintf("%4s", setFile)
	}
	return fmt.Sprintf("%s | %s%s\n%s | %s%s", number, prefix, printable(line),
		strings.Repeat(" ", len(number)), strings.Repeat(" ", len([]rune(prefix)))+blanks(line[:start]), carets(line[start:min(start+width, len(line))]))
}

// printable replaces what would upset a terminal.
func printable(line []rune) string {
	return strings.Map(func(r rune) rune {
		if r == '\t' || unicode.IsPrint(r) {
			return r
		}
		return '·'
	}, string(line))
}

// blanks is as wide on the terminal as the text; tabs stay tabs, so that the carets line up.
func blanks(text []rune) string {
	var b strings.Builder
	for _, r := range text {
		if r == '\t' {
			b.WriteByte('\t')
			continue
		}
		b.WriteString(strings.Repeat(" ", cells(r)))
	}
	return b.String()
}

func carets(text []rune) string {
	n := 0
	for _, r := range text {
		n += cells(r)
	}
	return strings.Repeat("^", max(n, 1))
}

// cells is how many columns of a terminal a character takes: two for the wide scripts of East Asia and for emoji, none for
// combining marks. The ranges are those of Unicode's East Asian Width (UAX #11) in the large.
func cells(r rune) int {
	switch {
	case unicode.Is(unicode.Mn, r):
		return 0
	case r >= 0x1100 && r <= 0x115f, r >= 0x2e80 && r <= 0xa4cf, r >= 0xac00 && r <= 0xd7a3, r >= 0xf900 && r <= 0xfaff,
		r >= 0xfe30 && r <= 0xfe6f, r >= 0xff00 && r <= 0xff60, r >= 0xffe0 && r <= 0xffe6, r >= 0x1f300 && r <= 0x1faff,
		r >= 0x20000 && r <= 0x3fffd:
		return 2
	}
	return 1
}
