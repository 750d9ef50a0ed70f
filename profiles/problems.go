package profiles

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Problem is one thing that is wrong with a profile.
type Problem struct {
	// File is the file's name, or --set for a value from the command line. Empty for a profile that was built in Go.
	File string `json:"file,omitempty"`
	// Line and Column count from 1; columns count characters. For --set the line is the number of the flag. 0 is unknown.
	Line   int `json:"line,omitempty"`
	Column int `json:"column,omitempty"`
	// Path is where in the profile it is, such as phases[0].tracks[1].name. Empty for the file as a whole.
	Path string `json:"path,omitempty"`
	// Message says what is wrong.
	Message string `json:"message"`
	// Hint says what to write instead, where that is known.
	Hint string `json:"hint,omitempty"`
	// Severity is empty for what is wrong, and warning for what works but is hardly what was meant.
	Severity Severity `json:"severity,omitempty"`
	// Snippet is the line of the source and, below it, carets under the place.
	Snippet string `json:"snippet,omitempty"`
}

// Severity tells what stops from what does not.
type Severity string

// Warning is the severity of what works but is hardly what was meant.
const Warning Severity = "warning"

// String renders the problem for people, first line first: file:line:column: path: message, then the source line with
// carets, then the hint.
func (p Problem) String() string {
	var b strings.Builder
	if p.File != "" {
		b.WriteString(p.File)
		if p.Line > 0 {
			fmt.Fprintf(&b, ":%d:%d", p.Line, p.Column)
		}
		b.WriteString(": ")
	}
	if p.Severity != "" {
		b.WriteString(string(p.Severity) + ": ")
	}
	if p.Path != "" {
		b.WriteString(p.Path)
		b.WriteString(": ")
	}
	b.WriteString(p.Message)
	if p.Snippet != "" {
		b.WriteByte('\n')
		b.WriteString(p.Snippet)
	}
	if p.Hint != "" {
		indent := strings.Repeat(" ", gutterWidth(p.Snippet))
		fmt.Fprintf(&b, "\n%s= %s", indent, p.Hint)
	}
	return b.String()
}

// gutterWidth is where the snippet's bar stands, so that the hint lines up with it.
func gutterWidth(snippet string) int {
	return max(strings.IndexByte(snippet, '|'), 2)
}

// mostShown bounds what Error prints; List holds them all.
const mostShown = 200

// Problems is everything that is wrong with a profile, by position. It is the error of Load, Validate and Compile.
type Problems struct {
	// List is never empty.
	List []Problem `json:"problems"`
}

// Error prints every problem with its line and hint, and their number.
func (p *Problems) Error() string {
	var b strings.Builder
	for _, problem := range p.List[:min(len(p.List), mostShown)] {
		b.WriteString(problem.String())
		b.WriteString("\n\n")
	}
	if more := len(p.List) - mostShown; more > 0 {
		fmt.Fprintf(&b, "… and %d more\n\n", more)
	}
	b.WriteString(p.total())
	return b.String()
}

// total counts the problems, and the warnings by themselves.
func (p *Problems) total() string {
	warnings := 0
	for _, problem := range p.List {
		if problem.Severity == Warning {
			warnings++
		}
	}
	switch {
	case warnings == 0:
		return counted(len(p.List), "problem")
	case warnings == len(p.List):
		return counted(warnings, "warning")
	}
	return counted(len(p.List)-warnings, "problem") + " and " + counted(warnings, "warning")
}

// counted writes a number with its noun: 1 problem, 2 problems.
func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// findings collects problems. Paths that are known to be bad are kept, so that one mistake is reported once and not
// again by every rule that meets its consequence.
type findings struct {
	list []Problem
	bad  map[string]bool
	// damaged says that values are missing because YAML could not be understood, though its syntax is right.
	damaged bool
}

// add reports a problem at a place, unless the value there is known to be bad. The path may be empty.
func (f *findings) add(at mark, path, hint, message string) {
	if !f.spoilt(path) {
		f.list = append(f.list, at.problem(path, hint, message))
	}
}

// reject reports a value that cannot be used at all: no rule needs to look at it any more.
func (f *findings) reject(at mark, path, hint, message string) {
	f.add(at, path, hint, message)
	f.spoil(path)
}

// spoil says that the value at a path cannot be judged.
func (f *findings) spoil(path string) {
	if f.bad == nil {
		f.bad = map[string]bool{}
	}
	if path != "" {
		f.bad[path] = true
	}
}

// spoilt tells whether the value at a path, or one that it is part of, is known to be bad.
func (f *findings) spoilt(path string) bool {
	for path != "" {
		if f.bad[path] {
			return true
		}
		path = parentPath(path)
	}
	return false
}

// err is the sorted problems, or nil.
func (f *findings) err() error {
	if len(f.list) == 0 {
		return nil
	}
	slices.SortStableFunc(f.list, func(a, b Problem) int {
		fromFlag := func(p Problem) int {
			if p.File == setFile {
				return 1
			}
			return 0
		}
		return cmp.Or(cmp.Compare(fromFlag(a), fromFlag(b)), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return &Problems{List: f.list}
}

// Join adds the problems that an error holds; another kind of error is given back.
func (p *Problems) Join(err error) error {
	var more *Problems
	if err == nil || !errors.As(err, &more) {
		return err
	}
	p.List = append(p.List, more.List...)
	return nil
}
