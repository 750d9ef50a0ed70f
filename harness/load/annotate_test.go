package load

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// drawObject is any JSON object, with metadata and annotations of all kinds.
func drawObject(t *rapid.T) map[string]any {
	var value func(depth int) any
	object := func(depth int) map[string]any {
		out := map[string]any{}
		for range rapid.IntRange(0, 4).Draw(t, "members") {
			out[rapid.StringN(0, 6, -1).Draw(t, "key")] = value(depth - 1)
		}
		return out
	}
	value = func(depth int) any {
		kinds := 5
		if depth > 0 {
			kinds = 7
		}
		switch rapid.IntRange(0, kinds-1).Draw(t, "kind") {
		case 0:
			return nil
		case 1:
			return rapid.Bool().Draw(t, "bool")
		case 2:
			return json.Number("-12345678901234567890.5e-7")
		case 3:
			return rapid.String().Draw(t, "string")
		case 4:
			return `\"}]{[,:` + "\n"
		case 5:
			return object(depth)
		}
		return []any{value(depth - 1), value(depth - 1)}
	}
	top, metadata := object(3), object(3)
	switch rapid.IntRange(0, 4).Draw(t, "annotations") {
	case 0:
		delete(metadata, "annotations")
	case 1:
		metadata["annotations"] = nil
	case 2:
		metadata["annotations"] = map[string]any{}
	case 3:
		metadata["annotations"] = map[string]any{"a": "1", touchedAnnotation: "old", "z": "2"}
	case 4:
		metadata["annotations"] = map[string]any{"a": "{\\\"" + touchedAnnotation}
	}
	top["metadata"] = metadata
	return top
}

// TestAnnotate holds the change of bytes against the same change of the decoded object.
func TestAnnotate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		object := drawObject(t)
		data, err := json.Marshal(object)
		if err != nil {
			t.Fatal(err)
		}
		if rapid.Bool().Draw(t, "indented") {
			var indented bytes.Buffer
			if err := json.Indent(&indented, data, " ", "\t"); err != nil {
				t.Fatal(err)
			}
			data = indented.Bytes()
		}
		got, err := annotate([]byte("before"), data, "17-4")
		if err != nil {
			t.Fatalf("annotate %s: %v", data, err)
		}
		want := decodeJSON(t, data)
		metadata := want["metadata"].(map[string]any)
		annotations, ok := metadata["annotations"].(map[string]any)
		if !ok {
			annotations = map[string]any{}
			metadata["annotations"] = annotations
		}
		annotations[touchedAnnotation] = "17-4"
		got, found := bytes.CutPrefix(got, []byte("before"))
		if !found {
			t.Fatal("what was in dst is gone")
		}
		if diff := cmp.Diff(want, decodeJSON(t, got)); diff != "" {
			t.Fatalf("annotate %s gave %s\n%s", data, got, diff)
		}
	})
}

func decodeJSON(t *rapid.T, data []byte) map[string]any {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var out map[string]any
	if err := decoder.Decode(&out); err != nil {
		t.Fatalf("decode %s: %v", data, err)
	}
	return out
}

// TestAnnotateOfAnything: whatever a server answers, there is an error or a result, in finite time.
func TestAnnotateOfAnything(t *testing.T) {
	for _, bad := range []string{"", "[]", "null", "{", `{"metadata"`, `{"metadata":`, `{"metadata":{`, `{"metadata":"x"}`, `{"a":1}`, `{"metadata":{"annotations":{"a`, `{"a" 1}`, `{x}`} {
		if got, err := annotate(nil, []byte(bad), "1"); err == nil {
			t.Errorf("annotate %q gave %q and no error", bad, got)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		object := drawObject(t)
		data, err := json.Marshal(object)
		if err != nil {
			t.Fatal(err)
		}
		cut := rapid.IntRange(0, len(data)).Draw(t, "cut")
		annotate(nil, data[:cut], "1")
	})
}
