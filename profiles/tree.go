package profiles

import (
	"fmt"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// node is a YAML value with aliases and merge keys resolved, and with the place where it was written. The values of an
// alias have the place of the anchor that they come from.
type node struct {
	kind   yaml.Kind // MappingNode, SequenceNode or ScalarNode
	tag    string    // short form: !!str, !!int, …
	text   string    // of a scalar
	keys   []*node   // of a mapping; keys[i] belongs to values[i]
	values []*node   // of a mapping or sequence
	at     mark
}

// The YAML tags that a profile uses.
const (
	tagString    = "!!str"
	tagInt       = "!!int"
	tagFloat     = "!!float"
	tagBool      = "!!bool"
	tagNull      = "!!null"
	tagMap       = "!!map"
	tagSeq       = "!!seq"
	tagMerge     = "!!merge"
	tagTimestamp = "!!timestamp"
)

// get is the value of a key, or nil.
func (n *node) get(key string) *node {
	if i := n.find(key); i >= 0 {
		return n.values[i]
	}
	return nil
}

func (n *node) find(key string) int {
	for i, k := range n.keys {
		if k.text == key {
			return i
		}
	}
	return -1
}

// put sets the value of a key.
func (n *node) put(key, value *node) {
	if i := n.find(key.text); i >= 0 {
		n.keys[i], n.values[i] = key, value
		return
	}
	n.keys, n.values = append(n.keys, key), append(n.values, value)
}

func (n *node) isNull() bool { return n.kind == yaml.ScalarNode && n.tag == tagNull }

// describe says what a value is, for messages.
func (n *node) describe() string {
	switch {
	case n.kind == yaml.MappingNode:
		return "a mapping"
	case n.kind == yaml.SequenceNode:
		return "a list"
	case n.isNull():
		return "nothing"
	}
	text := n.text
	if utf8.RuneCountInString(text) > 40 {
		text = string([]rune(text)[:40]) + "…"
	}
	switch n.tag {
	case tagString:
		return fmt.Sprintf("the text %q", text)
	case tagInt, tagFloat:
		return "the number " + text
	case tagBool:
		return "the boolean " + text
	}
	return fmt.Sprintf("%q", text)
}

// mostFromAliases bounds how many values aliases may add to a document.
const mostFromAliases = 100_000

// expander turns the parser's nodes into a tree.
type expander struct {
	src       *source
	found     *findings
	open      map[*yaml.Node]bool // anchors that are being expanded
	depth     int                 // of aliases
	fromAlias int
}

// expand copies a parsed value. It returns nil when the value cannot be used, which it has then reported.
func (e *expander) expand(y *yaml.Node) *node {
	if e.depth > 0 {
		e.fromAlias++
		if e.fromAlias > mostFromAliases {
			return nil
		}
	}
	n := &node{kind: y.Kind, tag: y.ShortTag(), text: y.Value, at: e.mark(y)}
	switch y.Kind {
	case yaml.AliasNode:
		return e.alias(y)
	case yaml.ScalarNode:
		return e.scalar(n)
	case yaml.SequenceNode:
		return e.sequence(y, n)
	case yaml.MappingNode:
		return e.mapping(y, n)
	}
	e.damage(n.at, "", "this is not a value")
	return nil
}

// damage reports a value that is left out.
func (e *expander) damage(at mark, hint, message string) {
	e.found.damaged = true
	e.found.add(at, "", hint, message)
}

// mark is the place of a value; a plain scalar is underlined whole.
func (e *expander) mark(y *yaml.Node) mark {
	m := mark{src: e.src, line: y.Line, col: y.Column}
	line := e.src.runes(y.Line)
	if y.Kind != yaml.ScalarNode || line == nil {
		return m
	}
	from := min(max(y.Column-1, 0), len(line))
	switch value := []rune(y.Value); {
	case hasRunes(line[from:], value):
		m.width = len(value)
	case y.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0 && from+1 <= len(line) && hasRunes(line[min(from+1, len(line)):], value):
		m.width = len(value) + 2
	}
	return m
}

func hasRunes(line, prefix []rune) bool {
	return len(prefix) > 0 && len(line) >= len(prefix) && string(line[:len(prefix)]) == string(prefix)
}

func (e *expander) alias(y *yaml.Node) *node {
	if e.open[y.Alias] {
		e.damage(e.mark(y), "", fmt.Sprintf("the anchor &%s contains itself", y.Value))
		return nil
	}
	if e.fromAlias > mostFromAliases {
		return nil
	}
	e.depth++
	n := e.expand(y.Alias)
	e.depth--
	if e.depth == 0 && e.fromAlias > mostFromAliases {
		e.damage(e.mark(y), "", fmt.Sprintf("the aliases up to here stand for more than %d values", mostFromAliases))
	}
	return n
}

func (e *expander) scalar(n *node) *node {
	switch n.tag {
	case tagString, tagInt, tagFloat, tagBool, tagNull:
		return n
	case tagTimestamp, tagMerge:
		n.tag = tagString // a date is no type of ours: it stays as it was written
		return n
	}
	e.damage(n.at, "write the value without a tag", fmt.Sprintf("the tag %s is not supported", n.tag))
	return nil
}

func (e *expander) sequence(y *yaml.Node, n *node) *node {
	if n.tag != tagSeq {
		e.damage(n.at, "write the list without a tag", fmt.Sprintf("the tag %s is not supported", n.tag))
		return nil
	}
	e.enter(y)
	defer e.leave(y)
	for _, item := range y.Content {
		if v := e.expand(item); v != nil {
			n.values = append(n.values, v)
		}
	}
	return n
}

func (e *expander) mapping(y *yaml.Node, n *node) *node {
	if n.tag != tagMap {
		e.damage(n.at, "write the mapping without a tag", fmt.Sprintf("the tag %s is not supported", n.tag))
		return nil
	}
	e.enter(y)
	defer e.leave(y)
	seen := map[string]int{}
	var merges []*yaml.Node
	for i := 0; i+1 < len(y.Content); i += 2 {
		key, value := y.Content[i], y.Content[i+1]
		if key.ShortTag() == tagMerge {
			merges = append(merges, value)
			continue
		}
		k := e.key(key)
		if k == nil {
			continue
		}
		if line, twice := seen[k.text]; twice {
			e.found.add(k.at, "", fmt.Sprintf("it is on line %d already; keep one of them", line), fmt.Sprintf("the key %q is there twice", k.text))
			continue
		}
		seen[k.text] = k.at.line
		if v := e.expand(value); v != nil {
			n.keys, n.values = append(n.keys, k), append(n.values, v)
		}
	}
	for _, m := range merges {
		e.merge(n, m, seen)
	}
	return n
}

// key reads the key of a mapping. Keys that YAML takes for numbers or booleans are refused: what they are called is
// seldom what they look like (1.0, yes, 0o17).
func (e *expander) key(y *yaml.Node) *node {
	for hops := 0; y.Kind == yaml.AliasNode && hops < 10; hops++ {
		y = y.Alias
	}
	at := e.mark(y)
	if y.Kind != yaml.ScalarNode {
		e.damage(at, "", "a key must be a text")
		return nil
	}
	if tag := y.ShortTag(); tag != tagString && tag != tagTimestamp {
		e.damage(at, fmt.Sprintf("put it in quotes: %q", y.Value), fmt.Sprintf("the key %s is not a text", y.Value))
		return nil
	}
	return &node{kind: yaml.ScalarNode, tag: tagString, text: y.Value, at: at}
}

// merge adds what a merge key (<<) brings and the mapping does not have itself.
func (e *expander) merge(n *node, y *yaml.Node, seen map[string]int) {
	m := e.expand(y)
	if m == nil {
		return
	}
	parts := []*node{m}
	if m.kind == yaml.SequenceNode {
		parts = m.values
	}
	for _, part := range parts {
		if part.kind != yaml.MappingNode {
			e.damage(e.mark(y), "", "<< needs a mapping, or a list of mappings")
			return
		}
		for i, k := range part.keys {
			if _, there := seen[k.text]; !there {
				seen[k.text] = k.at.line
				n.keys, n.values = append(n.keys, k), append(n.values, part.values[i])
			}
		}
	}
}

func (e *expander) enter(y *yaml.Node) {
	if e.open == nil {
		e.open = map[*yaml.Node]bool{}
	}
	e.open[y] = true
}

func (e *expander) leave(y *yaml.Node) { delete(e.open, y) }
