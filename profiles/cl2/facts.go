package cl2

import (
	"maps"
	"slices"
	"text/template/parse"
)

// facts are what can be told of a template without executing it: also of the branches that are not taken.
type facts struct {
	reads     map[string]bool  // the variables that it reads from outside: .NAME
	functions map[string][]int // where in the source each function is called
	unused    []definition     // {{$x := …}} that nothing reads
}

// definition is where a variable of a template is defined.
type definition struct {
	name string
	at   int
	used bool
}

// gather looks through the trees of a file; shift is by how much its positions are ahead of the source.
func gather(trees map[string]*parse.Tree, shift int) facts {
	g := &gatherer{shift: shift, facts: facts{reads: map[string]bool{}, functions: map[string][]int{}}}
	for _, name := range slices.Sorted(maps.Keys(trees)) {
		g.scope = nil
		g.list(trees[name].Root)
		g.leave(0)
	}
	slices.SortFunc(g.facts.unused, func(a, b definition) int { return a.at - b.at })
	return g.facts
}

// gatherer walks through a tree with the variables in scope, the last one of a name hiding those before.
type gatherer struct {
	shift int
	scope []*definition
	facts facts
}

// leave ends the scopes of all variables but the first n.
func (g *gatherer) leave(n int) {
	for _, d := range g.scope[n:] {
		if !d.used && d.at >= 0 {
			g.facts.unused = append(g.facts.unused, *d)
		}
	}
	g.scope = g.scope[:n]
}

func (g *gatherer) list(list *parse.ListNode) {
	if list == nil {
		return
	}
	for _, n := range list.Nodes {
		switch n := n.(type) {
		case *parse.ActionNode:
			g.pipe(n.Pipe, true)
		case *parse.IfNode:
			g.branch(&n.BranchNode, true)
		case *parse.WithNode:
			g.branch(&n.BranchNode, true)
		case *parse.RangeNode:
			g.branch(&n.BranchNode, false)
		case *parse.TemplateNode:
			if n.Pipe != nil {
				g.pipe(n.Pipe, true)
			}
		}
	}
}

// branch is an if, with or range. Nobody needs to read the variables of a range: some want only its turns.
func (g *gatherer) branch(n *parse.BranchNode, report bool) {
	outer := len(g.scope)
	g.pipe(n.Pipe, report)
	inner := len(g.scope)
	g.list(n.List)
	g.leave(inner)
	g.list(n.ElseList)
	g.leave(outer)
}

func (g *gatherer) pipe(pipe *parse.PipeNode, report bool) {
	if pipe == nil {
		return
	}
	for _, command := range pipe.Cmds {
		g.command(command)
	}
	if pipe.IsAssign {
		return // {{$x = …}} gives a value to a variable that is there, and reads nothing
	}
	for _, v := range pipe.Decl {
		d := &definition{name: v.Ident[0], at: int(v.Pos) - g.shift}
		if !report {
			d.at = -1
		}
		g.scope = append(g.scope, d)
	}
}

func (g *gatherer) command(c *parse.CommandNode) {
	for i, arg := range c.Args {
		g.argument(arg)
		if f, ok := c.Args[0].(*parse.IdentifierNode); ok && f.Ident == "index" && i > 0 {
			if text, ok := arg.(*parse.StringNode); ok { // index . "NAME"
				g.facts.reads[text.Text] = true
			}
		}
	}
}

func (g *gatherer) argument(n parse.Node) {
	switch n := n.(type) {
	case *parse.IdentifierNode:
		g.facts.functions[n.Ident] = append(g.facts.functions[n.Ident], int(n.Pos)-g.shift)
	case *parse.FieldNode:
		g.facts.reads[n.Ident[0]] = true
	case *parse.VariableNode:
		g.variable(n)
	case *parse.ChainNode:
		g.argument(n.Node)
	case *parse.PipeNode:
		g.pipe(n, true)
	}
}

func (g *gatherer) variable(n *parse.VariableNode) {
	if n.Ident[0] == "$" {
		if len(n.Ident) > 1 {
			g.facts.reads[n.Ident[1]] = true
		}
		return
	}
	for _, d := range slices.Backward(g.scope) {
		if d.name == n.Ident[0] {
			d.used = true
			return
		}
	}
}
