package results

import "encoding/json"

// Run is run.json: what was asked and what was there. It is rewritten as the run goes on.
type Run struct {
	Format    int               `json:"format"` // FormatVersion
	ID        string            `json:"id"`     // <name>-<utc>-<id>, the directory's name
	Profile   json.RawMessage   `json:"profile"`
	Name      string            `json:"name"`
	Seed      uint64            `json:"seed"`
	Provider  string            `json:"provider"`
	Started   string            `json:"started"`         // RFC 3339, UTC, of the base of all instants
	ClockBase int64             `json:"clockBase"`       // CLOCK_MONOTONIC nanoseconds at that base
	Ended     string            `json:"ended,omitempty"` // RFC 3339; absent while it runs or when it was killed
	Outcome   string            `json:"outcome"`         // running | completed | interrupted | failed | timeout
	Error     string            `json:"error,omitempty"`
	Versions  map[string]string `json:"versions"` // windtunnel, go, kubernetes (as the API server reports it), etcd, gitCommit
	Machine   Machine           `json:"machine"`
	Command   []string          `json:"command"` // argv of windtunnel
	// Components are the processes of the system under test and the hollow nodes, with every flag they were given.
	Components []Component `json:"components"`
	// Limits are the client-side limits that shape the load, such as "kube-controller-manager qps".
	Limits map[string]float64 `json:"limits"`
	Phases []PhaseSpan        `json:"phases"`
	Notes  []string           `json:"notes,omitempty"` // what happened that a reader must know
	// Events are what was done to the system or befell it, such as faults, restarts and components that ended, as it happened. Runs of
	// older versions have none.
	Events []Event `json:"events,omitempty"`
	// Shared is there when the cluster has other users than the run.
	Shared *Shared `json:"shared,omitempty"`
	// WatchGaps is how often a watch of the harness could not be resumed, so that transitions may have been missed.
	WatchGaps int `json:"watchGaps,omitempty"`
	// Leases are the renewals of the hollow nodes' leases, where they are counted.
	Leases *Leases `json:"leases,omitempty"`
	// Test says which test the plan's script was made of; runs of profiles, and of older versions, have none.
	Test *TestSource `json:"test,omitempty"`
	// Steps are those of the plan's script, in their order; a run without a script, such as that of a profile, has none.
	Steps []StepSpan `json:"steps,omitempty"`
	// Marks are the script's calls of measurements, in the order in which they began.
	Marks []Mark `json:"marks,omitempty"`
}

// Leases says whether hollow nodes renewed their leases in time: a kubelet does it every 10 s, and a lease lasts 40 s.
type Leases struct {
	Renewals   int64   `json:"renewals"`
	LargestGap float64 `json:"largestGap"` // seconds between two renewals of one node, or since its last, also where a fault kept it from them
}

// TestSource is a test in the words of its author.
type TestSource struct {
	Name       string `json:"name"`                 // of the config
	Identifier string `json:"identifier,omitempty"` // of the suite's scenario
	Path       string `json:"path,omitempty"`       // of the config, as it was given; references have none
}

// StepSpan is one step of a script.
type StepSpan struct {
	Number int     `json:"number"`           // from 1
	Name   string  `json:"name"`             // for people
	Module string  `json:"module,omitempty"` // the file that the step comes from; empty for the test's own
	Begin  Instant `json:"begin"`
	End    Instant `json:"end,omitempty"` // 0 while it runs, or when the run was killed in it
	// ClosedLoops are the tracks of the step whose requests waited for one another, so that nobody knew their instants before.
	ClosedLoops []string `json:"closedLoops,omitempty"`
	Error       string   `json:"error,omitempty"` // what went wrong; the steps after it were carried out all the same, unless it was the last
}

// Mark is one call of a measurement. What the call measures is computed from the raw records between the marks.
type Mark struct {
	At         Instant         `json:"at"`            // when the call began
	End        Instant         `json:"end,omitempty"` // when it had returned; 0 while it runs, or when the run was killed in it
	Step       int             `json:"step"`          // Number of its StepSpan
	Method     string          `json:"method"`        // kind of measurement
	Identifier string          `json:"identifier"`    // tells measurements of one method apart
	Action     string          `json:"action,omitempty"`
	Params     json.RawMessage `json:"params,omitempty"` // all parameters, as the test gives them
	Skip       string          `json:"skip,omitempty"`   // why nothing was done; empty where something was
	Error      string          `json:"error,omitempty"`  // what went wrong in the call itself, such as a wait that timed out
}

// Machine is where the run took place. It names no host.
type Machine struct {
	OS          string `json:"os"`
	Kernel      string `json:"kernel"`
	CPU         string `json:"cpu"`
	Cores       int    `json:"cores"`
	MemoryBytes int64  `json:"memoryBytes"`
	OpenFiles   uint64 `json:"openFiles"`
	Filesystem  string `json:"filesystem"` // of the control plane's store
}

// Component is one child process.
type Component struct {
	Name string   `json:"name"`
	PID  int      `json:"pid"`
	Args []string `json:"args"`
	Log  string   `json:"log"`            // relative to the run directory
	Exit string   `json:"exit,omitempty"` // how it ended, when it ended
}

// Shared is what a run on a cluster that others use did for them.
type Shared struct {
	Level    string `json:"level"`    // priority level that the load went through, and nothing else
	Baseline string `json:"baseline"` // the phase before the load, which others' figures are compared with
}

// Event is something that happened at an instant of the run.
type Event struct {
	At   Instant `json:"at"`
	Text string  `json:"text"`
}

// PhaseSpan is one phase of the run: boot, hollow, the profile's own, analyse.
type PhaseSpan struct {
	Name     string  `json:"name"`
	Begin    Instant `json:"begin"`
	End      Instant `json:"end,omitempty"` // 0 while it runs
	Measured bool    `json:"measured"`
	Outcome  string  `json:"outcome,omitempty"` // ok | error | interrupted | timeout
}

// MeasuredSeconds is the length of the measured phases together. A phase without an end, because the run was killed in it, counts
// nothing.
func MeasuredSeconds(phases []PhaseSpan) float64 {
	var ns int64
	for _, p := range phases {
		if p.Measured && p.End > p.Begin {
			ns += p.End - p.Begin
		}
	}
	return float64(ns) / 1e9
}
