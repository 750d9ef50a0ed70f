package profiles

import "time"

// Batch is a list of actions and the pace at which they begin. It is what front ends for other tests' formats compile their
// changes of objects to: where a Reconcile has one template and one object a request, the objects here are each their own.
type Batch struct {
	// Pace says when the actions begin.
	Pace Pace `json:"pace"`
	// Actions begin at their instants, except in a closed loop, where they begin in this order.
	Actions []Action `json:"actions"`
	// Length is when the last pause of the pace is over, from the start of the batch; 0 in a closed loop.
	Length time.Duration `json:"length"`
}

// Action is operations that are carried out one after another.
type Action struct {
	// At is when the first one begins, from the start of the batch.
	At time.Duration `json:"at"`
	// Operations may be none: an action that does nothing takes its instant all the same. When one of them fails, those after it
	// are not carried out, unless they are deletions.
	Operations []Operation `json:"operations"`
}

// OperationVerb is what an operation does with its object.
type OperationVerb string

// The verbs of an Operation.
const (
	OperationCreate OperationVerb = "create" // POST; an object that is there already is a success
	OperationPatch  OperationVerb = "patch"  // GET, then PATCH with a merge patch of what differs
	OperationDelete OperationVerb = "delete" // DELETE in the background; an object that is not there is a success
)

// Operation is one change of one object.
type Operation struct {
	// Verb is what is done.
	Verb OperationVerb `json:"verb"`
	// Resource is where the object lives.
	Resource Resource `json:"resource"`
	// Namespace is empty for cluster-scoped objects.
	Namespace string `json:"namespace,omitempty"`
	// Name is the object's.
	Name string `json:"name"`
	// Body renders the whole object as JSON for the run of that id, the same each time; nil for a deletion. It may be called from several
	// goroutines.
	Body func(run string) ([]byte, error) `json:"-"`
}

// Requests are the verbs of the requests that the operation sends when all goes well.
func (o Operation) Requests() []string {
	switch o.Verb {
	case OperationCreate:
		return []string{VerbPost}
	case OperationPatch:
		return []string{VerbGet, VerbPatch}
	}
	return []string{VerbDelete}
}

// Operations is how many operations there are in all actions.
func (b Batch) Operations() int {
	n := 0
	for _, a := range b.Actions {
		n += len(a.Operations)
	}
	return n
}
