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

// Builtin is the text of a built-in profile.
func Builtin(name string) (data []byte, ok bool) {
	if !slices.Contains(Builtins(), name) {
		return nil, false
	}
	data, err := builtins.ReadFile(name + ".yaml")
	return data, err == nil
}

// Builtins are the names of the built-in profiles, sorted.
func Builtins() []string {
	files, err := fs.Glob(builtins, "*.yaml")
	if err != nil {
		return nil // unreachable: the pattern is well-formed
	}
	for i, file := range files {
		files[i] = strings.TrimSuffix(path.Base(file), ".yaml")
	}
	slices.Sort(files) // density before density-burst, as people sort and file names do not
	return files
}

// NearestBuiltin is the built-in profile whose name is nearest to one that does not exist.
func NearestBuiltin(name string) (string, bool) { return nearest(name, Builtins()) }
