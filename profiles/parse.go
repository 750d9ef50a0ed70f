package profiles

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// LargestFile is the most bytes that a profile may have.
const LargestFile = 4 << 20

// parseFile reads a YAML document into a tree, or reports why there is none.
func parseFile(src *source, data []byte, found *findings) *node {
	if !checkText(src, data, found) {
		return nil
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var document yaml.Node
	switch err := decoder.Decode(&document); {
	case errors.Is(err, io.EOF) || err == nil && isEmptyDocument(&document):
		found.add(mark{src: src}, "", src.genre.toStartFrom, "the file has no content")
		return nil
	case err != nil:
		reportSyntax(src, data, err, found)
		return nil
	}
	var second yaml.Node
	if err := decoder.Decode(&second); err == nil {
		found.add(mark{src: src, line: second.Line, col: second.Column}, "", "put each "+src.genre.noun+" in a file of its own", "a second document begins here; a file holds one "+src.genre.noun)
	} else if !errors.Is(err, io.EOF) {
		reportSyntax(src, data, err, found)
		return nil
	}
	return (&expander{src: src, found: found}).expand(document.Content[0])
}

// parseStream reads the documents of a YAML stream up to the first that is no YAML; empty ones are left out.
func parseStream(src *source, data []byte, found *findings) []*yaml.Node {
	if !checkText(src, data, found) {
		return nil
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var all []*yaml.Node
	for {
		document := &yaml.Node{}
		err := decoder.Decode(document)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			reportSyntax(src, data, err, found)
			return all
		}
		if !isEmptyDocument(document) {
			all = append(all, document)
		}
	}
	if len(all) == 0 {
		found.add(mark{src: src}, "", src.genre.toStartFrom, "the file has no content")
	}
	return all
}

func isEmptyDocument(d *yaml.Node) bool {
	return len(d.Content) == 0 || d.Content[0].Kind == yaml.ScalarNode && d.Content[0].ShortTag() == tagNull
}

// checkText refuses what cannot be a profile before the parser sees it.
func checkText(src *source, data []byte, found *findings) bool {
	whole := mark{src: src}
	if len(data) > LargestFile {
		found.add(whole, "", "", fmt.Sprintf("the file has %d bytes; a %s has at most %d (4 MiB)", len(data), src.genre.noun, LargestFile))
		return false
	}
	if bytes.HasPrefix(data, []byte{0xff, 0xfe}) || bytes.HasPrefix(data, []byte{0xfe, 0xff}) {
		found.add(whole, "", "save it as UTF-8", "the file is in UTF-16")
		return false
	}
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			found.add(markAt(src, data, i), "", "save it as UTF-8", fmt.Sprintf("the file is not UTF-8: byte 0x%02x", data[i]))
			return false
		case r < ' ' && r != '\t' && r != '\n' && r != '\r', r == 0x7f:
			found.add(markAt(src, data, i), "", "a "+src.genre.noun+" is a YAML text", fmt.Sprintf("the file is not a text: it has the control character 0x%02x", r))
			return false
		}
		i += size
	}
	return true
}

// markAt is the place of a byte.
func markAt(src *source, data []byte, offset int) mark {
	lines := splitLines(string(data[:offset]))
	return mark{src: src, line: len(lines), col: utf8.RuneCountInString(lines[len(lines)-1]) + 1}
}

var yamlErrorLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)

// reportSyntax reports a syntax error. The parser's own line number is that of the construct around the error, or one off,
// so the file is parsed again byte by byte: the error is where the parser stopped reading.
func reportSyntax(src *source, data []byte, err error, found *findings) {
	text := yamlErrorLine.ReplaceAllString(err.Error(), "")
	offset := stoppedAt(data)
	at := markAt(src, data, offset)
	if at.line > 1 && offset >= len(data) {
		at = lastWritten(src)
	}
	if line, err := strconv.Atoi(yamlErrorLine.FindStringSubmatch(err.Error())[1]); err == nil {
		switch { // these name the line where the construct begins, which is what a person looks for
		case strings.Contains(text, "end of stream"):
			at = openQuote(src, line)
		case strings.Contains(text, "could not find expected ':'"):
			at = mark{src: src, line: line, col: 1}
		}
	}
	at = blame(at, text)
	at, hint := explainSyntax(at, text)
	if line := danglingQuote(src, at.line); line > 0 && !strings.Contains(text, "end of stream") {
		hint = fmt.Sprintf("close the quote that line %d opens; or %s", line, hint)
	}
	found.add(at, "", hint, "YAML syntax: "+text)
}

// stoppedAt is how many bytes the parser reads before it gives up, less the few that it looks ahead.
func stoppedAt(data []byte) int {
	const lookAhead = 4 // characters that the scanner wants to see before it decides what comes next
	reader := &byteReader{data: data}
	decoder := yaml.NewDecoder(reader)
	for {
		var document yaml.Node
		if err := decoder.Decode(&document); err != nil {
			break
		}
	}
	if reader.next >= len(data) {
		return len(data)
	}
	offset := max(reader.next-lookAhead, 0)
	for offset < reader.next-1 && (data[offset] == '\n' || data[offset] == '\r' || data[offset] == ' ') {
		offset++
	}
	for offset > 0 && !utf8.RuneStart(data[offset]) {
		offset--
	}
	return offset
}

// byteReader hands out one byte at a time.
type byteReader struct {
	data []byte
	next int
}

func (r *byteReader) Read(p []byte) (int, error) {
	if r.next >= len(r.data) {
		return 0, io.EOF
	}
	p[0] = r.data[r.next]
	r.next++
	return 1, nil
}

// lastWritten is the end of the last line that has anything in it.
func lastWritten(src *source) mark {
	for i := len(src.lines) - 1; i >= 0; i-- {
		if text := strings.TrimRight(src.lines[i], " \t"); text != "" {
			return mark{src: src, line: i + 1, col: utf8.RuneCountInString(text)}
		}
	}
	return mark{src: src, line: 1, col: 1}
}

// openQuote is the quote that a line leaves open.
func openQuote(src *source, line int) mark {
	at := mark{src: src, line: line, col: 1}
	if line < 1 || line > len(src.lines) {
		return at
	}
	if i := strings.LastIndexAny(src.lines[line-1], `"'`); i >= 0 {
		at.col = utf8.RuneCountInString(src.lines[line-1][:i]) + 1
	}
	return at
}

// blame moves to the line that the message is about where the parser had stopped near it.
func blame(at mark, text string) mark {
	if strings.Contains(text, "tab") || strings.Contains(text, "cannot start any token") {
		for line := at.line; line <= at.line+1 && line <= len(at.src.lines); line++ {
			if tab := leadingTab(at.src.lines[line-1]); tab >= 0 {
				return mark{src: at.src, line: line, col: tab + 1}
			}
		}
	}
	if _, name, ok := strings.Cut(text, "unknown anchor '"); ok {
		alias := "*" + strings.TrimSuffix(name, "' referenced")
		for line := min(at.line, len(at.src.lines)); line > 0; line-- {
			if i := strings.Index(at.src.lines[line-1], alias); i >= 0 {
				return mark{src: at.src, line: line, col: utf8.RuneCountInString(at.src.lines[line-1][:i]) + 1, width: utf8.RuneCountInString(alias)}
			}
		}
	}
	return at
}

// leadingTab is where a line's indentation has a tab, or -1.
func leadingTab(line string) int {
	return strings.IndexByte(line[:len(line)-len(strings.TrimLeft(line, " \t"))], '\t')
}

// danglingQuote is the last line before an error that opens a double quote and does not close it, or 0. The parser then
// takes all that follows, up to the next quote, for one text.
func danglingQuote(src *source, before int) int {
	for line := min(before, len(src.lines)) - 1; line >= 1; line-- {
		text, _, _ := strings.Cut(src.lines[line-1], " #")
		if !strings.HasPrefix(strings.TrimSpace(text), "#") && strings.Count(strings.ReplaceAll(text, `\"`, ""), `"`)%2 == 1 {
			return line
		}
	}
	return 0
}

// explainSyntax moves the place to the character that is to blame, where the message tells which it is, and says what to
// do about it.
func explainSyntax(at mark, text string) (mark, string) {
	line := ""
	if at.line >= 1 && at.line <= len(at.src.lines) {
		line = at.src.lines[at.line-1]
	}
	indent := line[:len(line)-len(strings.TrimLeft(line, " \t"))]
	if leadingTab(line) >= 0 {
		at.col = leadingTab(line) + 1
		return at, "indent with spaces, not with tabs"
	}
	firstWord := func() {
		at.col = utf8.RuneCountInString(indent) + 1
		if words := strings.FieldsFunc(line, isKeyEnd); len(words) > 0 {
			at.width = utf8.RuneCountInString(words[0])
		}
	}
	switch {
	case strings.Contains(text, "mapping values are not allowed"):
		if i := strings.LastIndex(line, ": "); i >= 0 {
			at.col = utf8.RuneCountInString(line[:i]) + 1
		}
		return at, "put a value that has a colon in it in quotes, or correct the indentation of this line or the one above"
	case strings.Contains(text, "cannot start any token"):
		if i := strings.IndexAny(line, "@`%\t"); i >= 0 {
			at.col = utf8.RuneCountInString(line[:i]) + 1
		}
		return at, "put the value in quotes"
	case strings.Contains(text, "did not find expected key"), strings.Contains(text, "did not find expected '-' indicator"),
		strings.Contains(text, "block sequence entries are not allowed"):
		firstWord()
		return at, "indent this line as the lines of the same list or mapping above"
	case strings.Contains(text, "end of stream"):
		return at, "this quote is not closed"
	case strings.Contains(text, "could not find expected ':'"):
		firstWord()
		return at, "a key needs a colon and a space after it"
	case strings.Contains(text, "',' or ']'"):
		return at, "a [ before here is not closed with ]"
	case strings.Contains(text, "',' or '}'"):
		return at, "a { before here is not closed with }"
	case strings.Contains(text, "unknown anchor"):
		return at, "an alias *NAME needs an anchor &NAME before it; put a text that begins with * in quotes"
	case strings.Contains(text, "alphabetic or numeric"):
		return at, "put a text that begins with * or & in quotes"
	}
	return at, ""
}

func isKeyEnd(r rune) bool { return r == ' ' || r == '\t' || r == ':' }
