package cl2

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/template"
	"text/template/parse"

	"windtunnel/profiles"
)

// templates executes the templates of one test. It is not for concurrent use.
type templates struct {
	files      *files
	seed       uint64
	includeDir string
	env        func(string) string
	random     *rand.Rand // of the rendering under way
	sketch     bool       // random texts are not made
	parsed     map[*file]*parsed
}

func (s *templates) expand(text string) string { return os.Expand(text, s.env) }

// parsed is a file as a template.
type parsed struct {
	file     *file
	executor *template.Template
	facts    facts
	// starts are the first bytes of the pieces of text in the tree, and of the marks before the actions, with their place in the
	// source: what the executor writes is told apart by them.
	starts map[*byte]start
	broken []finding
}

// start is where in the source the writing of a node begins.
type start struct {
	at     int
	marker bool // of an action: nothing of it is to be seen
}

// finding is a mistake in a template.
type finding struct {
	at            place
	message, hint string
}

// parse reads a file as a template, with every mistake that can be told without executing it.
func (s *templates) parse(f *file) *parsed {
	if p, ok := s.parsed[f]; ok {
		return p
	}
	p := &parsed{file: f, starts: map[*byte]start{}}
	s.parsed[f] = p
	trees, shift := p.trees()
	if trees == nil {
		return p
	}
	p.facts = gather(trees, shift)
	known := s.functions()
	names := append(slices.Sorted(maps.Keys(known)), builtins()...)
	known[unknownFunction] = func(...any) any { return unknown{} }
	for name, at := range p.facts.functions {
		if slices.Contains(names, name) || name == unknownFunction {
			continue
		}
		known[name] = known[unknownFunction]
		for _, offset := range at {
			p.broken = append(p.broken, finding{f.at(offset, len(name)), fmt.Sprintf("there is no function %s", name), profiles.Suggest(name, names)})
		}
	}
	p.executor = template.New(f.path).Funcs(known)
	for name, tree := range trees {
		p.mark(tree.Root, shift)
		if _, err := p.executor.AddParseTree(name, tree); err != nil {
			p.broken = append(p.broken, finding{f.at(0, 1), err.Error(), ""})
		}
	}
	return p
}

// builtins are the functions of the template language itself.
func builtins() []string {
	return []string{"and", "break", "call", "continue", "eq", "ge", "gt", "html", "index", "js", "le", "len", "lt", "ne", "not", "or", "print", "printf", "println", "slice", "urlquery"}
}

var (
	parseError        = regexp.MustCompile(`^template: .*?:(\d+): `)
	undefinedVariable = regexp.MustCompile(`undefined variable "(\$\w+)"`)
)

// unknown stands for what a variable or function would have given that is not defined, so that the rest of the file can be
// looked at. A test with one in it is never run.
type unknown struct{}

// String is what a template prints of it.
func (unknown) String() string { return unknownText }

const (
	noValue         = "<no value>" // what a template prints for a variable that nobody has set
	unknownText     = "<not defined>"
	unknownFunction = "windtunnelUnknown"
)

// trees parses the file. A variable that is not defined ends the parser's work, so it is reported and defined in front of the
// file, and the file is parsed again: shift is how many bytes were put in front.
func (p *parsed) trees() (trees map[string]*parse.Tree, shift int) {
	prefix := ""
	for {
		trees = map[string]*parse.Tree{}
		tree := parse.New(p.file.path)
		tree.Mode = parse.SkipFuncCheck // all functions that there are not, and not only the first
		_, err := tree.Parse(prefix+string(p.file.data), "", "", trees)
		if err == nil {
			trees[p.file.path] = tree
			return trees, len(prefix)
		}
		message, line := parseError.ReplaceAllString(err.Error(), ""), 1
		if m := parseError.FindStringSubmatch(err.Error()); m != nil {
			line, _ = strconv.Atoi(m[1])
		}
		m := undefinedVariable.FindStringSubmatch(message)
		if m == nil {
			p.broken = append(p.broken, finding{p.word(line, ""), "template: " + message, ""})
			return nil, 0
		}
		name := m[1]
		definition := "{{" + name + " := " + unknownFunction + "}}"
		if strings.Contains(prefix, definition) { // in a {{define}}, which sees no variables of the file
			return nil, 0
		}
		p.broken = append(p.broken, finding{p.word(line, name), fmt.Sprintf("the variable %s is not defined", name), "define it above, as in {{" + name + " := …}}"})
		prefix += definition
	}
}

// word is the place of a word in a line, or of the first action of the line.
func (p *parsed) word(line int, word string) place {
	if line < 1 || line > len(p.file.lines) {
		return p.file.at(len(p.file.data), 1)
	}
	begin := p.file.lines[line-1]
	rest := p.file.data[begin:]
	if i := bytes.IndexByte(rest, '\n'); i >= 0 {
		rest = rest[:i]
	}
	if word != "" {
		if at := regexp.MustCompile(regexp.QuoteMeta(word) + `\b`).FindIndex(rest); at != nil {
			return p.file.at(begin+at[0], len(word))
		}
	}
	if i := bytes.Index(rest, []byte("{{")); i >= 0 {
		return p.file.action(begin + i + 2)
	}
	return p.file.at(begin, 1)
}

// mark notes where each piece of text was written and puts a mark before each action that prints.
func (p *parsed) mark(list *parse.ListNode, shift int) {
	if list == nil {
		return
	}
	var nodes []parse.Node
	marker := func(n parse.Node) {
		text := []byte{0}
		p.starts[&text[0]] = start{at: int(n.Position()) - shift, marker: true}
		nodes = append(nodes, &parse.TextNode{NodeType: parse.NodeText, Pos: n.Position(), Text: text})
	}
	for _, node := range list.Nodes {
		switch n := node.(type) {
		case *parse.TextNode:
			if len(n.Text) > 0 {
				p.starts[&n.Text[0]] = start{at: int(n.Pos) - shift}
			}
		case *parse.ActionNode:
			if len(n.Pipe.Decl) == 0 {
				marker(n)
			}
		case *parse.IfNode:
			p.mark(n.List, shift)
			p.mark(n.ElseList, shift)
		case *parse.WithNode:
			p.mark(n.List, shift)
			p.mark(n.ElseList, shift)
		case *parse.RangeNode:
			p.mark(n.List, shift)
			p.mark(n.ElseList, shift)
			text := []byte{0} // of every turn: the writer counts them
			p.starts[&text[0]] = start{at: int(n.Pos) - shift, marker: true}
			n.List.Nodes = append([]parse.Node{&parse.TextNode{NodeType: parse.NodeText, Pos: n.Pos, Text: text}}, n.List.Nodes...)
		}
		nodes = append(nodes, node)
	}
	list.Nodes = nodes
}

// rendered is the text that a template made, with the way back to the source.
type rendered struct {
	file   *file
	text   []byte
	pieces []piece
}

// piece is a part of the text that comes from one place.
type piece struct {
	out, at  int
	verbatim bool // as it stands in the source; otherwise what an action printed
}

var execError = regexp.MustCompile(`^template: .*?:(\d+):(\d+): (?:executing ".*?" at (<.*?>): )?`)

// execute renders a template with its variables. The error has a place in it (a *templateError).
func (s *templates) execute(p *parsed, variables map[string]any, what ...string) (*rendered, error) {
	if p.executor == nil {
		return nil, errors.New("the template cannot be parsed")
	}
	s.random = source(s.seed, what...)
	w := &tracer{starts: p.starts}
	err := p.executor.Execute(w, variables)
	r := &rendered{file: p.file, text: w.out, pieces: w.pieces}
	if err == nil {
		return r, nil
	}
	message, at := err.Error(), w.at
	location := p.file.action(at)
	if m := execError.FindStringSubmatch(message); m != nil {
		line, _ := strconv.Atoi(m[1])
		column, _ := strconv.Atoi(m[2])
		if line >= 1 && line <= len(p.file.lines) {
			location = p.file.action(p.file.lines[line-1] + column)
		}
		message = message[len(m[0]):]
	}
	return r, &templateError{at: location, message: message}
}

// templateError is what stopped a template.
type templateError struct {
	at      place
	message string
}

func (e *templateError) Error() string {
	return fmt.Sprintf("%s:%d:%d: template: %s", e.at.file.path, e.at.line, e.at.column, e.message)
}

// Bounds of one rendering.
const (
	longestText  = 64 << 20
	mostWritings = 1 << 24
)

// tracer takes what a template writes and notes where it comes from. The executor hands over each piece of text as the very
// slice that stands in the tree, so that its first byte's address says which one it is.
type tracer struct {
	starts map[*byte]start
	out    []byte
	pieces []piece
	at     int // of the action under way
	writes int
}

func (w *tracer) Write(text []byte) (int, error) {
	w.writes++
	switch {
	case w.writes > mostWritings, len(w.out)+len(text) > longestText:
		return 0, fmt.Errorf("the template writes too much: more than %d bytes or %d pieces", longestText, mostWritings)
	case len(text) == 0:
		return 0, nil
	}
	from, known := w.starts[&text[0]]
	switch {
	case known && from.marker:
		w.at = from.at
		return len(text), nil
	case known:
		w.pieces = append(w.pieces, piece{out: len(w.out), at: from.at, verbatim: true})
	default:
		w.pieces = append(w.pieces, piece{out: len(w.out), at: w.at})
	}
	w.out = append(w.out, text...)
	return len(text), nil
}
