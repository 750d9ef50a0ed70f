package profiles

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
)

// The labels that every object of a run carries; the pods of an instance carry them too.
const (
	LabelRun    = "windtunnel/run"
	LabelObject = "windtunnel/object"
)

// The placeholders of a manifest.
const (
	placeholderName      = "${name}"
	placeholderNamespace = "${namespace}"
	placeholderIndex     = "${index}"
	placeholderRun       = "${run}"
)

func placeholders() []string {
	return []string{placeholderName, placeholderNamespace, placeholderIndex, placeholderRun}
}

// escapedDollar is how a manifest writes a ${ that is to stay.
const escapedDollar = "$${"

// part is a piece of a manifest: literal bytes, then a placeholder (empty after the last piece).
type part struct {
	literal     []byte
	placeholder string
}

// InstanceName is the name of instance number index.
func (t Template) InstanceName(index int) string { return t.Name + "-" + strconv.Itoa(index) }

// Namespace is the namespace that holds instance number index: the instances go round the namespaces in turn. Empty for
// cluster-scoped kinds.
func (t Template) Namespace(index int) string {
	if t.In == "" {
		return ""
	}
	return t.In + "-" + strconv.Itoa(index%max(t.Namespaces, 1))
}

// Path is the URL path of the template's resource, see Resource.Path.
func (t Template) Path(namespace, name string) string { return t.Resource.Path(namespace, name) }

// Render writes instance number index as JSON. It is cheap: the manifest is split at its placeholders once, by Compile.
func (t Template) Render(run, namespace string, index int) []byte {
	parts := t.parts
	if parts == nil {
		parts = splitManifest(t.Manifest)
	}
	number := strconv.Itoa(index)
	out := make([]byte, 0, len(t.Manifest)+len(parts)*16)
	for _, p := range parts {
		out = append(out, p.literal...)
		switch p.placeholder {
		case placeholderName:
			out = append(out, t.Name...)
			out = append(out, '-')
			out = append(out, number...)
		case placeholderNamespace:
			out = appendEscaped(out, namespace)
		case placeholderIndex:
			out = append(out, number...)
		case placeholderRun:
			out = appendEscaped(out, run)
		}
	}
	return out
}

// splitManifest cuts a manifest at its placeholders and undoes the escape of $${.
func splitManifest(manifest []byte) []part {
	parts := []part{{}}
	last := &parts[0]
	for rest := manifest; len(rest) > 0; {
		dollar := bytes.IndexByte(rest, '$')
		if dollar < 0 {
			last.literal = append(last.literal, rest...)
			break
		}
		last.literal = append(last.literal, rest[:dollar]...)
		rest = rest[dollar:]
		if bytes.HasPrefix(rest, []byte(escapedDollar)) {
			last.literal = append(last.literal, "${"...)
			rest = rest[len(escapedDollar):]
			continue
		}
		if p := placeholderAt(rest); p != "" {
			last.placeholder = p
			parts = append(parts, part{})
			last = &parts[len(parts)-1]
			rest = rest[len(p):]
			continue
		}
		last.literal = append(last.literal, '$')
		rest = rest[1:]
	}
	return parts
}

func placeholderAt(b []byte) string {
	for _, p := range placeholders() {
		if bytes.HasPrefix(b, []byte(p)) {
			return p
		}
	}
	return ""
}

// appendEscaped adds s as the inside of a JSON string. Names of objects need no escape, which is the usual case.
func appendEscaped(out []byte, s string) []byte {
	plain := !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == '"' || r == '\\' || r > '~' })
	if plain {
		return append(out, s...)
	}
	quoted, err := json.Marshal(s)
	if err != nil {
		return out // unreachable: a string always marshals
	}
	return append(out, quoted[1:len(quoted)-1]...)
}
