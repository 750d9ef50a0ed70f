package promql

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
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

// operator reads what stands behind an operator: bool, and on or ignoring.
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
	if p.word("group_left") || p.word("group_right") {
		return nil, fmt.Errorf("group_left and group_right are not known here")
	}
	return b, nil
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

// primary reads a number, a string, something in parentheses, an aggregation, a call or a selector.
func (p *parser) primary() (node, error) {
	t := p.next()
	switch t.kind {
	case "number":
		if v, err := strconv.ParseInt(t.text, 0, 64); err == nil {
			return numberNode(v), nil
		}
		v, err := strconv.ParseFloat(t.text, 64)
		return numberNode(v), err
	case "string":
		return stringNode(t.text), nil
	case "(":
		n, err := p.binary(0)
		if err != nil {
			return nil, err
		}
		return n, p.expect(")")
	case "{":
		return p.selector("")
	case "name":
		return p.named(t)
	}
	p.tokens = append([]token{t}, p.tokens...)
	return nil, p.unexpected()
}

func (p *parser) named(t token) (node, error) {
	lower := strings.ToLower(t.text)
	next := p.peek()
	grouped := next.kind == "name" && (strings.EqualFold(next.text, "by") || strings.EqualFold(next.text, "without"))
	switch {
	case slices.Contains(aggregations(), lower) && (next.kind == "(" || grouped):
		return p.aggregation(lower)
	case next.kind == "(":
		return p.call(lower)
	case lower == "inf" || lower == "nan":
		v, err := strconv.ParseFloat(lower, 64)
		return numberNode(v), err
	}
	if !p.accept("{") {
		p.metrics = append(p.metrics, t.text)
		return &selectorNode{metric: t.text}, nil
	}
	return p.selector(t.text)
}

// selector reads matchers up to the brace.
func (p *parser) selector(metric string) (node, error) {
	s := &selectorNode{metric: metric}
	for !p.accept("}") {
		t := p.next()
		if t.kind != "name" {
			return nil, fmt.Errorf("at %d: a label was expected", t.at)
		}
		op := p.next()
		value := p.next()
		if value.kind != "string" {
			return nil, fmt.Errorf("at %d: a string was expected", value.at)
		}
		if t.text == nameLabel && op.kind == "=" {
			s.metric = value.text
		} else {
			m, err := newMatcher(t.text, op.kind, value.text)
			if err != nil {
				return nil, fmt.Errorf("at %d: %w", t.at, err)
			}
			s.matchers = append(s.matchers, m)
		}
		if p.peek().kind != "}" {
			if err := p.expect(","); err != nil {
				return nil, err
			}
		}
	}
	if s.metric == "" {
		return nil, fmt.Errorf("a selector without the name of a metric is not known here")
	}
	p.metrics = append(p.metrics, s.metric)
	return s, nil
}

func newMatcher(label, op, value string) (matcher, error) {
	m := matcher{label: label, op: op, value: value}
	switch op {
	case "=", "!=":
		return m, nil
	case "=~", "!~":
		var err error
		m.pattern, err = regexp.Compile("^(?s:" + value + ")$")
		return m, err
	}
	return m, fmt.Errorf("%q is no operator of a selector", op)
}

// labelList reads (a, b).
func (p *parser) labelList() ([]string, error) {
	labels := []string{}
	if err := p.expect("("); err != nil {
		return nil, err
	}
	for !p.accept(")") {
		t := p.next()
		if t.kind != "name" {
			return nil, fmt.Errorf("at %d: a label was expected", t.at)
		}
		labels = append(labels, t.text)
		if p.peek().kind != ")" {
			if err := p.expect(","); err != nil {
				return nil, err
			}
		}
	}
	return labels, nil
}

// arguments read (a, b) of expressions.
func (p *parser) arguments() ([]node, error) {
	var args []node
	if err := p.expect("("); err != nil {
		return nil, err
	}
	for !p.accept(")") {
		n, err := p.binary(0)
		if err != nil {
			return nil, err
		}
		args = append(args, n)
		if p.peek().kind != ")" {
			if err := p.expect(","); err != nil {
				return nil, err
			}
		}
	}
	return args, nil
}

// aggregation reads by and without on either side of the arguments.
func (p *parser) aggregation(op string) (node, error) {
	a := &aggregateNode{op: op}
	grouping := func() (err error) {
		switch {
		case a.labels != nil:
			return nil
		case p.word("by"):
			a.labels, err = p.labelList()
		case p.word("without"):
			a.without = true
			a.labels, err = p.labelList()
		}
		return err
	}
	if err := grouping(); err != nil {
		return nil, err
	}
	args, err := p.arguments()
	if err != nil {
		return nil, err
	}
	if err := grouping(); err != nil {
		return nil, err
	}
	if op == "quantile" || op == "topk" || op == "bottomk" {
		if len(args) != 2 || args[0].kind() != kindScalar {
			return nil, fmt.Errorf("%s takes a number and a vector", op)
		}
		a.parameter, args = args[0], args[1:]
	}
	if len(args) != 1 || args[0].kind() != kindVector {
		return nil, fmt.Errorf("%s takes a vector", op)
	}
	a.of = args[0]
	return a, nil
}

func (p *parser) call(name string) (node, error) {
	f, ok := functions()[name]
	if !ok {
		return nil, fmt.Errorf("the function %s is not known here", name)
	}
	args, err := p.arguments()
	if err != nil {
		return nil, err
	}
	if len(args) < f.least || len(args) > len(f.takes) {
		return nil, fmt.Errorf("%s takes %v, not %d arguments", name, f.takes, len(args))
	}
	for i, a := range args {
		if a.kind() != f.takes[i] {
			return nil, fmt.Errorf("%s takes %v: argument %d is a %s", name, f.takes, i+1, a.kind())
		}
	}
	return &callNode{function: f, args: args}, nil
}
