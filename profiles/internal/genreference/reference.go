package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"strconv"
	"strings"
)

// header begins the document.
const header = `# Profile reference

<!-- Generated from the types of profiles/profile*.go by go generate ./profiles. Do not edit. -->

A profile is a YAML document. Every field of the format is here, with its path, type, default and meaning. In paths, [] is
any item of a list and NAME any key of a mapping. A default of "required" means that the field must be there.

Durations are texts with a unit, such as 1m30s or 250ms. Quantities are as in Kubernetes: 500m, 32, 256Gi. Any field can be
set from the command line: ` + "`--set hollowNodes.count=50`, `--set 'phases[1].tracks[0].steps[0].reconcile.count=5'`" + `;
keys with dots or slashes go in double quotes: ` + "`--set 'hollowNodes.labels.\"example.com/rack\"=r1'`" + `.

`

// generator walks the types of a file.
type generator struct {
	types map[string]*ast.TypeSpec
	docs  map[string]string
	out   bytes.Buffer
}

// reference is the document for the types that Go files declare, beginning with Profile.
func reference(files ...string) ([]byte, error) {
	g := &generator{types: map[string]*ast.TypeSpec{}, docs: map[string]string{}}
	for _, file := range files {
		if err := g.declared(file); err != nil {
			return nil, err
		}
	}
	g.out.WriteString(header)
	if err := g.section("Profile", ""); err != nil {
		return nil, err
	}
	return g.out.Bytes(), nil
}

// declared collects the types of a file.
func (g *generator) declared(file string) error {
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
	if err != nil {
		return fmt.Errorf("parse the types: %w", err)
	}
	for _, d := range parsed.Decls {
		decl, ok := d.(*ast.GenDecl)
		if !ok || decl.Tok != token.TYPE {
			continue
		}
		for _, s := range decl.Specs {
			spec := s.(*ast.TypeSpec)
			g.types[spec.Name.Name] = spec
			g.docs[spec.Name.Name] = decl.Doc.Text()
		}
	}
	return nil
}

// section writes the table of one struct, and then those of the structs in it.
func (g *generator) section(name, path string) error {
	spec, ok := g.types[name]
	if !ok {
		return fmt.Errorf("type %s is not declared", name)
	}
	fields := spec.Type.(*ast.StructType).Fields.List
	title := "Profile"
	if path != "" {
		title = "`" + path + "`"
	}
	fmt.Fprintf(&g.out, "## %s\n\n%s\n\n| field | type | default | meaning |\n|---|---|---|---|\n", title, cell(g.docs[name]))
	type inner struct{ name, path string }
	var inners []inner
	for _, f := range fields {
		if f.Tag == nil {
			continue // not of the format
		}
		tag, err := strconv.Unquote(f.Tag.Value)
		if err != nil {
			return fmt.Errorf("tag of %s: %w", name, err)
		}
		key, options, _ := strings.Cut(reflect.StructTag(tag).Get("yaml"), ",")
		at := join(path, key)
		kind, element, suffix := typeName(f.Type)
		if f.Doc.Text() == "" {
			return fmt.Errorf("%s.%s has no doc comment", name, key)
		}
		fmt.Fprintf(&g.out, "| `%s` | %s | %s | %s |\n", at, kind, defaultOf(tag, options, f.Doc.Text()), cell(f.Doc.Text()))
		if _, isStruct := g.types[element]; isStruct {
			inners = append(inners, inner{element, at + suffix})
		}
	}
	g.out.WriteByte('\n')
	for _, i := range inners {
		if err := g.section(i.name, i.path); err != nil {
			return err
		}
	}
	return nil
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// typeName is a type for people, the name of the type that a list or mapping is of, and what to add to the path for it.
func typeName(e ast.Expr) (kind, element, suffix string) {
	switch t := e.(type) {
	case *ast.StarExpr:
		return typeName(t.X)
	case *ast.ArrayType:
		kind, element, _ = typeName(t.Elt)
		return "list of " + plural(kind), element, "[]"
	case *ast.MapType:
		kind, element, _ = typeName(t.Value)
		return "mapping of names to " + plural(kind), element, ".NAME"
	case *ast.Ident:
		names := map[string]string{"string": "text", "bool": "boolean", "int": "whole number", "uint64": "whole number", "float64": "number", "Duration": "duration", "any": "value"}
		if name, ok := names[t.Name]; ok {
			return name, "", ""
		}
		return "mapping", t.Name, ""
	}
	return "value", "", ""
}

func plural(kind string) string {
	if before, after, ok := strings.Cut(kind, " of "); ok {
		return before + "s of " + after
	}
	return kind + "s"
}

// defaultOf is the default of a field: of its tag, "required" where the tags say that it is always there, and else what
// its comment says.
func defaultOf(tag, options, doc string) string {
	st := reflect.StructTag(tag)
	if d, ok := st.Lookup("default"); ok {
		return "`" + d + "`"
	}
	if options != "omitempty" {
		return "required"
	}
	if strings.Contains(doc, "Default") {
		return "see meaning"
	}
	return "–"
}

// cell puts a comment on one line of a table.
func cell(doc string) string {
	return strings.ReplaceAll(strings.Join(strings.Fields(doc), " "), "|", "\\|")
}
