package fidelity

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	"go.yaml.in/yaml/v3"

	"windtunnel/results"
)

// Gap is a known difference of one kind of calls in one stage between two sides, with its reason. It is for what is not meant to be equal: a
// tolerance is for what varies.
type Gap struct {
	Stage    string `yaml:"stage"`
	Who      string `yaml:"who"`
	Verb     string `yaml:"verb"`
	Resource string `yaml:"resource"`
	Detail   string `yaml:"detail"` // a pattern, as in path.Match
	// Part is what differs: calls or bodies.
	Part string `yaml:"part"`
	Why  string `yaml:"why"`
}

// ReadGaps reads a file of gaps, of the name that errors tell.
func ReadGaps(name string, r io.Reader) ([]Gap, error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	var file struct {
		Gaps []Gap `yaml:"gaps"`
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(&file); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	for i, g := range file.Gaps {
		switch {
		case g.Part != PartCalls && g.Part != PartBodies:
			return nil, fmt.Errorf("read %s: gap %d is of part %q, not %s or %s", name, i+1, g.Part, PartCalls, PartBodies)
		case g.Why == "":
			return nil, fmt.Errorf("read %s: gap %d does not say why", name, i+1)
		}
	}
	return file.Gaps, nil
}

func (g Gap) fits(r CallRow) bool {
	return Rule{Stage: g.Stage, Who: g.Who, Verb: g.Verb, Resource: g.Resource, Detail: g.Detail}.fits(r.Stage, r.Kind)
}

// Except leaves the rows that differ by a known gap out of the verdicts. It returns the gaps by which nothing differs, so that a list of gaps
// does not outlive them.
func (c *Comparison) Except(gaps []Gap) (unused []Gap) {
	for _, g := range gaps {
		used := false
		for i := range c.Calls {
			r := &c.Calls[i]
			if !g.fits(*r) {
				continue
			}
			switch {
			case g.Part == PartCalls && r.Verdict == results.Fail:
				r.Gap, used = g.Why, true
			case g.Part == PartBodies && r.Bodies == results.Fail:
				r.BodiesGap, used = g.Why, true
			}
		}
		if !used {
			unused = append(unused, g)
		}
	}
	c.judge(slices.Collect(func(yield func(string) bool) {
		for _, p := range c.Parts {
			if p.Required && !yield(p.Name) {
				return
			}
		}
	}))
	return unused
}

// judge makes the parts and the verdict of the rows.
func (c *Comparison) judge(required []string) {
	c.Parts = []Part{c.callPart(), c.bodyPart(), c.orderPart(), c.watchPart(), c.latencyPart()}
	c.Verdict = results.Pass
	for i := range c.Parts {
		p := &c.Parts[i]
		p.Required = slices.Contains(required, p.Name)
		switch {
		case !p.Required || p.Verdict == results.Pass:
		case p.Verdict == results.Fail:
			c.Verdict = results.Fail
		case c.Verdict == results.Pass:
			c.Verdict = p.Verdict
		}
	}
}
