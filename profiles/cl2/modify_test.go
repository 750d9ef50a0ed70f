package cl2

import (
	"strings"
	"testing"
	"time"
)

// modified reads a config of three steps, the last two from modules, with changes from outside.
func modified(skip, overwrite []string) *Test {
	const sleep = "  measurements: [{method: Sleep, identifier: s, params: {duration: 1s}}]\n"
	files := map[string]string{
		"test/config.yaml": "name: x\nNamespace: {Number: 2}\nsteps:\n- name: own\n" + sleep + "- name: whole\n  module: {path: a.yaml}\n- module: {path: a.yaml}\n",
		"test/a.yaml":      "steps:\n- name: inner\n" + sleep + "- name: kept\n" + sleep,
	}
	return Read("test/config.yaml", Options{Read: memory(files), Nodes: 20, Seed: 1, SkipSteps: skip, Overwrite: overwrite})
}

// TestSkipSteps: steps are left out by their names, also those of modules, and a name that no step has is mentioned.
func TestSkipSteps(t *testing.T) {
	for _, c := range []struct{ skip, want, says string }{
		{"", "own inner kept inner kept", ""},
		{"own", "inner kept inner kept", ""},
		{"inner", "own kept kept", ""},
		{"whole", "own inner kept", ""},
		{"inne", "own inner kept inner kept", `no step has the name "inne"`},
	} {
		var skip []string
		if c.skip != "" {
			skip = []string{c.skip}
		}
		test := modified(skip, nil)
		var names []string
		for _, s := range test.Config.Steps {
			names = append(names, s.Name)
		}
		if got := strings.Join(names, " "); got != c.want || test.Err() != nil {
			t.Errorf("without %q there are %q, want %q; %v", c.skip, got, c.want, test.Err())
		}
		list := test.Problems()
		if c.says == "" && len(list) > 0 || c.says != "" && (len(list) != 1 || !strings.Contains(list[0].Message, c.says) || !strings.Contains(list[0].Hint, "inner")) {
			t.Errorf("%q: %+v", c.skip, list)
		}
	}
}

// TestOverwrite: values take the place of the config's own, or come beside them, and what is no such value is a problem with its place.
func TestOverwrite(t *testing.T) {
	test := modified(nil, []string{"Namespace.Prefix=12", "namespace.number=3", "Namespace.EnableExistingNamespaces=true", "Namespace.DeleteNamespaceTimeout=5m", "ChaosMonkey.NodeFailure.FailureRate=0.5"})
	n := test.Config.Namespace
	if n.Prefix != "12" || n.Number != 3 || !n.EnableExistingNamespaces || time.Duration(n.DeleteNamespaceTimeout) != 5*time.Minute || test.Config.ChaosMonkey.NodeFailure.FailureRate != 0.5 {
		t.Errorf("%+v, chaos %+v", n, test.Config.ChaosMonkey.NodeFailure)
	}
	for text, want := range map[string]string{
		"Namespace.Prefx=a":       `"Namespace.Prefx" cannot be set`,
		"Namespace.Prefix":        "no PATH=VALUE",
		"Namespace.Number=many":   "many",
		"Namespace.Prefix=[a, b]": "no single value",
		"Steps=":                  `"Steps" cannot be set`,
	} {
		err := modified(nil, []string{"Name=y", text}).Err()
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "--overwrite-test-config:2:1") {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}
