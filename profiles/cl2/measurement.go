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
