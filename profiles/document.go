package profiles

import (
	"fmt"
	"reflect"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"
)

// Document is a YAML document of another kind than a profile, decoded by the same rules: strictly, with every problem at its
// position.
type Document struct {
	found  *findings
	places map[string]place
	root   *node // of a document of a stream, until it is decoded
}

// Decode reads a YAML document into a pointer to a struct whose yaml tags name its keys. name is the file's name for
// messages, noun what the file holds, and toStartFrom a hint for who has an empty one. Err has the problems; the caller adds
// those of its own rules by Problem and ProblemIn. When ok is false the rules have nothing to look at.
func Decode(name, noun, toStartFrom string, data []byte, into any) (d *Document, ok bool) {
	d = &Document{found: &findings{}, places: map[string]place{}}
	src := newSource(name, data)
	src.genre = genre{noun: noun, toStartFrom: toStartFrom}
	root := parseFile(src, data, d.found)
	if root == nil {
		return d, false
	}
	v := reflect.ValueOf(into).Elem()
	decoder := &decoder{found: d.found, root: v.Type(), places: d.places}
	decoder.decode(root, v, "", mark{src: src, line: 1, col: 1, bare: true})
	return d, root.kind == yaml.MappingNode && !d.found.damaged
}

// DecodeEach reads a stream of YAML documents and hands them in order to do, which decodes each by Into and applies its own rules
// to it. Empty documents are passed over. The error is a *Problems with everything that is wrong in all of them, by position.
func DecodeEach(name, noun, toStartFrom string, data []byte, do func(d *Document)) error {
	all := &findings{}
	src := newSource(name, data)
	src.genre = genre{noun: noun, toStartFrom: toStartFrom}
	documents := parseStream(src, data, all)
	for _, parsed := range documents {
		d := &Document{found: &findings{}, places: map[string]place{}}
		if d.root = (&expander{src: src, found: d.found}).expand(parsed.Content[0]); d.root != nil {
			do(d)
		}
		all.list = append(all.list, d.found.list...)
	}
	return all.err()
}

// Into decodes a document that DecodeEach handed out into a pointer to a struct or map. It is false when there is nothing for
// rules to look at.
func (d *Document) Into(into any) bool {
	v := reflect.ValueOf(into).Elem()
	at := d.root.at
	at.bare = d.root.at.line <= 1
	(&decoder{found: d.found, root: v.Type(), places: d.places}).decode(d.root, v, "", at)
	return d.root.kind == yaml.MappingNode && !d.found.damaged
}

// Top is the text of a scalar at the top of a document that DecodeEach handed out, empty where there is none: what tells one
// kind of document from another before it is decoded.
func (d *Document) Top(key string) string {
	if v := d.root.get(key); v != nil && v.kind == yaml.ScalarNode {
		return v.text
	}
	return ""
}

// Null tells that a key was written with no value behind it.
func (d *Document) Null(path string) bool { return d.places[path].null }

// At is a problem without a message of the value at a path, or of the nearest one around it: for what is found later, when
// several documents meet.
func (d *Document) At(path string) Problem { return where(d.places, path).problem("", "", "") }

// Problem reports what is wrong with the value at a path, such as objectives[0].name; of a value that is not there it is
// shown at the nearest one around it. A value that could not be read has been reported already and is passed over.
func (d *Document) Problem(path, hint, format string, args ...any) {
	d.found.add(where(d.places, path), path, hint, fmt.Sprintf(format, args...))
}

// ProblemIn reports what is wrong within a text at a path, from a character of it (counted from 0) on, so many wide.
func (d *Document) ProblemIn(path, text string, offset, width int, hint, format string, args ...any) {
	at := where(d.places, path)
	if line, col, ok := locate(d.places[path].value, []rune(text), offset); ok {
		at = mark{src: at.src, line: line, col: col, width: width}
	}
	d.found.add(at, path, hint, fmt.Sprintf(format, args...))
}

// Bad tells that the value at a path could not be read.
func (d *Document) Bad(path string) bool { return d.found.spoilt(path) }

// Err is a *Problems with everything that is wrong, by position, or nil.
func (d *Document) Err() error { return d.found.err() }

// Suggest is a hint for a word that is none of the choices: the nearest one, or all of them when none is near.
func Suggest(word string, choices []string) string { return suggest(word, choices) }

// locate finds where a character of a scalar was written. YAML folds lines and knows several quotes, but it never reorders:
// the visible characters of the text stand in the source in the same order, with nothing but white space, quotes and
// backslashes between them. ok is false for a text that was written in another way, such as by \x20.
func locate(at mark, text []rune, offset int) (line, col int, ok bool) {
	if at.src == nil || offset > len(text) {
		return 0, 0, false
	}
	line, col = at.line, at.col
	if first := runeAt(at.src, line, col); first == '|' || first == '>' {
		line, col = line+1, 1
	} else if first == '"' || first == '\'' {
		col++
	}
	for i, want := range text {
		if unicode.IsSpace(want) {
			continue
		}
		for runeAt(at.src, line, col) != want {
			if line > len(at.src.lines) {
				return 0, 0, false
			}
			switch r := runeAt(at.src, line, col); {
			case r == endOfLine:
				line, col = line+1, 1
			case unicode.IsSpace(r) || strings.ContainsRune(`\'`, r):
				col++
			default:
				return 0, 0, false
			}
		}
		if i >= offset {
			return line, col, true
		}
		col++
	}
	return line, col, true // behind the last character
}

const endOfLine = '\n'

// runeAt is a character of the source, endOfLine behind a line's last one.
func runeAt(src *source, line, col int) rune {
	if runes := src.runes(line); col >= 1 && col <= len(runes) {
		return runes[col-1]
	}
	return endOfLine
}
