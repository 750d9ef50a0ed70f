package results

// ClusterLoader is what a test written for ClusterLoader2 found: its steps with what went wrong in them, and its measurements, worked
// out from the records of the run.
type ClusterLoader struct {
	Test         string        `json:"test"` // name of the config, and _ and the identifier of a suite's scenario, as in the names of files
	Verdict      Verdict       `json:"verdict"`
	Steps        []TestStep    `json:"steps"`
	Measurements []Measurement `json:"measurements"`
	// Files are the summaries and the JUnit report, relative to the run directory.
	Files []string `json:"files"`
}

// TestStep is one step of the test.
type TestStep struct {
	Number  int      `json:"number"` // from 1
	Name    string   `json:"name"`
	Module  string   `json:"module,omitempty"` // the file that it comes from; absent for the test's own
	Begin   float64  `json:"begin"`            // seconds since the start of the run
	Seconds float64  `json:"seconds"`          // how long it took; 0 when it never ended
	Verdict Verdict  `json:"verdict"`          // pass | fail
	Errors  []string `json:"errors,omitempty"` // of its operations and measurements, violations among them
}

// Measurement is one measurement from its start to where it was gathered, or all calls of one that only waits.
type Measurement struct {
	Method     string `json:"method"`
	Identifier string `json:"identifier"`
	Step       int    `json:"step"` // in which it was gathered, or last called
	// Verdict is pass or fail where something decides, no data where it had nothing to decide by, otherwise not judged.
	Verdict     Verdict         `json:"verdict"`
	Skip        string          `json:"skip,omitempty"`        // why it was not measured
	Errors      []string        `json:"errors,omitempty"`      // what went wrong in measuring; fails the test
	Violations  []string        `json:"violations,omitempty"`  // what was beyond its threshold; fails the test unless NotEnforced
	NotEnforced bool            `json:"notEnforced,omitempty"` // the test does not want violations to fail it
	Notes       []string        `json:"notes,omitempty"`
	Values      []MeasuredValue `json:"values,omitempty"`
}

// MeasuredValue is one figure of a measurement.
type MeasuredValue struct {
	Name      string   `json:"name"`
	Value     float64  `json:"value"`
	Unit      string   `json:"unit"`
	Threshold *float64 `json:"threshold,omitempty"` // in the same unit
	Lower     bool     `json:"lower,omitempty"`     // the threshold is the least that is wanted, not the most
	N         int64    `json:"n"`                   // observations that it is of
	Verdict   Verdict  `json:"verdict"`             // pass | fail; not judged without a threshold
}
