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
	text, err := reference(sources(".")...)
	if err != nil {
		return err
	}
	if err := os.WriteFile(args[0], text, 0o644); err != nil {
		return fmt.Errorf("write the reference: %w", err)
	}
	return nil
}

// sources are the files that declare the types, in the package's folder.
func sources(folder string) []string {
	var files []string
	for _, name := range []string{"profile.go", "profile_provider.go", "profile_arrivals.go", "profile_request.go"} {
		files = append(files, filepath.Join(folder, name))
	}
	return files
}
