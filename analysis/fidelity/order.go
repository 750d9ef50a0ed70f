package fidelity

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"windtunnel/results"
)

// Sequence is in which order the kinds of calls begin in a stage, by how many of the others each comes before.
type Sequence struct {
	Stage string   `json:"stage"`
	Of    string   `json:"of"` // pod | node
	A     []string `json:"a"`
	B     []string `json:"b"`
}

// OrderRow is a pair of kinds that always come in one order on one side, and on the other mostly in the opposite one.
type OrderRow struct {
	Stage  string `json:"stage"`
	Before string `json:"before"`
	After  string `json:"after"`
	// Of says what is compared: that they begin, or that they end in this order.
	Of string `json:"of"` // begin | end
	// Always is the side on which it always holds, and Held of Both how often it does on the other.
	Always string `json:"always"`
	Held   int64  `json:"held"`
	Both   int64  `json:"both"`
}

// Two kinds always come in one order when all of at least fewSubjects pods or nodes have them so, but for one in twenty: a
// kubelet does several things at once. Elsewhere they mostly come in the opposite order when at most one in five has them so:
// with ten nodes, half would happen by chance to one pair or another of more than a hundred.
const (
	fewSubjects = 5
	always      = 0.95
	rarely      = 0.2
)

// order compares a stage's pairs.
func (c *Comparison) order(a, b Stage) {
	of := perNode
	if a.Pods > 0 {
		of = perPod
	}
	s := Sequence{Stage: a.Name, Of: of, A: sequence(a.Order), B: sequence(b.Order)}
	if len(s.A)+len(s.B) > 0 {
		c.Sequences = append(c.Sequences, s)
	}
	for _, p := range a.Order {
		i := slices.IndexFunc(b.Order, func(q Pair) bool { return q.A == p.A && q.B == p.B })
		if i < 0 {
			continue
		}
		q := b.Order[i]
		c.ordered(a.Name, "begin", p.A, p.B, p.First, p.Both, q.First, q.Both)
		c.ordered(a.Name, "end", p.A, p.B, p.Last, p.Both, q.Last, q.Both)
	}
}

// ordered adds a row where one side always has an order that the other mostly has not.
func (c *Comparison) ordered(stage, of, before, after string, heldA, bothA, heldB, bothB int64) {
	if bothA < fewSubjects || bothB < fewSubjects {
		return
	}
	share := func(held, both int64) float64 { return float64(held) / float64(both) }
	add := func(before, after, side string, held, both int64) {
		c.Order = append(c.Order, OrderRow{Stage: stage, Before: before, After: after, Of: of, Always: side, Held: held, Both: both})
	}
	sa, sb := share(heldA, bothA), share(heldB, bothB)
	switch {
	case sa >= always && sb <= rarely:
		add(before, after, "A", heldB, bothB)
	case sa <= 1-always && sb >= 1-rarely:
		add(after, before, "A", bothB-heldB, bothB)
	case sb >= always && sa <= rarely:
		add(before, after, "B", heldA, bothA)
	case sb <= 1-always && sa >= 1-rarely:
		add(after, before, "B", bothA-heldA, bothA)
	}
}

// sequence sorts kinds by how often they begin before the others.
func sequence(pairs []Pair) []string {
	wins := map[string]float64{}
	var names []string
	for _, p := range pairs {
		for _, n := range []string{p.A, p.B} {
			if _, known := wins[n]; !known {
				wins[n] = 0
				names = append(names, n)
			}
		}
		first := float64(p.First) / float64(p.Both)
		wins[p.A] += first
		wins[p.B] += 1 - first
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(cmp.Compare(wins[b], wins[a]), strings.Compare(a, b)) })
	return names
}

func (c *Comparison) orderPart() Part {
	n := 0
	for _, s := range c.Sequences {
		shared := 0
		for _, k := range s.A {
			if slices.Contains(s.B, k) {
				shared++
			}
		}
		n += shared * (shared - 1) / 2
	}
	p := Part{Name: PartOrder, Rows: n, Matched: max(0, n-c.pairsThatDiffer()), Verdict: verdict(len(c.Order) == 0)}
	if n == 0 {
		p.Verdict, p.Text = results.NoData, "no two kinds of calls were met on both sides"
		return p
	}
	p.Text = fmt.Sprintf("%d of %d pairs of calls come in the opposite order", n-p.Matched, n)
	return p
}

// pairsThatDiffer counts a pair that differs both at its beginning and at its end once.
func (c *Comparison) pairsThatDiffer() int {
	seen := map[string]bool{}
	for _, r := range c.Order {
		seen[r.Stage+"\n"+min(r.Before, r.After)+"\n"+max(r.Before, r.After)] = true
	}
	return len(seen)
}
