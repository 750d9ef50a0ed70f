// Command genreference writes the reference of the profile format from the doc comments and tags of the Go types in
// package profiles. Run it in the package's folder: go run ./internal/genreference OUTPUT.
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "genreference:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("want one argument, the file to write; got %d", len(args))
	}
	files, err := sources(".")
	if err != nil {
		return err
	}
	text, err := reference(files...)
	if err != nil {
		return err
	}
	if err := os.WriteFile(args[0], text, 0o644); err != nil {
		return fmt.Errorf("write the reference: %w", err)
	}
	return nil
}

// sources are the files that declare the types, in the package's folder: profile.go and profile_*.go.
func sources(folder string) ([]string, error) {
	more, err := filepath.Glob(filepath.Join(folder, "profile_*.go"))
	if err != nil {
		return nil, fmt.Errorf("find the types: %w", err)
	}
	return append([]string{filepath.Join(folder, "profile.go")}, more...), nil
}
