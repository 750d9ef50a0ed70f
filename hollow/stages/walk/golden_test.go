package walk

import (
	"path/filepath"
	"testing"

	"windtunnel/hollow/stages"
	"windtunnel/internal/golden"
)

// TestBuiltinLives carries objects through the built-in life cycles and compares with what was written down.
func TestBuiltinLives(t *testing.T) {
	inputs, err := Inputs(filepath.Join("..", "builtin"))
	if err != nil {
		t.Fatal(err)
	}
	for _, input := range inputs {
		t.Run(filepath.Base(input), func(t *testing.T) {
			result, err := Test(input, golden.Update())
			if err != nil {
				t.Fatal(err)
			}
			if result.Diff != "" {
				t.Error(result.Diff)
			}
		})
	}
}

// TestBuiltinsHaveNoNotes: no built-in stage does nothing.
func TestBuiltinsHaveNoNotes(t *testing.T) {
	for _, name := range stages.Builtins() {
		data, _ := stages.Builtin(name)
		all, err := stages.Parse(name, data)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range all {
			for _, n := range s.Notes {
				t.Error(n)
			}
		}
	}
}
