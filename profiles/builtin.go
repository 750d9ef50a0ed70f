package profiles

import (
	"embed"
	"io/fs"
	"path"
	"slices"
	"strings"
)

//go:embed *.yaml
var builtins embed.FS

// Library is a folder of built-in documents, each in a file NAME.yaml.
type Library struct{ Files fs.FS }

// Text is the text of a document.
func (l Library) Text(name string) (data []byte, ok bool) {
	if !slices.Contains(l.Names(), name) {
		return nil, false
	}
	data, err := fs.ReadFile(l.Files, name+".yaml")
	return data, err == nil
}

// Names are the names of the documents, sorted.
func (l Library) Names() []string {
	files, err := fs.Glob(l.Files, "*.yaml")
	if err != nil {
		return nil // unreachable: the pattern is well-formed
	}
	for i, file := range files {
		files[i] = strings.TrimSuffix(path.Base(file), ".yaml")
	}
	slices.Sort(files) // density before density-burst, as people sort and file names do not
	return files
}

// Builtin is the text of a built-in profile.
func Builtin(name string) (data []byte, ok bool) { return Library{builtins}.Text(name) }

// Builtins are the names of the built-in profiles, sorted.
func Builtins() []string { return Library{builtins}.Names() }

// NearestBuiltin is the built-in profile whose name is nearest to one that does not exist.
func NearestBuiltin(name string) (string, bool) { return nearest(name, Builtins()) }
