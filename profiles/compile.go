package profiles

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
)

// Compile turns a profile, as Load gives it, into a plan. It validates the profile first; the error is a *Problems.
func Compile(p *Profile) (*Plan, error) {
	if err := Validate(p); err != nil {
		return nil, err
	}
	plan := &Plan{Profile: *p, Objects: map[string]Template{}, Phases: p.Phases}
	for _, name := range sortedKeys(p.Objects) {
		t, err := compileObject(name, p.Objects[name], p)
		if err != nil {
			return nil, fmt.Errorf("compile objects.%s: %w", name, err)
		}
		plan.Objects[name] = t
	}
	for name, n := range namespacesOf(p.Phases, plan.Objects) {
		t := plan.Objects[name]
		t.Namespaces = n
		plan.Objects[name] = t
	}
	return plan, nil
}

// compileObject makes the template of an object. The object must be valid.
func compileObject(name string, o Object, p *Profile) (Template, error) {
	t := Template{Name: name, In: o.In, Resource: o.resource()}
	if t.Resource.Kind == "CustomResourceDefinition" {
		t.Naming = digText(o.Manifest, "spec", "names", "plural") + "." + digText(o.Manifest, "spec", "group")
	}
	if holder, ok := podHolderOf(t.Resource.Kind); ok {
		count, err := podCount(o.Manifest, holder, p.HollowNodes)
		if err != nil {
			return Template{}, err
		}
		t.Pods, t.Scheduled = count, toBeScheduled(digMap(o.Manifest, holder.spec...))
	}
	manifest, err := o.instanceManifest(name, t.Resource, p.ControlPlane.AmongReal())
	if err != nil {
		return Template{}, err
	}
	t.Manifest, t.text = manifest, NewText(manifest)
	return t, nil
}

// resource is where the object lives: the built-in resource of its kind, or what the profile says of it.
func (o Object) resource() Resource {
	apiVersion, kind := o.typeMeta()
	if r, ok := ResourceFor(apiVersion, kind); ok {
		return r
	}
	group, version := splitAPIVersion(apiVersion)
	return Resource{Group: group, Version: version, Name: o.Resource, Kind: kind, Namespaced: !o.ClusterScoped}
}

// instanceManifest is the manifest as JSON with the metadata of an instance. amongReal says that there are real nodes beside the hollow ones.
func (o Object) instanceManifest(name string, r Resource, amongReal bool) (json.RawMessage, error) {
	manifest, _ := cloneValue(o.Manifest).(map[string]any)
	if amongReal {
		placeOnHollow(manifest, r.Kind)
	}
	label(manifest, r.Kind, map[string]string{LabelRun: placeholderRun, LabelObject: name})
	metadata := ensureMap(manifest, "metadata")
	metadata["name"] = placeholderName
	if r.Namespaced {
		metadata["namespace"] = placeholderNamespace
	}
	if o.PaddingBytes > 0 {
		ensureMap(metadata, "annotations")[paddingAnnotation] = padding(name, o.PaddingBytes)
	}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(manifest); err != nil {
		return nil, fmt.Errorf("write the manifest as JSON: %w", err)
	}
	return bytes.TrimSpace(b.Bytes()), nil
}

// label puts labels on an object and on the templates in it from which controllers make the pods.
func label(manifest map[string]any, kind string, all map[string]string) {
	for _, part := range labelledParts(kind) {
		holder, _ := dig(manifest, part...)
		m, ok := holder.(map[string]any)
		if !ok {
			continue
		}
		labels := ensureMap(ensureMap(m, "metadata"), "labels")
		for key, value := range all {
			labels[key] = value
		}
	}
}

// paddingAnnotation holds the padding of an object.
const paddingAnnotation = "windtunnel/padding"

// padding is text of n bytes that looks like noise, the same for the same name.
func padding(name string, n int) string {
	source := rand.NewChaCha8(sha256.Sum256([]byte(name)))
	noise := make([]byte, (n*3+3)/4)
	source.Read(noise) // never fails
	return base64.RawURLEncoding.EncodeToString(noise)[:n]
}

func ensureMap(m map[string]any, key string) map[string]any {
	inner, ok := m[key].(map[string]any)
	if !ok {
		inner = map[string]any{}
		m[key] = inner
	}
	return inner
}

// cloneValue copies the mappings and lists of a manifest.
func cloneValue(v any) any {
	switch v := v.(type) {
	case map[string]any:
		m := maps.Clone(v)
		for key := range m {
			m[key] = cloneValue(m[key])
		}
		return m
	case []any:
		list := slices.Clone(v)
		for i := range list {
			list[i] = cloneValue(list[i])
		}
		return list
	}
	return v
}
