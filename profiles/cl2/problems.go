package cl2

import (
	"cmp"
	"slices"

	"windtunnel/profiles"
)

// problems collects what is found in all files of a test. A module that is used several times brings the same mistake each time;
// it is reported once.
type problems struct {
	list []profiles.Problem
	seen map[profiles.Problem]bool
	bad  map[*node]bool // the values that could not be read: nothing more is to be said of them
}

// reject reports a value that cannot be read.
func (p *problems) reject(n *node, path, hint, format string, args ...any) {
	if p.bad == nil {
		p.bad = map[*node]bool{}
	}
	p.bad[n] = true
	p.add(n.at, path, hint, format, args...)
}

func (p *problems) add(at place, path, hint, format string, args ...any) {
	p.put(at.problem(path, hint, format, args...))
}

// warn reports what works but is hardly what was meant.
func (p *problems) warn(at place, path, hint, format string, args ...any) {
	problem := at.problem(path, hint, format, args...)
	problem.Severity = profiles.Warning
	p.put(problem)
}

func (p *problems) put(problem profiles.Problem) {
	if p.seen == nil {
		p.seen = map[profiles.Problem]bool{}
	}
	key := problem
	key.Path = "" // which differs from one use of a module to the next
	if !p.seen[key] {
		p.seen[key] = true
		p.list = append(p.list, problem)
	}
}

// failed tells whether anything was reported that stops.
func (p *problems) failed() bool {
	return slices.ContainsFunc(p.list, func(problem profiles.Problem) bool { return problem.Severity != profiles.Warning })
}

// sorted are all problems by file, in the order in which the files were read, and by place.
func (p *problems) sorted(rank func(path string) int) []profiles.Problem {
	list := slices.Clone(p.list)
	slices.SortStableFunc(list, func(a, b profiles.Problem) int {
		return cmp.Or(cmp.Compare(rank(a.File), rank(b.File)), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return list
}
