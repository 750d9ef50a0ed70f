package cl2

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"windtunnel/internal/golden"
	"windtunnel/profiles"
)

// TestMistakes: every planted mistake is found at its line, all at once, in whichever file it is, and nothing else is.
func TestMistakes(t *testing.T) {
	const dir = "testdata/mistakes"
	o := options()
	o.Overrides = []string{filepath.Join(dir, "overrides.yaml")}
	test := Read(filepath.Join(dir, "config.yaml"), o)
	var planted, found []string
	for _, name := range names(dir) {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(string(data), "\n") {
			if strings.Contains(line, "# mistake:") {
				planted = append(planted, fmt.Sprintf("%s:%d", filepath.Join(dir, name), i+1))
			}
		}
	}
	for _, p := range test.Problems() {
		found = append(found, fmt.Sprintf("%s:%d", p.File, p.Line))
	}
	slices.Sort(planted)
	slices.Sort(found)
	if diff := cmp.Diff(planted, found); diff != "" || len(planted) < 15 {
		t.Errorf("planted and found (-want +got):\n%s", diff)
	}
	text := (&profiles.Problems{List: test.Problems()}).Error() + "\n"
	golden.Check(t, filepath.Join("testdata", "mistakes.txt"), text)
	if _, err := test.Plan(); err == nil {
		t.Error("a test with mistakes has a plan")
	}
}
