package stages

import (
	"strconv"

	"github.com/itchyny/gojq"
)

// A lookup is a jq expression of the simple kinds that selectors are made of — a path of fields, list items and whole lists,
// and select(PATH == CONSTANT) between them — as steps that are walked without jq's virtual machine and without memory of
// their own. What is not of these kinds stays a jq program.
type lookup []step

type step struct {
	field string // of a map
	index int    // of a list; negative counts from its end
	kind  stepKind
	where lookup // stepSelect: what is compared
	equal any    // stepSelect: string, bool, int or nil
	not   bool   // stepSelect: must differ
}

type stepKind uint8

const (
	stepField stepKind = iota
	stepIndex
	stepEach
	stepSelect
)

// simple turns a parsed jq expression into a lookup, if it is one.
func simple(q *gojq.Query) (lookup, bool) {
	if q == nil || q.Meta != nil || len(q.Imports)+len(q.FuncDefs)+len(q.Patterns) > 0 {
		return nil, false
	}
	if q.Term != nil {
		return simpleTerm(q.Term)
	}
	if q.Op != gojq.OpPipe {
		return nil, false
	}
	left, ok := simple(q.Left)
	if !ok {
		return nil, false
	}
	right, ok := simple(q.Right)
	return append(left, right...), ok
}

func simpleTerm(t *gojq.Term) (lookup, bool) {
	var steps lookup
	switch t.Type {
	case gojq.TermTypeIdentity:
	case gojq.TermTypeIndex:
		s, ok := simpleIndex(t.Index)
		if !ok {
			return nil, false
		}
		steps = append(steps, s)
	case gojq.TermTypeFunc:
		s, ok := simpleSelect(t.Func)
		if !ok {
			return nil, false
		}
		steps = append(steps, s)
	case gojq.TermTypeQuery:
		inner, ok := simple(t.Query)
		if !ok {
			return nil, false
		}
		steps = inner
	default:
		return nil, false
	}
	for _, suffix := range t.SuffixList {
		switch {
		case suffix.Optional:
			return nil, false
		case suffix.Iter:
			steps = append(steps, step{kind: stepEach})
		default:
			s, ok := simpleIndex(suffix.Index)
			if !ok {
				return nil, false
			}
			steps = append(steps, s)
		}
	}
	return steps, true
}

func simpleIndex(i *gojq.Index) (step, bool) {
	switch {
	case i == nil || i.IsSlice || i.End != nil:
		return step{}, false
	case i.Name != "":
		return step{kind: stepField, field: i.Name}, true
	case i.Str != nil:
		return step{kind: stepField, field: i.Str.Str}, len(i.Str.Queries) == 0
	}
	switch c, ok := constant(i.Start); c := c.(type) {
	case string:
		return step{kind: stepField, field: c}, ok
	case int:
		return step{kind: stepIndex, index: c}, ok
	}
	return step{}, false
}

// simpleSelect is select(PATH == CONSTANT) or select(PATH != CONSTANT), with the sides in either order.
func simpleSelect(f *gojq.Func) (step, bool) {
	if f.Name != "select" || len(f.Args) != 1 || f.Args[0].Op != gojq.OpEq && f.Args[0].Op != gojq.OpNe {
		return step{}, false
	}
	condition := f.Args[0]
	path, value := condition.Left, condition.Right
	if _, ok := constant(path); ok {
		path, value = value, path
	}
	equal, ok := constant(value)
	where, plain := simple(path)
	for _, s := range where {
		plain = plain && (s.kind == stepField || s.kind == stepIndex) // several values would select several times
	}
	return step{kind: stepSelect, where: where, equal: equal, not: condition.Op == gojq.OpNe}, ok && plain
}

// constant is the value of an expression that is a text, a whole number, a boolean or null.
func constant(q *gojq.Query) (any, bool) {
	if q == nil || q.Term == nil || len(q.Term.SuffixList)+len(q.FuncDefs) > 0 {
		return nil, false
	}
	switch t := q.Term; t.Type {
	case gojq.TermTypeString:
		return t.Str.Str, len(t.Str.Queries) == 0
	case gojq.TermTypeNumber:
		n, err := strconv.Atoi(t.Number)
		return n, err == nil
	case gojq.TermTypeUnary:
		n, ok := constant(&gojq.Query{Term: t.Unary.Term})
		value, whole := n.(int)
		return -value, ok && whole && t.Unary.Op == gojq.OpSub
	case gojq.TermTypeTrue, gojq.TermTypeFalse:
		return t.Type == gojq.TermTypeTrue, true
	case gojq.TermTypeNull:
		return nil, true
	}
	return nil, false
}

// each hands the values of the lookup to use, in order, until that returns false. It is false when jq would have failed, as
// a field of a text does: all values then count as not there.
func (l lookup) each(v any, use func(any)) bool {
	for i, s := range l {
		switch s.kind {
		case stepField, stepIndex:
			next, ok := s.get(v)
			if !ok {
				return false
			}
			v = next
		case stepSelect:
			got, ok := s.where.one(v)
			if !ok {
				return false
			}
			if equal(got, s.equal) == s.not {
				return true
			}
		case stepEach:
			return l[i+1:].all(v, use)
		}
	}
	use(v)
	return true
}

// all goes on with every item of a list, or value of a map in the order of its keys as jq has it.
func (l lookup) all(v any, use func(any)) bool {
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			if !l.each(item, use) {
				return false
			}
		}
		return true
	case map[string]any:
		for _, key := range sortedKeys(v) {
			if !l.each(v[key], use) {
				return false
			}
		}
		return true
	}
	return false
}

// one is the value of a lookup of fields and items only.
func (l lookup) one(v any) (any, bool) {
	for _, s := range l {
		next, ok := s.get(v)
		if !ok {
			return nil, false
		}
		v = next
	}
	return v, true
}

// get follows one field or item: of null it is null, of another kind of value it fails.
func (s step) get(v any) (any, bool) {
	switch v := v.(type) {
	case nil:
		return nil, true
	case map[string]any:
		return v[s.field], s.kind == stepField
	case []any:
		if i, there := s.within(len(v)); there {
			return v[i], s.kind == stepIndex
		}
		return nil, s.kind == stepIndex
	case string: // jq 1.8 gives the character
		if s.kind != stepIndex {
			return nil, false
		}
		runes := []rune(v)
		if i, there := s.within(len(runes)); there {
			return string(runes[i]), true
		}
		return nil, true
	}
	return nil, false
}

// within is the index in a list of n items.
func (s step) within(n int) (int, bool) {
	i := s.index
	if i < 0 {
		i += n
	}
	return i, i >= 0 && i < n
}

// equal compares a value of an object with a constant of an expression.
func equal(v, constant any) bool {
	if want, ok := constant.(int); ok {
		switch n := v.(type) {
		case int64:
			return n == int64(want)
		case float64:
			return n == float64(want)
		case int:
			return n == want
		}
		return false
	}
	switch v.(type) {
	case nil, string, bool:
		return v == constant
	}
	return false
}
