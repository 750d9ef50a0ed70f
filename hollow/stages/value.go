package stages

import (
	"maps"
	"math"
	"slices"
	"strconv"

	"github.com/itchyny/gojq"
)

// query is a jq expression, as a lookup where it is a simple one.
type query struct {
	lookup  lookup
	program *gojq.Code // nil for a lookup
}

func newQuery(text string) (query, error) {
	parsed, err := gojq.Parse(text)
	if err != nil {
		return query{}, err
	}
	if l, ok := simple(parsed); ok {
		return query{lookup: l}, nil
	}
	code, err := gojq.Compile(parsed)
	return query{program: code}, err
}

// each hands the values that are not null to use. It is false when jq fails, which counts as no values at all, also those
// that it had given before; callers then forget what they were handed.
func (q query) each(object *view, use func(any)) bool {
	if q.program == nil {
		return q.lookup.each(object.value, func(v any) {
			if v != nil {
				use(v)
			}
		})
	}
	for iter := q.program.Run(object.forJQ()); ; {
		v, more := iter.Next()
		if !more {
			return true
		}
		if _, failed := v.(error); failed {
			return false
		}
		if v != nil {
			use(v)
		}
	}
}

// first is the first value that is not null.
func (q query) first(object *view) (value any, ok bool) {
	if fine := q.each(object, func(v any) {
		if !ok {
			value, ok = v, true
		}
	}); !fine {
		return nil, false
	}
	return value, ok
}

// view is an object while stages look at it, with the copies that jq needs, made once.
type view struct {
	value map[string]any
	jq    any
}

// forJQ is a copy of the object: jq's numbers are int and float64, and gojq turns others into these in place.
func (v *view) forJQ() any {
	if v.jq == nil {
		v.jq = copyForJQ(v.value)
	}
	return v.jq
}

func copyForJQ(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, value := range v {
			out[key] = copyForJQ(value)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, value := range v {
			out[i] = copyForJQ(value)
		}
		return out
	case int64:
		return int(v)
	}
	return v
}

// text is how a value is compared with the values of a requirement: a text as it is, a boolean or a whole number as JSON
// writes it. Other values equal nothing.
func text(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case bool:
		return strconv.FormatBool(v), true
	case int:
		return strconv.Itoa(v), true
	case int64:
		return strconv.FormatInt(v, 10), true
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
			return strconv.FormatInt(int64(v), 10), true
		}
	}
	return "", false
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
