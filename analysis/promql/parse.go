package promql

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Query is a query that was parsed.
type Query struct {
	root    node
	metrics []string
}

// Metrics are the names of the metrics that the query is about.
func (q *Query) Metrics() []string { return q.metrics }

// subqueryStep is how often a subquery is evaluated that does not say so: the evaluation interval of ClusterLoader2's Prometheus, in
// nanoseconds.
const subqueryStep = int64(30e9)

// Parse reads a query. It fails also for what is right in Prometheus' language and not known here.
func Parse(text string) (*Query, error) {
	tokens, err := lex(text)
	if err != nil {
		return nil, fmt.Errorf("parse query: %w", err)
	}
	p := &parser{tokens: tokens}
	root, err := p.binary(0)
	if err == nil && p.peek().kind != "" {
		err = p.unexpected()
	}
	if err == nil && (root.kind() == kindRange || root.kind() == kindString) {
		err = fmt.Errorf("the query is a %s, which is no answer", root.kind())
	}
	if err != nil {
		return nil, fmt.Errorf("parse query: %w", err)
	}
	slices.Sort(p.metrics)
	return &Query{root: root, metrics: slices.Compact(p.metrics)}, nil
}

type parser struct {
	tokens  []token
	metrics []string
	depth   int
}

func (p *parser) peek() token { return p.tokens[0] }

func (p *parser) next() token {
	t := p.tokens[0]
	if t.kind != "" {
		p.tokens = p.tokens[1:]
	}
	return t
}

func (p *parser) accept(kind string) bool {
	if p.peek().kind != kind {
		return false
	}
	p.next()
	return true
}

// word accepts a name of that text, in any case.
func (p *parser) word(text string) bool {
	if t := p.peek(); t.kind != "name" || !strings.EqualFold(t.text, text) {
		return false
	}
	p.next()
	return true
}

func (p *parser) expect(kind string) error {
	if !p.accept(kind) {
		return fmt.Errorf("%w, where %q was expected", p.unexpected(), kind)
	}
	return nil
}

func (p *parser) unexpected() error {
	t := p.peek()
	if t.kind == "" {
		return fmt.Errorf("at %d: unexpected end", t.at)
	}
	return fmt.Errorf("at %d: unexpected %q", t.at, t.text)
}

// levels are the binary operators from the loosest to the tightest; ^ alone groups from the right.
func levels() [][]string {
	return [][]string{{"or"}, {"and", "unless"}, {"==", "!=", ">", "<", ">=", "<="}, {"+", "-"}, {"*", "/", "%"}, {"^"}}
}

// mostNested bounds how deep a query can be nested.
const mostNested = 200

// binary reads operators of a level and of all tighter ones.
func (p *parser) binary(level int) (node, error) {
	if p.depth++; p.depth > mostNested*8 {
		return nil, fmt.Errorf("the query is nested too deeply")
	}
	defer func() { p.depth-- }()
	if level == len(levels()) {
		return p.unary()
	}
	left, err := p.binary(level + 1)
	for err == nil {
		t := p.peek()
		op := strings.ToLower(t.text)
		if t.kind != "name" && t.kind != op || !slices.Contains(levels()[level], op) {
			return left, nil
		}
		p.next()
		var b *binaryNode
		if b, err = p.operator(op); err != nil {
			return nil, err
		}
		tighter := level + 1
		if op == "^" {
			tighter = level
		}
		b.left = left
		if b.right, err = p.binary(tighter); err == nil {
			left, err = b, b.check()
		}
	}
	return nil, err
}

// operator reads what stands behind an operator: bool, and on or ignoring, and then which side may have several series that match one of
// the other.
func (p *parser) operator(op string) (*binaryNode, error) {
	b := &binaryNode{op: op, yields: p.word("bool")}
	switch {
	case p.word("on"):
		b.on = true
	case p.word("ignoring"):
	default:
		return b, nil
	}
	var err error
	if b.labels, err = p.labelList(); err != nil {
		return nil, err
	}
	switch {
	case p.word("group_left"):
		b.many = manyLeft
	case p.word("group_right"):
		b.many = manyRight
	}
	if b.many != "" && p.peek().kind == "(" {
		b.include, err = p.labelList()
	}
	return b, err
}

// unary reads signs, and what they stand before: ^ binds tighter than a sign.
func (p *parser) unary() (node, error) {
	if p.accept("+") {
		return p.unary()
	}
	if !p.accept("-") {
		return p.postfix()
	}
	of, err := p.binary(len(levels()) - 1)
	if err != nil {
		return nil, err
	}
	b := &binaryNode{op: "*", left: numberNode(-1), right: of}
	return b, b.check()
}

// postfix reads a primary with what stands behind it: ranges, subqueries and offsets.
func (p *parser) postfix() (node, error) {
	enclosed := p.peek().kind == "("
	n, err := p.primary()
	for err == nil {
		switch {
		case p.accept("["):
			n, err = p.ranged(n, enclosed)
			enclosed = false
		case p.word("offset"):
			if enclosed {
				return nil, errOffset
			}
			n, err = p.offset(n)
		default:
			return n, nil
		}
	}
	return nil, err
}

// ranged reads a range or a subquery. What is enclosed in parentheses is no selector any more, and can only have a subquery.
func (p *parser) ranged(of node, enclosed bool) (node, error) {
	length, err := p.duration()
	if err != nil {
		return nil, err
	}
	if !p.accept(":") {
		s, ok := of.(*selectorNode)
		if !ok || enclosed || s.length != 0 {
			return nil, fmt.Errorf("only a selector can have a range; a subquery has a colon")
		}
		s.length = length
		return s, p.expect("]")
	}
	if k := of.kind(); k != kindVector && k != kindScalar {
		return nil, fmt.Errorf("a subquery of a %s", k)
	}
	sub := &subqueryNode{of: of, length: length, step: subqueryStep}
	if p.peek().kind == "duration" {
		if sub.step, err = p.duration(); err != nil {
			return nil, err
		}
	}
	if length/sub.step > 1e6 {
		return nil, fmt.Errorf("a subquery of more than a million steps")
	}
	return sub, p.expect("]")
}

var errOffset = errors.New("only a selector or a subquery can have an offset")

func (p *parser) offset(of node) (node, error) {
	negative := p.accept("-")
	by, err := p.duration()
	if err != nil {
		return nil, err
	}
	if negative {
		by = -by
	}
	switch n := of.(type) {
	case *selectorNode:
		n.offset = by
	case *subqueryNode:
		n.offset = by
	default:
		return nil, errOffset
	}
	return of, nil
}

func (p *parser) duration() (int64, error) {
	if p.peek().kind != "duration" {
		return 0, fmt.Errorf("%w, where a duration was expected", p.unexpected())
	}
	return duration(p.next().text)
}
