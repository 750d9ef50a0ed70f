package slo

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"windtunnel/internal/golden"
	"windtunnel/profiles"
)

// TestBadInput holds what a person reads for bad files.
func TestBadInput(t *testing.T) {
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no test data: %v", err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		_, err = Read(filepath.Base(file), data)
		if err == nil {
			t.Fatalf("%s: no problem found", file)
		}
		golden.Check(t, strings.TrimSuffix(file, ".yaml")+".txt", err.Error()+"\n")
	}
}

// TestPlaces: however YAML writes an expression, a mistake in it is shown where it stands.
func TestPlaces(t *testing.T) {
	for name, c := range map[string]struct {
		text         string
		line, column int
	}{
		"plain":          {`expression: rate(requestz) >= 1/s`, 5, 22},
		"plain, folded":  {"expression: rate(\n      requestz) >= 1/s", 6, 7},
		"single quotes":  {`expression: 'rate(requestz) >= 1/s'`, 5, 23},
		"double quotes":  {`expression: "count(errors{code=\"409\"}) + rate(requestz)"`, 5, 46},
		"literal":        {"expression: |\n      rate(\n        requestz) >= 1/s", 7, 9},
		"folded":         {"expression: >-\n\n      rate(\n      requestz) >= 1/s", 8, 7},
		"doubled quotes": {`expression: 'count(errors{code=''409''}) <= 1B'`, 5, 49},
	} {
		_, err := Read("x.yaml", []byte("apiVersion: windtunnel/v1alpha1\nkind: SLO\nname: x\nobjectives:\n  - "+c.text+"\n"))
		var problems *profiles.Problems
		if !errors.As(err, &problems) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if p := problems.List[0]; p.Line != c.line || p.Column != c.column {
			t.Errorf("%s: %d:%d, not %d:%d\n%s", name, p.Line, p.Column, c.line, c.column, p)
		}
	}
}

func TestBuiltins(t *testing.T) {
	if diff := cmp.Diff([]string{"historical", "official", "wip"}, Builtins()); diff != "" {
		t.Fatal(diff)
	}
	for _, name := range Builtins() {
		data, ok := Builtin(name)
		if !ok || !IsFile(data) {
			t.Fatalf("%s: %v", name, ok)
		}
		f, err := Read(name+".yaml", data)
		if err != nil {
			t.Errorf("%v", err)
			continue
		}
		if f.Name != name {
			t.Errorf("%s calls itself %s", name, f.Name)
		}
		for _, o := range f.Objectives {
			if o.Observe != (name == "wip") {
				t.Errorf("%s: %s: observe %v", name, o.Name, o.Observe)
			}
			if o.measure.unit == Fraction && o.least() != 299 {
				t.Errorf("%s: %s needs %d samples", name, o.Name, o.least())
			}
		}
	}
	if _, ok := Builtin("../official"); ok {
		t.Error("a path is the name of a set")
	}
}

func TestUnits(t *testing.T) {
	for _, c := range []struct {
		text string
		unit Unit
		want float64
	}{
		{"1s", Seconds, 1}, {"1500 ms", Seconds, 1.5}, {"20us", Seconds, 20e-6}, {"2m", Seconds, 120}, {"1h", Seconds, 3600}, {"0.5s", Seconds, 0.5},
		{"2GiB", Bytes, 2 << 30}, {"512 KiB", Bytes, 512 << 10}, {"7B", Bytes, 7}, {"99%", Fraction, 0.99}, {"0.99", Fraction, 0.99}, {"99.9%", Fraction, 0.999},
		{"10/s", PerSecond, 10}, {"1.5 cores", Cores, 1.5}, {"3", Number, 3}, {"-3", Number, -3},
	} {
		p := &parser{lexer: lexer{in: []rune(c.text)}}
		p.advance()
		q := p.quantity()
		if got, wrong := q.in(c.unit); wrong != nil || p.err != nil || got != c.want {
			t.Errorf("%s: %v, not %v (%v, %v)", c.text, got, c.want, wrong, p.err)
		}
	}
	for _, c := range []struct {
		unit  Unit
		value float64
		want  string
	}{
		{Seconds, 0.16234, "162.3 ms"}, {Seconds, 1.5, "1.5 s"}, {Seconds, 0, "0 s"}, {Seconds, 12e-6, "12 µs"}, {Seconds, -0.2, "-200 ms"}, {Seconds, 4321.5, "4322 s"},
		{Bytes, 1.5 * (1 << 30), "1.5 GiB"}, {Bytes, 12, "12 B"}, {Bytes, -2048, "-2 KiB"}, {Bytes, 0, "0 B"},
		{Fraction, 0.999999, "99.99 %"}, {Fraction, 1, "100.00 %"}, {PerSecond, 33.333333, "33.33/s"}, {Cores, 0.69759, "0.6976 cores"}, {Number, 12345, "12345"},
	} {
		if got := c.unit.Format(c.value); got != c.want {
			t.Errorf("%v %s: %q, not %q", c.value, c.unit, got, c.want)
		}
	}
}

// TestNeverPanics: whatever is written, there is a file or there are mistakes with places.
func TestNeverPanics(t *testing.T) {
	pieces := []string{"quantile", "within", "good", "ratio", "errors", "requests", "request_latency", "metric", "pod_startup", "(", ")", "{", "}", ",", "0.99", "1s", "1m", "99%", "10/s", "<=", "==", "=", "=~",
		"by", "verb", "stage", "name", `"GET"`, `"a|("`, "é", "/", "-", ".", " "}
	rapid.Check(t, func(r *rapid.T) {
		text := strings.Join(rapid.SliceOf(rapid.SampledFrom(pieces)).Draw(r, "text"), rapid.SampledFrom([]string{"", " ", "\n    "}).Draw(r, "between"))
		style := rapid.SampledFrom([]string{"%s", "'%s'", "|\n      %s", ">-\n      %s"}).Draw(r, "style")
		_, err := Read("x.yaml", []byte("apiVersion: windtunnel/v1alpha1\nkind: SLO\nname: x\nobjectives:\n  - expression: "+fmt.Sprintf(style, text)+"\n"))
		var problems *profiles.Problems
		if err != nil && !errors.As(err, &problems) {
			r.Fatalf("%v", err)
		}
		if err != nil {
			for _, p := range problems.List {
				if p.Line < 1 || p.Column < 1 {
					r.Fatalf("no place: %+v", p)
				}
			}
		}
	})
}
