package promql

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

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
