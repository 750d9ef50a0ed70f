package fidelity

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"windtunnel/internal/golden"
)

// TestDocs: the tables of docs/fidelity.md are what the references say, with the tolerances and the gaps as they are.
func TestDocs(t *testing.T) {
	page := filepath.Join("..", "..", "docs", "fidelity.md")
	for _, table := range []struct{ name, text string }{{"calls", callTable(t)}, {"likeness", likeTable(t)}} {
		golden.Section(t, page, "<!-- "+table.name+": made by go test ./analysis/fidelity -run TestDocs -update -->\n", "<!-- end of "+table.name+" -->", table.text)
	}
}

func callTable(t *testing.T) string {
	t.Helper()
	r := reference(t, "kubelet")
	rules, err := DefaultRules()
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\nKubernetes %s, %d runs of the script, %d nodes in all.\n\n", r.Source.Kubernetes, len(r.Source.Runs), r.Source.Chosen)
	b.WriteString("| stage | who | call | per | count | bytes | within | because |\n|---|---|---|---|---:|---:|---:|---|\n")
	for _, s := range r.Stages {
		for _, c := range s.Calls {
			rule := rules.of(s.Name, c.Kind)
			per, units := rule.units(s, c.Kind)
			size, within := "", ""
			if mean := c.mean(); mean != nil {
				size = fmt.Sprintf("%.0f", *mean)
			}
			if allowed := rule.allowance(per, s, s); allowed > 0 {
				within = fmt.Sprintf("%.2f", allowed)
			}
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %.2f | %s | %s | %s |\n", s.Name, c.Who, c.Kind, per, quotient(rule.counted(c), units), size, within, rule.Why)
		}
	}
	b.WriteString("\n")
	return b.String()
}
