package walk

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
	"k8s.io/apimachinery/pkg/types"

	"windtunnel/hollow/stages"
)

// Output is what an input leads to, as a YAML document: the whole life where the input has a walk, and otherwise what may come next,
// in the form of KWOK's own tests.
func Output(set *stages.Set, in *Input) ([]byte, error) {
	var value any
	var err error
	if in.Script == nil {
		value, err = outlook(set, in.Object)
	} else {
		value, err = biography(set, in)
	}
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	encoder := yaml.NewEncoder(&b)
	encoder.SetIndent(2)
	if err := encoder.Encode(value); err != nil {
		return nil, fmt.Errorf("write what comes out: %w", err)
	}
	return b.Bytes(), encoder.Close()
}

// lifeDocument is a life as it is written down.
type lifeDocument struct {
	Object string         `yaml:"object"`
	Life   []stepDocument `yaml:"life"`
	End    string         `yaml:"end"`
}

type stepDocument struct {
	At     string           `yaml:"at"`
	Stage  string           `yaml:"stage,omitempty"`
	Delay  string           `yaml:"delay,omitempty"`
	Among  map[string]int64 `yaml:"among,omitempty"` // weights
	Sends  []actDocument    `yaml:"sends,omitempty"`
	Change any              `yaml:"change,omitempty"`
}

type actDocument struct {
	Event       string `yaml:"event,omitempty"`
	Verb        string `yaml:"verb,omitempty"`
	Subresource string `yaml:"subresource,omitempty"`
	Type        string `yaml:"type,omitempty"`
	As          string `yaml:"as,omitempty"`
	Body        any    `yaml:"body,omitempty"`
}

func biography(set *stages.Set, in *Input) (*lifeDocument, error) {
	life, err := Walk(set, in.Object, *in.Script)
	if err != nil {
		return nil, err
	}
	out := &lifeDocument{Object: name(in.Object), Life: []stepDocument{}, End: life.End}
	for _, s := range life.Steps {
		one := stepDocument{At: s.At.String(), Stage: s.Stage}
		if s.Change != nil {
			one.Change = changed(s.Change)
		}
		for _, c := range s.Candidates {
			if c.Stage.Name == s.Stage && c.Delay != (stages.Range{}) {
				one.Delay = delay(c.Delay)
			}
		}
		if len(s.Candidates) > 1 {
			one.Among = shares(s.Candidates)
		}
		for _, a := range s.Actions {
			sent, err := act(a)
			if err != nil {
				return nil, fmt.Errorf("stage %s: %w", s.Stage, err)
			}
			one.Sends = append(one.Sends, sent)
		}
		out.Life = append(out.Life, one)
	}
	return out, nil
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
func shares(all []stages.Candidate) map[string]int64 {
	out := map[string]int64{}
	for _, c := range all {
		out[c.Stage.Name] = c.Weight
	}
	return out
}

// act is an action as it is written down.
func act(a stages.Action) (actDocument, error) {
	switch a.Verb {
	case stages.Event:
		return actDocument{Event: fmt.Sprintf("%s %s: %s", a.Report.Type, a.Report.Reason, a.Report.Message)}, nil
	case stages.Delete:
		return actDocument{Verb: string(a.Verb)}, nil
	}
	out := actDocument{Verb: string(a.Verb), Subresource: a.Subresource, Type: short(a.Type), As: a.As}
	return out, json.Unmarshal(a.Body, &out.Body)
}

// short is a type of a patch in one word: json, merge, strategic, apply.
func short(t types.PatchType) string {
	word, _, _ := strings.Cut(strings.TrimPrefix(string(t), "application/"), "-")
	return word
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
