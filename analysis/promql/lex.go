package promql

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// token is a word of the language: a kind, and its text as written, or what a string means.
type token struct {
	kind string // number, string, name, duration, or the operator itself; "" at the end
	text string
	at   int // offset in the query
}

// patterns are what tokens look like, the longer ones first.
type patterns struct{ space, duration, number, name *regexp.Regexp }

func newPatterns() patterns {
	return patterns{
		space:    regexp.MustCompile(`^(\s+|#[^\n]*)+`),
		duration: regexp.MustCompile(`^([0-9]+(ms|[smhdwy]))+`),
		number:   regexp.MustCompile(`^(0[xX][0-9a-fA-F]+|([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?)`),
		name:     regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_:]*`),
	}
}

func operators() []string {
	return []string{"==", "!=", ">=", "<=", "=~", "!~", "=", ">", "<", "+", "-", "*", "/", "%", "^", "(", ")", "{", "}", "[", "]", ",", ":"}
}

// lex cuts a query into tokens.
func lex(text string) ([]token, error) {
	var all []token
	p := newPatterns()
	for at := 0; ; {
		at += len(p.space.FindString(text[at:]))
		rest := text[at:]
		if rest == "" {
			return append(all, token{at: at}), nil
		}
		t := token{at: at}
		switch {
		case strings.ContainsRune("\"'`", rune(rest[0])):
			quoted, value, err := quotedString(rest)
			if err != nil {
				return nil, fmt.Errorf("at %d: %w", at, err)
			}
			all, at = append(all, token{kind: "string", text: value, at: at}), at+len(quoted)
			continue
		case p.name.FindString(rest) != "":
			t.kind, t.text = "name", p.name.FindString(rest)
		case p.duration.FindString(rest) != "":
			t.kind, t.text = "duration", p.duration.FindString(rest)
		case p.number.FindString(rest) != "":
			t.kind, t.text = "number", p.number.FindString(rest)
		default:
			for _, op := range operators() {
				if strings.HasPrefix(rest, op) {
					t.kind, t.text = op, op
					break
				}
			}
		}
		if t.kind == "" {
			return nil, fmt.Errorf("at %d: unexpected %q", at, rest[:1])
		}
		all, at = append(all, t), at+len(t.text)
	}
}

// quotedString reads a string in any of the three kinds of quotes.
func quotedString(text string) (quoted, value string, err error) {
	if text[0] == '\'' { // which Go has only for single letters
		for i := 1; i < len(text); i++ {
			switch text[i] {
			case '\\':
				i++
			case '\'':
				inner := strings.ReplaceAll(strings.ReplaceAll(text[1:i], `\'`, `'`), `"`, `\"`)
				value, err = strconv.Unquote(`"` + inner + `"`)
				return text[:i+1], value, err
			}
		}
		return "", "", fmt.Errorf("a string does not end")
	}
	quoted, err = strconv.QuotedPrefix(text)
	if err != nil {
		return "", "", fmt.Errorf("a string does not end, or has a wrong escape")
	}
	value, err = strconv.Unquote(quoted)
	return quoted, value, err
}

// duration reads 1h30m, in nanoseconds.
func duration(text string) (int64, error) {
	units := map[string]int64{"ms": 1e6, "s": 1e9, "m": 60e9, "h": 3600e9, "d": 86400e9, "w": 7 * 86400e9, "y": 365 * 86400e9}
	var sum int64
	for text != "" {
		digits := 0
		for digits < len(text) && text[digits] >= '0' && text[digits] <= '9' {
			digits++
		}
		letters := digits
		for letters < len(text) && (text[letters] < '0' || text[letters] > '9') {
			letters++
		}
		n, err := strconv.ParseInt(text[:digits], 10, 64)
		unit := units[text[digits:letters]]
		if err != nil || unit == 0 || n > 1<<62/unit {
			return 0, fmt.Errorf("%q is no duration", text)
		}
		sum, text = sum+n*unit, text[letters:]
	}
	if sum <= 0 {
		return 0, fmt.Errorf("a duration must be more than 0")
	}
	return sum, nil
}
