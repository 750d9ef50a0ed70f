package promql

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
)

// binaryNode is an operator between two expressions.
type binaryNode struct {
	op          string
	left, right node
	yields      bool // bool: a comparison gives 0 or 1 and leaves nothing out
	on          bool // labels are those that match, otherwise those that do not
	labels      []string
	many        string   // the side of which several series may match one of the other; empty for neither
	include     []string // labels that the result has from that one
}

const (
	manyLeft  = "left"
	manyRight = "right"
)

func (b *binaryNode) kind() kind {
	if b.left.kind() == kindScalar && b.right.kind() == kindScalar {
		return kindScalar
	}
	return kindVector
}

func (b *binaryNode) set() bool { return b.op == "and" || b.op == "or" || b.op == "unless" }

func (b *binaryNode) comparison() bool {
	return slices.Contains([]string{"==", "!=", ">", "<", ">=", "<="}, b.op)
}

// check tells what cannot be combined.
func (b *binaryNode) check() error {
	for _, side := range []node{b.left, b.right} {
		if k := side.kind(); k != kindScalar && k != kindVector {
			return fmt.Errorf("%s between a %s and a %s", b.op, b.left.kind(), b.right.kind())
		}
		if b.set() && side.kind() != kindVector {
			return fmt.Errorf("%s takes two vectors", b.op)
		}
	}
	switch {
	case b.yields && !b.comparison():
		return fmt.Errorf("bool belongs to comparisons, not to %s", b.op)
	case b.comparison() && !b.yields && b.kind() == kindScalar:
		return fmt.Errorf("a comparison of numbers needs bool")
	case b.many != "" && b.set():
		return fmt.Errorf("group_%s belongs to no %s", b.many, b.op)
	}
	for _, name := range b.include {
		if b.on && slices.Contains(b.labels, name) {
			return fmt.Errorf("the label %s is both in on and in group_%s", name, b.many)
		}
	}
	return nil
}

func (b *binaryNode) eval(e *evaluation, at int64) (value, error) {
	left, err := b.left.eval(e, at)
	if err != nil {
		return value{}, err
	}
	right, err := b.right.eval(e, at)
	if err != nil {
		return value{}, err
	}
	leftNumber, rightNumber := b.left.kind() == kindScalar, b.right.kind() == kindScalar
	switch {
	case leftNumber && rightNumber:
		x, _ := b.apply(left.scalar, right.scalar)
		return value{scalar: x}, nil
	case b.set():
		return value{vector: b.combine(left.vector, right.vector)}, nil
	case rightNumber:
		return b.each(left.vector, func(x float64) (float64, bool) { return b.apply(x, right.scalar) }), nil
	case leftNumber:
		return b.each(right.vector, func(x float64) (float64, bool) {
			y, keep := b.apply(left.scalar, x)
			if b.comparison() && !b.yields {
				y = x // a comparison keeps the vector's value
			}
			return y, keep
		}), nil
	}
	vector, err := b.matched(left.vector, right.vector)
	return value{vector: vector}, err
}

// apply is the operator on two numbers; a comparison that does not hold keeps nothing.
func (b *binaryNode) apply(x, y float64) (float64, bool) {
	compared := func(holds bool) (float64, bool) {
		switch {
		case !b.yields:
			return x, holds
		case holds:
			return 1, true
		}
		return 0, true
	}
	switch b.op {
	case "+":
		return x + y, true
	case "-":
		return x - y, true
	case "*":
		return x * y, true
	case "/":
		return x / y, true
	case "%":
		return math.Mod(x, y), true
	case "^":
		return math.Pow(x, y), true
	case "==":
		return compared(x == y)
	case "!=":
		return compared(x != y)
	case ">":
		return compared(x > y)
	case "<":
		return compared(x < y)
	case ">=":
		return compared(x >= y)
	}
	return compared(x <= y)
}

// resultLabels are those of a result: the name stays only where a comparison picks samples.
func (b *binaryNode) resultLabels(labels map[string]string) map[string]string {
	if b.comparison() && !b.yields {
		return labels
	}
	return without(labels, nameLabel)
}

func (b *binaryNode) each(samples []Sample, f func(float64) (float64, bool)) value {
	var v value
	for _, s := range samples {
		if x, keep := f(s.Value); keep {
			v.vector = append(v.vector, Sample{b.resultLabels(s.Labels), x})
		}
	}
	return v
}

// signature is what has to be equal for two samples to match.
func (b *binaryNode) signature(labels map[string]string) string {
	if b.on {
		return key(only(labels, b.labels))
	}
	return key(without(labels, append([]string{nameLabel}, b.labels...)...))
}

// matched applies the operator to pairs of samples: one of each side, or each of the side that may have many with its one of the other.
func (b *binaryNode) matched(left, right []Sample) ([]Sample, error) {
	many, one, manyName, oneName := left, right, manyLeft, manyRight
	if b.many == manyRight {
		many, one, manyName, oneName = right, left, manyRight, manyLeft
	}
	by := map[string]Sample{}
	for _, s := range one {
		k := b.signature(s.Labels)
		if _, twice := by[k]; twice {
			return nil, fmt.Errorf("on the %s of %s two series match one another's labels", oneName, b.op)
		}
		by[k] = s
	}
	used := map[string]bool{} // what has matched, or of many to one the labels of the results
	var all []Sample
	for _, s := range many {
		k := b.signature(s.Labels)
		other, ok := by[k]
		if !ok {
			continue
		}
		if b.many == "" && used[k] {
			return nil, fmt.Errorf("on the %s of %s two series match one another's labels", manyName, b.op)
		}
		if b.many == "" {
			used[k] = true
		}
		x, y := s.Value, other.Value
		if b.many == manyRight {
			x, y = y, x
		}
		x, keep := b.apply(x, y)
		if !keep {
			continue
		}
		labels := b.pairLabels(s.Labels, other.Labels)
		if result := key(labels); b.many != "" {
			if used[result] {
				return nil, fmt.Errorf("two results of %s have the same labels: those of group_%s make them equal", b.op, b.many)
			}
			used[result] = true
		}
		all = append(all, Sample{labels, x})
	}
	return all, nil
}

// pairLabels are those of the result of a pair: what matched, or of many to one all of the many, and those that are included from the one,
// which it may have or not.
func (b *binaryNode) pairLabels(labels, one map[string]string) map[string]string {
	labels = b.resultLabels(labels)
	switch {
	case b.many != "":
		labels = without(labels, b.include...)
		maps.Copy(labels, only(one, b.include))
	case b.on:
		labels = only(labels, b.labels)
	default:
		labels = without(labels, b.labels...)
	}
	return labels
}

// combine is and, or and unless.
func (b *binaryNode) combine(left, right []Sample) []Sample {
	has := func(in []Sample) map[string]bool {
		set := map[string]bool{}
		for _, s := range in {
			set[b.signature(s.Labels)] = true
		}
		return set
	}
	if b.op == "or" {
		all, there := slices.Clone(left), has(left)
		for _, s := range right {
			if !there[b.signature(s.Labels)] {
				all = append(all, s)
			}
		}
		return all
	}
	var all []Sample
	there := has(right)
	for _, s := range left {
		if there[b.signature(s.Labels)] == (b.op == "and") {
			all = append(all, s)
		}
	}
	return all
}

// aggregateNode sums up the samples of a vector by some of their labels.
type aggregateNode struct {
	op        string
	parameter node
	of        node
	without   bool
	labels    []string
}

func aggregations() []string {
	return []string{"sum", "min", "max", "avg", "count", "group", "stddev", "quantile", "topk", "bottomk"}
}

func (*aggregateNode) kind() kind { return kindVector }

func (a *aggregateNode) eval(e *evaluation, at int64) (value, error) {
	of, err := a.of.eval(e, at)
	if err != nil {
		return value{}, err
	}
	parameter := 0.0
	if a.parameter != nil {
		p, err := a.parameter.eval(e, at)
		if err != nil {
			return value{}, err
		}
		parameter = p.scalar
	}
	by := map[string][]Sample{}
	var order []map[string]string
	for _, s := range of.vector {
		labels := only(s.Labels, a.labels)
		if a.without {
			labels = without(s.Labels, append([]string{nameLabel}, a.labels...)...)
		}
		k := key(labels)
		if by[k] == nil {
			order = append(order, labels)
		}
		by[k] = append(by[k], s)
	}
	var v value
	for _, labels := range order {
		group := by[key(labels)]
		if a.op == "topk" || a.op == "bottomk" {
			v.vector = append(v.vector, a.picked(group, parameter)...)
			continue
		}
		v.vector = append(v.vector, Sample{labels, a.apply(group, parameter)})
	}
	return v, nil
}

func (a *aggregateNode) apply(group []Sample, parameter float64) float64 {
	values := make([]float64, len(group))
	for i, s := range group {
		values[i] = s.Value
	}
	switch a.op {
	case "sum":
		return sum(values)
	case "min":
		return extreme(values, -1)
	case "max":
		return extreme(values, 1)
	case "avg":
		return sum(values) / float64(len(values))
	case "count":
		return float64(len(values))
	case "stddev":
		return deviation(values)
	case "quantile":
		return Quantile(parameter, values)
	}
	return 1 // group
}

// picked are the k largest or smallest samples of a group, with all their labels.
func (a *aggregateNode) picked(group []Sample, k float64) []Sample {
	group = slices.Clone(group)
	slices.SortStableFunc(group, func(x, y Sample) int {
		if a.op == "topk" {
			x, y = y, x
		}
		return cmp.Or(cmp.Compare(x.Value, y.Value), strings.Compare(key(x.Labels), key(y.Labels)))
	})
	return group[:min(len(group), max(0, int(k)))]
}
