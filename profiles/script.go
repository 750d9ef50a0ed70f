package profiles

import (
	"encoding/json"
	"strings"
	"time"
)

// Script is work that comes step by step, made of batches and of calls of measurements, because it depends on what the steps before left.
// Front ends for other tests' formats compile to it; a Plan with a script has one phase, which is the script's.
type Script struct {
	// Source says which test it was made of.
	Source ScriptSource `json:"source"`
	// Steps gives the steps.
	Steps ScriptSteps `json:"-"`
	// Namespaces are made before the first step.
	Namespaces ScriptNamespaces `json:"namespaces"`
	// Faults befall the nodes from the first step to the last.
	Faults *ScriptFaults `json:"faults,omitempty"`
	// Pods is the largest number of pods that are asked for at one time.
	Pods int `json:"pods"`
	// Length is how long the paces and pauses of all steps take.
	Length time.Duration `json:"length"`
	// Claims says that some objects ask for volumes, which somebody has to provide.
	Claims bool `json:"claims,omitempty"`
	// Notes are what a reader of the run must know, a sentence each.
	Notes []string `json:"notes,omitempty"`
	// Use is what the steps do to the cluster.
	Use ScriptUse `json:"use"`
}

// ScriptSource is a test in the words of its author: a profile's name has only letters, digits and hyphens.
type ScriptSource struct {
	// Name of the test.
	Name string `json:"name"`
	// Identifier tells it apart from others of its name that are run with it; empty for one that is run alone.
	Identifier string `json:"identifier,omitempty"`
	// Path of its file, as it was given.
	Path string `json:"path"`
}

// ScriptUse is what a script does to a cluster, as far as it can be told before: whoever owns one allows no more than is needed.
type ScriptUse struct {
	// Operations are what is done, by resource.
	Operations map[Resource][]OperationVerb `json:"-"`
	// Reads are the resources that are looked at; some are named more than once.
	Reads []Resource `json:"-"`
	// MostRequests is how many requests are planned within one second at most.
	MostRequests int `json:"mostRequests"`
	// Unpaced names the first step that sends as many as the system answers; empty when there is none.
	Unpaced string `json:"unpaced,omitempty"`
}

// ScriptSteps are the steps of a script in their order.
type ScriptSteps interface {
	// Next gives the next step when the one before has ended; count asks the cluster how many objects there are. The error is io.EOF
	// after the last step, and else ends the script; what concerns one step alone is the step's Err.
	Next(count func(Count) (int, error)) (*ScriptStep, error)
}

// Count is a question for how many objects there are.
type Count struct {
	Resource  Resource `json:"resource"`
	Namespace string   `json:"namespace,omitempty"`
	Selector  string   `json:"selector"` // of labels
}

// ScriptNamespaces are namespaces that a script makes before its first step.
type ScriptNamespaces struct {
	// Prefix, a hyphen and a number from 1 make their names.
	Prefix string `json:"prefix"`
	// Names of the namespaces.
	Names []string `json:"names"`
	// Existing allows that they are there already; otherwise that is an error.
	Existing bool `json:"existing,omitempty"`
	// Delete deletes them after the last step, and waits for each up to Timeout.
	Delete  bool          `json:"delete"`
	Timeout time.Duration `json:"timeout"`
}

// Like tells whether a namespace is called as the script's are, with any number: a test of more namespaces may have left it.
func (n ScriptNamespaces) Like(name string) bool {
	number, ok := strings.CutPrefix(name, n.Prefix+"-")
	return ok && number != "" && number[0] != '0' && strings.Trim(number, "0123456789") == ""
}

// ScriptStep is one step: measures that are called side by side, or batches that are carried out side by side.
type ScriptStep struct {
	// Number counts from 1.
	Number int
	// Name is for people.
	Name string
	// Module is the file that the step comes from; empty for the test's own.
	Module string
	// Measures are called side by side.
	Measures []Measure
	// Batches are carried out side by side.
	Batches []Batch
	// Err is what went wrong when the step was planned. It is the step's error; what could be planned is carried out all the same.
	Err error
}

// Measure is one call of a measurement. Most are only marks: what happened between two of them is computed from the records.
type Measure struct {
	// Method, Identifier and Action say what is called.
	Method, Identifier, Action string
	// Params are all parameters, for the record.
	Params json.RawMessage
	// Skip says why nothing is done; empty where something is.
	Skip string
	// Scrape asks for a look at the metrics of all components at this moment.
	Scrape bool
	// Act is what is done beside the mark; nil for nothing.
	Act *Act
	// Fatal says that the script cannot go on when the act fails.
	Fatal bool
}

// ScriptFaults are a stream of faults of nodes: after random pauses some nodes, chosen at random, are cut off for a while.
type ScriptFaults struct {
	// Fraction of the nodes that no fault of the script has had yet are cut off each time, rounded up.
	Fraction float64 `json:"fraction"`
	// Interval is from the end of one time to the next, and to the first, lengthened by a random part of itself of up to Jitter.
	Interval time.Duration `json:"interval"`
	Jitter   float64       `json:"jitter,omitempty"`
	// For is how long they are cut off.
	For time.Duration `json:"for"`
	// Except names nodes that are left alone.
	Except []string `json:"except,omitempty"`
}
