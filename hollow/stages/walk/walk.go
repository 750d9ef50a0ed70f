package walk

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/runtime"

	"windtunnel/hollow/stages"
)

// Script is what a walk depends on beside the object and the stages.
type Script struct {
	// Seed decides every choice.
	Seed uint64
	// Until is when the walk ends, counted from its begin, if the life has not ended before.
	Until time.Duration
	// Most is how many transitions are made at most.
	Most int
	// Changes are what others do to the object, in order of time.
	Changes []Change
}

// Change is what somebody else does to the object.
type Change struct {
	// At is when, counted from the begin of the walk.
	At time.Duration
	// Patch is merged into the whole object (RFC 7396).
	Patch map[string]any
	// Delete asks for the deletion, as kubectl delete does: the object gets a deletionTimestamp after the grace period.
	Delete bool
	// GracePeriod is that of the deletion.
	GracePeriod time.Duration
}

// Begin is the instant at which every walk begins.
func Begin() time.Time { return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) }

// Step is one thing that happened.
type Step struct {
	// At is when, counted from the begin.
	At time.Duration
	// Stage is the stage that was carried out; empty for a change from outside.
	Stage string
	// Candidates are the stages among which it was chosen.
	Candidates []stages.Candidate
	// Actions are what was sent, without the patches that would have changed nothing.
	Actions []stages.Action
	// Change is what somebody else did.
	Change *Change
}

// The ways in which a walk ends.
const (
	EndDeleted = "the object is gone"
	EndRest    = "nothing more happens"
	EndUntil   = "the time of the walk is over"
	EndMost    = "the walk has its most transitions"
)

// Life is a walk that was made.
type Life struct {
	// Steps are what happened, in order.
	Steps []Step
	// End is one of the ways in which a walk ends.
	End string
	// Object is the object at the end; nil when it is gone.
	Object map[string]any
}

// Walk carries an object through a life. Like the controllers that carry out stages, it chooses anew whenever the object has
// changed, and what was waiting is then forgotten. The surroundings are those of a small cluster that is always the same.
func Walk(set *stages.Set, object map[string]any, script Script) (*Life, error) {
	w := &walker{
		life:   set.For(stages.ResourceOf(object)),
		object: runtime.DeepCopyJSON(object),
		random: rand.New(rand.NewPCG(script.Seed, 0)),
		now:    Begin(),
		script: script,
	}
	asCreated(w.object)
	if err := w.choose(); err != nil {
		return nil, err
	}
	for made := 0; ; {
		end, transition, err := w.step(made)
		if err != nil {
			return nil, fmt.Errorf("at %s: %w", w.now.Sub(Begin()), err)
		}
		if transition {
			made++
		}
		if end != "" {
			return &Life{Steps: w.steps, End: end, Object: w.object}, nil
		}
	}
}

// asCreated adds what an API server adds to a new object and stages ask for: a pod is pending.
func asCreated(object map[string]any) {
	if (stages.ResourceOf(object) != stages.Resource{APIVersion: "v1", Kind: "Pod"}) {
		return
	}
	status, ok := object["status"].(map[string]any)
	if !ok {
		status = map[string]any{}
		object["status"] = status
	}
	if status["phase"] == nil {
		status["phase"] = "Pending"
	}
}

type walker struct {
	life   *stages.Lifecycle
	object map[string]any // nil when it is gone
	random *rand.Rand
	now    time.Time
	script Script

	steps      []Step
	changes    int // of the script's, made so far
	next       stages.Transition
	waiting    bool // next is to come
	candidates []stages.Candidate
}

// choose finds out what comes next.
func (w *walker) choose() (err error) {
	if w.candidates, err = w.life.Candidates(w.object, w.now, w.random); err != nil {
		return err
	}
	w.next, w.waiting, err = w.life.Next(w.object, w.now, w.random)
	return err
}

// step makes what happens next happen. end is not empty when that was the last.
func (w *walker) step(made int) (end string, transition bool, err error) {
	if w.object == nil {
		return EndDeleted, false, nil
	}
	change, changes := w.nextChange()
	due := w.next.Due
	if due.Before(w.now) {
		due = w.now
	}
	fromOutside := changes && (!w.waiting || !Begin().Add(change.At).After(due))
	if fromOutside {
		due = Begin().Add(change.At)
	}
	switch {
	case !w.waiting && !fromOutside:
		return EndRest, false, nil
	case due.Sub(Begin()) > w.script.Until:
		return EndUntil, false, nil
	case fromOutside:
		w.now = due
		w.changes++
		return "", false, w.outside(change)
	case made >= w.script.Most:
		return EndMost, false, nil
	}
	w.now = due
	return "", true, w.carryOut()
}

func (w *walker) nextChange() (Change, bool) {
	if w.changes >= len(w.script.Changes) {
		return Change{}, false
	}
	return w.script.Changes[w.changes], true
}

// outside makes a change of the script.
func (w *walker) outside(change Change) error {
	w.steps = append(w.steps, Step{At: change.At, Change: &change})
	object := runtime.DeepCopyJSON(w.object)
	if change.Patch != nil {
		mergeInto(object, change.Patch)
	}
	if change.Delete {
		grace := int64(change.GracePeriod / time.Second)
		metadata(object)["deletionTimestamp"] = w.now.Add(change.GracePeriod).Format(time.RFC3339)
		metadata(object)["deletionGracePeriodSeconds"] = grace
	}
	w.object = object
	return w.choose()
}

// carryOut makes the transition that was waited for.
func (w *walker) carryOut() error {
	stage := w.next.Stage
	scope := stages.Scope{Now: w.now, Started: Begin(), Version: "v0.0.0", Random: w.random, Around: surroundings{}}
	actions, err := stage.Actions(w.object, scope)
	if err != nil {
		return err
	}
	step := Step{At: w.now.Sub(Begin()), Stage: stage.Name, Candidates: w.candidates}
	before := w.object
	for _, a := range actions {
		if a.Verb == stages.Patch {
			after, err := stages.Patched(w.object, a)
			if err != nil {
				return fmt.Errorf("stage %s: %w", stage.Name, err)
			}
			if reflect.DeepEqual(after, w.object) {
				continue
			}
			w.object = after
		}
		step.Actions = append(step.Actions, a)
		if a.Verb == stages.Delete {
			w.delete()
		}
	}
	w.steps = append(w.steps, step)
	if w.object == nil || reflect.DeepEqual(before, w.object) { // no watch brings an object that has not changed
		w.waiting = false
		return nil
	}
	w.collect()
	if w.object == nil {
		return nil
	}
	return w.choose()
}

// delete is a deletion without grace: the object is gone, or waits for its finalizers.
func (w *walker) delete() {
	object := runtime.DeepCopyJSON(w.object)
	metadata(object)["deletionTimestamp"] = w.now.Format(time.RFC3339)
	metadata(object)["deletionGracePeriodSeconds"] = int64(0)
	w.object = object
	w.collect()
}

// collect takes an object away whose deletion was waiting for its finalizers only. A pod that is given time to end waits for its
// node, which deletes it once more without grace.
func (w *walker) collect() {
	m := metadata(w.object)
	if m["deletionTimestamp"] == nil || len(list(m["finalizers"])) > 0 {
		return
	}
	if grace, _ := m["deletionGracePeriodSeconds"].(int64); grace > 0 {
		return
	}
	w.object = nil
}

func metadata(object map[string]any) map[string]any {
	m, ok := object["metadata"].(map[string]any)
	if !ok {
		m = map[string]any{}
		object["metadata"] = m
	}
	return m
}

func list(v any) []any {
	l, _ := v.([]any)
	return l
}

// mergeInto is a merge patch (RFC 7396) made in place.
func mergeInto(object, patch map[string]any) {
	for key, value := range patch {
		inner, ok := value.(map[string]any)
		switch {
		case value == nil:
			delete(object, key)
		case !ok:
			object[key] = runtime.DeepCopyJSONValue(value)
		default:
			old, isMap := object[key].(map[string]any)
			if !isMap {
				old = map[string]any{}
				object[key] = old
			}
			mergeInto(old, inner)
		}
	}
}

// surroundings is the cluster of every walk.
type surroundings struct{}

// NodeIPs are the addresses of a node.
func (surroundings) NodeIPs(string) []string { return []string{"10.0.0.1"} }

// NodeName is the node's name.
func (surroundings) NodeName() string { return "node" }

// NodePort is the port of its kubelet.
func (surroundings) NodePort() int { return 10250 }

// PodIPs are the addresses of a pod.
func (s surroundings) PodIPs(p stages.PodAddress) []string {
	if p.HostNetwork {
		return s.NodeIPs(p.Node)
	}
	return slices.Clone([]string{"10.244.0.2"})
}
