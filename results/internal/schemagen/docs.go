package schemagen

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"strings"
)

// ReadDocs reads the comments of the struct types in Go files, by "Type" and "Type.Field".
func ReadDocs(files ...string) (map[string]string, error) {
	docs := map[string]string{}
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil, fmt.Errorf("read comments: %w", err)
		}
		for _, d := range parsed.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok {
				continue
			}
			for _, spec := range g.Specs {
				t, ok := spec.(*ast.TypeSpec)
				if !ok {
					continue
				}
				if s, ok := t.Type.(*ast.StructType); ok {
					docs[t.Name.Name] = line(g.Doc)
					fields(docs, t.Name.Name, s)
				}
			}
		}
	}
	return docs, nil
}

func fields(docs map[string]string, owner string, s *ast.StructType) {
	for _, f := range s.Fields.List {
		doc := line(f.Doc)
		if doc == "" {
			doc = line(f.Comment)
		}
		for _, name := range f.Names {
			docs[owner+"."+name.Name] = doc
		}
	}
}

// line is a comment as one line.
func line(c *ast.CommentGroup) string { return strings.Join(strings.Fields(c.Text()), " ") }
