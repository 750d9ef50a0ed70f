package cl2

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"windtunnel/profiles"
)

// defaultNamespaceTimeout bounds the deletion of a namespace.
const defaultNamespaceTimeout = 10 * time.Minute

// fillDefaults gives what the config leaves out.
func (t *Test) fillDefaults() {
	c := t.Config
	ns := &c.Namespace
	if ns.Number == 0 {
		ns.Number = 1
	}
	if ns.Number == 1 && c.AutomanagedNamespaces > 1 {
		ns.Number = c.AutomanagedNamespaces
	}
	if ns.Prefix == "" {
		const letters = "abcdefghijklmnopqrstuvwxyz0123456789"
		random := source(t.Seed, "prefix", c.Name, t.Identifier)
		name := make([]byte, 6)
		for i := range name {
			name[i] = letters[random.IntN(len(letters))]
		}
		ns.Prefix = "test-" + string(name)
	}
	if ns.node.get("deleteNamespaceTimeout").isNull() {
		ns.DeleteNamespaceTimeout = profiles.Duration(defaultNamespaceTimeout)
	}
}

// place is that of the value of a key, or of the mapping where it is not there.
func (n *node) place(key string) place {
	if v := n.get(key); v != nil {
		return v.at
	}
	if n == nil {
		return place{}
	}
	return n.at
}

// validate checks what ClusterLoader2 checks before it runs a test, and what it would only meet during the run.
func (t *Test) validate() {
	c := t.Config
	if c.AutomanagedNamespaces < 0 {
		t.found.add(c.node.place("automanagedNamespaces"), "automanagedNamespaces", "", "the number must not be negative")
	}
	if c.Namespace.Number < 0 {
		t.found.add(c.Namespace.node.place("number"), "namespace.number", "", "the number of namespaces must be positive, not %d", c.Namespace.Number)
	}
	if c.Namespace.Number > mostNamespaces {
		t.found.add(c.Namespace.node.place("number"), "namespace.number", "", "there can be at most %d namespaces", mostNamespaces)
	}
	if c.Namespace.DeleteStaleNamespaces {
		t.found.warn(c.Namespace.node.place("deleteStaleNamespaces"), "namespace.deleteStaleNamespaces", "",
			"what earlier tests left is not deleted: namespaces are only known to be the test's own when it has made them")
	}
	t.nodeFailure(c.ChaosMonkey.NodeFailure)
	for i, x := range c.Dependencies {
		t.dependency(x, fmt.Sprintf("dependencies[%d]", i))
	}
	names := map[string]bool{}
	for i, set := range c.TuningSets {
		t.tuningSet(set, fmt.Sprintf("tuningSets[%d]", i), names)
	}
	if len(c.Steps) == 0 && !t.found.failed() { // otherwise a module may have had some
		t.found.add(c.node.place("steps"), "steps", "", "there are no steps")
	}
	for _, s := range c.Steps {
		t.step(s)
	}
}

func (t *Test) dependency(x *Dependency, path string) {
	if x.Name == "" {
		t.found.add(x.node.at, path, "", "the dependency has no name")
	}
	if x.Timeout < 0 {
		t.found.add(x.node.place("timeout"), path+".timeout", "", "the timeout must not be negative")
	}
	if !slices.Contains(dependencyMethods(), x.Method) {
		t.found.add(x.node.place("method"), path+".method", profiles.Suggest(x.Method, dependencyMethods()), "there is no dependency method %q", x.Method)
		return
	}
	t.found.warn(x.node.place("method"), path, "", "%s is not set up: %s", x.Method, noDriver)
}

func (t *Test) tuningSet(set *TuningSet, path string, names map[string]bool) {
	if names[set.Name] {
		t.found.warn(set.node.place("name"), path+".name", "", "there is a tuning set %q above already: this one takes its place", set.Name)
	}
	names[set.Name] = true
	if set.kinds != 1 {
		var keys []string
		for _, kind := range tuningSetKinds() {
			keys = append(keys, kind.key)
		}
		t.found.add(set.node.at, path, "one of: "+strings.Join(keys, ", "), "a tuning set has exactly one kind; this one has %d", set.kinds)
		return
	}
	for _, kind := range tuningSetKinds() {
		if kind.key != set.Kind {
			continue
		}
		for _, key := range kind.required {
			v := set.node.get(kind.key)
			value := v.get(key)
			if unread := value != nil && (value.isLost() || t.found.bad[value]); !unread && !positive(set.Pace, key) {
				t.found.add(v.place(key), path+"."+kind.key+"."+key, "", "%s must be positive", key)
			}
		}
	}
}

func (t *Test) step(s *Step) {
	switch {
	case len(s.Phases) == 0 && len(s.Measurements) == 0:
		t.found.add(s.node.at, s.path, "", "the step has neither phases nor measurements")
	case len(s.Phases) > 0 && len(s.Measurements) > 0:
		t.found.add(s.node.at, s.path, "make two steps of it", "a step has either phases or measurements, not both")
	}
	for i, p := range s.Phases {
		p.path = fmt.Sprintf("%s.phases[%d]", s.path, i)
		t.phase(p)
	}
	for _, m := range s.Measurements {
		t.measurement(m)
	}
}

const (
	mostNamespaces = 100_000
	mostReplicas   = 10_000_000
)

func (t *Test) phase(p *Phase) {
	if p.NamespaceList != nil && p.NamespaceRange != nil {
		t.found.add(p.node.place("namespaceList"), p.path, "keep one of them", "a phase has namespaceList or namespaceRange, not both")
	}
	if p.NamespaceRange != nil {
		t.namespaceRange(p, *p.NamespaceRange)
	}
	if p.ReplicasPerNamespace < 0 || p.ReplicasPerNamespace > mostReplicas {
		t.found.add(p.node.place("replicasPerNamespace"), p.path+".replicasPerNamespace", "", "the number of replicas must be from 0 to %d, not %d", mostReplicas, p.ReplicasPerNamespace)
	}
	var names []string
	for _, set := range t.Config.TuningSets {
		names = append(names, set.Name)
	}
	if v := p.node.get("tuningSet"); !slices.Contains(names, p.TuningSet) && (v == nil || !v.isLost()) {
		message := fmt.Sprintf("there is no tuning set %q", p.TuningSet)
		if p.TuningSet == "" {
			message = "the phase names no tuning set"
		}
		t.found.add(p.node.place("tuningSet"), p.path+".tuningSet", profiles.Suggest(p.TuningSet, names), "%s", message)
	}
	for i, o := range p.ObjectBundle {
		t.object(o, fmt.Sprintf("%s.objectBundle[%d]", p.path, i))
	}
}

func (t *Test) namespaceRange(p *Phase, r NamespaceRange) {
	n, path := p.node.get("namespaceRange"), p.path+".namespaceRange"
	ns := t.Config.Namespace
	switch {
	case r.Min < 0:
		t.found.add(n.place("min"), path+".min", "", "min must not be negative")
	case r.Max < r.Min:
		t.found.add(n.place("max"), path+".max", "", "max must not be less than min: %d is less than %d", r.Max, r.Min)
	case r.Max-r.Min > mostNamespaces:
		t.found.add(n.place("max"), path+".max", "", "there can be at most %d namespaces", mostNamespaces)
	case r.Basename == nil && r.Max > ns.Number:
		t.found.warn(n.place("max"), path+".max", "raise namespace.number", "the test makes the namespaces 1 to %d: %s-%d is not among them", ns.Number, ns.Prefix, r.Max)
	case r.Basename == nil && r.Min == 0:
		t.found.warn(n.place("min"), path+".min", "the first one has the number 1", "the test makes no namespace %s-0", ns.Prefix)
	}
}

// dnsSubdomain is RFC 1123's, which Kubernetes wants of most names.
var dnsSubdomain = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`)

func (t *Test) object(o *Object, path string) {
	if v := o.node.get("basename"); (len(o.Basename) > 253 || !dnsSubdomain.MatchString(o.Basename)) && (v == nil || !v.isLost()) {
		t.found.add(o.node.place("basename"), path+".basename", "lower-case letters, digits, - and .", "this is no name for an object: %q", o.Basename)
	}
	at := o.node.place("objectTemplatePath")
	switch v := o.node.get("objectTemplatePath"); {
	case v != nil && v.isLost():
		return
	case o.ObjectTemplatePath == "":
		t.found.add(at, path, "", "the object has no objectTemplatePath")
		return
	}
	m, err := t.manifestAt(o.ObjectTemplatePath)
	if err != nil {
		t.found.add(at, path+".objectTemplatePath", t.nearestFile(o.ObjectTemplatePath), "there is no object template %s: %s", o.ObjectTemplatePath, reason(err))
		return
	}
	t.unreadParams(o.node.get("templateFillMap"), path+".templateFillMap", m.template, "the template "+o.ObjectTemplatePath)
}
