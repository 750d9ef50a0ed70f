package cl2

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"windtunnel/profiles"
)

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
	if m.Method == "WaitForControlledPodsRunning" {
		t.builtinKind(m)
	}
	t.complain(method, m)
}

// params checks the parameters as they are written.
func (t *Test) params(method Method, m *Measurement, n *node, path string) {
	if n == nil || n.kind != yaml.MappingNode {
		return
	}
	for i, key := range n.keys {
		v, at := n.values[i], path+"."+key.text
		if key.text == "action" {
			t.actionOf(method, v, at)
			continue
		}
		p, ok := t.known(method.Params, key, path, method.Name, "parameter", method.AnyCase)
		if !ok || !t.fitting(p, v, at, key.text+" of "+method.Name) {
			continue
		}
		if len(p.Keys) > 0 && m.reads(method) {
			t.inside(method, p, v, at)
		}
		switch {
		case key.text == constraintsParam:
			t.readConstraints(m, v, at)
		case p.Name == "namespaceRange" && !v.isNull():
			t.spanOfNamespaces(v, at)
		default:
			t.bounded(method.Name, key.text, v, at)
		}
	}
}

// reads tells whether it is the call that reads what has parts: of those of a method that is started, the start.
func (m *Measurement) reads(method Method) bool {
	return m.action() == profiles.MomentStart || !slices.Contains(method.Actions, profiles.MomentStart)
}

// known finds what a key is for. One that is for nothing is reported.
func (t *Test) known(all []Param, key *node, path, of, what string, anyCase bool) (Param, bool) {
	names := []string{}
	if what == "parameter" {
		names = append(names, "action")
	}
	for _, p := range all {
		if p.Name == key.text || anyCase && strings.EqualFold(p.Name, key.text) {
			return p, true
		}
		names = append(names, p.Name)
	}
	t.found.warn(key.at, path, profiles.Suggest(key.text, names), "%s has no %s %q: it is ignored", of, what, key.text)
	return Param{}, false
}

// fitting reports a value that is of a wrong type. One that a template could not give fits nothing, and has been reported.
func (t *Test) fitting(p Param, v *node, path, what string) bool {
	switch {
	case v.isLost():
		return false
	case fits(v, p.Type):
		return true
	}
	t.found.add(v.at, path, "", "%s is %s, not %s", what, typeNames()[p.Type], v.describe())
	return false
}

// inside checks the mapping that a parameter is, or each of the mappings that it has.
func (t *Test) inside(method Method, p Param, v *node, path string) {
	if v.kind == yaml.SequenceNode {
		for i, item := range v.values {
			t.keys(method, p, item, fmt.Sprintf("%s[%d]", path, i))
		}
		return
	}
	t.keys(method, p, v, path)
}

// keys checks one mapping of a parameter.
func (t *Test) keys(method Method, of Param, n *node, path string) {
	what := of.Name + " of " + method.Name
	there := map[string]bool{}
	for i, key := range n.keys {
		v := n.values[i]
		if p, ok := t.known(of.Keys, key, path, what, "key", method.AnyCase); ok {
			t.fitting(p, v, path+"."+key.text, key.text+" of "+of.Name)
			there[p.Name] = !v.isNull()
		}
	}
	for _, p := range of.Keys {
		if p.Required != "" && !there[p.Name] && n.kind == yaml.MappingNode {
			t.found.add(n.at, path, "", "%s needs the key %s (%s)", what, p.Name, typeNames()[p.Type])
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
		if !p.neededBy(m.action()) {
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
