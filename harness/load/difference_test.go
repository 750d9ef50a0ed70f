package load

import (
	"testing"

	utiljson "k8s.io/apimachinery/pkg/util/json"
	"pgregory.net/rapid"
)

func TestDifference(t *testing.T) {
	for _, c := range []struct{ have, want, patch string }{
		{`{"a":1,"b":{"c":1,"d":2}}`, `{"a":1,"b":{"c":1}}`, `{}`},
		{`{"a":1,"b":{"c":1,"d":2}}`, `{"a":2,"b":{"c":3},"e":[1]}`, `{"a":2,"b":{"c":3},"e":[1]}`},
		{`{"l":[1,2]}`, `{"l":[1]}`, `{"l":[1]}`},
		{`{"a":1}`, `{"a":null,"b":{"c":null,"d":1}}`, `{"b":{"d":1}}`},
		{`{"a":"x"}`, `{"a":{"b":1}}`, `{"a":{"b":1}}`},
		{`{}`, `{"a":{}}`, `{"a":{}}`},
		{`{"n":9007199254740993}`, `{"n":9007199254740993}`, `{}`},
	} {
		got, err := difference([]byte(c.have), []byte(c.want))
		if err != nil || string(got) != c.patch {
			t.Errorf("%s to %s: %s, error %v; want %s", c.have, c.want, got, err, c.patch)
		}
	}
	if _, err := difference([]byte(`{`), []byte(`{}`)); err == nil {
		t.Error("no error for an object that is cut")
	}
	if _, err := difference([]byte(`{}`), []byte(`[]`)); err == nil {
		t.Error("no error for a list")
	}
}

// TestDifferenceReaches: the object with its patch merged in has all that was wanted, and a second look finds nothing to do.
func TestDifferenceReaches(t *testing.T) {
	value := rapid.Custom(func(t *rapid.T) any { return drawJSON(t, 3) })
	rapid.Check(t, func(t *rapid.T) {
		object := func(label string) map[string]any {
			return rapid.MapOfN(rapid.SampledFrom([]string{"a", "b", "c"}), value, 0, 3).Draw(t, label)
		}
		have, err := utiljson.Marshal(object("have"))
		if err != nil {
			t.Fatal(err)
		}
		want, err := utiljson.Marshal(object("want"))
		if err != nil {
			t.Fatal(err)
		}
		patch, err := difference(have, want)
		if err != nil {
			t.Fatal(err)
		}
		var whole, part any
		if utiljson.Unmarshal(have, &whole) != nil || utiljson.Unmarshal(patch, &part) != nil {
			t.Fatal("not JSON")
		}
		after, err := utiljson.Marshal(merge(whole, part))
		if err != nil {
			t.Fatal(err)
		}
		if again, err := difference(after, want); err != nil || string(again) != "{}" {
			t.Fatalf("%s patched by %s is %s, which still lacks %s of %s", have, patch, after, again, want)
		}
	})
}

func drawJSON(t *rapid.T, depth int) any {
	switch rapid.IntRange(0, 4+min(depth, 1)).Draw(t, "kind") {
	case 0:
		return "x"
	case 1:
		return int64(1)
	case 2:
		return []any{int64(1), "y"}
	case 3:
		return true
	case 4:
		return false
	}
	return rapid.MapOfN(rapid.SampledFrom([]string{"a", "b", "c"}), rapid.Custom(func(t *rapid.T) any { return drawJSON(t, depth-1) }), 0, 3).Draw(t, "map")
}
