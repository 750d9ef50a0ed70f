package cl2

import (
	"os"
	"strings"
	"testing"
)

// FuzzRead gives the reader anything as a config, a module, an object template and a file of overrides. Whatever it is, there is a
// plan or a problem, the problems' places are in the files, and reading it again gives the same.
func FuzzRead(f *testing.F) {
	load := func(name string) string {
		data, err := os.ReadFile("testdata/" + name)
		if err != nil {
			f.Fatal(err)
		}
		return string(data)
	}
	f.Add(load("small/config.yaml"), load("small/modules/measurements.yaml"), load("small/deployment.yaml"), "GROUP_SIZE: 3\n")
	f.Add(load("mistakes/config.yaml"), load("mistakes/module.yaml"), load("mistakes/deployment.yaml"), load("mistakes/overrides.yaml"))
	f.Add("{{$x := $y}}{{define \"a\"}}{{$z}}{{end}}{{template \"a\" .}}", "steps: [&a [*a]]", "{{", "- a")
	f.Add("name: x\nsteps:\n- module: {path: m.yaml}\n", "---\n---\nsteps: []\n---\n", "", "A: 1e99")
	f.Fuzz(func(t *testing.T, config, module, object, overrides string) {
		if len(config)+len(module)+len(object)+len(overrides) > 1<<14 || strings.Contains(config+module+object, "range") {
			t.Skip() // loops in loops are bounded, but not within the patience of a fuzzer
		}
		read := func() (string, bool) {
			test := Read("config.yaml", Options{Nodes: 2, Seed: 1, Overrides: []string{"overrides.yaml"}, Read: func(path string) ([]byte, error) {
				switch {
				case path == "config.yaml":
					return []byte(config), nil
				case path == "overrides.yaml":
					return []byte(overrides), nil
				case strings.Contains(path, "mod"):
					return []byte(module), nil
				}
				return []byte(object), nil
			}})
			for _, s := range test.configSteps() {
				for _, p := range s.Phases {
					if p.ReplicasPerNamespace > 100 || p.NamespaceRange != nil && p.NamespaceRange.Max > 100 || len(p.NamespaceList) > 100 {
						t.Skip()
					}
				}
			}
			plan, err := test.Plan()
			if plan == nil && err == nil {
				t.Error("neither a plan nor a problem")
			}
			text := ""
			for _, p := range test.Problems() {
				text += p.String() + "\n"
				if p.Line < 0 || p.Column < 0 || p.File != "" && p.Line == 0 {
					t.Errorf("a problem without a place: %v", p)
				}
			}
			return text, err == nil
		}
		first, ok := read()
		if again, stillOK := read(); again != first || ok != stillOK {
			t.Errorf("read twice:\n%s\n%s", first, again)
		}
	})
}
