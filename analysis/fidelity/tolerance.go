package fidelity

import (
	"bytes"
	_ "embed"
	"fmt"
	"math"
	"path"

	"go.yaml.in/yaml/v3"
)

//go:embed tolerances.yaml
var tolerances []byte

// What a count is per.
const (
	perNode     = "node"
	perPod      = "pod"
	perInterval = "10s"
)

// interval is the time of perInterval, in seconds: a kubelet's between two renewals of its lease.
const interval = 10

// defaultBodies is the largest ratio of the mean sizes of bodies where no rule says another.
const defaultBodies = 1.25

// Rule says how a kind of calls is counted and by how much two sides that are alike may differ in it.
type Rule struct {
	Stage    string  `yaml:"stage"`
	Who      string  `yaml:"who"`
	Verb     string  `yaml:"verb"`
	Resource string  `yaml:"resource"`
	Detail   string  `yaml:"detail"` // a pattern, as in path.Match
	Per      string  `yaml:"per"`
	Within   float64 `yaml:"within"`
	Edges    bool    `yaml:"edges"`    // one call more or less a node, of what counts per 10s
	Lot      bool    `yaml:"lot"`      // what a lot decides, of what counts per node
	Answered bool    `yaml:"answered"` // count only calls that were answered without an error
	Bodies   float64 `yaml:"bodies"`
	Why      string  `yaml:"why"`
}

// Rules are rules in their order: the first that fits a row is its own.
type Rules []Rule

// DefaultRules are those of tolerances.yaml.
func DefaultRules() (Rules, error) { return parseRules(tolerances) }

func parseRules(text []byte) (Rules, error) {
	var file struct {
		Rules Rules `yaml:"rules"`
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(&file); err != nil {
		return nil, fmt.Errorf("read tolerances: %w", err)
	}
	for i, r := range file.Rules {
		if r.Per != perNode && r.Per != perPod && r.Per != perInterval {
			return nil, fmt.Errorf("read tolerances: rule %d counts per %q", i+1, r.Per)
		}
		if (r.Within > 0 || r.Lot || r.Answered) && r.Why == "" {
			return nil, fmt.Errorf("read tolerances: rule %d does not say why", i+1)
		}
	}
	return file.Rules, nil
}

// of is the rule of a row; without one that fits, a row counts per node and must be equal.
func (rs Rules) of(stage string, k Kind) Rule {
	for _, r := range rs {
		if r.fits(stage, k) {
			if r.Bodies == 0 {
				r.Bodies = defaultBodies
			}
			return r
		}
	}
	return Rule{Per: perNode, Bodies: defaultBodies}
}

func (r Rule) fits(stage string, k Kind) bool {
	same := func(want, have string) bool { return want == "" || want == have }
	if !same(r.Stage, stage) || !same(r.Who, k.Who) || !same(r.Verb, k.Verb) || !same(r.Resource, k.Resource) {
		return false
	}
	if r.Detail == "" {
		return true
	}
	ok, err := path.Match(r.Detail, k.Detail)
	return err == nil && ok
}

// allowance is the largest difference of two counts in stages of these two sides.
func (r Rule) allowance(per string, a, b Stage) float64 {
	if r.Lot && per == perNode {
		return r.Within + 1/(2*math.Sqrt(float64(max(1, min(a.Nodes, b.Nodes)))))
	}
	if !r.Edges || per != perInterval {
		return r.Within
	}
	edge := func(s Stage) float64 { return float64(s.Nodes) / (s.NodeSeconds / interval) }
	return r.Within + max(edge(a), edge(b))
}

// counted is how many of the calls the rule counts.
func (r Rule) counted(c Calls) int64 {
	if r.Answered {
		return c.N - c.Errors
	}
	return c.N
}

// units is what a stage's counts of a kind are divided by; a stage without pods counts per node.
func (r Rule) units(s Stage, k Kind) (per string, units float64) {
	nodes := s.Nodes
	if k.Who == Proxy {
		nodes = s.Proxied
	}
	switch {
	case r.Per == perPod && s.Pods > 0:
		return perPod, float64(s.Pods)
	case r.Per == perInterval && s.NodeSeconds > 0:
		return perInterval, s.NodeSeconds / interval
	}
	return perNode, float64(nodes)
}
