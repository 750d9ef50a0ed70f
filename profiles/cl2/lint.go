package cl2

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"windtunnel/profiles"
)

// errReported says that what is wrong has been reported.
var errReported = errors.New("the test has problems")

// lint reports what works and yet is hardly meant.
func (t *Test) lint() {
	read := map[string]bool{}
	for _, f := range t.files.order {
		p, ok := t.templates.parsed[f]
		if !ok {
			continue // was not read as a template
		}
		for name := range p.facts.reads {
			read[name] = true
		}
		for _, d := range p.facts.unused {
			t.found.warn(f.at(d.at, len(d.name)), "", "", "the variable %s is defined here and never used", d.name)
		}
	}
	known := slices.Sorted(maps.Keys(read))
	for _, name := range unread(slices.Collect(maps.Keys(t.variables.places)), read) {
		t.found.warn(t.variables.places[name], "", profiles.Suggest(name, known), "no file of this test reads the variable %s", name)
	}
	for _, name := range unread(t.variables.env, read) {
		if _, ok := t.variables.places[name]; !ok {
			t.found.warn(place{}, "", profiles.Suggest(name, known), "no file of this test reads the environment variable %s", name)
		}
	}
	t.unusedTuningSets()
	t.gathersWithoutStart()
}

func (t *Test) unusedTuningSets() {
	used := map[string]bool{}
	for _, s := range t.Config.Steps {
		for _, p := range s.Phases {
			used[p.TuningSet] = true
		}
	}
	for i, set := range t.Config.TuningSets {
		meant := false // by a name with a slip in it, which has been reported
		for name := range used {
			meant = meant || strings.HasPrefix(profiles.Suggest(name, []string{set.Name}), "did you mean")
		}
		if !used[set.Name] && !meant {
			t.found.warn(set.node.place("name"), fmt.Sprintf("tuningSets[%d]", i), "", "no phase uses the tuning set %s", set.Name)
		}
	}
}

// gathersWithoutStart reports measurements that are gathered under a name under which nothing was started.
func (t *Test) gathersWithoutStart() {
	type key struct{ method, identifier string }
	started := map[key]bool{}
	for _, s := range t.Config.Steps {
		for _, m := range s.Measurements {
			if m.action() == "start" {
				started[key{m.Method, m.Identifier}] = true
			}
		}
		for _, m := range s.Measurements {
			method, ok := t.methodNamed(m.Method)
			if !ok || !slices.Contains(method.Actions, "start") || m.action() != "gather" || started[key{m.Method, m.Identifier}] {
				continue
			}
			var names []string
			for k := range started {
				if k.method == m.Method {
					names = append(names, k.identifier)
				}
			}
			t.found.warn(m.at, m.path, profiles.Suggest(m.Identifier, names), "%s %q is gathered and never started", m.Method, m.Identifier)
		}
	}
}

// action is the measurement's parameter of that name.
func (m *Measurement) action() string {
	text, _ := m.Params["action"].(string)
	return text
}

func (t *Test) methodNamed(name string) (Method, bool) {
	if i := slices.IndexFunc(t.methods, func(m Method) bool { return m.Name == name }); i >= 0 {
		return t.methods[i], true
	}
	return Method{}, false
}

// measurement checks a measurement by what its method takes.
func (t *Test) measurement(m *Measurement) {
	instances := m.node.get("instances")
	several := instances != nil && len(instances.values) > 0
	switch v := m.node.get("identifier"); {
	case several && v != nil && !v.isNull():
		t.found.add(v.at, m.path, "give each instance its own", "a measurement has an identifier or instances, not both")
	case m.Identifier == "":
		t.found.add(m.at, m.path, "", "the measurement has no identifier")
	}
	method, ok := t.methodNamed(m.Method)
	if !ok {
		if v := m.node.get("method"); v != nil && v.isLost() {
			return
		}
		var names []string
		for _, x := range t.methods {
			names = append(names, x.Name)
		}
		message := fmt.Sprintf("there is no measurement %q", m.Method)
		if m.Method == "" {
			message = "the measurement has no method"
		}
		t.found.add(m.node.place("method"), m.path+".method", profiles.Suggest(m.Method, names), "%s", message)
		return
	}
	t.params(method, m, m.node.get("params"), m.path+".params")
	if several {
		for i, n := range instances.values {
			t.params(method, m, n.get("params"), fmt.Sprintf("%s.instances[%d].params", m.path, i))
		}
	}
	t.required(method, m)
}

// params checks the parameters as they are written.
func (t *Test) params(method Method, m *Measurement, n *node, path string) {
	if n == nil || n.kind != yaml.MappingNode {
		return
	}
	known := []string{"action"}
	for _, p := range method.Params {
		known = append(known, p.Name)
	}
	for i, key := range n.keys {
		v := n.values[i]
		j := slices.IndexFunc(method.Params, func(p Param) bool {
			return p.Name == key.text || method.AnyCase && strings.EqualFold(p.Name, key.text)
		})
		switch {
		case key.text == "action":
			t.actionOf(method, v, path+".action")
		case j < 0:
			t.found.warn(key.at, path, profiles.Suggest(key.text, known), "%s has no parameter %q: it is ignored", method.Name, key.text)
		case !v.isLost() && !fits(v, method.Params[j].Type):
			t.found.add(v.at, path+"."+key.text, "", "%s of %s is %s, not %s", key.text, method.Name, typeNames()[method.Params[j].Type], v.describe())
		case key.text == constraintsParam:
			t.readConstraints(m, v, path+"."+key.text)
		case method.Params[j].Name == "namespaceRange" && !v.isNull():
			t.spanOfNamespaces(v, path+"."+key.text)
		default:
			t.bounded(method.Name, key.text, v, path+"."+key.text)
		}
	}
}

func (t *Test) actionOf(method Method, v *node, path string) {
	text, ok := v.scalar.(string)
	switch {
	case v.isLost() || len(method.Actions) == 0: // there are configs that give an action to what has none
	case !ok || !slices.Contains(method.Actions, text):
		t.found.add(v.at, path, profiles.Suggest(v.text, method.Actions), "%s has no action %q", method.Name, v.text)
	}
}

// required checks that what the action needs is there, wherever it was written.
func (t *Test) required(method Method, m *Measurement) {
	if len(method.Actions) > 0 && m.Params["action"] == nil {
		t.found.add(m.at, m.path, "one of: "+strings.Join(method.Actions, ", "), "the measurement has no action")
		return
	}
	for _, p := range method.Params {
		if p.Required != "*" && (p.Required == "" || p.Required != m.action()) {
			continue
		}
		there := m.Params[p.Name] != nil
		for name, v := range m.Params {
			there = there || method.AnyCase && strings.EqualFold(name, p.Name) && v != nil
		}
		if !there {
			t.found.add(m.at, m.path, "", "%s needs the parameter %s (%s)", method.Name, p.Name, typeNames()[p.Type])
		}
	}
}

func typeNames() map[string]string {
	return map[string]string{"text": "a text", "int": "a whole number", "float": "a number", "bool": "true or false", "duration": "a duration such as 90s",
		"list": "a list", "map": "a mapping", "maps": "a list of mappings"}
}

// fits tells whether ClusterLoader2 takes a value for a parameter of the type: numbers and booleans also as texts, durations and
// texts as nothing else. No value counts as none being there.
func fits(v *node, kind string) bool {
	if v.isNull() {
		return true
	}
	text, isText := v.scalar.(string)
	_, isNumber := v.scalar.(float64)
	_, isBool := v.scalar.(bool)
	switch kind {
	case "text":
		return isText
	case "int":
		_, err := strconv.Atoi(text)
		return isNumber || isText && err == nil
	case "float":
		_, err := strconv.ParseFloat(text, 64)
		return isNumber || isText && err == nil
	case "bool":
		_, err := strconv.ParseBool(text)
		return isBool || isText && err == nil
	case "duration":
		_, err := time.ParseDuration(text)
		return isText && err == nil
	case "list":
		return v.kind == yaml.SequenceNode
	case "map":
		return v.kind == yaml.MappingNode
	}
	return v.kind == yaml.SequenceNode && !slices.ContainsFunc(v.values, func(item *node) bool { return item.kind != yaml.MappingNode })
}
