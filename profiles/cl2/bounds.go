package cl2

import (
	"math"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// boundOf are the least and the largest value of a parameter that has bounds; above says that the least value itself is too small. Names are
// told apart without regard to case, as those of ChaosMonkey are.
func boundOf(method, param string) (least, most float64, above, ok bool) {
	switch method + "/" + strings.ToLower(param) {
	case "APIAvailability/pollfrequency":
		return 0, math.MaxFloat64, true, true
	case "ChaosMonkey/failurerate":
		return 0, 1, false, true
	case "ChaosMonkey/interval", "ChaosMonkey/jitterfactor", "ChaosMonkey/simulateddowntime":
		return 0, math.MaxFloat64, false, true
	}
	return 0, 0, false, false
}

// bounded reports a number or duration that is beyond its bounds. What is none has been reported.
func (t *Test) bounded(method, param string, v *node, path string) {
	least, most, above, ok := boundOf(method, param)
	value, isNumber := v.number()
	if !ok || !isNumber || value >= least && value <= most && (!above || value > least) {
		return
	}
	want := "must not be negative"
	switch {
	case above:
		want = "must be more than 0"
	case most < math.MaxFloat64:
		want = "must be from 0 to 1"
	}
	t.found.add(v.at, path, "", "%s of %s %s, and not %s", param, method, want, v.text)
}

// number is a scalar as a number, or a duration in seconds.
func (n *node) number() (float64, bool) {
	if n == nil || n.kind != yaml.ScalarNode || n.isLost() {
		return 0, false
	}
	switch v := n.scalar.(type) {
	case float64:
		return v, true
	case string:
		if f, err := strconv.ParseFloat(v, 64); err == nil {
			return f, true
		}
		d, err := time.ParseDuration(v)
		return d.Seconds(), err == nil
	}
	return 0, false
}

// nodeFailure checks the failures of nodes that the config itself asks for.
func (t *Test) nodeFailure(f *NodeFailure) {
	if f == nil {
		return
	}
	for i, key := range f.node.keys {
		if v := f.node.values[i]; !t.found.bad[v] {
			t.bounded("ChaosMonkey", key.text, v, "chaosMonkey.nodeFailure."+key.text)
		}
	}
}

// spanOfNamespaces checks the parameter namespaceRange. Without it only objects that have no namespace are meant.
func (t *Test) spanOfNamespaces(v *node, path string) {
	if all := v.own("allNamespaces"); all != nil && (all.scalar == true || all.isLost()) {
		return
	}
	for _, key := range []string{"min", "max"} {
		if v.own(key).isNull() {
			t.found.add(v.at, path, "or allNamespaces: true", "namespaceRange needs %s (a whole number)", key)
		}
	}
	least, ok1 := v.own("min").number()
	most, ok2 := v.own("max").number()
	switch {
	case ok1 && ok2 && most < least:
		t.found.add(v.own("max").at, path+".max", "", "max must not be less than min: %v is less than %v", most, least)
	case ok1 && ok2 && most-least > mostNamespaces:
		t.found.add(v.own("max").at, path+".max", "", "there can be at most %d namespaces", mostNamespaces)
	}
}
