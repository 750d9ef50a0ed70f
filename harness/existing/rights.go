package existing

import (
	"maps"
	"slices"

	rbacv1 "k8s.io/api/rbac/v1"

	"windtunnel/profiles"
)

// rights gathers what a plan's users must be allowed to do.
type rights map[resource]map[string]bool

// resource is a resource, or a subresource of one, as RBAC names it.
type resource struct{ group, name string }

// rightsOf are the rights that a plan's steps need, no more.
func rightsOf(plan *profiles.Plan) rights {
	r := rights{}
	for _, phase := range plan.Phases {
		for _, track := range phase.Tracks {
			for _, step := range track.Steps {
				r.step(plan, step)
			}
		}
	}
	if plan.Script != nil {
		for of, verbs := range plan.Script.Use.Operations {
			for _, verb := range verbs {
				r.operation(of, verb)
			}
		}
	}
	return r
}

func (r rights) operation(of profiles.Resource, verb profiles.OperationVerb) {
	switch verb {
	case profiles.OperationCreate:
		r.allow(of, "", "create")
	case profiles.OperationPatch: // it reads first
		r.allow(of, "", "get", "patch")
	case profiles.OperationDelete:
		r.allow(of, "", "delete")
	}
}

// viewOf are the rights of who observes a plan's run.
func viewOf(plan *profiles.Plan) rights {
	r := rights{}
	kinds := [][2]string{{"v1", "Pod"}, {"v1", "Node"}}
	if plan.Script != nil { // which namespaces there are, and whether pods can be made in them
		kinds = append(kinds, [2]string{"v1", "Namespace"}, [2]string{"v1", "ServiceAccount"})
		for _, of := range plan.Script.Use.Reads {
			r.allow(of, "", "get", "list", "watch")
		}
	}
	for _, k := range kinds {
		of, _ := profiles.ResourceFor(k[0], k[1])
		r.allow(of, "", "get", "list", "watch")
	}
	return r
}

// provisionRights are those of who provides hollow volumes.
func provisionRights() rights {
	r := rights{}
	for kind, verbs := range map[string][]string{"PersistentVolumeClaim": {"get", "list", "watch"}, "PersistentVolume": {"get", "list", "watch", "create", "delete"}} {
		of, _ := profiles.ResourceFor("v1", kind)
		r.allow(of, "", verbs...)
	}
	r.allow(profiles.Resource{Group: "storage.k8s.io", Name: "storageclasses"}, "", "create", "delete")
	return r
}

func (r rights) step(plan *profiles.Plan, step profiles.Step) {
	of := func(object, name string) profiles.Resource {
		if object != "" {
			return plan.Objects[object].Resource
		}
		found, _ := profiles.ResourceByName(name)
		return found
	}
	switch {
	case step.Reconcile != nil:
		r.allow(of(step.Reconcile.Object, ""), "", "create", "delete")
	case step.Requests != nil:
		for _, request := range step.Requests.Mix {
			r.request(of(request.Object, request.Resource), request)
		}
	case step.Watch != nil: // a LIST finds where the watch begins
		r.allow(of(step.Watch.Object, step.Watch.Resource), "", "watch", "list")
	}
}

func (r rights) request(of profiles.Resource, request profiles.Request) {
	verbs := map[string][]string{
		profiles.VerbGet: {"get"}, profiles.VerbList: {"list"}, profiles.VerbPost: {"create"}, profiles.VerbPut: {"get", "update"}, // PUT reads first
		profiles.VerbPatch: {"patch"}, profiles.VerbDelete: {"delete"}, profiles.VerbDeleteCollection: {"deletecollection"},
	}
	r.allow(of, request.Subresource, verbs[request.Verb]...)
	if request.Object == "" { // a LIST finds the targets
		r.allow(of, "", "list")
	}
}

func (r rights) allow(of profiles.Resource, subresource string, verbs ...string) {
	key := resource{of.Group, of.Name}
	if subresource != "" {
		key.name += "/" + subresource
	}
	if r[key] == nil {
		r[key] = map[string]bool{}
	}
	for _, verb := range verbs {
		r[key][verb] = true
	}
	if of.Group == rbacv1.GroupName && slices.ContainsFunc(verbs, isWrite) {
		// Who writes roles, or binds them, may otherwise give away only what they have.
		for _, role := range []string{"roles", "clusterroles"} {
			r.allow(profiles.Resource{Group: rbacv1.GroupName, Name: role}, "", "escalate", "bind")
		}
	}
}

func isWrite(verb string) bool { return verb == "create" || verb == "update" || verb == "patch" }

// rules are the rights as RBAC has them, in a fixed order: resources of one group with the same verbs are one rule.
func (r rights) rules() []rbacv1.PolicyRule {
	keys := slices.SortedFunc(maps.Keys(r), func(a, b resource) int { return slices.Compare([]string{a.group, a.name}, []string{b.group, b.name}) })
	var rules []rbacv1.PolicyRule
	for _, key := range keys {
		verbs := slices.Sorted(maps.Keys(r[key]))
		same := func(p rbacv1.PolicyRule) bool { return p.APIGroups[0] == key.group && slices.Equal(p.Verbs, verbs) }
		if i := slices.IndexFunc(rules, same); i >= 0 {
			rules[i].Resources = append(rules[i].Resources, key.name)
			continue
		}
		rules = append(rules, rbacv1.PolicyRule{APIGroups: []string{key.group}, Resources: []string{key.name}, Verbs: verbs})
	}
	return rules
}

// usersOf is how many users a plan's steps are spread over at most, 1 for a plan that says nothing of it.
func usersOf(plan *profiles.Plan) int {
	most := 1
	for _, phase := range plan.Phases {
		for _, track := range phase.Tracks {
			for _, step := range track.Steps {
				if step.Requests != nil {
					most = max(most, step.Requests.Identities)
				}
				if step.Watch != nil {
					most = max(most, step.Watch.Identities)
				}
			}
		}
	}
	return most
}
