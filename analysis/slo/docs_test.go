package slo

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"windtunnel/internal/golden"
	"windtunnel/results"
)

const (
	manual     = "../../docs/slo.md"
	tableBegin = "<!-- begin of the generated tables -->\n"
	tableEnd   = "<!-- end of the generated tables -->"
)

// TestManualTables holds the tables of the manual to the code.
func TestManualTables(t *testing.T) {
	golden.Section(t, manual, tableBegin, tableEnd, tables())
}

func tables() string {
	var b strings.Builder
	b.WriteString("\n| function | of | gives | meaning |\n| --- | --- | --- | --- |\n")
	for _, f := range Functions() {
		var kinds []string
		for _, k := range f.Kinds {
			kinds = append(kinds, string(k))
		}
		unit := string(f.Unit)
		if unit == "" {
			unit = "the metric's unit"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", f.Signature, strings.Join(kinds, ", "), unit, f.Text)
	}
	b.WriteString("\n| metric | kind | unit | labels | meaning |\n| --- | --- | --- | --- | --- |\n")
	for _, m := range Metrics() {
		var labels []string
		for _, l := range m.Labels {
			name := l.Name
			if len(l.Values) > 0 && len(l.Values) <= 4 {
				name += " (" + strings.Join(l.Values, ", ") + ")"
			}
			if l.Name == m.Needs {
				name = "**" + name + "**"
			}
			labels = append(labels, name)
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", m.Name, m.Kind, m.Unit, strings.Join(labels, ", "), m.Text)
	}
	b.WriteString("\nLabels in bold must be given.\n")
	return b.String()
}

// TestManualExamples reads and judges every file that the manual shows.
func TestManualExamples(t *testing.T) {
	text, err := os.ReadFile(manual)
	if err != nil {
		t.Fatal(err)
	}
	examples := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(string(text), -1)
	if len(examples) == 0 {
		t.Fatal("no examples")
	}
	for _, example := range examples {
		f, err := Read(manual, []byte(example[1]))
		if err != nil {
			t.Errorf("%v", err)
			continue
		}
		if r := Judge(f, twoPhases()); r.Verdict != results.Fail || len(r.Results) != len(f.Objectives) {
			t.Errorf("%s: %s", f.Name, r.Verdict)
		}
	}
}
