package stages

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"sync"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
)

// Patched is the object after a patch, as an API server would store it: a patch of the status changes nothing else, and one of the
// object itself does not change the status. The object that is given stays as it is.
func Patched(object map[string]any, a Action) (map[string]any, error) {
	merged, err := merge(object, a.Type, a.Body)
	if err != nil {
		return nil, fmt.Errorf("patch %s: %w", ResourceOf(object), err)
	}
	var part map[string]any
	switch a.Subresource {
	case "status":
		part = maps.Clone(object)
		take(part, merged, "status")
	case "":
		part = merged
		if hasStatus(object) {
			take(part, object, "status")
		}
	default:
		return nil, fmt.Errorf("the subresource %q of %s cannot be worked out without an API server", a.Subresource, ResourceOf(object))
	}
	return part, nil
}

// take makes one key of a map be like that of another.
func take(into, from map[string]any, key string) {
	if value, there := from[key]; there {
		into[key] = value
		return
	}
	delete(into, key)
}

// hasStatus tells whether the kind of an object has a status of its own; most kinds do.
func hasStatus(object map[string]any) bool {
	switch ResourceOf(object) {
	case Resource{APIVersion: "v1", Kind: "ConfigMap"}, Resource{APIVersion: "v1", Kind: "Secret"}:
		return false
	}
	return true
}

func merge(object map[string]any, kind types.PatchType, body []byte) (map[string]any, error) {
	if kind == types.StrategicMergePatchType {
		return strategic(object, body)
	}
	original, err := json.Marshal(object)
	if err != nil {
		return nil, err
	}
	var merged []byte
	if kind == types.JSONPatchType {
		patch, err := jsonpatch.DecodePatch(body)
		if err != nil {
			return nil, err
		}
		merged, err = patch.Apply(original)
		if err != nil {
			return nil, err
		}
	} else if merged, err = jsonpatch.MergePatch(original, body); err != nil {
		return nil, err
	}
	return decode(merged)
}

// typed are the kinds that have a strategic merge patch here. It costs as much as many patches, and is not changed once it is made.
var typed = sync.OnceValues(func() (*runtime.Scheme, error) {
	known := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{corev1.AddToScheme, appsv1.AddToScheme, batchv1.AddToScheme} {
		if err := add(known); err != nil {
			return nil, err
		}
	}
	return known, nil
})

func strategic(object map[string]any, body []byte) (map[string]any, error) {
	known, err := typed()
	if err != nil {
		return nil, err
	}
	r := ResourceOf(object)
	kind, err := known.New(schema.FromAPIVersionAndKind(r.APIVersion, r.Kind))
	if err != nil {
		return nil, fmt.Errorf("%s has no strategic merge patch: %w", r, err)
	}
	patch, err := decode(body)
	if err != nil {
		return nil, err
	}
	return strategicpatch.StrategicMergeMapPatch(runtime.DeepCopyJSON(object), patch, kind)
}

// decode reads a JSON object as stages want it, whole numbers being int64.
func decode(data []byte) (map[string]any, error) {
	var out map[string]any
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	if err := decoder.Decode(&out); err != nil {
		return nil, err
	}
	return numbers(out).(map[string]any), nil
}

// numbers turns the numbers of a decoded value into int64, or float64 where they are not whole.
func numbers(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			v[key] = numbers(value)
		}
	case []any:
		for i, value := range v {
			v[i] = numbers(value)
		}
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n
		}
		if f, err := v.Float64(); err == nil {
			return f
		}
		return v.String()
	}
	return v
}
