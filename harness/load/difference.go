package load

import (
	"fmt"
	"reflect"

	utiljson "k8s.io/apimachinery/pkg/util/json"
)

// difference is the merge patch (RFC 7386) that makes of the object have all that want says. What want does not name stays, and a null in
// it takes nothing away, as with ClusterLoader2 and with kubectl apply of an object that it has never seen.
func difference(have, want []byte) ([]byte, error) {
	var a, b map[string]any
	if err := utiljson.Unmarshal(have, &a); err != nil {
		return nil, fmt.Errorf("read the object as it is: %w", err)
	}
	if err := utiljson.Unmarshal(want, &b); err != nil {
		return nil, fmt.Errorf("read the object as it should be: %w", err)
	}
	return utiljson.Marshal(changes(a, b))
}

// changes are the members of b that differ from those of a, or that a has not.
func changes(a, b map[string]any) map[string]any {
	out := map[string]any{}
	for key, value := range b {
		old, there := a[key]
		inner, isMap := value.(map[string]any)
		if isMap {
			before, wasMap := old.(map[string]any)
			if wasMap {
				if c := changes(before, inner); len(c) > 0 {
					out[key] = c
				}
				continue
			}
			value = changes(nil, inner) // without its nulls
		}
		if value == nil || there && reflect.DeepEqual(old, value) {
			continue
		}
		out[key] = value
	}
	return out
}
