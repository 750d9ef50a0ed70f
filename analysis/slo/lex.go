package slo

import (
	"strings"
	"unicode"
)

// span is where something stands in an expression, in characters from 0.
type span struct{ at, width int }

// mistake is one thing that is wrong with an expression.
type mistake struct {
	span
	message, hint string
}

// token is a word, number, text in quotes, sign or comparison; the end has the kind "".
type token struct {
	span
	kind string // word, number, text, or the sign itself
	text string // of a text without its quotes
}

// lexer cuts an expression into tokens.
type lexer struct {
	in   []rune
	next int
}

func (l *lexer) token() (token, *mistake) {
	for l.next < len(l.in) && unicode.IsSpace(l.in[l.next]) {
		l.next++
	}
	if l.next == len(l.in) {
		return token{span: span{len(l.in), 1}}, nil
	}
	begin, first := l.next, l.in[l.next]
	taken := func(kind string) token {
		return token{span{begin, l.next - begin}, kind, string(l.in[begin:l.next])}
	}
	switch {
	case unicode.IsLetter(first) || first == '_':
		l.skip(func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_' })
		return taken("word"), nil
	case unicode.IsDigit(first) || first == '.' || first == '-':
		l.next++
		l.skip(func(r rune) bool { return unicode.IsDigit(r) || r == '.' })
		return taken("number"), nil
	case first == '"' || first == '\'':
		return l.text(first)
	}
	for _, sign := range []string{"<=", ">=", "==", "!=", "=~", "!~", "<", ">", "=", "(", ")", "{", "}", ",", "%", "/"} {
		if strings.HasPrefix(string(l.in[begin:min(begin+2, len(l.in))]), sign) {
			l.next += len(sign)
			return taken(sign), nil
		}
	}
	return token{}, &mistake{span{begin, 1}, "the character " + string(first) + " has no meaning here", ""}
}

func (l *lexer) skip(while func(rune) bool) {
	for l.next < len(l.in) && while(l.in[l.next]) {
		l.next++
	}
}

// text reads a text in quotes, in which a backslash has no meaning of its own: it belongs to the regular expression.
func (l *lexer) text(quote rune) (token, *mistake) {
	begin := l.next
	l.next++
	l.skip(func(r rune) bool { return r != quote })
	if l.next == len(l.in) {
		return token{}, &mistake{span{begin, 1}, "this quote is not closed", ""}
	}
	l.next++
	return token{span{begin, l.next - begin}, "text", string(l.in[begin+1 : l.next-1])}, nil
}
