package cl2

import (
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// variables are what the templates of a test read, with the places of those that come from files.
type variables struct {
	values map[string]any
	places map[string]place
	env    []string // the names that come from the environment
}

const (
	environmentPrefix    = "CL2_"
	defaultImageRegistry = "registry.k8s.io"
)

// load reads the variables in ClusterLoader2's order: files of overrides, then Nodes and ImageRegistry, then the environment,
// which must not contradict what is there.
func (t *Test) load(overrides []string, o Options) {
	t.variables = variables{values: map[string]any{}, places: map[string]place{}}
	for _, path := range overrides {
		t.override(path)
	}
	t.variables.values["Nodes"] = o.Nodes
	t.variables.values["ImageRegistry"] = defaultImageRegistry
	if o.ImageRegistry != "" {
		t.variables.values["ImageRegistry"] = o.ImageRegistry
	}
	for _, name := range []string{"Nodes", "ImageRegistry"} {
		if at, ok := t.variables.places[name]; ok {
			t.found.warn(at, name, "", "the variable %s is set by the run: this value is not used", name)
			delete(t.variables.places, name)
		}
	}
	for _, line := range o.Environment {
		if name, text, ok := strings.Cut(line, "="); ok && strings.HasPrefix(name, environmentPrefix) {
			t.environment(name, environmentValue(text))
		}
	}
}

// override adds the variables of a file, which is a mapping and no template.
func (t *Test) override(path string) {
	f, err := t.files.openAt(path)
	if err != nil {
		t.found.add(place{}, "", "", "read the overrides: %v", err)
		return
	}
	n := t.literal(f)
	if n.isNull() {
		return
	}
	if n.kind != yaml.MappingNode {
		t.found.add(n.at, "", "write NAME: VALUE, one a line", "a file of overrides is a mapping, not %s", n.describe())
		return
	}
	for i, key := range n.keys {
		t.variables.values[key.text] = n.values[i].value()
		t.variables.places[key.text] = key.at
	}
}

// literal parses a file that is no template; of several documents the first counts.
func (t *Test) literal(f *file) *node {
	r := &rendered{file: f, text: f.data, pieces: []piece{{verbatim: true}}}
	docs := r.documents()
	if len(docs) == 0 {
		return nil
	}
	return docs[0].parse(&t.found)
}

// environment adds a variable of the environment. In ClusterLoader2 it conflicts with the same number in a file, because the two
// are of different types there; here numbers are compared as numbers, and the environment's is taken, which prints without an
// exponent.
func (t *Test) environment(name string, value any) {
	t.variables.env = append(t.variables.env, name)
	before, there := t.variables.values[name]
	if there && !reflect.DeepEqual(before, value) {
		a, errA := number(before)
		b, errB := number(value)
		_, isText := before.(string)
		if errA != nil || errB != nil || isText || a != b {
			t.found.add(t.variables.places[name], name, "take one of them away", "merge conflict: it is %v here and %v in the environment", before, value)
			return
		}
	}
	t.variables.values[name] = value
}

// environmentValue gives a text of the environment the first type that it fits: whole number, number, boolean, text.
func environmentValue(text string) any {
	if v, err := strconv.ParseInt(text, 10, 64); err == nil {
		return v
	}
	if v, err := strconv.ParseFloat(text, 64); err == nil {
		return v
	}
	if v, err := strconv.ParseBool(text); err == nil {
		return v
	}
	return text
}

// with is a copy of the variables with some more.
func (v variables) with(more Params) map[string]any {
	all := maps.Clone(v.values)
	maps.Copy(all, more)
	return all
}

// unread are the names that nothing reads, in order.
func unread(names []string, read map[string]bool) []string {
	var all []string
	for _, name := range names {
		if !read[name] {
			all = append(all, name)
		}
	}
	slices.Sort(all)
	return all
}
