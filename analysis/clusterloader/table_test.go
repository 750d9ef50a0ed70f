package clusterloader

import (
	"slices"
	"testing"

	"windtunnel/profiles/cl2"
)

// TestTableIsWhole: every measurement that a config can name is computed, or skipped with a reason, or only does something; and nothing
// is computed that no config can name.
func TestTableIsWhole(t *testing.T) {
	does := []string{"BlockProfile", "CPUProfile", "ChaosMonkey", "Exec", "MemoryProfile", "RestartApiserver", "Sleep"}
	table, named := methods(), map[string]bool{}
	for _, m := range cl2.Methods() {
		named[m.Name] = true
		how, known := table[m.Name]
		switch {
		case known && m.Skip != "":
			t.Errorf("%s is skipped, and would be computed", m.Name)
		case !known && m.Skip == "" && !slices.Contains(does, m.Name):
			t.Errorf("%s is neither computed nor skipped", m.Name)
		case known && how.compute == nil && !how.waits:
			t.Errorf("%s is in the table for nothing", m.Name)
		case known && how.compute != nil && how.waits:
			t.Errorf("%s is computed and a wait", m.Name)
		}
	}
	for name := range table {
		if !named[name] {
			t.Errorf("no config can name %s", name)
		}
	}
}
