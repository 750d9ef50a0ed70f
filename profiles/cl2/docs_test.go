package cl2

import (
	"fmt"
	"strings"
	"testing"

	"windtunnel/internal/golden"
)

const (
	manual     = "../../docs/clusterloader2.md"
	tableBegin = "<!-- begin of the generated tables -->\n"
	tableEnd   = "<!-- end of the generated tables -->"
)

// TestManualTables holds the tables of the manual to the code.
func TestManualTables(t *testing.T) {
	golden.Section(t, manual, tableBegin, tableEnd, tables())
}

func tables() string {
	var b strings.Builder
	b.WriteString("\n| tuning set | actions begin | keys |\n| --- | --- | --- |\n")
	for _, kind := range tuningSetKinds() {
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", kind.key, kind.meaning, strings.Join(kind.required, ", "))
	}
	b.WriteString("\n| measurement | actions | parameters | not measured, because |\n| --- | --- | --- | --- |\n")
	for _, m := range Methods() {
		var params []string
		for _, p := range m.Params {
			params = append(params, p.manual())
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", m.Name, strings.Join(m.Actions, ", "), strings.Join(params, ", "), m.Skip)
	}
	b.WriteString("\n")
	return b.String()
}

// manual is a parameter as the manual has it.
func (p Param) manual() string {
	text := p.Name
	switch p.Required {
	case "":
	case "*":
		text += "!"
	default:
		text += "! (" + strings.ReplaceAll(p.Required, " ", ", ") + ")"
	}
	var keys []string
	for _, key := range p.Keys {
		keys = append(keys, key.manual())
	}
	if len(keys) > 0 {
		text += " {" + strings.Join(keys, ", ") + "}"
	}
	return text
}
