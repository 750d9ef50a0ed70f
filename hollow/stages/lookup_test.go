package stages

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/itchyny/gojq"
	"pgregory.net/rapid"
)

// byJQ is what jq itself gives: the values that are not null, or failure.
func byJQ(t *testing.T, text string, object any) (values []any, ok bool) {
	t.Helper()
	parsed, err := gojq.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	code, err := gojq.Compile(parsed)
	if err != nil {
		t.Fatal(err)
	}
	for iter := code.Run(copyForJQ(object)); ; {
		v, more := iter.Next()
		if !more {
			return values, true
		}
		if _, failed := v.(error); failed {
			return nil, false
		}
		if v != nil {
			values = append(values, v)
		}
	}
}

func simplePaths() []string {
	return []string{
		`.`, `.a`, `.a.b`, `.a["b"]`, `."a".b`, `.a[0]`, `.a[-1].b`, `.a[]`, `.a[].b`, `.a.[].b`, `.[]`, `.[][]`, `(.a).b`, `.a | .b`,
		`.a[] | select(.b == "x") | .c`, `.a.[] | select( .b != "x" ) | .c`, `.a[] | select("x" == .b).c`, `.a[] | select(.b == 1)`,
		`.a[] | select(.b == null) | .c`, `.a[] | select(.b == true) | .c`, `select(.a == "x")`, `.a[] | select(.b.c == "x") | .[]`,
	}
}

// TestLookupIsJQ: a lookup gives what jq gives, for objects of every shape.
func TestLookupIsJQ(t *testing.T) {
	leaf := rapid.OneOf(rapid.Just[any](nil), rapid.Just[any]("x"), rapid.Just[any]("y"), rapid.Just[any](int64(1)), rapid.Just[any](1.5), rapid.Just[any](true))
	var tree func(depth int) *rapid.Generator[any]
	tree = func(depth int) *rapid.Generator[any] {
		if depth == 0 {
			return leaf
		}
		key := rapid.SampledFrom([]string{"a", "b", "c"})
		return rapid.OneOf(leaf,
			rapid.Map(rapid.MapOfN(key, tree(depth-1), 0, 3), func(m map[string]any) any { return m }),
			rapid.Map(rapid.SliceOfN(tree(depth-1), 0, 3), func(l []any) any { return l }))
	}
	object := rapid.MapOfN(rapid.SampledFrom([]string{"a", "b", "c"}), tree(4), 0, 3)
	for _, text := range simplePaths() {
		t.Run(text, func(t *testing.T) {
			q, err := newQuery(text)
			if err != nil {
				t.Fatal(err)
			}
			if q.program != nil {
				t.Fatal("is not a lookup")
			}
			rapid.Check(t, func(r *rapid.T) {
				value := object.Draw(r, "object")
				var got []any
				ok := q.each(&view{value: value}, func(v any) { got = append(got, v) })
				want, wantOK := byJQ(t, text, value)
				if ok != wantOK {
					r.Fatalf("succeeds: %v, jq: %v", ok, wantOK)
				}
				if ok && asJSON(t, got) != asJSON(t, want) {
					r.Fatalf("gives %s, jq %s", asJSON(t, got), asJSON(t, want))
				}
			})
		})
	}
}

// TestOthersStayJQ: what a lookup cannot say is left to jq, and gives the same.
func TestOthersStayJQ(t *testing.T) {
	object := map[string]any{"a": []any{map[string]any{"b": "x"}, map[string]any{"b": "y", "n": int64(3)}}, "d": "x"}
	for text, want := range map[string][]any{
		`.a | length`:                      {2},
		`.a[1:][] | .b`:                    {"y"},
		`.a[]? | .b`:                       {"x", "y"},
		`.a[] | select(.n > 2) | .b`:       {"y"},
		`.a | map(.b) | join(",")`:         {"x,y"},
		`.a[] | select(.b == "x", .b) | 1`: {1, 1, 1},
		`"\(.d)!"`:                         {"x!"},
		`.d, .a[0].b`:                      {"x", "x"},
		`.d // "other"`:                    {"x"},
	} {
		q, err := newQuery(text)
		if err != nil {
			t.Fatal(err)
		}
		if q.program == nil {
			t.Errorf("%s became a lookup", text)
		}
		var got []any
		if !q.each(&view{value: object}, func(v any) { got = append(got, v) }) || !reflect.DeepEqual(got, want) {
			t.Errorf("%s gives %v, want %v", text, got, want)
		}
	}
	if n := object["a"].([]any)[1].(map[string]any)["n"]; n != int64(3) {
		t.Errorf("the object was changed: %T", n)
	}
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
