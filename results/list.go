package results

import (
	"path/filepath"
	"slices"
	"strings"
)

// sortByTime orders directories by the time in their names, then by name; directories whose names have none come first.
func sortByTime(dirs []*Dir) {
	slices.SortFunc(dirs, func(a, b *Dir) int {
		if c := strings.Compare(stamp(a.ID()), stamp(b.ID())); c != 0 {
			return c
		}
		return strings.Compare(a.ID(), b.ID())
	})
}

// stamp is the time in the name of a run directory, <name>-<time>-<random>, or "".
func stamp(id string) string {
	parts := strings.Split(id, "-")
	if len(parts) < 3 {
		return ""
	}
	return parts[len(parts)-2]
}

// globPath is a pattern below the directory, whose own path may hold characters that filepath.Glob reads as wildcards.
func (d *Dir) globPath(pattern string) string {
	return filepath.Join(globQuote(d.path), pattern)
}

func globQuote(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}
