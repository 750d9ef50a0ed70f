package cl2

import "windtunnel/profiles"

// Config is a test config, rendered and decoded, with its modules in their places.
type Config struct {
	// Name is the test's; it is a part of the names of the files with results.
	Name string `json:"name"`
	// Dependencies are set up before the steps.
	Dependencies []*Dependency `json:"dependencies,omitempty"`
	// AutomanagedNamespaces is the older way to write Namespace.Number.
	AutomanagedNamespaces int `json:"automanagedNamespaces,omitempty"`
	// Namespace describes the namespaces that are made before the steps and deleted after them.
	Namespace Namespace `json:"namespace"`
	// Steps run one after another.
	Steps []*Step `json:"steps"`
	// TuningSets are the paces that phases refer to by name.
	TuningSets []*TuningSet `json:"tuningSets,omitempty"`
	// ChaosMonkey breaks nodes during the steps.
	ChaosMonkey ChaosMonkey `json:"chaosMonkey"`

	node *node
}

// Dependency is something that a test needs in the cluster.
type Dependency struct {
	// Name is for people.
	Name string `json:"name"`
	// Method is what it is.
	Method string `json:"method"`
	// Timeout bounds its set-up; 0 is no bound.
	Timeout profiles.Duration `json:"timeout,omitempty"`
	// Params are the method's.
	Params Params `json:"params,omitempty"`

	node *node
}

// Namespace describes the automanaged namespaces: Prefix-1, Prefix-2, … up to Number.
type Namespace struct {
	// Number is how many there are. Default 1.
	Number int `json:"number"`
	// Prefix begins their names. Default test- and six characters that depend on the seed.
	Prefix string `json:"prefix"`
	// DeleteStaleNamespaces deletes what earlier tests left. Default false.
	DeleteStaleNamespaces bool `json:"deleteStaleNamespaces"`
	// DeleteAutomanagedNamespaces deletes them at the end. Default true.
	DeleteAutomanagedNamespaces bool `json:"deleteAutomanagedNamespaces"`
	// EnableExistingNamespaces allows that they are there already. Default false.
	EnableExistingNamespaces bool `json:"enableExistingNamespaces"`
	// DeleteNamespaceTimeout bounds the deletion of each. Default 10m.
	DeleteNamespaceTimeout profiles.Duration `json:"deleteNamespaceTimeout"`

	node *node
}

// Step is either phases or measurements, which run side by side.
type Step struct {
	// Name is for people.
	Name string `json:"name,omitempty"`
	// Phases bring objects to a count.
	Phases []*Phase `json:"phases,omitempty"`
	// Measurements start, gather or wait.
	Measurements []*Measurement `json:"measurements,omitempty"`
	// Module is the file that the step comes from, as the config names it; empty for the config itself.
	Module string `json:"module,omitempty"`

	module *moduleRef
	node   *node
	path   string // in its file
}

// moduleRef is a step that stands for the steps of a module.
type moduleRef struct {
	path   string
	params Params
	node   *node
}

// Phase brings the objects of a bundle to a count in each of its namespaces.
type Phase struct {
	// NamespaceRange are namespaces by number. With neither it nor NamespaceList the objects have no namespace.
	NamespaceRange *NamespaceRange `json:"namespaceRange,omitempty"`
	// NamespaceList are namespaces by name.
	NamespaceList []string `json:"namespaceList,omitempty"`
	// ReplicasPerNamespace is the count afterwards.
	ReplicasPerNamespace int `json:"replicasPerNamespace"`
	// TuningSet names the pace.
	TuningSet string `json:"tuningSet"`
	// ObjectBundle are made together, in this order; they are deleted in the opposite one.
	ObjectBundle []*Object `json:"objectBundle"`

	node *node
	path string
}

// NamespaceRange is the namespaces Basename-Min to Basename-Max.
type NamespaceRange struct {
	// Min and Max are included.
	Min int `json:"min"`
	Max int `json:"max"`
	// Basename is nil for the prefix of the automanaged namespaces.
	Basename *string `json:"basename,omitempty"`
}

// Object is one member of a bundle.
type Object struct {
	// Basename and a number make the names: Basename-0, Basename-1, …
	Basename string `json:"basename"`
	// ObjectTemplatePath is the file of the template, seen from the directory of the config.
	ObjectTemplatePath string `json:"objectTemplatePath"`
	// TemplateFillMap are variables of the template.
	TemplateFillMap Params `json:"templateFillMap,omitempty"`
	// CountBy is a label selector: where the test has no count of its own for these objects yet, as many as match it are
	// there. Empty: none are there.
	CountBy string `json:"countBy,omitempty"`

	node *node
}

// TuningSet is a named pace.
type TuningSet struct {
	// Name is what phases refer to.
	Name string `json:"name"`
	// Kind is the YAML key that chose the pace, such as qpsLoad.
	Kind string `json:"kind"`
	// Pace says when actions begin.
	Pace profiles.Pace `json:"pace"`

	kinds int // how many of the keys there are
	node  *node
}

// Measurement is one call of a measurement. One that was written with instances becomes one of each.
type Measurement struct {
	// Method is the kind of the measurement.
	Method string `json:"method"`
	// Identifier tells measurements of one method apart; a start and a gather meet by it.
	Identifier string `json:"identifier"`
	// Params are the method's.
	Params Params `json:"params,omitempty"`

	at   place // of the identifier
	node *node // as it was written: with all instances
	path string
}

// ChaosMonkey breaks nodes.
type ChaosMonkey struct {
	// NodeFailure is nil where it is off.
	NodeFailure *NodeFailure `json:"nodeFailure,omitempty"`
	// ExcludedNodes are left alone.
	ExcludedNodes []string `json:"excludedNodes,omitempty"`
}

// NodeFailure takes nodes down for a while.
type NodeFailure struct {
	// FailureRate is the fraction of the nodes that fails each time.
	FailureRate float64 `json:"failureRate"`
	// Interval is from one time to the next; it is lengthened by a random part of itself, up to JitterFactor.
	Interval     profiles.Duration `json:"interval"`
	JitterFactor float64           `json:"jitterFactor"`
	// SimulatedDowntime is how long a node is down.
	SimulatedDowntime profiles.Duration `json:"simulatedDowntime"`

	node *node
}

// Params are the parameters of a measurement or module, or the variables of an object template, as JSON has them: nil, bool,
// float64, string, []any and map[string]any.
type Params map[string]any
