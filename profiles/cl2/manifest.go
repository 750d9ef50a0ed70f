package cl2

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"

	"windtunnel/profiles"
)

// manifest is an object template.
type manifest struct {
	template *parsed
	raw      []typeMeta // of the documents, read with every placeholder taken away
	failed   bool       // that is reported
	// made remembers what a rendering gave, by the hash of its text without the object's own name.
	made map[[sha256.Size]byte][]made
}

// typeMeta is the type of an object.
type typeMeta struct{ apiVersion, kind string }

// made is a document of a rendered object template.
type made struct {
	typeMeta
	pods int // that it brings
}

// group is the API group of the type.
func (m typeMeta) group() string {
	if i := strings.LastIndexByte(m.apiVersion, '/'); i >= 0 {
		return m.apiVersion[:i]
	}
	return ""
}

// resource is the type's resource: the built-in one, or what ClusterLoader2 guesses from the kind.
func (m typeMeta) resource(namespaced bool) profiles.Resource {
	if r, ok := profiles.ResourceFor(m.apiVersion, m.kind); ok {
		return r
	}
	r := profiles.Resource{Group: m.group(), Version: m.apiVersion[strings.LastIndexByte(m.apiVersion, '/')+1:], Kind: m.kind, Namespaced: namespaced}
	switch name := strings.ToLower(m.kind); {
	case strings.HasSuffix(name, "s"):
		r.Name = name + "es"
	case strings.HasSuffix(name, "y"):
		r.Name = strings.TrimSuffix(name, "y") + "ies"
	default:
		r.Name = name + "s"
	}
	return r
}

var placeholder = regexp.MustCompile(`\{\{.*\}\}`)

// manifestAt reads an object template, once. It is nil when there is no such file.
func (t *Test) manifestAt(path string) (*manifest, error) {
	if m, ok := t.manifests[path]; ok {
		return m, nil
	}
	f, err := t.files.open(path)
	if err != nil {
		return nil, err
	}
	m := &manifest{template: t.parseTemplate(f), made: map[[sha256.Size]byte][]made{}}
	t.manifests[path] = m
	// The kind of the objects is learnt, and objects are deleted, from the file with its placeholders taken away, whatever branches
	// they stand in. No line end is among them, so the lines keep their numbers.
	r := &rendered{file: f, text: placeholder.ReplaceAll(f.data, nil)}
	for _, doc := range r.documents() {
		meta, line, err := typeOf(doc.text)
		line += bytes.Count(r.text[:doc.start], []byte("\n"))
		if err != nil {
			m.failed = true
			t.found.add(place{file: f, line: max(line, 1), column: 1}, "", "apiVersion and kind must stand in the file as they are", "without its placeholders the file is no YAML, and so nobody can tell the kind of its objects: %v", err)
			continue
		}
		if meta.kind == "" || meta.apiVersion == "" {
			m.failed = true
			t.found.add(place{file: f, line: max(line, 1), column: 1}, "", "write apiVersion and kind without placeholders", "the object has no apiVersion and kind outside of placeholders")
			continue
		}
		m.raw = append(m.raw, meta)
	}
	if len(m.raw) == 0 && !m.failed {
		m.failed = true
		t.found.add(f.at(0, 1), "", "", "there is no object in the file")
	}
	return m, nil
}

// typeOf is the type of a document, with the line where it begins.
func typeOf(text []byte) (typeMeta, int, error) {
	var root yaml.Node
	if err := yaml.NewDecoder(bytes.NewReader(text)).Decode(&root); err != nil {
		p, bad := profiles.YAMLSyntax(text)
		if !bad {
			return typeMeta{}, 1, err
		}
		return typeMeta{}, p.Line, fmt.Errorf("%s", p.Message)
	}
	if len(root.Content) == 0 || root.Content[0].Kind != yaml.MappingNode {
		return typeMeta{}, 1, fmt.Errorf("it is no mapping")
	}
	var meta typeMeta
	for i, m := 0, root.Content[0]; i+1 < len(m.Content); i += 2 {
		switch m.Content[i].Value {
		case "apiVersion":
			meta.apiVersion = m.Content[i+1].Value
		case "kind":
			meta.kind = m.Content[i+1].Value
		}
	}
	return meta, root.Content[0].Line, nil
}

// instance says which object a template is rendered for.
type instance struct {
	object    *Object
	namespace string
	index     int
	step      int // a patch draws its random values anew
}

func (i instance) name() string { return fmt.Sprintf("%s-%d", i.object.Basename, i.index) }

// body renders an object template for one object.
func (t *Test) body(m *manifest, i instance) (*rendered, error) {
	variables := t.variables.with(i.object.TemplateFillMap)
	variables["BaseName"] = i.object.Basename
	variables["Index"] = int32(i.index)
	variables["Name"] = i.name()
	variables["Namespace"] = i.namespace
	return t.templates.execute(m.template, variables, "object", i.object.ObjectTemplatePath, i.namespace, i.name(), ordinal(i.step))
}

// objects are what a template makes for one object: nothing where it renders to nothing.
func (t *Test) objects(m *manifest, i instance) ([]made, error) {
	t.templates.sketch = true
	r, err := t.body(m, i)
	t.templates.sketch = false
	if err != nil {
		return nil, err
	}
	key := sha256.Sum256(bytes.ReplaceAll(r.text, []byte(i.name()), []byte{0}))
	if list, ok := m.made[key]; ok {
		return list, nil
	}
	list, err := t.inspect(r)
	if err != nil {
		return nil, err
	}
	m.made[key] = list
	return list, nil
}

// inspect parses rendered objects.
func (t *Test) inspect(r *rendered) ([]made, error) {
	var list []made
	seen := map[typeMeta]bool{}
	for _, doc := range r.documents() {
		before := len(t.found.list)
		n := doc.parse(&t.found)
		if len(t.found.list) > before && t.found.failed() {
			return nil, errReported
		}
		if n.isNull() {
			continue
		}
		content, ok := n.value().(map[string]any)
		if !ok {
			t.found.add(n.at, "", "", "an object is a mapping, not %s", n.describe())
			return nil, errReported
		}
		meta := typeMeta{apiVersion: fmt.Sprint(content["apiVersion"]), kind: fmt.Sprint(content["kind"])}
		if n.get("kind").isNull() || n.get("apiVersion").isNull() {
			t.found.add(n.at, "", "", "the object has no apiVersion and kind")
			return nil, errReported
		}
		if seen[meta] {
			t.found.add(n.get("kind").at, "", "put it in a template of its own", "two objects of the kind %s in one template would have the same name", meta.kind)
			return nil, errReported
		}
		seen[meta] = true
		t.programs(n)
		list = append(list, made{typeMeta: meta, pods: podsOf(meta.kind, content, t.Nodes)})
	}
	return list, nil
}

// podsOf is how many pods an object brings.
func podsOf(kind string, content map[string]any, nodes int) int {
	spec, _ := content["spec"].(map[string]any)
	count := func(key string, otherwise int) int {
		if n, ok := spec[key].(float64); ok {
			return int(n)
		}
		return otherwise
	}
	switch kind {
	case "Pod":
		return 1
	case "Deployment", "ReplicaSet", "StatefulSet", "ReplicationController":
		return count("replicas", 1)
	case "DaemonSet":
		return nodes
	case "Job":
		return min(count("parallelism", 1), count("completions", 1<<30))
	}
	return 0
}
