package stages

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"text/template"
	"text/template/parse"

	"sigs.k8s.io/yaml"
)

// renderer renders the templates of one stage. A template's functions know the scope that they are called in; since text/template
// binds functions to a template and not to a call, there are as many copies of the templates as are rendered at once.
type renderer struct {
	roots  []*template.Template // each by itself: what one defines is not the other's
	writes bool                 // a template changes what it is given, so that it needs a copy of the object
	copies sync.Pool            // *bound
}

// bound is a copy of the templates with its scope.
type bound struct {
	scope     Scope
	templates []*template.Template
	out       bytes.Buffer
}

func newRenderer() *renderer {
	r := &renderer{}
	r.copies.New = func() any {
		b := &bound{}
		known := functions(&b.scope)
		for _, root := range r.roots {
			clone, err := root.Clone()
			if err != nil {
				return fmt.Errorf("copy a template: %w", err)
			}
			b.templates = append(b.templates, clone.Funcs(known))
		}
		return b
	}
	return r
}

// add parses a template and gives its number.
func (r *renderer) add(text string) (int, error) {
	t, err := template.New("template").Funcs(functions(&Scope{})).Parse(strings.TrimSpace(text))
	if err != nil {
		return 0, err
	}
	for _, defined := range t.Templates() {
		r.writes = r.writes || calls(defined.Root, changing())
	}
	r.roots = append(r.roots, t)
	return len(r.roots) - 1, nil
}

// json renders a template and turns the YAML that it gives into JSON.
func (r *renderer) json(number int, object map[string]any, scope Scope) ([]byte, error) {
	b, done, err := r.bind(scope)
	if err != nil {
		return nil, err
	}
	defer done()
	b.out.Reset()
	if r.writes {
		object = copied(object).(map[string]any)
	}
	if err := b.templates[number].Execute(&b.out, object); err != nil {
		return nil, fmt.Errorf("render: %w", err)
	}
	return toJSON(b.out.Bytes())
}

// toJSON turns what a template gave into JSON. Four fifths of the cost of a transition is reading YAML, so what is JSON already is
// taken as it is.
func toJSON(text []byte) ([]byte, error) {
	if text = bytes.TrimSpace(text); len(text) > 0 && (text[0] == '{' || text[0] == '[') {
		var compact bytes.Buffer
		if json.Compact(&compact, text) == nil {
			return compact.Bytes(), nil
		}
	}
	body, err := yaml.YAMLToJSON(text)
	if err != nil {
		return nil, fmt.Errorf("the template gives no YAML: %w, in\n%s", err, text)
	}
	return body, nil
}

// bind gives a copy of the templates whose functions know the scope, and what to call when it is no longer used.
func (r *renderer) bind(scope Scope) (b *bound, done func(), err error) {
	got := r.copies.Get()
	b, ok := got.(*bound)
	if !ok {
		return nil, nil, got.(error)
	}
	b.scope = scope
	if !scope.Placeholders {
		return b, func() { r.copies.Put(b) }, nil
	}
	for _, t := range b.templates {
		t.Funcs(placeholders())
	}
	return b, func() {}, nil // its functions are not those of the others any more
}

// calls tells whether a template calls one of the functions.
func calls(n parse.Node, names []string) bool {
	found := false
	visit(n, func(n parse.Node) {
		if id, ok := n.(*parse.IdentifierNode); ok && slices.Contains(names, id.Ident) {
			found = true
		}
	})
	return found
}

// visit walks a template's tree.
func visit(n parse.Node, do func(parse.Node)) {
	do(n)
	branch := func(b parse.BranchNode) {
		visit(b.Pipe, do)
		visitList(b.List, do)
		visitList(b.ElseList, do)
	}
	switch n := n.(type) {
	case *parse.ListNode:
		visitList(n, do)
	case *parse.ActionNode:
		visit(n.Pipe, do)
	case *parse.PipeNode:
		for _, c := range n.Cmds {
			visit(c, do)
		}
	case *parse.CommandNode:
		for _, a := range n.Args {
			visit(a, do)
		}
	case *parse.ChainNode:
		visit(n.Node, do)
	case *parse.IfNode:
		branch(n.BranchNode)
	case *parse.RangeNode:
		branch(n.BranchNode)
	case *parse.WithNode:
		branch(n.BranchNode)
	case *parse.TemplateNode:
		if n.Pipe != nil {
			visit(n.Pipe, do)
		}
	}
}

func visitList(l *parse.ListNode, do func(parse.Node)) {
	if l == nil {
		return
	}
	for _, n := range l.Nodes {
		visit(n, do)
	}
}

// copied is a deep copy of a JSON value.
func copied(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, value := range v {
			out[key] = copied(value)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, value := range v {
			out[i] = copied(value)
		}
		return out
	}
	return v
}
