// Package schemagen writes the JSON schema of a Go type as encoding/json encodes it. It knows what the summary needs:
// structs, pointers, slices, maps with string keys, strings, booleans and numbers. Descriptions are the comments of the
// fields and types in the source.
package schemagen

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
)

// Options say what cannot be seen in the type.
type Options struct {
	ID, Title string
	// Enums are the values of string types, by type name.
	Enums map[string][]string
	// Docs are descriptions by "Type" and "Type.Field", as ReadDocs finds them.
	Docs map[string]string
}

// schema is a JSON schema; the order of its fields is the order in the file.
type schema struct {
	Schema               string             `json:"$schema,omitempty"`
	ID                   string             `json:"$id,omitempty"`
	Title                string             `json:"title,omitempty"`
	Description          string             `json:"description,omitempty"`
	Ref                  string             `json:"$ref,omitempty"`
	AnyOf                []*schema          `json:"anyOf,omitempty"`
	Type                 any                `json:"type,omitempty"` // a name or a list of names
	Enum                 []string           `json:"enum,omitempty"`
	Properties           map[string]*schema `json:"properties,omitempty"`
	Required             []string           `json:"required,omitempty"`
	Items                *schema            `json:"items,omitempty"`
	AdditionalProperties any                `json:"additionalProperties,omitempty"` // a schema or false
	Defs                 map[string]*schema `json:"$defs,omitempty"`
}

// Generate returns the schema of t, which must be a struct, in draft 2020-12.
func Generate(t reflect.Type, o Options) ([]byte, error) {
	g := generator{Options: o, defs: map[string]*schema{}}
	root, err := g.object(t)
	if err != nil {
		return nil, fmt.Errorf("JSON schema of %s: %w", t, err)
	}
	root.Schema, root.ID, root.Title = "https://json-schema.org/draft/2020-12/schema", o.ID, o.Title
	root.Defs = g.defs
	data, err := json.MarshalIndent(root, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("JSON schema of %s: %w", t, err)
	}
	return append(data, '\n'), nil
}

type generator struct {
	Options
	defs map[string]*schema
}

// of is the schema of a type; named structs become definitions.
func (g *generator) of(t reflect.Type) (*schema, error) {
	switch t.Kind() {
	case reflect.Bool:
		return &schema{Type: "boolean"}, nil
	case reflect.String:
		return &schema{Type: "string", Enum: g.Enums[t.Name()]}, nil
	case reflect.Int, reflect.Int32, reflect.Int64, reflect.Uint32, reflect.Uint64:
		return &schema{Type: "integer"}, nil
	case reflect.Float64:
		return &schema{Type: "number"}, nil
	case reflect.Pointer:
		return g.nullable(t.Elem())
	case reflect.Slice:
		items, err := g.of(t.Elem())
		return &schema{Type: []string{"array", "null"}, Items: items}, err
	case reflect.Map:
		values, err := g.of(t.Elem())
		return &schema{Type: []string{"object", "null"}, AdditionalProperties: values}, err
	case reflect.Struct:
		if _, ok := g.defs[t.Name()]; !ok {
			g.defs[t.Name()] = nil // a type may refer to itself
			def, err := g.object(t)
			if err != nil {
				return nil, err
			}
			g.defs[t.Name()] = def
		}
		return &schema{Ref: "#/$defs/" + t.Name()}, nil
	}
	return nil, fmt.Errorf("no schema for the type %s", t)
}

func (g *generator) nullable(t reflect.Type) (*schema, error) {
	s, err := g.of(t)
	if err != nil {
		return nil, err
	}
	if s.Ref != "" {
		return &schema{AnyOf: []*schema{s, {Type: "null"}}}, nil
	}
	s.Type = []any{s.Type, "null"}
	return s, nil
}

// object is the schema of a struct's own fields. Fields without omitempty are required. Readers must allow fields that
// are added later, so that nothing is closed.
func (g *generator) object(t reflect.Type) (*schema, error) {
	s := &schema{Type: "object", Description: g.Docs[t.Name()], Properties: map[string]*schema{}}
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if !f.IsExported() || name == "" || f.Anonymous {
			return nil, fmt.Errorf("field %s.%s has no name in JSON", t.Name(), f.Name)
		}
		p, err := g.of(f.Type)
		if err != nil {
			return nil, fmt.Errorf("field %s.%s: %w", t.Name(), f.Name, err)
		}
		p.Description = g.Docs[t.Name()+"."+f.Name]
		s.Properties[name] = p
		if options != "omitempty" {
			s.Required = append(s.Required, name)
		}
	}
	return s, nil
}
