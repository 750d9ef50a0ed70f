package slo

import (
	"fmt"
	"slices"
	"strconv"
)

// The syntax, where [] may be missing and … repeats:
//
//	objective = term [ comparison quantity ]
//	term      = function "(" argument [ "," argument ] … ")" [ "by" "(" label [ "," label ] … ")" ]
//	argument  = quantity | selector | objective
//	selector  = metric [ "{" label ( "=" | "!=" | "=~" | "!~" ) text [ "," … ] "}" ]
//	quantity  = number [ unit ]

// objective is a term that may be compared with a limit.
type objective struct {
	span
	term       term
	comparison string // <=, <, >=, >, == or !=; empty: it is not compared
	limit      quantity
}

// term is a call of a function.
type term struct {
	span
	name      token
	arguments []argument
	by        []token
}

// argument is exactly one of its fields.
type argument struct {
	span
	quantity  *quantity
	selector  *selector
	objective *objective
}

// selector picks series of a metric.
type selector struct {
	span
	metric   token
	matchers []matcher
}

// matcher compares the value of a label.
type matcher struct {
	label, operator, value token
}

// quantity is a number with its unit as written.
type quantity struct {
	span
	number float64
	unit   string // empty: none
}

// parser reads one expression; it stops at the first mistake of syntax.
type parser struct {
	lexer lexer
	token token // the next one
	err   *mistake
}

// parse reads an expression.
func parse(text string) (objective, *mistake) {
	p := &parser{lexer: lexer{in: []rune(text)}}
	p.advance()
	o := p.objective()
	if p.err == nil && p.token.kind != "" {
		p.byIsEarlier()
		p.fail("take it away", "%q is too much: the expression ends before it", p.token.text)
	}
	return o, p.err
}

func (p *parser) fail(hint, format string, args ...any) {
	if p.err == nil {
		p.err = &mistake{p.token.span, fmt.Sprintf(format, args...), hint}
	}
}

// advance returns the present token and reads the next. After a mistake there are no more.
func (p *parser) advance() token {
	was := p.token
	if p.err == nil {
		if p.token, p.err = p.lexer.token(); p.err == nil {
			return was
		}
	}
	p.token = token{span: p.token.span}
	return was
}

func (p *parser) expect(kind, what string) token {
	if p.token.kind == kind {
		return p.advance()
	}
	if p.token.kind == "" {
		p.fail("", "the expression ends where %s is expected", what)
	} else {
		p.fail("", "%q stands where %s is expected", p.token.text, what)
	}
	return token{span: p.token.span}
}

// since is a span from its begin up to the token before the present one.
func (p *parser) since(begin int) span {
	end := p.token.at
	for end > begin && p.lexer.in[end-1] == ' ' {
		end--
	}
	return span{begin, max(end-begin, 1)}
}

func comparisons() []string { return []string{"<=", "<", ">=", ">", "==", "!="} }

func (p *parser) objective() objective {
	begin := p.token.at
	o := objective{term: p.term()}
	if slices.Contains(comparisons(), p.token.kind) {
		o.comparison = p.advance().kind
		o.limit = p.quantity()
	} else if p.token.kind == "=" {
		p.fail("write == to compare", "a single = compares nothing")
	}
	o.span = p.since(begin)
	return o
}

func (p *parser) term() term {
	begin := p.token.at
	return p.call(p.expect("word", "a function"), begin)
}

func (p *parser) call(name token, begin int) term {
	t := term{name: name}
	if _, isMetric := metricNamed(name.text); isMetric && p.token.kind != "(" {
		p.token = name
		p.fail("write a function around it, such as quantile(0.99, "+name.text+")", "%s is a metric, not a function", name.text)
	}
	p.expect("(", "( and the function's arguments")
	for p.err == nil {
		t.arguments = append(t.arguments, p.argument())
		if p.token.kind != "," {
			break
		}
		p.advance()
	}
	p.expect(")", "a comma or )")
	if p.token.kind == "word" && p.token.text == "by" {
		p.advance()
		p.expect("(", "( and labels")
		for p.err == nil {
			t.by = append(t.by, p.expect("word", "a label"))
			if p.token.kind != "," {
				break
			}
			p.advance()
		}
		p.expect(")", "a comma or )")
	}
	t.span = p.since(begin)
	return t
}

func (p *parser) argument() argument {
	begin := p.token.at
	var a argument
	switch p.token.kind {
	case "number":
		q := p.quantity()
		a.quantity = &q
	case "word":
		name := p.advance()
		if p.token.kind == "(" {
			o := objective{term: p.call(name, begin)}
			if slices.Contains(comparisons(), p.token.kind) {
				o.comparison = p.advance().kind
				o.limit = p.quantity()
			}
			o.span = p.since(begin)
			a.objective = &o
			break
		}
		s := p.selector(name)
		a.selector = &s
	case ")":
		p.fail("", "an argument is missing")
	default:
		p.expect("word", "a metric or a number")
	}
	a.span = p.since(begin)
	return a
}

func (p *parser) selector(metric token) selector {
	s := selector{metric: metric}
	if p.token.kind == "{" {
		p.advance()
		for p.err == nil && p.token.kind != "}" {
			m := matcher{label: p.expect("word", "a label")}
			switch p.token.kind {
			case "=", "!=", "=~", "!~":
				m.operator = p.advance()
			case "==":
				p.fail("write a single = after a label", "== compares quantities, not labels")
			default:
				p.expect("=", "=, !=, =~ or !~")
			}
			if p.token.kind == "word" {
				p.fail(fmt.Sprintf("write %q", p.token.text), "the value of a label is a text in quotes")
			}
			m.value = p.expect("text", "a text in quotes")
			s.matchers = append(s.matchers, m)
			if p.token.kind != "," {
				break
			}
			p.advance()
		}
		p.expect("}", "a comma or }")
	}
	s.span = p.since(metric.at)
	return s
}

// byIsEarlier reports a by that stands behind the limit.
func (p *parser) byIsEarlier() {
	if p.token.kind == "word" && p.token.text == "by" {
		p.fail("write it behind the function's arguments: rate(requests) by (verb) >= 10/s", "by (…) stands before the comparison")
	}
}

// quantity reads a number and the unit behind it: a word, %, or / and a word.
func (p *parser) quantity() quantity {
	begin := p.token.at
	n := p.expect("number", "a number")
	q := quantity{}
	if p.err == nil {
		number, err := strconv.ParseFloat(n.text, 64)
		if err != nil {
			p.token = n
			p.fail("", "%s is not a number", n.text)
		}
		q.number = number
	}
	switch {
	case p.token.text == "by" && p.token.kind == "word":
		p.byIsEarlier()
	case p.token.kind == "%", p.token.kind == "word":
		q.unit = p.advance().text
	case p.token.kind == "/":
		p.advance()
		q.unit = "/" + p.expect("word", "s, as in 10/s").text
	}
	q.span = p.since(begin)
	return q
}
