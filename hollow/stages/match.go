package stages

import (
	"fmt"
	"slices"

	"github.com/google/cel-go/cel"
)

// The operators of a requirement.
const (
	opIn           = "In"
	opNotIn        = "NotIn"
	opExists       = "Exists"
	opDoesNotExist = "DoesNotExist"
)

// selector tells which objects a stage is for. All of its parts must hold; one without parts holds for every object.
type selector struct {
	labels       map[string]string
	annotations  map[string]string
	requirements []match
	conditions   []condition
}

// match is a requirement on the values of a jq expression.
type match struct {
	query    query
	operator string
	values   []string
}

// condition is a CEL expression that must be true.
type condition struct {
	program cel.Program
	text    string
}

// matches tells whether an object is selected. An error is that of a CEL expression; jq's count as a value that is not there.
func (s *selector) matches(object *view, at moment) (bool, error) {
	if !hasAll(object.value, "labels", s.labels) || !hasAll(object.value, "annotations", s.annotations) {
		return false, nil
	}
	for i := range s.requirements {
		if !s.requirements[i].holds(object) {
			return false, nil
		}
	}
	for _, c := range s.conditions {
		value, err := evaluate(c.program, object, at)
		if err != nil {
			return false, fmt.Errorf("selector %s: %w", c.text, err)
		}
		holds, ok := value.(bool)
		if !ok {
			return false, fmt.Errorf("selector %s: gives %T, not true or false", c.text, value)
		}
		if !holds {
			return false, nil
		}
	}
	return true, nil
}

// hasAll tells whether a map in the object's metadata has all of the given entries.
func hasAll(object map[string]any, name string, want map[string]string) bool {
	if len(want) == 0 {
		return true
	}
	metadata, _ := object["metadata"].(map[string]any)
	have, _ := metadata[name].(map[string]any)
	for key, value := range want {
		if got, ok := have[key].(string); !ok || got != value {
			return false
		}
	}
	return true
}

// holds judges the values: In wants one of them among its own, Exists wants any.
func (m *match) holds(object *view) bool {
	in, exists := false, false
	fine := m.query.each(object, func(v any) {
		exists = true
		if t, ok := text(v); ok && !in {
			in = slices.Contains(m.values, t)
		}
	})
	if !fine {
		in, exists = false, false
	}
	switch m.operator {
	case opIn:
		return in
	case opNotIn:
		return !in
	case opExists:
		return exists
	}
	return !exists
}
