package fidelity

import (
	"fmt"
	"math"
	"slices"

	"windtunnel/results"
)

// The parts of a comparison, each with a verdict of its own.
const (
	PartCalls     = "calls"
	PartBodies    = "bodies"
	PartOrder     = "order"
	PartWatches   = "watches"
	PartLatencies = "latencies"
)

// Parts are all parts of a comparison, in their order.
func Parts() []string { return []string{PartCalls, PartBodies, PartOrder, PartWatches, PartLatencies} }

// Comparison is how two recordings of one script compare.
type Comparison struct {
	Format  int             `json:"format"`
	A       Source          `json:"a"`
	B       Source          `json:"b"`
	Verdict results.Verdict `json:"verdict"`
	Parts   []Part          `json:"parts"`
	// Calls are the counts, and the sizes of bodies, by stage and kind.
	Calls []CallRow `json:"calls"`
	// Watches are how many watches are open at the end of each stage.
	Watches []CallRow `json:"watches"`
	// Sequences are in which order the kinds of calls come in each stage, and Order the pairs of which the sides differ.
	Sequences []Sequence   `json:"sequences"`
	Order     []OrderRow   `json:"order"`
	Latencies []LatencyRow `json:"latencies"`
	Notes     []string     `json:"notes,omitempty"`
}

// Part is one part of a comparison.
type Part struct {
	Name    string          `json:"name"`
	Verdict results.Verdict `json:"verdict"`
	// Required says that the verdict of the whole needs it.
	Required bool `json:"required"`
	// Matched of Rows rows match.
	Matched int `json:"matched"`
	Rows    int `json:"rows"`
	// Text says what the verdict comes from.
	Text string `json:"text"`
}

// CallRow is a count on both sides. A side on which it was never met counts 0.
type CallRow struct {
	Stage string `json:"stage"`
	Kind
	Per     string          `json:"per"` // node | pod | 10s
	A       float64         `json:"a"`
	B       float64         `json:"b"`
	Within  float64         `json:"within"`
	Why     string          `json:"why,omitempty"`
	ErrorsA float64         `json:"errorsA,omitempty"` // of A, in the same unit
	ErrorsB float64         `json:"errorsB,omitempty"`
	Verdict results.Verdict `json:"verdict"`
	// BytesA and BytesB are the mean sizes of bodies, absent where a side had none.
	BytesA *float64        `json:"bytesA,omitempty"`
	BytesB *float64        `json:"bytesB,omitempty"`
	Ratio  float64         `json:"ratio,omitempty"` // the largest that is allowed, either way
	Bodies results.Verdict `json:"bodies,omitempty"`
	// Gap and BodiesGap are why the counts or the sizes are known to differ; such a row decides nothing.
	Gap       string `json:"gap,omitempty"`
	BodiesGap string `json:"bodiesGap,omitempty"`
}

// Compare holds two recordings against each other. required are the parts that the verdict needs.
func Compare(a, b Recording, rules Rules, required []string) Comparison {
	if a.Source.Bodies() != b.Source.Bodies() {
		a, b = withoutBodies(a), withoutBodies(b)
	}
	c := Comparison{Format: FormatVersion, A: a.Source, B: b.Source, Notes: notes(a, b)}
	for _, pair := range common(a, b) {
		c.calls(pair[0], pair[1], rules)
		c.open(pair[0], pair[1], rules)
		c.order(pair[0], pair[1])
	}
	c.latencies(a.Metrics, b.Metrics)
	c.judge(required)
	return c
}

// common are the stages that both have, in A's order.
func common(a, b Recording) [][2]Stage {
	var all [][2]Stage
	for _, s := range a.Stages {
		if i := slices.IndexFunc(b.Stages, func(t Stage) bool { return t.Name == s.Name }); i >= 0 {
			all = append(all, [2]Stage{s, b.Stages[i]})
		}
	}
	return all
}

// notes are the sides' own, and what they differ in that the rows do not show.
func notes(a, b Recording) []string {
	var all []string
	side := func(name string, r, other Recording) {
		for _, n := range r.Notes {
			switch {
			case !slices.Contains(other.Notes, n):
				all = append(all, name+": "+n)
			case name == "A":
				all = append(all, "A and B: "+n)
			}
		}
		for _, s := range r.Stages {
			if !slices.ContainsFunc(other.Stages, func(t Stage) bool { return t.Name == s.Name }) {
				all = append(all, fmt.Sprintf("the stage %s is only in %s and is not compared", s.Name, name))
			}
		}
	}
	side("A", a, b)
	side("B", b, a)
	if a.Source.Kubernetes != b.Source.Kubernetes {
		all = append(all, fmt.Sprintf("the API servers are of different versions: %s and %s", a.Source.Kubernetes, b.Source.Kubernetes))
	}
	if a.Source.Script != b.Source.Script {
		all = append(all, fmt.Sprintf("the scripts have different names: %s and %s", a.Source.Script, b.Source.Script))
	}
	return all
}

// withoutBodies takes away what only an audit log with bodies shows, so that it compares with one that has none.
func withoutBodies(r Recording) Recording {
	out := Recording{Format: r.Format, Source: r.Source, Metrics: r.Metrics, Notes: r.Notes}
	for _, s := range r.Stages {
		plain := s
		plain.Calls, plain.Watches, plain.Order = nil, nil, nil
		for _, c := range s.Calls {
			c.Sized, c.Bytes = 0, 0
			if c.Verb == "POST" {
				c.Detail = ""
			}
			plain.add(Stage{Calls: []Calls{c}})
		}
		plain.Watches = s.Watches
		// Without bodies it is not known which pod a token or an event is about.
		for _, p := range s.Order {
			if s.Pods == 0 || !isPost(p.A) && !isPost(p.B) {
				plain.Order = append(plain.Order, p)
			}
		}
		out.Stages = append(out.Stages, plain)
	}
	return out
}

func isPost(kind string) bool { return len(kind) > 5 && kind[:5] == "POST " }

// calls compares the counts of a stage, and the sizes of bodies.
func (c *Comparison) calls(a, b Stage, rules Rules) {
	for _, k := range kindsOf(a.Calls, b.Calls, func(c Calls) Kind { return c.Kind }) {
		find := func(s Stage) Calls {
			if i := slices.IndexFunc(s.Calls, func(d Calls) bool { return d.Kind == k }); i >= 0 {
				return s.Calls[i]
			}
			return Calls{Kind: k}
		}
		callsA, callsB, rule := find(a), find(b), rules.of(a.Name, k)
		row := row(a, b, k, rule, rule.counted(callsA), rule.counted(callsB))
		_, unitsA := rule.units(a, k)
		_, unitsB := rule.units(b, k)
		row.ErrorsA, row.ErrorsB = quotient(callsA.Errors, unitsA), quotient(callsB.Errors, unitsB)
		row.BytesA, row.BytesB = callsA.mean(), callsB.mean()
		if row.BytesA != nil && row.BytesB != nil {
			row.Ratio = rule.Bodies
			row.Bodies = verdict(*row.BytesA <= *row.BytesB*rule.Bodies && *row.BytesB <= *row.BytesA*rule.Bodies)
		}
		c.Calls = append(c.Calls, row)
	}
}

// open compares how many watches are open at the end of a stage.
func (c *Comparison) open(a, b Stage, rules Rules) {
	for _, k := range kindsOf(a.Watches, b.Watches, func(o Open) Kind { return o.Kind }) {
		find := func(s Stage) int64 {
			if i := slices.IndexFunc(s.Watches, func(o Open) bool { return o.Kind == k }); i >= 0 {
				return s.Watches[i].N
			}
			return 0
		}
		// What is open does not vary with how often it was tried, so that it is held to no rule but equality.
		c.Watches = append(c.Watches, row(a, b, k, Rule{Per: perNode}, find(a), find(b)))
	}
}

func row(a, b Stage, k Kind, rule Rule, nA, nB int64) CallRow {
	per, unitsA := rule.units(a, k)
	perB, unitsB := rule.units(b, k)
	if per != perB { // only one side had pods
		rule.Per = perNode
		per, unitsA = rule.units(a, k)
		_, unitsB = rule.units(b, k)
	}
	r := CallRow{Stage: a.Name, Kind: k, Per: per, A: quotient(nA, unitsA), B: quotient(nB, unitsB), Within: rule.allowance(per, a, b), Why: rule.Why}
	r.Verdict = verdict(math.Abs(r.A-r.B) <= r.Within+1e-9)
	return r
}

// quotient is a count in its unit; what there is none of to divide by counts whole.
func quotient(n int64, units float64) float64 {
	if units == 0 {
		return float64(n)
	}
	return float64(n) / units
}

func (c Calls) mean() *float64 {
	if c.Sized == 0 {
		return nil
	}
	mean := float64(c.Bytes) / float64(c.Sized)
	return &mean
}

func verdict(ok bool) results.Verdict {
	if ok {
		return results.Pass
	}
	return results.Fail
}

// kindsOf are the kinds that either side has, in order.
func kindsOf[T any](a, b []T, kind func(T) Kind) []Kind {
	var all []Kind
	for _, x := range slices.Concat(a, b) {
		all = append(all, kind(x))
	}
	slices.SortFunc(all, Kind.compare)
	return slices.Compact(all)
}
