package profiles

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"windtunnel/internal/golden"
)

// TestBadInput holds what a person reads for every bad input under testdata/bad. A file can begin with lines
// "# set: PATH=VALUE", which are given as --set.
func TestBadInput(t *testing.T) {
	files, err := filepath.Glob("testdata/bad/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no test data: %v", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".yaml")
		t.Run(name, func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			_, err = Load(filepath.Base(file), data, setsOf(string(data)))
			if err == nil {
				t.Fatal("no problem found")
			}
			golden.Check(t, strings.TrimSuffix(file, ".yaml")+".txt", err.Error()+"\n")
		})
	}
}

func setsOf(text string) []string {
	var sets []string
	for line := range strings.Lines(text) {
		set, ok := strings.CutPrefix(line, "# set: ")
		if !ok {
			break
		}
		sets = append(sets, strings.TrimSuffix(set, "\n"))
	}
	return sets
}
