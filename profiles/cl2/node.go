package cl2

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"windtunnel/profiles"
)

// node is a value of a YAML document with the place in the source where it was written.
type node struct {
	kind   yaml.Kind // ScalarNode, SequenceNode or MappingNode
	scalar any       // nil, bool, float64 or string, as JSON has them
	text   string    // of a scalar, as it was rendered
	plain  bool      // a scalar without quotes
	keys   []*node   // of a mapping; keys[i] belongs to values[i]
	values []*node   // of a mapping or sequence
	at     place
}

// get is the value of a key, whatever case its letters have, or nil. Of several the last one counts.
func (n *node) get(key string) *node {
	if n == nil {
		return nil
	}
	var found *node
	for i, k := range n.keys {
		if k.text == key {
			return n.values[i]
		}
		if strings.EqualFold(k.text, key) {
			found = n.values[i]
		}
	}
	return found
}

// own is the value of a key in exactly this case, or nil.
func (n *node) own(key string) *node {
	if i := n.find(key); i >= 0 {
		return n.values[i]
	}
	return nil
}

func (n *node) isNull() bool { return n == nil || n.kind == yaml.ScalarNode && n.scalar == nil }

// isLost tells of a value that a template could not give; that has been reported.
func (n *node) isLost() bool { return n != nil && strings.Contains(n.text, unknownText) }

// value is the node as encoding/json would decode it.
func (n *node) value() any {
	switch n.kind {
	case yaml.MappingNode:
		m := make(map[string]any, len(n.keys))
		for i, k := range n.keys {
			m[k.text] = n.values[i].value()
		}
		return m
	case yaml.SequenceNode:
		list := make([]any, len(n.values))
		for i, v := range n.values {
			list[i] = v.value()
		}
		return list
	}
	return n.scalar
}

// describe says what a value is, for messages.
func (n *node) describe() string {
	switch {
	case n.kind == yaml.MappingNode:
		return "a mapping"
	case n.kind == yaml.SequenceNode:
		return "a list"
	}
	text := n.text
	if utf8.RuneCountInString(text) > 40 {
		text = string([]rune(text)[:40]) + "…"
	}
	switch n.scalar.(type) {
	case nil:
		return "nothing"
	case bool:
		return "the boolean " + text
	case float64:
		return "the number " + text
	}
	return fmt.Sprintf("the text %q", text)
}

// Bounds of a document.
const (
	mostFromAliases = 100_000
	deepest         = 200
)

// parser turns a document into nodes.
type parser struct {
	doc     *document
	found   *problems
	aliases int // values that came from aliases
}

// parse reads a document. It is nil when there is none to be read, which has been reported then.
func (d *document) parse(found *problems) *node {
	var root yaml.Node
	if err := yaml.NewDecoder(bytes.NewReader(d.text)).Decode(&root); err != nil {
		p, bad := profiles.YAMLSyntax(d.text)
		if !bad {
			p.Message, p.Line, p.Column = err.Error(), 1, 1
		}
		found.add(d.place(p.Line, p.Column, 1), "", p.Hint, "%s", p.Message)
		return nil
	}
	if len(root.Content) == 0 {
		return nil
	}
	return (&parser{doc: d, found: found}).node(root.Content[0], 0)
}

func (p *parser) place(y *yaml.Node) place {
	width := 1
	if y.Kind == yaml.ScalarNode && !strings.Contains(y.Value, "\n") {
		width = max(utf8.RuneCountInString(y.Value), 1)
		if y.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0 {
			width += 2
		}
	}
	return p.doc.place(y.Line, y.Column, width)
}

func (p *parser) node(y *yaml.Node, depth int) *node {
	if y.Kind == yaml.AliasNode {
		return p.alias(y, depth)
	}
	n := &node{kind: y.Kind, at: p.place(y)}
	if depth > deepest {
		p.found.add(n.at, "", "", "this is nested too deeply: more than %d levels", deepest)
		return &node{kind: yaml.ScalarNode, at: n.at}
	}
	switch y.Kind {
	case yaml.ScalarNode:
		n.text, n.scalar, n.plain = y.Value, scalar(y), y.Style&^yaml.TaggedStyle == 0
	case yaml.SequenceNode:
		for _, item := range y.Content {
			n.values = append(n.values, p.node(item, depth+1))
		}
	case yaml.MappingNode:
		p.mapping(y, n, depth)
	}
	return n
}

func (p *parser) alias(y *yaml.Node, depth int) *node {
	p.aliases++
	if p.aliases > mostFromAliases || depth > deepest {
		if p.aliases == mostFromAliases+1 || depth > deepest {
			p.found.add(p.place(y), "", "", "the aliases up to here stand for too much")
		}
		p.aliases = mostFromAliases + 2
		return &node{kind: yaml.ScalarNode, at: p.place(y)}
	}
	return p.node(y.Alias, depth+1)
}

func (p *parser) mapping(y *yaml.Node, n *node, depth int) {
	var merges []*yaml.Node
	for i := 0; i+1 < len(y.Content); i += 2 {
		if y.Content[i].ShortTag() == "!!merge" {
			merges = append(merges, y.Content[i+1])
			continue
		}
		key := p.node(y.Content[i], depth+1)
		if key.kind != yaml.ScalarNode {
			p.found.add(key.at, "", "", "a key must be a text")
			continue
		}
		value := p.node(y.Content[i+1], depth+1)
		if at := n.find(key.text); at >= 0 {
			p.found.warn(key.at, "", fmt.Sprintf("it is on line %d already; keep one of them", n.keys[at].at.line), "the key %q is there twice: the last one counts", key.text)
			n.keys[at], n.values[at] = key, value
			continue
		}
		n.keys, n.values = append(n.keys, key), append(n.values, value)
	}
	for _, m := range merges {
		p.merge(n, p.node(m, depth+1))
	}
}

func (n *node) find(key string) int {
	for i, k := range n.keys {
		if k.text == key {
			return i
		}
	}
	return -1
}

// merge adds what a merge key (<<) brings and the mapping does not have itself.
func (p *parser) merge(n, from *node) {
	parts := []*node{from}
	if from.kind == yaml.SequenceNode {
		parts = from.values
	}
	for _, part := range parts {
		if part.kind != yaml.MappingNode {
			p.found.add(from.at, "", "", "<< needs a mapping, or a list of mappings")
			return
		}
		for i, k := range part.keys {
			if n.find(k.text) < 0 {
				n.keys, n.values = append(n.keys, k), append(n.values, part.values[i])
			}
		}
	}
}

// scalar is a value as YAML 1.1 resolves it and JSON has it. The parser resolves by YAML 1.2, which takes yes, on and their kin
// for texts.
func scalar(y *yaml.Node) any {
	switch y.ShortTag() {
	case "!!null":
		return nil
	case "!!bool":
		v, err := strconv.ParseBool(strings.ToLower(y.Value))
		if err != nil {
			return y.Value
		}
		return v
	case "!!int", "!!float":
		var f float64
		if err := y.Decode(&f); err == nil {
			return f
		}
		return y.Value
	}
	if y.Style == 0 {
		switch y.Value {
		case "y", "Y", "yes", "Yes", "YES", "on", "On", "ON":
			return true
		case "n", "N", "no", "No", "NO", "off", "Off", "OFF":
			return false
		}
	}
	return y.Value
}
