package profiles

import (
	"reflect"
	"strings"
)

// field is what the struct tags say of one field of a profile's types: yaml for the name, default for the value that an
// absent one gets, enum for the words that it may have.
type field struct {
	name       string
	index      int
	byDefault  string
	hasDefault bool
	enum       []string
}

// fieldsOf are the fields of a struct type, in order.
func fieldsOf(t reflect.Type) []field {
	var all []field
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if name == "" || name == "-" {
			continue
		}
		one := field{name: name, index: i}
		one.byDefault, one.hasDefault = f.Tag.Lookup("default")
		if enum := f.Tag.Get("enum"); enum != "" {
			one.enum = strings.Split(enum, ",")
		}
		all = append(all, one)
	}
	return all
}

func fieldNamed(t reflect.Type, name string) (field, bool) {
	for _, f := range fieldsOf(t) {
		if f.name == name {
			return f, true
		}
	}
	return field{}, false
}

func fieldNames(t reflect.Type) []string {
	var names []string
	for _, f := range fieldsOf(t) {
		names = append(names, f.name)
	}
	return names
}

// homesOf are the places of a document of the root type where a key of this name belongs, as paths with [] for lists and NAME for map
// keys: what to say to someone who wrote it in another place.
func homesOf(root reflect.Type, key string) []string {
	var homes []string
	var visit func(t reflect.Type, path string)
	visit = func(t reflect.Type, path string) {
		switch t.Kind() {
		case reflect.Pointer:
			visit(t.Elem(), path)
		case reflect.Slice:
			visit(t.Elem(), path+"[]")
		case reflect.Map:
			visit(t.Elem(), path+".NAME")
		case reflect.Struct:
			for _, f := range fieldsOf(t) {
				if f.name == key {
					homes = append(homes, joinKey(path, key))
				}
				inner := f.name
				if path != "" {
					inner = path + "." + f.name
				}
				visit(t.Field(f.index).Type, inner)
			}
		}
	}
	visit(root, "")
	return homes
}

// unknownKeyHint says what may have been meant by a key that a struct does not have.
func unknownKeyHint(root, t reflect.Type, key string) string {
	names := fieldNames(t)
	if best, ok := nearest(key, names); ok {
		return suggest(key, []string{best})
	}
	if homes := homesOf(root, key); len(homes) > 0 && len(homes) <= 3 {
		return "it belongs to " + strings.Join(homes, " or ")
	}
	return suggest(key, names)
}
