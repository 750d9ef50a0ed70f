package profiles

import (
	"fmt"
	"slices"
	"strings"
)

// CheckManifests checks the manifests of a plan's templates with decode, which is given the first instance of each as JSON and says
// what is wrong with it. The error is a *Problems, each at its position where the profile was loaded from a text.
func CheckManifests(plan *Plan, decode func(r Resource, instance []byte) error) error {
	found := &findings{}
	c := &checker{Profile: &plan.Profile, found: found, places: plan.Profile.places}
	for _, name := range sortedKeys(plan.Objects) {
		t := plan.Objects[name]
		if err := decode(t.Resource, t.Render("run", t.Namespace(0), 0)); err != nil {
			c.problem(joinKey("objects", name)+".manifest", "", "it is no %s: %v", t.Resource.Kind, err)
		}
	}
	return found.err()
}

// API says what an API server serves: the verbs of a resource, or of its subresource, in discovery's words (get, list, watch,
// create, update, patch, delete, deletecollection); none when it does not serve it.
type API func(r Resource, subresource string) (verbs []string, err error)

// CheckServed checks that the API server serves every request and watch of the profile, before any is sent. Resources of the
// profile's own CustomResourceDefinitions are passed over: they come with the run. The error is a *Problems, each at its
// position where the profile was loaded from a text, or what asking the API server gave.
func CheckServed(p *Profile, api API) error {
	found := &findings{}
	s := &servedChecker{checker: &checker{Profile: p, found: found, places: p.places}, api: api}
	var failed error
	replay(p.Phases, func(m moment, step Step) {
		if failed == nil {
			failed = s.step(m.path, step)
		}
	})
	if failed != nil {
		return failed
	}
	return found.err()
}

type servedChecker struct {
	*checker
	api API
}

func (s *servedChecker) step(path string, step Step) error {
	switch {
	case step.Reconcile != nil:
		of := s.Objects[step.Reconcile.Object].resource()
		for _, verb := range []string{VerbPost, VerbDelete} {
			if err := s.served(path+".reconcile.object", of, "", verb); err != nil {
				return err
			}
		}
	case step.Requests != nil:
		for i, r := range step.Requests.Mix {
			of, _ := s.resourceOf(r.Object, r.Resource)
			if err := s.served(joinIndex(path+".requests.mix", i), of, r.Subresource, r.Verb); err != nil {
				return err
			}
		}
	case step.Watch != nil:
		of, _ := s.resourceOf(step.Watch.Object, step.Watch.Resource)
		return s.served(path+".watch", of, "", VerbWatch)
	}
	return nil
}

// served checks one verb of one resource.
func (s *servedChecker) served(path string, of Resource, subresource, verb string) error {
	if s.defines(of) {
		return nil
	}
	verbs, err := s.api(of, subresource)
	if err != nil {
		return fmt.Errorf("find out what the API server serves: %w", err)
	}
	name := of.String()
	if subresource != "" {
		name += "/" + subresource
	}
	want := map[string]string{VerbPost: "create", VerbPut: "update", VerbDeleteCollection: "deletecollection"}[verb]
	if want == "" {
		want = strings.ToLower(verb)
	}
	switch {
	case len(verbs) == 0:
		s.problem(path, "", "the API server does not serve %s", name)
	case !slices.Contains(verbs, want):
		s.problem(path, "it has: "+strings.Join(verbs, ", "), "%s has no %s", name, want)
	}
	return nil
}

// defines tells whether a template of the profile defines the resource.
func (s *servedChecker) defines(of Resource) bool {
	for _, o := range s.Objects {
		if _, kind := o.typeMeta(); kind == "CustomResourceDefinition" && digText(o.Manifest, "spec", "group") == of.Group {
			return true
		}
	}
	return false
}
