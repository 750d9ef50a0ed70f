package stages

import (
	"embed"
	"io/fs"

	"windtunnel/profiles"
)

//go:embed builtin/*.yaml
var builtins embed.FS

// library is the folder of the built-in life cycles.
func library() profiles.Library {
	files, err := fs.Sub(builtins, "builtin")
	if err != nil {
		return profiles.Library{Files: builtins} // unreachable: the folder is embedded
	}
	return profiles.Library{Files: files}
}

// Builtin is the text of a built-in life cycle.
func Builtin(name string) (data []byte, ok bool) { return library().Text(name) }

// Builtins are the names of the built-in life cycles, sorted.
func Builtins() []string { return library().Names() }
