package cl2

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"

	"windtunnel/profiles"
)

// Scenario is an entry of a suite.
type Scenario struct {
	// Identifier tells the results of scenarios apart. It has no underscore, which separates the parts of their files' names.
	Identifier string `json:"identifier,omitempty"`
	// ConfigPath is the config's file, seen from the working directory.
	ConfigPath string `json:"configPath"`
	// OverridePaths are files of overrides that win over those of the whole run, seen from the working directory.
	OverridePaths []string `json:"overridePaths,omitempty"`

	at place
}

// ReadSuite reads a suite and every test that it names. The error is a *profiles.Problems with what is wrong with the suite
// itself; what is wrong with a test, the test says.
func ReadSuite(path string, o Options) ([]*Test, error) {
	reader := &Test{files: &files{read: o.Read, known: map[string]*file{}}}
	scenarios := reader.scenarios(path)
	if list := reader.Problems(); len(list) > 0 {
		return nil, &profiles.Problems{List: list}
	}
	var tests []*Test
	for _, s := range scenarios {
		tests = append(tests, read(s, o))
	}
	return tests, nil
}

func (t *Test) scenarios(path string) []Scenario {
	f, err := t.files.openAt(path)
	if err != nil {
		t.found.add(place{}, "", "", "read the suite: %v", err)
		return nil
	}
	root := t.literal(f)
	if root.isNull() || root.kind != yaml.SequenceNode || len(root.values) == 0 {
		if !t.found.failed() {
			t.found.add(f.at(0, 1), "", "write a list of entries with configPath", "a suite is a list of scenarios")
		}
		return nil
	}
	var all []Scenario
	d := &decoder{found: &t.found}
	for i, n := range root.values {
		all = append(all, t.scenario(d, n, fmt.Sprintf("[%d]", i)))
	}
	return all
}

func (t *Test) scenario(d *decoder, n *node, path string) Scenario {
	s := Scenario{at: n.at}
	d.object(n, path, "a scenario", fields{"identifier": d.text(&s.Identifier), "configPath": d.text(&s.ConfigPath), "overridePaths": d.texts(&s.OverridePaths)})
	if v := n.get("identifier"); v != nil && strings.Contains(s.Identifier, "_") {
		d.found.add(v.at, path+".identifier", "such as "+strings.ReplaceAll(s.Identifier, "_", "-"), "an identifier has no underscores: they separate the parts of the names of files")
	}
	switch v := n.get("configPath"); {
	case s.ConfigPath == "":
		d.found.add(n.at, path, "", "the scenario has no configPath")
	case v != nil:
		s.at = v.at
		if _, err := t.files.read(s.ConfigPath); err != nil {
			d.found.add(v.at, path+".configPath", "paths in a suite are seen from the working directory", "there is no config %s: %s", s.ConfigPath, reason(err))
		}
	}
	return s
}

// Format is what a file is taken for by its shape.
type Format int

// The formats of ClusterLoader2's files, as far as they can be told by their shape.
const (
	NoFormat   Format = iota
	ConfigFile        // has steps at the top, and a name, tuning sets or a namespace
	ModuleFile        // has steps at the top, and nothing else: a part of a config
	SuiteFile         // is a list
)

var (
	topLevelKey = regexp.MustCompile(`(?m)^["']?([A-Za-z]+)["']?[ \t]*:`)
	firstItem   = regexp.MustCompile(`^-([ \t\r\n]|$)`)
)

// Recognize tells what a file is, by its keys at the top: a template is not YAML before it is rendered.
func Recognize(data []byte) Format {
	for line := range bytes.Lines(data) {
		if text := bytes.TrimRight(line, " \t\r\n"); len(text) > 0 && text[0] != '#' && !bytes.Equal(text, []byte("---")) {
			if firstItem.Match(text) {
				return SuiteFile
			}
			break
		}
	}
	keys := map[string]bool{}
	for _, m := range topLevelKey.FindAllSubmatch(data, -1) {
		keys[strings.ToLower(string(m[1]))] = true
	}
	switch {
	case keys["apiversion"] || keys["kind"] || !keys["steps"]:
		return NoFormat
	case keys["name"] || keys["tuningsets"] || keys["namespace"] || keys["automanagednamespaces"]:
		return ConfigFile
	}
	return ModuleFile
}
