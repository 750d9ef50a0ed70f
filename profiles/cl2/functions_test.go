package cl2

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// given are the variables of the cases: as a file of overrides brings them (numbers are float64), as the environment does
// (int64), and as an object template has them.
func given() map[string]any {
	return map[string]any{
		"Nodes": 100, "ImageRegistry": "registry.k8s.io", "Index": int32(20), "Name": "web-20",
		"FILE": float64(20), "MILLION": 1e6, "CL2_MILLION": int64(1000000), "HALF": 0.5, "TEXT": "20", "WORD": "many", "EMPTY": "",
		"YES": true, "LIST": []any{"a", "b"}, "LINES": "- verb: LIST\n  threshold: 60s\n",
	}
}

// functionCases are templates with what they give: functions, number formats, and errors after "!".
func functionCases() [][2]string {
	return [][2]string{
		{`{{AddInt 1 2 3}} {{AddInt}} {{AddInt 1.9 1.2}} {{AddInt "7" .FILE}} {{AddInt .Index .Nodes .CL2_MILLION}}`, `6 0 3 27 1000120`},
		{`{{AddFloat 1 2.5}} {{AddFloat}} {{AddFloat 0.1 0.2}}`, `3.5 0 0.30000000000000004`},
		{`{{SubtractInt 5 7}} {{SubtractInt 5.5 0.1}} {{SubtractInt 0 1.9}}`, `-2 5 -1`},
		{`{{SubtractFloat 1 .HALF}} {{SubtractFloat 1 0}}`, `0.5 1`},
		{`{{MultiplyInt 250 0.5}} {{MultiplyInt}} {{MultiplyInt 3 30 .Nodes}}`, `125 1 9000`},
		{`{{MultiplyFloat 2 1.5}} {{MultiplyFloat 1000 1000}} {{MultiplyFloat 1000000 1000000 1000000 1000000}}`, `3 1e+06 1e+24`},
		{`{{DivideInt 3000 40}} {{DivideInt -7 2}} {{DivideInt 1 3}}`, `75 -3 0`},
		{`{{DivideFloat 3000 20}} {{DivideFloat 1 3}}`, `150 0.3333333333333333`},
		{`{{DivideFloat 3000 20 | AddInt 180}}s`, `330s`},
		{`{{DivideInt 1 0}}`, `!division by zero`},
		{`{{DivideFloat .Nodes .EMPTY}}`, `!cannot cast  to float64`},
		{`{{MaxInt 3 1.9 "5"}} {{MaxInt 2.9}} {{MinInt .Nodes (DefaultParam .NODES_PER_NAMESPACE 100)}}`, `5 2 100`},
		{`{{MaxFloat 3 1.5}} {{MinFloat 3 1.5}} {{MinFloat -1 .HALF}}`, `3 1.5 -1`},
		{`{{MinInt 4 2 9}}`, `2`},
		{`{{Mod 7 3}} {{Mod -7 3}} {{Mod 7.9 3.9}} {{Mod .Index 10}}`, `1 -1 1 0`},
		{`{{Mod 1 0}}`, `!by zero`},
		{`{{Ceil 1.2}} {{Ceil -1.2}} {{Ceil "3.01"}} {{Ceil 1000000.5}}`, `2 -1 4 1.000001e+06`},
		{`{{DefaultParam .MISSING 5}} {{DefaultParam .FILE 5}} [{{DefaultParam .EMPTY 5}}] {{DefaultParam .MISSING nil}}`, `5 20 [] <no value>`},
		{`{{.MISSING}} {{.FILE}} {{.MILLION}} {{.CL2_MILLION}} {{.HALF}} {{.YES}} {{.LIST}}`, `<no value> 20 1e+06 1000000 0.5 true [a b]`},
		{`{{IfThenElse (lt .Nodes 100) 0 1}} {{IfThenElse .YES "a" 2}} {{IfThenElse (le .Nodes 500) 10 100}}`, `1 a 10`},
		{`{{IfThenElse 1 2 3}}`, `!got: int want: bool`},
		{`{{Loop 3}} {{Loop 0}} {{Loop 2.9}} {{range $i := Loop "2"}}<{{$i}}>{{end}}`, `[0 1 2] [] [0 1] <0><1>`},
		{`{{Loop -1}}`, `!`},
		{`{{SliceOfZeros 3}} {{Seq 2}}`, `[0 0 0] [0 0]`},
		{`{{StringSplit "a,b,,c"}} {{len (StringSplit "")}}`, `[a b  c] 1`},
		{`{{Lowercase "ABc"}} {{Concat "a" "/" "b"}}[{{Concat}}] {{Concat .ImageRegistry "/pause:3.9"}}`, `abc a/b[] registry.k8s.io/pause:3.9`},
		{`{{Concat "a" 1}}`, `!expected string; found 1`},
		{`{{YamlQuote "a: b" 2}}|`, "'a: b'\n    |"},
		{`{{YamlQuote "" 4}}|`, "\"\"\n        |"},
		{`{{YamlQuote .LINES 1}}|`, "|\n    - verb: LIST\n      threshold: 60s\n  |"},
		{`{{YamlQuote "true" 0}}|{{YamlQuote "plain" 0}}|`, "\"true\"\n|plain\n|"},
		{`{{YamlQuote 5 1}}`, `!got: int want: string`},
		{`{{YamlQuote "a" .FILE}}`, `!got: float64 want: int`},
		{`{{RandInt 0}} {{RandIntRange 5 5}} {{RandIntRange 7 2}} [{{RandData 0}}]`, `0 5 7 []`},
		{`{{RandInt -1}}`, `!invalid argument`},
		{`[{{RandDataWithSeed 0 "x"}}] {{RandDataWithSeed 12 "web-20"}} {{RandDataWithSeed 12 .Name}}`, `[] PepBkizyxabm PepBkizyxabm`},
		{`{{RandDataWithSeed 5 5}}`, `!string`},
		{`{{IncludeFile "part.txt"}} {{IncludeFile "$WHERE/part.txt"}}`, `beside the program, expanded`},
		{`{{IncludeFile 5}}`, `!got: int want: string`},
		{`{{IncludeFile "none"}}`, `!unable to read file`},
		{`{{IncludeEmbedFile "/modules/part.txt"}} {{IncludeEmbedFile "../part.txt"}}`, `in the test above it`},
		{`{{IncludeEmbedFile "none"}}`, `!unable to read file`},
		{`{{if eq (Mod .Index 20) 0 19}}yes{{end}}{{if and .YES (not .EMPTY)}} and{{end}} {{printf "%s-%d" .Name 3}} {{with .LIST}}{{index . 1}}{{end}}`, `yes and web-20-3 b`},
		{`{{/* nothing */}}{{- " a " -}} b {{range .LIST}}{{.}};{{end}}`, ` a b a;b;`},
		{`{{AddInt "x"}}`, `!cannot cast x to float64`},
		{`{{AddInt .MISSING 1}}`, `!cannot cast <nil> to float64`},
		{`{{MaxInt}}`, `!`},
		{`{{AddInt true}}`, `!cannot cast true to float64`},
	}
}

// TestFunctions: every function gives what the reference gives, number formats and errors included.
func TestFunctions(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"test/modules/part.txt": "in the test", "part.txt": "above it", "bin/part.txt": "beside the program,", "bin/there/part.txt": "expanded"} {
		writeFile(t, filepath.Join(dir, name), text)
	}
	set := &templates{
		files: &files{read: os.ReadFile, dir: filepath.Join(dir, "test"), known: map[string]*file{}}, parsed: map[*file]*parsed{},
		includeDir: filepath.Join(dir, "bin"), env: lookup([]string{"WHERE=there"}),
	}
	called := map[string]bool{}
	for _, c := range functionCases() {
		template, want := c[0], c[1]
		p := set.parse(newFile(template, []byte(template)))
		if len(p.broken) > 0 {
			t.Errorf("%s: %v", template, p.broken)
			continue
		}
		for name := range p.facts.functions {
			called[name] = true
		}
		r, err := set.execute(p, given())
		var failed *templateError
		switch message, fails := strings.CutPrefix(want, "!"); {
		case fails && !errors.As(err, &failed):
			t.Errorf("%s: gives %q (%v), want an error with %q", template, r.text, err, message)
		case fails && !strings.Contains(failed.message, message):
			t.Errorf("%s: fails with %q, want %q", template, failed.message, message)
		case !fails && (err != nil || string(r.text) != want):
			t.Errorf("%s:\n got %q (%v)\nwant %q", template, r.text, err, want)
		}
	}
	functions := set.functions()
	if len(functions) != 29 {
		t.Errorf("there are %d functions, want 29", len(functions))
	}
	for name := range functions {
		if !called[name] {
			t.Errorf("no case calls %s", name)
		}
	}
}

func writeFile(t testing.TB, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestRandomness: the same seed gives the same values, another seed or another object others, and a plan's sketch draws the same
// numbers as the rendering of the body.
func TestRandomness(t *testing.T) {
	const template = `{{RandData 40}} {{RandIntRange 1 1000000}} {{RandInt 1000000}}`
	p := func(seed uint64, sketch bool, what ...string) []string {
		set := &templates{parsed: map[*file]*parsed{}, seed: seed, sketch: sketch}
		r, err := set.execute(set.parse(newFile("t", []byte(template))), nil, what...)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Fields(string(r.text))
	}
	first := p(1, false, "object", "ns-1", "web-0")
	if again := p(1, false, "object", "ns-1", "web-0"); strings.Join(first, " ") != strings.Join(again, " ") {
		t.Errorf("the same seed gives %v and %v", first, again)
	}
	if len(first[0]) != 40 {
		t.Errorf("RandData 40 has %d characters", len(first[0]))
	}
	for name, other := range map[string][]string{"seed": p(2, false, "object", "ns-1", "web-0"), "object": p(1, false, "object", "ns-1", "web-1"), "borders": p(1, false, "object", "ns-1w", "eb-0")} {
		for i := range other {
			if other[i] == first[i] {
				t.Errorf("another %s gives the same value %s", name, other[i])
			}
		}
	}
	if sketch := p(1, true, "object", "ns-1", "web-0"); sketch[1] != first[1] || sketch[2] != first[2] {
		t.Errorf("a sketch draws %v, the rendering %v", sketch[1:], first[1:])
	}
}
