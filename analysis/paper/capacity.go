package paper

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Capacity is the answer of a search for the largest load inside the objectives, as windtunnel capacity writes it: the fields of its
// capacity.json that the paper needs. Inside and Outside are null when no such level was found.
type Capacity struct {
	ID       string `json:"id"`
	Profile  string `json:"profile"`
	Axis     string `json:"axis"`
	Unit     string `json:"unit"`
	Finished bool   `json:"finished"`
	Answer   *struct {
		Inside           *float64 `json:"inside"`
		Confirmed        bool     `json:"confirmed"`
		Passed           int      `json:"passed"`
		Runs             int      `json:"runs"`
		Bound            float64  `json:"bound"`
		Confidence       float64  `json:"confidence"`
		Outside          *float64 `json:"outside"`
		OutsideUndecided bool     `json:"outsideUndecided"`
		OutsidePassed    int      `json:"outsidePassed"`
		OutsideRuns      int      `json:"outsideRuns"`
	} `json:"answer"`
}

// ReadCapacity reads the capacity.json in a search's directory.
func ReadCapacity(dir string) (Capacity, error) {
	path := filepath.Join(dir, "capacity.json")
	data, err := os.ReadFile(path)
	if err != nil {
		return Capacity{}, fmt.Errorf("read capacity: %w", err)
	}
	var c Capacity
	if err := json.Unmarshal(data, &c); err != nil {
		return Capacity{}, fmt.Errorf("read capacity: %s: %w", path, err)
	}
	if c.Answer == nil || c.Axis == "" {
		return Capacity{}, fmt.Errorf("read capacity: %s has no answer of a search along an axis", path)
	}
	return c, nil
}

// sentences are what the search found.
func (c Capacity) sentences() string {
	level := func(v float64) string { return strings.TrimSpace(short(v) + " " + c.Unit) }
	a := c.Answer
	var said string
	switch {
	case a.Inside == nil:
		said = fmt.Sprintf("no %s was shown to be inside the objectives.", c.Axis)
	case !a.Confirmed:
		said = fmt.Sprintf("the largest %s that passed is %s; fresh runs have not confirmed it.", c.Axis, level(*a.Inside))
	default:
		said = fmt.Sprintf("the largest %s inside the objectives is %s: %d of %d runs passed, so that with %g %% confidence at least %.0f %% of runs at it do.",
			c.Axis, level(*a.Inside), a.Passed, a.Runs, 100*a.Confidence, 100*a.Bound)
	}
	switch {
	case a.Outside == nil:
		said += " No level outside was met, so that the system may carry more."
	case a.OutsideUndecided:
		said += fmt.Sprintf(" The next level, %s, gave no verdict.", level(*a.Outside))
	default:
		said += fmt.Sprintf(" The first level outside is %s, where %d of %d runs passed.", level(*a.Outside), a.OutsidePassed, a.OutsideRuns)
	}
	if !c.Finished {
		said += " The search did not come to its end."
	}
	return said
}

// backwards answers the source's question backwards, from the objective to the load, where searches do.
func backwards(searches []Capacity) []Block {
	const question = "The source also asks backwards: which load does the system carry, given the objective? "
	if len(searches) == 0 {
		return []Block{para(question, "These runs do not answer that. Each of them is one load, and that it was carried, or was not, bounds the capacity from one side only. A search over the load is needed, such as ", code("windtunnel capacity"), " makes.")}
	}
	var l List
	for _, c := range searches {
		l = append(l, para("Of profile ", code(c.Profile), " (", code(c.ID), "), ", c.sentences()))
	}
	return []Block{para(question, "Searches over the load, beside the runs of this paper, answer it:"), l}
}
