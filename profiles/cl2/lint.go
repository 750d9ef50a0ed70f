package cl2

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"windtunnel/profiles"
)

// errReported says that what is wrong has been reported.
var errReported = errors.New("the test has problems")

// lint reports what works and yet is hardly meant.
func (t *Test) lint() {
	read := map[string]bool{}
	for _, f := range t.files.order {
		p, ok := t.templates.parsed[f]
		if !ok {
			continue // was not read as a template
		}
		for name := range p.facts.reads {
			read[name] = true
		}
		for _, d := range p.facts.unused {
			t.found.warn(f.at(d.at, len(d.name)), "", "", "the variable %s is defined here and never used", d.name)
		}
	}
	known := slices.Sorted(maps.Keys(read))
	for _, name := range unread(slices.Collect(maps.Keys(t.variables.places)), read) {
		t.found.warn(t.variables.places[name], "", profiles.Suggest(name, known), "no file of this test reads the variable %s", name)
	}
	for _, name := range unread(t.variables.env, read) {
		if _, ok := t.variables.places[name]; !ok {
			t.found.warn(place{}, "", profiles.Suggest(name, known), "no file of this test reads the environment variable %s", name)
		}
	}
	t.unusedTuningSets()
	t.gathersWithoutStart()
	t.startsWithoutGather()
}

func (t *Test) unusedTuningSets() {
	used := map[string]bool{}
	for _, s := range t.Config.Steps {
		for _, p := range s.Phases {
			used[p.TuningSet] = true
		}
	}
	for i, set := range t.Config.TuningSets {
		meant := false // by a name with a slip in it, which has been reported
		for name := range used {
			meant = meant || strings.HasPrefix(profiles.Suggest(name, []string{set.Name}), "did you mean")
		}
		if !used[set.Name] && !meant {
			t.found.warn(set.node.place("name"), fmt.Sprintf("tuningSets[%d]", i), "", "no phase uses the tuning set %s", set.Name)
		}
	}
}

// gathersWithoutStart reports measurements that are gathered under a name under which nothing was started.
func (t *Test) gathersWithoutStart() {
	type key struct{ method, identifier string }
	started := map[key]bool{}
	for _, s := range t.Config.Steps {
		for _, m := range s.Measurements {
			if m.action() == "start" {
				started[key{m.Method, m.Identifier}] = true
			}
		}
		for _, m := range s.Measurements {
			method, ok := t.methodNamed(m.Method)
			if !ok || !slices.Contains(method.Actions, "start") || m.action() != "gather" || started[key{m.Method, m.Identifier}] {
				continue
			}
			var names []string
			for k := range started {
				if k.method == m.Method {
					names = append(names, k.identifier)
				}
			}
			t.found.warn(m.at, m.path, profiles.Suggest(m.Identifier, names), "%s %q is gathered and never started", m.Method, m.Identifier)
		}
	}
}

// startsWithoutGather reports measurements that are started and not gathered afterwards: nothing comes of them.
func (t *Test) startsWithoutGather() {
	type key struct{ method, identifier string }
	open, astray := map[key]*Measurement{}, map[string][]string{}
	var order []*Measurement
	for _, s := range t.Config.Steps {
		for _, action := range []string{profiles.MomentStart, profiles.MomentGather} { // within a step they run side by side
			for _, m := range s.Measurements {
				k := key{m.Method, m.Identifier}
				method, _ := t.methodNamed(m.Method)
				switch {
				case m.action() != action || !slices.Contains(method.Actions, profiles.MomentStart) || !slices.Contains(method.Actions, profiles.MomentGather):
				case action == profiles.MomentStart && open[k] == nil:
					open[k] = m
					order = append(order, m)
				case action == profiles.MomentGather && open[k] == nil:
					astray[m.Method] = append(astray[m.Method], m.Identifier)
				case action == profiles.MomentGather:
					delete(open, k)
				}
			}
		}
	}
	for _, m := range order {
		meant := strings.HasPrefix(profiles.Suggest(m.Identifier, astray[m.Method]), "did you mean") // by a gather that has been reported
		if open[key{m.Method, m.Identifier}] == m && !meant {
			t.found.warn(m.at, m.path, "", "%s %q is started and never gathered: nothing comes of it", m.Method, m.Identifier)
		}
	}
}
