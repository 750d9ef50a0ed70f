package observe

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"windtunnel/results"
)

// exposition has one of everything that the chooser must tell apart.
const exposition = `# HELP jobs_total Jobs.
# TYPE jobs_total counter
jobs_total{code="200",path="/a",verb="GET"} 3
jobs_total{code="200",path="/b",verb="GET"} 4
jobs_total{code="500",path="/a",verb="GET"} 0
jobs_total_more{code="200"} 99
# TYPE wait_seconds histogram
wait_seconds_bucket{name="a \"b\" \\ c",le="0.5"} 1
wait_seconds_bucket{name="a \"b\" \\ c",le="+Inf"} 2
wait_seconds_sum{name="a \"b\" \\ c"} 1.25
wait_seconds_count{name="a \"b\" \\ c"} 2
depth 0
other{long="` + grown + `"} 7
`

// grown is the place of the line that a test makes longer.
const grown = "depth 5"

func testChooser() *chooser {
	return newChooser("c", []family{
		{name: "jobs_total", kind: counter, by: []string{"verb", "code"}}, {name: "wait_seconds", kind: histogram, by: []string{"name"}},
		{name: "depth"}, {name: "absent"},
	})
}

func TestChoose(t *testing.T) {
	want := []results.Metric{
		{Component: "c", Name: "depth"},
		{Component: "c", Name: "jobs_total", Labels: `{code="200",verb="GET"}`, Value: 7},
		{Component: "c", Name: "wait_seconds_count", Labels: `{name="a \"b\" \\ c"}`, Value: 2},
		{Component: "c", Name: "wait_seconds_sum", Labels: `{name="a \"b\" \\ c"}`, Value: 1.25},
	}
	long := strings.Replace(exposition, grown, strings.Repeat(grown+" ", 100<<10), 1) // a line longer than the reader's buffer
	for name, from := range map[string]io.Reader{
		"at once": strings.NewReader(exposition), "byte by byte": iotest.OneByteReader(strings.NewReader(exposition)), "a long line": strings.NewReader(long),
	} {
		got, err := testChooser().choose(from)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

// TestChooseBroken: an answer that ends early or makes no sense is an error, not a smaller answer.
func TestChooseBroken(t *testing.T) {
	for name, from := range map[string]io.Reader{
		"cut off": strings.NewReader("jobs_total{code=\"200\"} 3\njobs_total{co"), "nonsense": strings.NewReader("depth five\n"),
		"broken connection": io.MultiReader(strings.NewReader("depth 1\n"), iotest.ErrReader(errors.New("reset"))),
	} {
		if got, err := testChooser().choose(from); err == nil || !strings.Contains(err.Error(), "metrics of c") {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

func TestNoFamilyTwice(t *testing.T) {
	for _, component := range []string{"etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"} {
		seen := map[string]bool{}
		for _, f := range families(component) {
			if seen[f.name] {
				t.Errorf("%s: %s twice", component, f.name)
			}
			seen[f.name] = true
		}
		if len(seen) < 2 {
			t.Errorf("%s has no families", component)
		}
	}
	if families("hollow-0") != nil {
		t.Error("a component of which nothing is known has families")
	}
}
