package cl2

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"windtunnel/profiles"
)

// config decodes a config, of which the modules are still to be fetched.
func (d *decoder) config(n *node) *Config {
	c := &Config{node: n, Namespace: Namespace{DeleteAutomanagedNamespaces: true}}
	d.object(n, "", "a config", fields{
		"name": d.text(&c.Name),
		"dependencies": func(v *node, path string) {
			d.each(v, path, func(v *node, path string) { c.Dependencies = append(c.Dependencies, d.dependency(v, path)) })
		},
		"automanagedNamespaces": d.integer(&c.AutomanagedNamespaces),
		"namespace":             func(v *node, path string) { d.namespace(v, path, &c.Namespace) },
		"steps":                 d.steps(&c.Steps),
		"tuningSets": func(v *node, path string) {
			d.each(v, path, func(v *node, path string) { c.TuningSets = append(c.TuningSets, d.tuningSet(v, path)) })
		},
		"chaosMonkey": func(v *node, path string) { d.chaos(v, path, &c.ChaosMonkey) },
	})
	return c
}

func (d *decoder) dependency(n *node, path string) *Dependency {
	x := &Dependency{node: n}
	d.object(n, path, "a dependency", fields{
		"name": d.text(&x.Name), "method": d.text(&x.Method), "timeout": d.duration(&x.Timeout), "params": d.params(&x.Params),
	})
	return x
}

func (d *decoder) namespace(n *node, path string, into *Namespace) {
	into.node = n
	d.object(n, path, "namespace", fields{
		"number":                      d.integer(&into.Number),
		"prefix":                      d.text(&into.Prefix),
		"deleteStaleNamespaces":       d.boolean(&into.DeleteStaleNamespaces),
		"deleteAutomanagedNamespaces": d.boolean(&into.DeleteAutomanagedNamespaces),
		"enableExistingNamespaces":    d.boolean(&into.EnableExistingNamespaces),
		"deleteNamespaceTimeout":      d.duration(&into.DeleteNamespaceTimeout),
	})
}

func (d *decoder) chaos(n *node, path string, into *ChaosMonkey) {
	d.object(n, path, "chaosMonkey", fields{
		"nodeFailure": func(v *node, path string) {
			f := &NodeFailure{node: v}
			if d.object(v, path, "nodeFailure", fields{
				"failureRate": d.float(&f.FailureRate), "interval": d.duration(&f.Interval),
				"jitterFactor": d.float(&f.JitterFactor), "simulatedDowntime": d.duration(&f.SimulatedDowntime),
			}) {
				into.NodeFailure = f
			}
		},
		"excludedNodes": func(v *node, path string) { // a set: its keys are the names
			var set Params
			d.params(&set)(v, path)
			into.ExcludedNodes = slices.Sorted(maps.Keys(set))
		},
	})
}

// steps decodes those of a config or module.
func (d *decoder) steps(into *[]*Step) func(v *node, path string) {
	return func(v *node, path string) {
		d.each(v, path, func(v *node, path string) {
			if v.isNull() {
				d.found.add(v.at, path, "", "the step is empty")
				return
			}
			*into = append(*into, d.step(v, path))
		})
	}
}

func (d *decoder) step(n *node, path string) *Step {
	s := &Step{node: n, path: path}
	d.object(n, path, "a step", fields{
		"name": d.text(&s.Name),
		"phases": func(v *node, path string) {
			d.each(v, path, func(v *node, path string) { s.Phases = append(s.Phases, d.phase(v, path)) })
		},
		"measurements": func(v *node, path string) {
			d.each(v, path, func(v *node, path string) { s.Measurements = append(s.Measurements, d.measurement(v, path)...) })
		},
		"module": func(v *node, path string) {
			m := &moduleRef{node: v}
			if d.object(v, path, "module", fields{"path": d.text(&m.path), "params": d.params(&m.params)}) {
				s.module = m
			}
		},
	})
	return s
}

func (d *decoder) phase(n *node, path string) *Phase {
	p := &Phase{node: n, path: path}
	d.object(n, path, "a phase", fields{
		"namespaceRange": func(v *node, path string) {
			r := &NamespaceRange{}
			var basename string
			if d.object(v, path, "namespaceRange", fields{"min": d.integer(&r.Min), "max": d.integer(&r.Max), "basename": d.text(&basename)}) {
				p.NamespaceRange = r
				if !v.get("basename").isNull() {
					r.Basename = &basename
				}
			}
		},
		"namespaceList":        d.texts(&p.NamespaceList),
		"replicasPerNamespace": d.integer(&p.ReplicasPerNamespace),
		"tuningSet":            d.text(&p.TuningSet),
		"objectBundle": func(v *node, path string) {
			d.each(v, path, func(v *node, path string) { p.ObjectBundle = append(p.ObjectBundle, d.bundleMember(v, path)) })
		},
	})
	return p
}

func (d *decoder) bundleMember(n *node, path string) *Object {
	o := &Object{node: n}
	d.object(n, path, "an object of a bundle", fields{
		"basename": d.text(&o.Basename), "objectTemplatePath": d.text(&o.ObjectTemplatePath), "templateFillMap": d.params(&o.TemplateFillMap),
		"listUnknownObjectOptions": func(v *node, path string) {
			d.object(v, path, "listUnknownObjectOptions", fields{"labelSelector": func(v *node, path string) { o.CountBy = d.selector(v, path) }})
		},
	})
	return o
}

// selector is a label selector of the API as the text that a LIST takes.
func (d *decoder) selector(n *node, path string) string {
	var terms []string
	d.object(n, path, "a label selector", fields{
		"matchLabels": func(v *node, path string) {
			var labels Params
			d.params(&labels)(v, path)
			for _, key := range slices.Sorted(maps.Keys(labels)) {
				terms = append(terms, fmt.Sprintf("%s=%v", key, labels[key]))
			}
		},
		"matchExpressions": func(v *node, path string) {
			d.each(v, path, func(v *node, path string) { terms = append(terms, d.requirement(v, path)) })
		},
	})
	return strings.Join(terms, ",")
}

func (d *decoder) requirement(n *node, path string) string {
	var key, operator string
	var values []string
	d.object(n, path, "a label selector's requirement", fields{"key": d.text(&key), "operator": d.text(&operator), "values": d.texts(&values)})
	list := "(" + strings.Join(values, ",") + ")"
	switch operator {
	case "In":
		return key + " in " + list
	case "NotIn":
		return key + " notin " + list
	case "Exists":
		return key
	case "DoesNotExist":
		return "!" + key
	}
	if v := n.get("operator"); v != nil {
		d.found.add(v.at, path, "one of: In, NotIn, Exists, DoesNotExist", "there is no operator %q", operator)
	}
	return key
}

// tuningSet decodes a pace. Each of its keys but two chooses a kind.
func (d *decoder) tuningSet(n *node, path string) *TuningSet {
	t := &TuningSet{node: n}
	var unused profiles.Duration // initialDelay is decoded and used nowhere in ClusterLoader2 either
	into := fields{"name": d.text(&t.Name), "initialDelay": d.duration(&unused)}
	for _, kind := range tuningSetKinds() {
		into[kind.key] = func(v *node, path string) {
			pace := profiles.Pace{Kind: kind.pace}
			if d.object(v, path, kind.key, kind.fields(d, &pace)) {
				t.kinds++
				t.Kind, t.Pace = kind.key, pace
			}
		}
	}
	d.object(n, path, "a tuning set", into)
	return t
}

// measurement decodes a measurement: one, or one of each instance, whose parameters win.
func (d *decoder) measurement(n *node, path string) []*Measurement {
	shared := &Measurement{node: n, path: path, at: n.at}
	var all []*Measurement
	d.object(n, path, "a measurement", fields{
		"method": d.text(&shared.Method), "params": d.params(&shared.Params), "identifier": d.text(&shared.Identifier),
		"instances": func(v *node, path string) {
			d.each(v, path, func(v *node, path string) {
				m := &Measurement{node: n, path: path, at: v.at}
				d.object(v, path, "an instance", fields{"identifier": d.text(&m.Identifier), "params": d.params(&m.Params)})
				all = append(all, m)
			})
		},
	})
	if len(all) == 0 {
		return []*Measurement{shared}
	}
	for _, m := range all {
		own := m.Params
		m.Method, m.Params = shared.Method, maps.Clone(shared.Params)
		if m.Params == nil {
			m.Params = Params{}
		}
		maps.Copy(m.Params, own)
	}
	return all
}
