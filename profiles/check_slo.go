package profiles

import (
	"fmt"
	"slices"
	"strings"
)

func (c *checker) slo() {
	const path = "slo"
	s := c.SLO
	c.atLeast(path+".minSamples", s.MinSamples, 1)
	seen := map[APICallSLO]int{}
	for i, row := range s.APICalls {
		at := joinIndex(path+".apiCalls", i)
		c.sloRow(at, row)
		if first, twice := seen[row]; twice {
			c.problem(at, "take one of them away", "the same row is there already, as number %d", first+1)
			continue
		}
		seen[row] = i
	}
	if s.PodStartup != "" {
		c.podStartup(path+".podStartup", s.PodStartup)
	}
	c.judged(path, s)
}

// judged checks that a verdict has something to say.
func (c *checker) judged(path string, s SLO) {
	if s.Judged != nil && !*s.Judged {
		return
	}
	measured := slices.ContainsFunc(c.Phases, func(p Phase) bool { return p.Measured })
	switch {
	case c.unknown(path+".apiCalls", path+".podStartup"):
	case len(s.APICalls) == 0 && s.PodStartup == "":
		c.problem(path, "name rows in slo.apiCalls, or a template in slo.podStartup; or write slo: {judged: false} to see the figures without a verdict", "nothing is required, so there is nothing to judge")
	case !measured && len(c.Phases) > 0:
		c.problem("phases", "write measured: true in the phase that the SLO is about; or slo: {judged: false}", "no phase is measured, so there is nothing to judge the SLO by")
	}
}

func (c *checker) sloRow(path string, row APICallSLO) {
	ok := c.required(path+".verb", row.Verb) && c.enum(path+".verb", row.Verb, enumOf[APICallSLO]("verb"))
	ok = c.enum(path+".scope", row.Scope, enumOf[APICallSLO]("scope")) && ok
	if !c.required(path+".resource", row.Resource) {
		return
	}
	plural, sub, hasSub := strings.Cut(row.Resource, "/")
	if hasSub && !slices.Contains(subresources(), sub) {
		c.problem(path+".resource", suggest(sub, subresources()), "%q is not a subresource; write RESOURCE/SUBRESOURCE, such as pods/status, and no group", sub)
		return
	}
	namespaced, known := c.pluralNamespaced(plural)
	if !known {
		var names []string
		for _, r := range Resources() {
			names = append(names, r.Name)
		}
		c.problem(path+".resource", suggest(plural, names), "there is no resource %q", plural)
		return
	}
	if ok {
		c.sloScope(path+".scope", row, namespaced)
	}
}

// sloScope checks that the server's histogram can have such a row: only a LIST has a wider scope than one object.
func (c *checker) sloScope(path string, row APICallSLO, namespaced bool) {
	switch {
	case row.Verb != VerbList && row.Scope != ScopeResource:
		c.problem(path, "take it away: the scope of a "+row.Verb+" is resource", "a %s is about one object", row.Verb)
	case row.Verb == VerbList && row.Scope == ScopeResource:
		c.problem(path, "write scope: namespace or scope: cluster", "a LIST is about many objects")
	case row.Verb == VerbList && row.Scope == ScopeNamespace && !namespaced:
		c.problem(path, "write scope: cluster", "%s have no namespaces", row.Resource)
	}
}

// pluralNamespaced finds a resource by its plural alone, as Kubernetes' metrics name it.
func (c *checker) pluralNamespaced(plural string) (namespaced, known bool) {
	if r, ok := ResourceByName(plural); ok && !strings.Contains(plural, "/") {
		return r.Namespaced, true
	}
	for _, o := range c.Objects {
		if o.Resource == plural {
			return !o.ClusterScoped, true
		}
	}
	return false, false
}

// podStartup checks that the pods whose start is judged come up in a measured phase.
func (c *checker) podStartup(path, name string) {
	if !c.template(path, name) {
		return
	}
	c.podsOf(path, name, true)
	made := false
	for _, phase := range c.Phases {
		for _, track := range phase.Tracks {
			made = made || phase.Measured && writtenBy(track)[name]
		}
	}
	if !made {
		c.problem(path, fmt.Sprintf("write measured: true in the phase that makes instances of %s", name), "no measured phase makes instances of %s, so no start is measured", name)
	}
}
