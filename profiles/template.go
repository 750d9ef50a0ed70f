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

// Namespace is windtunnel's own in a cluster: of an owner's consent and of the pods that hollow nodes run in. Nothing in it is load.
const Namespace = "windtunnel"

// The placeholders of a manifest.
const (
	placeholderName      = "${name}"
	placeholderNamespace = "${namespace}"
	placeholderIndex     = "${index}"
	placeholderRun       = "${run}"

	// Of the body of a request.
	placeholderTouched  = "${touched}"
	placeholderNode     = "${node}"
	placeholderReplicas = "${replicas}"
)

func placeholders() []string {
	return []string{placeholderName, placeholderNamespace, placeholderIndex, placeholderRun}
}

// bodyPlaceholders are those that the body of a request may have in a profile.
func bodyPlaceholders() []string { return append(placeholders(), placeholderTouched, placeholderNode) }

// escapedDollar is how a manifest writes a ${ that is to stay.
const escapedDollar = "$${"

// part is a piece of a manifest: literal bytes, then a placeholder (empty after the last piece).
type part struct {
	literal     []byte
	placeholder string
}

// InstanceName is the name of instance number index: the template's with the number, or what Naming makes of it.
func (t Template) InstanceName(index int) string {
	number := strconv.Itoa(index)
	if t.Naming != "" {
		return strings.ReplaceAll(t.Naming, placeholderIndex, number)
	}
	return t.Name + "-" + number
}

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
	text := t.text
	if text.parts == nil {
		text = NewText(t.Manifest)
	}
	return text.Append(make([]byte, 0, len(t.Manifest)+len(text.parts)*16), Values{
		Name: t.InstanceName(index), Namespace: namespace, Index: index, Run: run,
	})
}

// Text is JSON with placeholders in its strings, cut at them.
type Text struct{ parts []part }

// Values are what the placeholders of a Text stand for.
type Values struct {
	Name, Namespace string
	Index           int
	Run             string
	// Of the body of a request: a value that no write had before, the name of a hollow node, a number of replicas.
	Touched, Node string
	Replicas      int
}

// NewText cuts JSON at its placeholders.
func NewText(json []byte) Text { return Text{parts: splitManifest(json)} }

// Append appends the JSON with the placeholders replaced; nothing when there is none.
func (t Text) Append(out []byte, v Values) []byte {
	for _, p := range t.parts {
		out = append(out, p.literal...)
		switch p.placeholder {
		case placeholderName:
			out = append(out, v.Name...)
		case placeholderNamespace:
			out = appendEscaped(out, v.Namespace)
		case placeholderIndex:
			out = strconv.AppendInt(out, int64(v.Index), 10)
		case placeholderRun:
			out = appendEscaped(out, v.Run)
		case placeholderTouched:
			out = append(out, v.Touched...)
		case placeholderNode:
			out = append(out, v.Node...)
		case placeholderReplicas:
			out = strconv.AppendInt(out, int64(v.Replicas), 10)
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
	for _, p := range append(bodyPlaceholders(), placeholderReplicas) { // replicas are a number, which the usual body of a scale writes
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
