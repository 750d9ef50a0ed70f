package results

import (
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestTestFile: files are called as the original calls them, to the letter, wherever a test's own name cannot lead elsewhere.
func TestTestFile(t *testing.T) {
	at := time.Date(2026, 1, 2, 4, 4, 5, 999, time.FixedZone("", 3600))
	for _, c := range []struct {
		what string
		test *TestSource
		want string
	}{
		{"Timer", nil, "Timer_my-run_2026-01-02T03:04:05Z.json"}, // of an older version
		{"Timer", &TestSource{}, "Timer_my-run_2026-01-02T03:04:05Z.json"},
		{"Timer", &TestSource{Name: "Huge_Service"}, "Timer_Huge_Service_2026-01-02T03:04:05Z.json"},
		{"SchedulingMetrics", &TestSource{Name: "density", Identifier: "pod-affinity"}, "SchedulingMetrics_density_pod-affinity_2026-01-02T03:04:05Z.json"},
		{"GenericPrometheusQuery a/b", &TestSource{Name: "../../etc\\x\n"}, "GenericPrometheusQuery a-b_..-..-etc-x-_2026-01-02T03:04:05Z.json"},
	} {
		if got := (Run{Name: "my-run", Test: c.test}).TestFile(c.what, at, "json"); got != c.want {
			t.Errorf("%+v: %q, want %q", c.test, got, c.want)
		}
	}
}

// TestLongTestFile: a name of any length makes a file that can be written, and what it holds can still be told.
func TestLongTestFile(t *testing.T) {
	run := Run{Test: &TestSource{Name: strings.Repeat("é", 300)}}
	for _, what := range []string{"Timer", strings.Repeat("x", 300)} {
		name := run.TestFile(what, time.Unix(0, 0), "json")
		if !strings.HasPrefix(name, what[:5]) || !strings.HasSuffix(name, "é_1970-01-01T00:00:00Z.json") {
			t.Errorf("%q", name)
		}
		if err := ReplaceFile(filepath.Join(t.TempDir(), name), nil); err != nil {
			t.Error(err)
		}
	}
}
