package profiles

import (
	"encoding/json"
	"time"
)

// Plan is what a profile compiles to and all that the harness executes: the profile with every default filled in, every
// template resolved to an API path, and every name checked. It is plain data and prints as JSON.
type Plan struct {
	Profile Profile             `json:"profile"`
	Objects map[string]Template `json:"objects"`
	Phases  []Phase             `json:"phases"`
	// Script is carried out in place of the tracks of the phases, of which there is one then; nil for a profile.
	Script *Script `json:"script,omitempty"`
}

// Template is an Object with its place in the API.
type Template struct {
	// Name is the template's name in the profile.
	Name string `json:"name"`
	// Resource is where its instances live.
	Resource Resource `json:"resource"`
	// Manifest is the object as JSON with ${name}, ${namespace}, ${index} and ${run} still in it, and the windtunnel labels set.
	Manifest json.RawMessage `json:"manifest"`
	// Naming is the name of an instance with ${index} in it, for kinds whose content decides their name; empty for NAME-${index}.
	Naming string `json:"naming,omitempty"`
	// In is the template of the namespaces; empty for cluster-scoped kinds.
	In string `json:"in,omitempty"`
	// Namespaces is over how many instances of In the instances are spread: as many as there are when the first instance
	// is made. 0 for cluster-scoped kinds.
	Namespaces int `json:"namespaces,omitempty"`
	// Pods is how many pods one instance brings (a Deployment's replicas, 1 for a Pod, 0 for a ConfigMap).
	Pods int `json:"pods"`
	// Scheduled says that those pods are for the default scheduler and so are to run on the hollow nodes; pods with another
	// schedulerName or with scheduling gates stay pending and take no room on a node.
	Scheduled bool `json:"scheduled,omitempty"`

	text Text // Manifest, cut at its placeholders
}

// Resource is a resource of the API by group, version and plural name.
type Resource struct {
	Group      string `json:"group,omitempty"`
	Version    string `json:"version"`
	Name       string `json:"name"` // plural, as in URLs
	Kind       string `json:"kind,omitempty"`
	Namespaced bool   `json:"namespaced"`
}

// Estimate is what a plan will ask of the machine and of the user's patience.
type Estimate struct {
	Duration time.Duration  `json:"duration"` // planned, in nanoseconds, without what the system needs to answer
	Memory   int64          `json:"memory"`   // bytes, of all processes together
	Files    int            `json:"files"`    // open file descriptors of the largest process
	Nodes    int            `json:"nodes"`
	Pods     int            `json:"pods"`     // most at one time
	Requests map[string]int `json:"requests"` // verb + " " + resource -> planned requests of the harness
}
