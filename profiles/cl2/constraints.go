package cl2

import (
	"encoding/json"
	"maps"
	"strings"
)

// constraintsParam is the parameter that names a file of what components may take at most. Of the calls of a measurement the start reads it.
const constraintsParam = "resourceConstraints"

// constraint is what the file has for a component, as ClusterLoader2 reads it: without regard to the case of the keys. 0 is no limit.
type constraint struct {
	CPU    float64 `json:"cpuConstraint,omitempty"`    // cores
	Memory uint64  `json:"memoryConstraint,omitempty"` // bytes
}

// readConstraints renders the file of constraints that a call names, for which it has no variable but the number of nodes, and keeps what it
// says for the run: its records are all that a measurement is judged by.
func (t *Test) readConstraints(m *Measurement, v *node, path string) {
	name, ok := v.scalar.(string)
	if !ok || name == "" || m.action() != "start" || m.Params[constraintsParam] != name {
		return
	}
	if _, known := t.constraints[name]; known {
		return
	}
	f, err := t.files.open(name)
	if err != nil {
		t.found.add(v.at, path, t.nearestFile(name), "there is no file of constraints %s: %s", name, reason(err))
		return
	}
	all := map[string]constraint{}
	if root := t.render(f, map[string]any{"Nodes": t.Nodes}, "constraints", name); !root.isNull() {
		text, err := json.Marshal(root.value())
		if err == nil {
			err = json.Unmarshal(text, &all)
		}
		if err != nil {
			t.found.add(root.at, "", "", "a file of constraints has cpuConstraint (cores) and memoryConstraint (bytes) by component: %s", strings.TrimPrefix(err.Error(), "json: "))
			return
		}
	}
	text, _ := json.Marshal(all) // of texts and numbers
	if t.constraints == nil {
		t.constraints = map[string]string{}
	}
	t.constraints[name] = string(text)
}

// recorded are the parameters of a call as the run records them: with what the file of constraints says in the place of its name.
func (t *Test) recorded(m PlannedMeasurement) Params {
	name := m.Params.text(constraintsParam)
	text, known := t.constraints[name]
	if !known || m.Action != "start" {
		return m.Params
	}
	p := maps.Clone(m.Params)
	p[constraintsParam] = text
	return p
}
