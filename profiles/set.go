package profiles

import (
	"fmt"
	"reflect"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// setter writes the values of --set flags into a tree, checking each path against the profile's types.
type setter struct {
	src   *source
	found *findings
	text  string
}

// applySet writes one flag, PATH=VALUE, into the tree. number counts the flags from 1.
func applySet(root *node, text string, number int, found *findings) {
	src := &source{name: setFile, genre: profileGenre, lines: []string{text}, flag: number}
	s := &setter{src: src, found: found, text: text}
	equals := equalsSign(text)
	if equals < 0 {
		found.add(s.mark(0, len(text)), "", "such as --set hollowNodes.count=100", "must be PATH=VALUE")
		return
	}
	segments, at, err := parsePath(text[:equals])
	if err != nil {
		found.add(s.mark(at, 0), "", "a path is keys joined by dots, list items by [number]: phases[0].name", err.Error())
		return
	}
	if value := s.value(equals + 1); value != nil {
		s.assign(root, segments, value)
	}
}

// CutSetting cuts PATH=VALUE at its first equals sign outside of quotes.
func CutSetting(text string) (path, value string, ok bool) {
	at := equalsSign(text)
	if at < 0 {
		return text, "", false
	}
	return text[:at], text[at+1:], true
}

// equalsSign is the first = outside of quotes.
func equalsSign(text string) int {
	quoted := false
	for i := range len(text) {
		switch {
		case text[i] == '\\' && quoted:
			continue
		case text[i] == '"':
			quoted = !quoted
		case text[i] == '=' && !quoted:
			return i
		}
	}
	return strings.IndexByte(text, '=')
}

// mark is the place of some bytes of the flag.
func (s *setter) mark(from, width int) mark {
	return mark{src: s.src, line: 1, col: utf8.RuneCountInString(s.text[:from]) + 1, width: utf8.RuneCountInString(s.text[from:min(from+width, len(s.text))])}
}

// value parses what stands after the equals sign as YAML, which may be a list or mapping in flow style.
func (s *setter) value(from int) *node {
	text := s.text[from:]
	whole := s.mark(from, len(text))
	if strings.TrimSpace(text) == "" {
		return &node{kind: yaml.ScalarNode, tag: tagNull, at: whole}
	}
	var document yaml.Node
	if !utf8.ValidString(text) {
		s.found.add(whole, "", "", "the value is not UTF-8")
		return nil
	}
	if err := yaml.Unmarshal([]byte(text), &document); err != nil || len(document.Content) == 0 {
		s.found.add(whole, "", "put the value in quotes, inside the shell's own: --set 'a.b=\"text: with signs\"'", "the value is not YAML")
		return nil
	}
	n := (&expander{src: newSource(setFile, []byte(text)), found: s.found}).expand(document.Content[0])
	if n != nil {
		n.relocate(whole)
	}
	return n
}

// relocate gives a value and all that is in it one place.
func (n *node) relocate(at mark) {
	n.at = at
	for _, k := range n.keys {
		k.at = at
	}
	for _, v := range n.values {
		v.relocate(at)
	}
}

// assign walks the path down the tree and the types, makes the mappings that are missing, and puts the value at its end.
func (s *setter) assign(root *node, segments []segment, value *node) {
	n, t, path := root, reflect.TypeFor[Profile](), ""
	for i, seg := range segments {
		last := i == len(segments)-1
		at := s.mark(seg.at, seg.width)
		for t != nil && t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
		inner, ok := s.step(n, t, path, seg, at, last)
		if !ok {
			return
		}
		if seg.isIndex {
			path = joinIndex(path, seg.index)
			if last {
				n.values[seg.index] = value
				return
			}
			n = n.values[seg.index]
		} else {
			path = joinKey(path, seg.key)
			key := &node{kind: yaml.ScalarNode, tag: tagString, text: seg.key, at: at}
			if last {
				n.put(key, value)
				return
			}
			next := n.get(seg.key)
			if next == nil || next.isNull() {
				next = &node{kind: yaml.MappingNode, tag: tagMap, at: at}
				n.put(key, next)
			}
			n = next
		}
		t = inner
	}
}

// step checks one segment against the value n of type t that it goes into, and gives the type of what it leads to: nil
// inside of manifests, where everything is allowed.
func (s *setter) step(n *node, t reflect.Type, path string, seg segment, at mark, last bool) (reflect.Type, bool) {
	refuse := func(hint, format string, args ...any) (reflect.Type, bool) {
		s.found.add(at, path, hint, fmt.Sprintf(format, args...))
		return nil, false
	}
	free := t == nil || t.Kind() == reflect.Interface
	if seg.isIndex {
		if !free && t.Kind() != reflect.Slice || n.kind != yaml.SequenceNode {
			return refuse("", "[%d] needs a list, and this is %s", seg.index, n.describe())
		}
		if seg.index >= len(n.values) {
			return refuse(indexHint(len(n.values)), "there is no item [%d]", seg.index)
		}
		if free {
			return nil, true
		}
		return t.Elem(), true
	}
	switch {
	case !free && t.Kind() == reflect.Slice:
		return refuse(indexHint(len(n.values)), "this is a list; %q is no index", seg.key)
	case !free && t.Kind() != reflect.Struct && t.Kind() != reflect.Map:
		return refuse("", "there is nothing below it")
	case n.kind != yaml.MappingNode:
		return refuse("", "this is %s, which has no keys", n.describe())
	case free:
		return nil, true
	case t.Kind() == reflect.Struct:
		f, ok := fieldNamed(t, seg.key)
		if !ok {
			return refuse(unknownKeyHint(reflect.TypeFor[Profile](), t, seg.key), "there is no key %q", seg.key)
		}
		return t.Field(f.index).Type, true
	}
	// A map: a new name may only be given a whole value, for a path that goes on below it is more likely a slip.
	if !last && t.Elem().Kind() == reflect.Struct && n.get(seg.key) == nil {
		names := make([]string, len(n.keys))
		for i, k := range n.keys {
			names[i] = k.text
		}
		return refuse(suggest(seg.key, names), "there is no %q", seg.key)
	}
	return t.Elem(), true
}

func indexHint(length int) string {
	switch length {
	case 0:
		return "the list is empty"
	case 1:
		return "the list has one item, [0]"
	}
	return fmt.Sprintf("the list has the items [0] to [%d]", length-1)
}
