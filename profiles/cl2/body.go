package cl2

import (
	"encoding/json"
	"fmt"

	"windtunnel/profiles"
)

// bodyOf gives the function that renders document n of an object template for one object. Templates are executed one at a time. What is
// marked can be told from others' objects, and has its pods on hollow nodes.
func (t *Test) bodyOf(m *manifest, from instance, n int, marked bool) func(string) ([]byte, error) {
	return func(run string) ([]byte, error) {
		content, err := t.content(m, from, n)
		if err != nil {
			return nil, fmt.Errorf("render %s for %s: %w", from.object.ObjectTemplatePath, from.name(), err)
		}
		content = named(content, from)
		if kind, _ := content["kind"].(string); marked {
			profiles.Mark(content, kind, run)
		}
		return json.Marshal(content)
	}
}

func (t *Test) content(m *manifest, from instance, n int) (map[string]any, error) {
	t.rendering.Lock()
	defer t.rendering.Unlock()
	r, err := t.body(m, from)
	if err != nil {
		return nil, err
	}
	var found problems
	for _, doc := range r.documents() {
		root := doc.parse(&found)
		if root.isNull() {
			continue
		}
		if content, ok := root.value().(map[string]any); ok && n == 0 {
			return content, nil
		}
		n--
	}
	return nil, errReported
}

// named gives an object the name and the namespace that it has in the test, whatever its template says.
func named(content map[string]any, from instance) map[string]any {
	metadata, ok := content["metadata"].(map[string]any)
	if !ok {
		metadata = map[string]any{}
		content["metadata"] = metadata
	}
	metadata["name"] = from.name()
	delete(metadata, "generateName")
	if from.namespace != "" {
		metadata["namespace"] = from.namespace
	}
	return content
}
