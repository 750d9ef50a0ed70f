package profiles

import "time"

// Act is what a call of a measurement does to the cluster or waits for. Exactly one field is set.
type Act struct {
	Pause      time.Duration  // waits so long
	Restart    *RestartAct    // starts a component anew
	Faults     *FaultsAct     // begins or ends faults of nodes
	Probe      *ProbeAct      // asks whether the API server answers
	Profile    *ProfileAct    // takes profiles of a component
	Controlled *ControlledAct // waits for the pods of controllers
	Pods       *PodsAct       // waits for pods
	Jobs       *JobsAct       // waits for Jobs
	Nodes      *NodesAct      // waits for nodes
	Claims     *ClaimsAct     // waits for PersistentVolumeClaims
	Volumes    *VolumesAct    // waits for PersistentVolumes
	Conditions *ConditionsAct // waits for objects with conditions
}

// Selection is the objects that a wait is about.
type Selection struct {
	Namespace string // empty: all namespaces
	Labels    string // label selector; empty: all
	Fields    string // field selector; empty: all
}

// The moments of what begins with one call and ends with another, which has the same key: method and identifier of the measurement.
const (
	MomentStart  = "start"  // begins to watch
	MomentGather = "gather" // waits for what has begun
	MomentStop   = "stop"   // ends it without waiting
)

// Reads are the resources that an act lists and watches.
func (a Act) Reads() []Resource {
	builtin := func(apiVersion, kind string) Resource {
		r, _ := ResourceFor(apiVersion, kind)
		return r
	}
	switch {
	case a.Controlled != nil && a.Controlled.Moment == MomentStart:
		return []Resource{a.Controlled.Resource, builtin("apps/v1", "ReplicaSet"), builtin("v1", "Pod")}
	case a.Pods != nil:
		return []Resource{builtin("v1", "Pod")}
	case a.Jobs != nil:
		return []Resource{builtin("batch/v1", "Job")}
	case a.Nodes != nil:
		return []Resource{builtin("v1", "Node")}
	case a.Claims != nil:
		return []Resource{builtin("v1", "PersistentVolumeClaim")}
	case a.Volumes != nil:
		return []Resource{builtin("v1", "PersistentVolume")}
	case a.Conditions != nil:
		return []Resource{a.Conditions.Resource}
	}
	return nil
}

// RestartAct kills a component, and starts it again a while later.
type RestartAct struct {
	Component string        // such as kube-apiserver
	Down      time.Duration // from its end to its new start
	Timeout   time.Duration // bounds the new start
}

// FaultsAct begins faults of nodes, or ends those that have begun.
type FaultsAct struct {
	Moment string        // MomentStart or MomentStop
	Faults *ScriptFaults // of MomentStart
}

// ProbeAct asks the API server for a path, again and again from its start to its gather. Each request is a record.
type ProbeAct struct {
	Moment  string // MomentStart or MomentGather
	Path    string // with its query
	Every   time.Duration
	Timeout time.Duration // of one request
}

// The kinds of ProfileAct, as Go names them.
const (
	ProfileCPU    = "profile"
	ProfileMemory = "heap"
	ProfileBlock  = "block"
)

// ProfileAct takes profiles of a component from its start to its gather, one each interval: of the CPU the first one at the start, of others
// one more at the gather.
type ProfileAct struct {
	Moment    string // MomentStart or MomentGather
	Component string // such as kube-apiserver
	Kind      string
	Every     time.Duration
}

// ControlledAct waits until each object of a kind has the pods that its specification asks for. Every change of a specification begins an
// operation with a time limit of its own, from the start on; a gather waits until all operations have ended.
type ControlledAct struct {
	Moment    string // MomentStart, MomentGather or MomentStop
	Resource  Resource
	Selection Selection
	Timeout   time.Duration // of an operation; 0: it has none
	Updated   bool          // the pods must be of the latest template, too
	Margin    int           // so many pods may be missing or of an older template, and so many may have ended
	Sync      time.Duration // of MomentGather: bounds waiting for the watch to be as far as a list
}

// PodsAct waits until there are so many pods, all of them running and ready.
type PodsAct struct {
	Selection Selection
	Count     int
	Timeout   time.Duration
}

// JobsAct waits until all Jobs that have begun since the start have finished.
type JobsAct struct {
	Moment    string // MomentStart or MomentGather
	Selection Selection
	Timeout   time.Duration // of MomentGather
	Record    bool          // of MomentStart: what happens to the Jobs is recorded
}

// NodesAct waits until the number of nodes that are ready and take pods is between two bounds.
type NodesAct struct {
	Selection Selection
	Min, Max  int
	Timeout   time.Duration
}

// ClaimsAct waits until so many PersistentVolumeClaims are bound, and all others pending.
type ClaimsAct struct {
	Selection Selection
	Count     int
	Timeout   time.Duration
}

// VolumesAct waits until so many PersistentVolumes of a provisioner are available or bound, and all others pending.
type VolumesAct struct {
	Selection   Selection
	Provisioner string
	Count       int
	Timeout     time.Duration
}

// ConditionsAct waits until enough objects have one of the good or bad conditions, and fails when too many of them have a bad one. Without
// any conditions it waits until there are enough objects.
type ConditionsAct struct {
	Resource   Resource
	Namespaces []string // none: all; one empty name: the objects that have none
	Labels     string
	Good, Bad  []string // each TYPE=STATUS
	Min        int      // of objects with a good or a bad condition
	MaxBad     int      // of objects with a bad one
	Timeout    time.Duration
}
