package load

import (
	"encoding/json"
	"fmt"

	"windtunnel/profiles"
)

// The body of a DELETE: background propagation, as kubectl asks for. Where there is a body the API server does not look at the query.
const (
	deleteOptions    = `{"kind":"DeleteOptions","apiVersion":"v1","propagationPolicy":"Background"}`
	dryDeleteOptions = `{"kind":"DeleteOptions","apiVersion":"v1","propagationPolicy":"Background","dryRun":["All"]}`
)

// The usual changes of a PATCH, each to a value never used before, so that it is a real write: an annotation of the object, a
// condition of its status. Replicas are drawn, and may be what they were.
const (
	touchedMetadata  = `"metadata":{"annotations":{"` + touchedAnnotation + `":"${touched}"}}`
	touchedLabel     = `[{"op":"add","path":"/metadata/labels/windtunnel~1touched","value":"${touched}"}]`
	touchedStatus    = `"status":{"conditions":[` + touchedCondition + `]}`
	touchedCondition = `{"type":"windtunnel.dev/Touched","status":"True","reason":"Touched","message":"${touched}","lastTransitionTime":"2000-01-01T00:00:00Z"}`
	newReplicas      = `"spec":{"replicas":${replicas}}`
)

// bodyOf is what a PATCH, or a PUT or POST of a subresource, sends: what the profile says, or the usual change. It is empty
// for a PUT of the whole object, which changes an annotation in place.
func bodyOf(r profiles.Request, resource profiles.Resource) (profiles.Text, error) {
	if r.Body != nil {
		text, err := json.Marshal(r.Body)
		if err != nil {
			return profiles.Text{}, fmt.Errorf("write the body as JSON: %w", err)
		}
		return profiles.NewText(text), nil
	}
	if r.Verb == profiles.VerbPut && r.Subresource == "" {
		return profiles.Text{}, nil
	}
	text := usualBody(r, resource)
	if text == "" {
		return profiles.Text{}, fmt.Errorf("%s of %s/%s needs a body", r.Verb, resource, r.Subresource)
	}
	return profiles.NewText([]byte(text)), nil
}

func usualBody(r profiles.Request, resource profiles.Resource) string {
	switch {
	case r.Subresource == profiles.SubresourceBinding:
		return `{"apiVersion":"v1","kind":"Binding","metadata":{"name":"${name}","namespace":"${namespace}"},"target":{"apiVersion":"v1","kind":"Node","name":"${node}"}}`
	case r.Subresource == profiles.SubresourceEviction:
		return `{"apiVersion":"policy/v1","kind":"Eviction","metadata":{"name":"${name}","namespace":"${namespace}"}}`
	case r.Subresource == profiles.SubresourceToken:
		return `{"apiVersion":"authentication.k8s.io/v1","kind":"TokenRequest","spec":{"expirationSeconds":3600}}`
	case r.Patch == profiles.PatchApply:
		return applied(r.Subresource, resource)
	case r.Subresource == profiles.SubresourceScale && r.Patch == profiles.PatchJSON:
		return `[{"op":"replace","path":"/spec/replicas","value":${replicas}}]`
	case r.Subresource == profiles.SubresourceScale:
		return "{" + newReplicas + "}"
	case r.Subresource == profiles.SubresourceStatus && r.Patch != profiles.PatchJSON:
		return "{" + touchedStatus + "}"
	case r.Subresource != "":
		return ""
	case r.Patch == profiles.PatchJSON:
		return touchedLabel
	}
	return "{" + touchedMetadata + "}"
}

// applied is the configuration of a server-side apply: the object's identity and the fields that it owns.
func applied(subresource string, resource profiles.Resource) string {
	identity := `"name":"${name}"`
	if resource.Namespaced {
		identity += `,"namespace":"${namespace}"`
	}
	version, kind, content := resource.APIVersion(), resource.Kind, ""
	switch subresource {
	case profiles.SubresourceScale:
		version, kind, content = "autoscaling/v1", "Scale", ","+newReplicas
	case profiles.SubresourceStatus:
		content = "," + touchedStatus
	case "":
		identity += `,"annotations":{"` + touchedAnnotation + `":"${touched}"}`
	default:
		return ""
	}
	return fmt.Sprintf(`{"apiVersion":%q,"kind":%q,"metadata":{%s}%s}`, version, kind, identity, content)
}

// merge puts a part of an object into the object, after RFC 7386; conditions are merged by their type, as all of Kubernetes'
// lists of conditions are.
func merge(object, part any) any {
	changes, ok := part.(map[string]any)
	if !ok {
		return part
	}
	merged, ok := object.(map[string]any)
	if !ok {
		merged = map[string]any{}
	}
	for key, value := range changes {
		conditions, isList := value.([]any)
		switch {
		case value == nil:
			delete(merged, key)
		case key == "conditions" && isList:
			merged[key] = mergeConditions(merged[key], conditions)
		default:
			merged[key] = merge(merged[key], value)
		}
	}
	return merged
}

func mergeConditions(have any, changes []any) []any {
	list, _ := have.([]any)
	for _, change := range changes {
		at := -1
		for i, one := range list {
			if conditionType(one) == conditionType(change) {
				at = i
			}
		}
		if at < 0 {
			list = append(list, change)
		} else {
			list[at] = change
		}
	}
	return list
}

func conditionType(v any) any {
	m, _ := v.(map[string]any)
	return m["type"]
}
