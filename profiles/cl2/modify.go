package cl2

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"windtunnel/profiles"
)

// What is changed of a config from outside of its files, after it was rendered.

// overwritten is what messages call the place of values that stand in no file.
const overwritten = "--overwrite-test-config"

// overwritable are the paths of the values that can be set so, in any case of letters.
func overwritable() []string {
	return []string{
		"name", "automanagedNamespaces", "namespace.number", "namespace.prefix", "namespace.deleteStaleNamespaces", "namespace.deleteAutomanagedNamespaces",
		"namespace.enableExistingNamespaces", "namespace.deleteNamespaceTimeout", "chaosMonkey.nodeFailure.failureRate", "chaosMonkey.nodeFailure.interval",
		"chaosMonkey.nodeFailure.jitterFactor", "chaosMonkey.nodeFailure.simulatedDowntime",
	}
}

// overwrite puts values, each PATH=VALUE, into a config that is still to be decoded.
func (t *Test) overwrite(root *node, values []string) {
	f := newFile(overwritten, []byte(strings.Join(values, "\n")))
	offset := 0
	for _, text := range values {
		path, value, pair := strings.Cut(text, "=")
		at := f.at(offset, len(path))
		offset += len(text) + 1
		known := slices.ContainsFunc(overwritable(), func(one string) bool { return strings.EqualFold(one, path) })
		var parsed yaml.Node
		switch err := yaml.Unmarshal([]byte(value), &parsed); {
		case !pair:
			t.found.add(at, "", "as in Namespace.Prefix=mine", "this is no PATH=VALUE")
		case !known:
			t.found.add(at, "", profiles.Suggest(path, overwritable()), "%q cannot be set", path)
		case err != nil || len(parsed.Content) == 0 || parsed.Content[0].Kind != yaml.ScalarNode:
			t.found.add(at, "", "", "%q is no single value", value)
		default:
			y := parsed.Content[0]
			root.set(strings.Split(path, "."), &node{kind: yaml.ScalarNode, scalar: scalar(y), text: y.Value, plain: y.Style == 0, at: at})
		}
	}
}

// set puts a value at a path of keys into a mapping.
func (n *node) set(path []string, v *node) {
	i := slices.IndexFunc(n.keys, func(k *node) bool { return strings.EqualFold(k.text, path[0]) })
	if i < 0 {
		i = len(n.keys)
		n.keys = append(n.keys, &node{kind: yaml.ScalarNode, scalar: path[0], text: path[0], plain: true, at: v.at})
		n.values = append(n.values, nil)
	}
	if len(path) == 1 {
		n.values[i] = v
		return
	}
	if n.values[i].isNull() {
		n.values[i] = &node{kind: yaml.MappingNode, at: v.at}
	}
	n.values[i].set(path[1:], v)
}

// skips tells whether a step is left out: by its name a step of the config, whatever it stands for, and a step of a module when it is not
// replaced itself.
func (t *Test) skips(s *Step, depth int) bool {
	skipped := slices.Contains(t.options.SkipSteps, s.Name) && (depth == 0 || s.module == nil)
	if skipped {
		t.skipped[s.Name] = true
	}
	return skipped
}

// unskipped warns of names that no step has.
func (t *Test) unskipped() {
	var names []string
	for _, s := range t.Config.Steps {
		names = append(names, s.Name)
	}
	for _, name := range t.options.SkipSteps {
		if !t.skipped[name] {
			t.found.warn(place{}, "", profiles.Suggest(name, names), "--skip-steps: no step has the name %q", name)
		}
	}
}
