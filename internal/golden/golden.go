// Package golden holds what code makes against files of the repository: expected outputs below testdata, and the parts of documents that are
// made from code. Only tests import it. `go test PACKAGE -update` writes the files anew, for a look at the difference.
package golden

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files and the generated parts of documents anew")

// Update says whether files are to be written anew.
func Update() bool { return *update }

// Check compares what was made with a file.
func Check(t testing.TB, file, got string) {
	t.Helper()
	if *update {
		write(t, file, got)
		return
	}
	if diff := cmp.Diff(read(t, file), got); diff != "" {
		t.Errorf("%s is not what the code makes; look at it and run go test -update (-file +made):\n%.8000s", file, diff)
	}
}

// Section compares what was made with the part of a document that stands between two marks.
func Section(t testing.TB, file, begin, end, got string) {
	t.Helper()
	text := read(t, file)
	before, rest, ok := strings.Cut(text, begin)
	_, after, closed := strings.Cut(rest, end)
	if !ok || !closed {
		t.Fatalf("%s has no place between %q and %q", file, begin, end)
	}
	Check(t, file, before+begin+got+end+after)
}

func read(t testing.TB, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v; go test -update writes it", err)
	}
	return string(data)
}

func write(t testing.TB, file, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
