package fidelity

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"windtunnel/results"
)

// line is one event of the fixture's audit log, taken apart.
type line map[string]any

func (l line) text(path ...string) string {
	var v any = map[string]any(l)
	for _, p := range path {
		m, ok := v.(map[string]any)
		if !ok {
			return ""
		}
		v = m[p]
	}
	s, _ := v.(string)
	return s
}

// kubelet says whether the event is of a kubelet's request with this verb on this resource.
func (l line) kubelet(verb, resource, sub string) bool {
	return strings.HasPrefix(l.text("user", "username"), "system:node:") && l.text("verb") == verb && l.text("objectRef", "resource") == resource &&
		l.text("objectRef", "subresource") == sub
}

// fixture is a run of six nodes and twelve pods, made from testdata/run (a real run of the built-in profile with fewer nodes and
// pods, of which the lines of nodes, users and the scheduler are left), with its audit log changed line by line; change returns
// what a line becomes, and nothing takes it out.
func fixture(t *testing.T, change func(line) []line) *results.Dir {
	t.Helper()
	path := filepath.Join(t.TempDir(), "fidelity-20261128T183600Z-8166bd")
	if err := os.CopyFS(path, os.DirFS(filepath.Join("testdata", "run"))); err != nil {
		t.Fatal(err)
	}
	packed, err := os.Open(filepath.Join(path, "logs", "audit.log.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer packed.Close()
	unpacked, err := gzip.NewReader(packed)
	if err != nil {
		t.Fatal(err)
	}
	log, err := io.ReadAll(unpacked)
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		log = changed(t, log, change)
	}
	if err := os.WriteFile(filepath.Join(path, "logs", "audit.log"), log, 0o644); err != nil {
		t.Fatal(err)
	}
	d, err := results.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func changed(t *testing.T, log []byte, change func(line) []line) []byte {
	t.Helper()
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	for text := range bytes.Lines(log) {
		var l line
		if err := json.Unmarshal(text, &l); err != nil {
			t.Fatal(err)
		}
		for _, l := range change(l) {
			if err := encoder.Encode(l); err != nil {
				t.Fatal(err)
			}
		}
	}
	return out.Bytes()
}

// recorded is the recording of the fixture.
func recorded(t *testing.T, change func(line) []line, nodes ...string) Recording {
	t.Helper()
	r, err := Record(fixture(t, change), Options{Nodes: nodes})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// compared holds a changed fixture against the one as it is.
func compared(t *testing.T, change func(line) []line) Comparison {
	t.Helper()
	rules, err := DefaultRules()
	if err != nil {
		t.Fatal(err)
	}
	return Compare(recorded(t, nil), recorded(t, change), rules, Parts())
}

// failed are the rows of calls that differ, as STAGE: KIND.
func failed(rows []CallRow) []string {
	var all []string
	for _, r := range rows {
		if r.Verdict == results.Fail {
			all = append(all, r.Stage+": "+r.Kind.String())
		}
	}
	return all
}

func part(t *testing.T, c Comparison, name string) Part {
	t.Helper()
	i := slices.IndexFunc(c.Parts, func(p Part) bool { return p.Name == name })
	if i < 0 {
		t.Fatalf("there is no part %s", name)
	}
	return c.Parts[i]
}
