package walk

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"windtunnel/hollow/stages"
)

// Output is what an input leads to, as the value of a YAML document: the whole life where the input has a walk, and otherwise what may
// come next, in the form of KWOK's own tests.
func Output(set *stages.Set, in *Input) (map[string]any, error) {
	if in.Script == nil {
		return outlook(set, in.Object)
	}
	life, err := Walk(set, in.Object, *in.Script)
	if err != nil {
		return nil, err
	}
	return written(in.Object, life)
}

// name is an object's kind and name: v1/Pod default/web.
func name(object map[string]any) string {
	m, _ := object["metadata"].(map[string]any)
	text := stages.ResourceOf(object).String() + " "
	if ns, ok := m["namespace"].(string); ok {
		text += ns + "/"
	}
	own, _ := m["name"].(string)
	return text + own
}

// written is a life as a document.
func written(object map[string]any, life *Life) (map[string]any, error) {
	steps := []any{}
	for _, s := range life.Steps {
		one := map[string]any{"at": s.At.String()}
		if s.Change != nil {
			one["change"] = changed(s.Change)
			steps = append(steps, one)
			continue
		}
		one["stage"] = s.Stage
		for _, c := range s.Candidates {
			if c.Stage.Name == s.Stage && c.Delay != (stages.Range{}) {
				one["delay"] = delay(c.Delay)
			}
		}
		if len(s.Candidates) > 1 {
			one["among"] = shares(s.Candidates)
		}
		actions := []any{}
		for _, a := range s.Actions {
			action, err := act(a)
			if err != nil {
				return nil, fmt.Errorf("stage %s: %w", s.Stage, err)
			}
			actions = append(actions, action)
		}
		one["actions"] = actions
		steps = append(steps, one)
	}
	return map[string]any{"object": name(object), "life": steps, "end": life.End}, nil
}

func changed(c *Change) any {
	if !c.Delete {
		return map[string]any{"patch": c.Patch}
	}
	return map[string]any{"delete": "after " + c.GracePeriod.String()}
}

// delay writes what a delay was taken from: 1s, 1s to 5s, or 0s to 20s (p99).
func delay(r stages.Range) string {
	switch {
	case r.Open:
		return fmt.Sprintf("%s to %s (p99)", r.Least, r.Most)
	case r.Least == r.Most:
		return r.Least.String()
	}
	return fmt.Sprintf("%s to %s", r.Least, r.Most)
}

// shares are the candidates with their weights.
func shares(all []stages.Candidate) map[string]any {
	out := map[string]any{}
	for _, c := range all {
		out[c.Stage.Name] = c.Weight
	}
	return out
}

// act is an action as a document.
func act(a stages.Action) (any, error) {
	out := map[string]any{"verb": string(a.Verb)}
	if a.Verb == stages.Event {
		out["event"] = fmt.Sprintf("%s %s: %s", a.Report.Type, a.Report.Reason, a.Report.Message)
		return out, nil
	}
	if a.As != "" {
		out["as"] = a.As
	}
	if a.Verb == stages.Delete {
		return out, nil
	}
	out["type"] = string(a.Type)
	if a.Subresource != "" {
		out["subresource"] = a.Subresource
	}
	var body any
	if err := json.Unmarshal(a.Body, &body); err != nil {
		return nil, err
	}
	out["body"] = body
	return out, nil
}

// outlook is what may come next, in the form of KWOK's tests.
func outlook(set *stages.Set, object map[string]any) (map[string]any, error) {
	r := stages.ResourceOf(object)
	now := time.Date(2006, 1, 2, 15, 4, 5, 0, time.UTC) // the instant of KWOK's tests, which durations until an instant count from
	random := rand.New(rand.NewPCG(0, 0))
	candidates, err := set.For(r).Candidates(object, now, random)
	if err != nil {
		return nil, err
	}
	m, _ := object["metadata"].(map[string]any)
	out := map[string]any{"apiGroup": r.APIVersion, "kind": r.Kind, "name": m["name"]}
	if ns, ok := m["namespace"]; ok {
		out["namespace"] = ns
	}
	next := []any{}
	for _, c := range candidates {
		actions, err := c.Stage.Actions(object, stages.Scope{Now: now, Random: random, Placeholders: true})
		if err != nil {
			return nil, err
		}
		one, err := candidate(c, actions)
		if err != nil {
			return nil, fmt.Errorf("stage %s: %w", c.Stage.Name, err)
		}
		next = append(next, one)
	}
	out["stages"] = next
	return out, nil
}

// candidate is one stage that may come next.
func candidate(c stages.Candidate, actions []stages.Action) (any, error) {
	one := map[string]any{"stage": c.Stage.Name}
	if c.Stage.Delayed() {
		one["delay"] = []any{int64(c.Delay.Least)}
		if c.Delay.Most != c.Delay.Least {
			one["delay"] = []any{int64(c.Delay.Least), int64(c.Delay.Most)}
		}
	}
	if c.Weighted {
		one["weight"] = c.Weight
	}
	next := []any{}
	for _, a := range actions {
		action, err := sent(a)
		if err != nil {
			return nil, err
		}
		next = append(next, action)
	}
	if c.Stage.Immediate {
		next = append(next, map[string]any{"kind": "immediate"})
	}
	one["next"] = next
	return one, nil
}

// sent is an action in KWOK's form.
func sent(a stages.Action) (any, error) {
	switch a.Verb {
	case stages.Delete:
		return map[string]any{"kind": "delete"}, nil
	case stages.Event:
		return map[string]any{"kind": "event", "type": a.Report.Type, "reason": a.Report.Reason, "message": a.Report.Message}, nil
	}
	out := map[string]any{"kind": string(a.Verb), "type": string(a.Type)}
	if a.Inferred { // KWOK's tests do not know pods and nodes by their types
		out["type"] = string(types.MergePatchType)
	}
	if a.Subresource != "" {
		out["subresource"] = a.Subresource
	}
	if a.As != "" {
		out["impersonation"] = a.As
	}
	var data any
	if err := json.Unmarshal(a.Body, &data); err != nil {
		return nil, err
	}
	out["data"] = data
	return out, nil
}
