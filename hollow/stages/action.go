package stages

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"k8s.io/apimachinery/pkg/types"
)

// Verb is what an action does.
type Verb string

// The verbs.
const (
	// Patch changes the object.
	Patch Verb = "patch"
	// Apply makes another object, or changes it where it is there. With a subresource it only changes.
	Apply Verb = "apply"
	// Delete deletes the object at once, without a grace period.
	Delete Verb = "delete"
	// Event reports an event about the object.
	Event Verb = "event"
)

// Action is one thing to send.
type Action struct {
	// Verb says which of the fields count.
	Verb Verb
	// Subresource is what is patched or applied, such as status; empty for the object itself.
	Subresource string
	// Type is the content type of the patch.
	Type types.PatchType
	// Inferred says that the document names no type, and Type is the one for the kind of object: strategic for pods and nodes.
	Inferred bool
	// Body is the patch, or the object that is applied, as JSON.
	Body []byte
	// As is the user in whose name the request goes out; empty for one's own.
	As string
	// Report is the event.
	Report Report
}

// Report is an event about an object.
type Report struct {
	// Type is Normal or Warning.
	Type string
	// Reason is the word for programs.
	Reason string
	// Message is the sentence for people.
	Message string
}

// action is a step of a stage as it was compiled: an Action whose body is a template, or a change of finalizers.
type action struct {
	Action
	template   int    // the number of the body's
	root       string // the key that the template's result goes below
	finalizers *finalizersSpec
}

// Actions renders what the stage does to an object, in order. All of it is worked out from the object as it is given, as KWOK does:
// a step does not see what the one before it changed. The object is read only.
func (s *Stage) Actions(object map[string]any, scope Scope) ([]Action, error) {
	all := make([]Action, 0, len(s.steps))
	deleted := false
	for i := range s.steps {
		step := &s.steps[i]
		if deleted && step.Verb != Event {
			continue
		}
		deleted = deleted || step.Verb == Delete
		one, send, err := s.render(step, object, scope)
		if err != nil {
			return nil, fmt.Errorf("stage %s: %w", s.Name, err)
		}
		if send {
			all = append(all, one)
		}
	}
	return all, nil
}

// render works out one action; send is false when it would change nothing.
func (s *Stage) render(step *action, object map[string]any, scope Scope) (one Action, send bool, err error) {
	one = step.Action
	switch {
	case step.finalizers != nil:
		one.Body, err = step.finalizers.patch(finalizersOf(object))
		return one, one.Body != nil, err
	case step.Verb == Delete, step.Verb == Event:
		return one, true, nil
	}
	if one.Body, err = s.renderer.json(step.template, object, scope); err != nil {
		return one, false, err
	}
	if step.Inferred && hasStrategicPatch(s.For) {
		one.Type = types.StrategicMergePatchType
	}
	if step.root == "" {
		return one, true, nil
	}
	if one.Type == types.JSONPatchType {
		one.Body, err = below(step.root, one.Body)
		return one, true, err
	}
	key, err := json.Marshal(step.root)
	one.Body = slices.Concat([]byte{'{'}, key, []byte{':'}, one.Body, []byte{'}'})
	return one, true, err
}

// hasStrategicPatch tells for which objects a patch without a type is a strategic merge patch, as KWOK has it.
func hasStrategicPatch(r Resource) bool {
	return r.APIVersion == "v1" && (r.Kind == "Pod" || r.Kind == "Node")
}

// operation is one line of a JSON patch (RFC 6902).
type operation struct {
	Op    string `json:"op"`
	Path  string `json:"path"`
	From  string `json:"from,omitempty"`
	Value any    `json:"value,omitempty"`
}

// below moves the paths of a JSON patch below a key.
func below(root string, body []byte) ([]byte, error) {
	var operations []struct {
		Op    string          `json:"op"`
		Path  string          `json:"path"`
		From  string          `json:"from,omitempty"`
		Value json.RawMessage `json:"value,omitempty"`
	}
	if err := json.Unmarshal(body, &operations); err != nil {
		return nil, fmt.Errorf("a patch of type json is a list of operations: %w", err)
	}
	for i := range operations {
		operations[i].Path = "/" + root + operations[i].Path
	}
	return json.Marshal(operations)
}

func finalizersOf(object map[string]any) []string {
	metadata, _ := object["metadata"].(map[string]any)
	list, _ := metadata["finalizers"].([]any)
	var all []string
	for _, f := range list {
		if name, ok := f.(string); ok {
			all = append(all, name)
		}
	}
	return all
}

// patch is the JSON patch that brings an object's finalizers about; nil when they need no change.
func (f *finalizersSpec) patch(have []string) ([]byte, error) {
	const path = "/metadata/finalizers"
	var operations []operation
	left := have
	if f.Empty {
		left = nil
	} else if len(f.Remove) > 0 {
		left = slices.DeleteFunc(slices.Clone(have), func(name string) bool { return slices.Contains(f.Remove, finalizerItem{name}) })
	}
	switch {
	case len(left) == 0 && len(have) > 0:
		operations = append(operations, operation{Op: "remove", Path: path})
	case len(left) < len(have):
		for i := len(have) - 1; i >= 0; i-- { // from the end, so that the places of those before stay
			if !slices.Contains(left, have[i]) {
				operations = append(operations, operation{Op: "remove", Path: path + "/" + strconv.Itoa(i)})
			}
		}
	}
	var added []string
	for _, item := range f.Add {
		if !slices.Contains(left, item.Value) && !slices.Contains(added, item.Value) {
			added = append(added, item.Value)
		}
	}
	switch {
	case len(left) == 0 && len(added) > 0:
		operations = append(operations, operation{Op: "add", Path: path, Value: added})
	default:
		for _, name := range added {
			operations = append(operations, operation{Op: "add", Path: path + "/-", Value: name})
		}
	}
	if operations == nil {
		return nil, nil
	}
	return json.Marshal(operations)
}
