package schemagen

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

type leaf struct {
	Number *float64 `json:"number"`
	Self   *leaf    `json:"self,omitempty"`
}

type root struct {
	Word   string          `json:"word"`
	Colour colour          `json:"colour"`
	Leaves map[string]leaf `json:"leaves"`
	List   []int64         `json:"list"`
	Yes    bool            `json:"yes,omitempty"`
}

type colour string

func TestGenerate(t *testing.T) {
	data, err := Generate(reflect.TypeFor[root](), Options{Title: "Test", Enums: map[string][]string{"colour": {"red"}}, Docs: map[string]string{"root.Word": "a word"}})
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	at := func(path ...string) any {
		var v any = got
		for _, p := range path {
			v = v.(map[string]any)[p]
		}
		return v
	}
	for _, c := range []struct {
		path string
		want any
	}{
		{"title", "Test"},
		{"required", []any{"word", "colour", "leaves", "list"}},
		{"properties/word/description", "a word"},
		{"properties/colour/enum", []any{"red"}},
		{"properties/leaves/additionalProperties/$ref", "#/$defs/leaf"},
		{"properties/list/type", []any{"array", "null"}},
		{"properties/yes/type", "boolean"},
		{"$defs/leaf/properties/number/type", []any{"number", "null"}},
		{"$defs/leaf/properties/self/anyOf", []any{map[string]any{"$ref": "#/$defs/leaf"}, map[string]any{"type": "null"}}},
	} {
		if v := at(strings.Split(c.path, "/")...); !reflect.DeepEqual(v, c.want) {
			t.Errorf("%s is %v, not %v", c.path, v, c.want)
		}
	}
}

func TestGenerateRefuses(t *testing.T) {
	for _, typ := range []reflect.Type{
		reflect.TypeFor[struct{ Untagged int }](),
		reflect.TypeFor[struct {
			C chan int `json:"c"`
		}](),
	} {
		if _, err := Generate(typ, Options{}); err == nil {
			t.Errorf("%s has a schema", typ)
		}
	}
}

func TestReadDocs(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x.go")
	source := "package x\n\n// T is\n// a type.\ntype T struct {\n\tA int // the a\n\t// B and C.\n\tB, C int\n}\n"
	if err := os.WriteFile(file, []byte(source), 0o644); err != nil {
		t.Fatal(err)
	}
	docs, err := ReadDocs(file)
	want := map[string]string{"T": "T is a type.", "T.A": "the a", "T.B": "B and C.", "T.C": "B and C."}
	if err != nil || !reflect.DeepEqual(docs, want) {
		t.Errorf("%v, %v", docs, err)
	}
	if _, err := ReadDocs(filepath.Join(t.TempDir(), "none.go")); err == nil {
		t.Error("no error for a missing file")
	}
}
