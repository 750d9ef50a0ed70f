package main

import (
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"windtunnel/profiles"
)

// TestReferenceIsCurrent fails when the types have changed since docs/profile-reference.md was written.
func TestReferenceIsCurrent(t *testing.T) {
	want, err := document()
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../../../docs/profile-reference.md")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(got), string(want)); diff != "" {
		t.Errorf("docs/profile-reference.md is stale; run go generate ./profiles (-file +types):\n%s", diff)
	}
}

// TestDocsSayTheDefault holds that the comment of every field with a default names it.
func TestDocsSayTheDefault(t *testing.T) {
	text, err := document()
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(line, " | ")
		if len(cells) != 4 || !strings.HasPrefix(cells[2], "`") {
			continue
		}
		rows++
		value := strings.Trim(cells[2], "`")
		if !strings.Contains(cells[3], "Default "+value) && !strings.Contains(cells[3], `Default "`+value+`"`) {
			t.Errorf("%s: default %s, but its meaning says: %s", cells[0], value, cells[3])
		}
	}
	if rows < 20 {
		t.Errorf("only %d fields with a default found", rows)
	}
}

// TestEveryFieldIsThere compares the paths of the document with the types as the compiler sees them.
func TestEveryFieldIsThere(t *testing.T) {
	text, err := document()
	if err != nil {
		t.Fatal(err)
	}
	var visit func(ty reflect.Type, path string)
	visit = func(ty reflect.Type, path string) {
		switch ty.Kind() {
		case reflect.Pointer:
			visit(ty.Elem(), path)
		case reflect.Slice:
			visit(ty.Elem(), path+"[]")
		case reflect.Map:
			visit(ty.Elem(), path+".NAME")
		case reflect.Struct:
			for i := range ty.NumField() {
				if !ty.Field(i).IsExported() {
					continue
				}
				key, _, _ := strings.Cut(ty.Field(i).Tag.Get("yaml"), ",")
				at := strings.TrimPrefix(path+"."+key, ".")
				if !strings.Contains(string(text), "| `"+at+"` |") {
					t.Errorf("%s is not in the reference", at)
				}
				visit(ty.Field(i).Type, at)
			}
		}
	}
	visit(reflect.TypeFor[profiles.Profile](), "")
}

// document is the reference of the package as it is.
func document() ([]byte, error) {
	files, err := sources("../..")
	if err != nil {
		return nil, err
	}
	return reference(files...)
}
