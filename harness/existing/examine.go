package existing

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"windtunnel/profiles"
)

// Finding is something that a run needs of a cluster, and whether it is so.
type Finding struct {
	Name, Text string
	OK         bool
}

// needed is what the kubeconfig's user must be allowed to do: to make what a run needs, and to remove it. It gives the load's users their
// rights, so that it must have them itself, or escalate and bind.
func needed() []authorizationv1.ResourceAttributes {
	var all []authorizationv1.ResourceAttributes
	add := func(group, namespace, resource, subresource string, verbs ...string) {
		for _, verb := range verbs {
			all = append(all, authorizationv1.ResourceAttributes{Group: group, Namespace: namespace, Resource: resource, Subresource: subresource, Verb: verb})
		}
	}
	add("", Namespace, "configmaps", "", "get")
	add("", Namespace, "serviceaccounts", "", "create", "list", "delete")
	add("", Namespace, "serviceaccounts", "token", "create")
	add("coordination.k8s.io", Namespace, "leases", "", "create", "get", "list", "patch", "delete")
	for _, resource := range []string{"roles", "rolebindings"} {
		add("rbac.authorization.k8s.io", Namespace, resource, "", "create", "list", "delete")
	}
	for _, resource := range []string{"clusterroles", "clusterrolebindings"} {
		add("rbac.authorization.k8s.io", "", resource, "", "create", "list", "delete")
	}
	for _, resource := range []string{"flowschemas", "prioritylevelconfigurations"} {
		add("flowcontrol.apiserver.k8s.io", "", resource, "", "create", "list", "delete")
	}
	add("", "", "namespaces", "", "list", "delete")
	return all
}

// Examine looks at a cluster as a run would, and makes nothing there but the questions that Kubernetes answers by POST.
func (t *Target) Examine(ctx context.Context) []Finding {
	version, err := t.version()
	if err != nil {
		return []Finding{{"cluster", err.Error(), false}}
	}
	return []Finding{{"cluster", version + " at " + t.server, true}, t.examineConsent(ctx), t.examineRights(ctx), t.examineFairness(ctx)}
}

func (t *Target) examineConsent(ctx context.Context) Finding {
	c, found, err := t.Consent(ctx)
	switch {
	case err != nil:
		return Finding{"consent", err.Error(), false}
	case !found:
		return Finding{"consent", errNoConsent.Error(), false}
	}
	if err := c.allowsNow(time.Now()); err != nil {
		return Finding{"consent", err.Error(), false}
	}
	return Finding{"consent", c.String(), true}
}

func (t *Target) examineRights(ctx context.Context) Finding {
	var missing []string
	for _, attributes := range needed() {
		review := &authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{ResourceAttributes: &attributes}}
		answer, err := t.client.AuthorizationV1().SelfSubjectAccessReviews().Create(ctx, review, metav1.CreateOptions{})
		if err != nil {
			return Finding{"rights", fmt.Sprintf("ask what this user may do: %v", err), false}
		}
		if !answer.Status.Allowed {
			name := attributes.Resource
			if attributes.Subresource != "" {
				name += "/" + attributes.Subresource
			}
			missing = append(missing, attributes.Verb+" "+name)
		}
	}
	if len(missing) > 0 {
		return Finding{"rights", "this user may not: " + strings.Join(missing, ", "), false}
	}
	return Finding{"rights", "this user may make what a run needs, and remove it; the load's users get no right that it does not have", true}
}

func (t *Target) examineFairness(ctx context.Context) Finding {
	probe := &probed{}
	config := rest.CopyConfig(t.config)
	config.Wrap(func(next http.RoundTripper) http.RoundTripper { probe.next = next; return probe })
	client, err := kubernetes.NewForConfig(config)
	if err == nil {
		_, err = client.CoreV1().Namespaces().List(ctx, metav1.ListOptions{Limit: 1})
	}
	switch {
	case err != nil:
		return Finding{"fairness", err.Error(), false}
	case probe.schema == "":
		return Finding{"fairness", "the API server has no priority and fairness: nothing would keep the load from starving the cluster's own users", false}
	}
	return Finding{"fairness", fmt.Sprintf("the load gets the priority level %s with %d shares, unless the profile says otherwise", Level, DefaultShares), true}
}

// Rights are what a plan's users would be allowed to do on a cluster that exists, a line each.
func Rights(plan *profiles.Plan) []string {
	var lines []string
	for _, rule := range rightsOf(plan).rules() {
		var names []string
		for _, name := range rule.Resources {
			plural, sub, _ := strings.Cut(name, "/")
			if rule.APIGroups[0] != "" {
				plural += "." + rule.APIGroups[0]
			}
			names = append(names, strings.TrimSuffix(plural+"/"+sub, "/"))
		}
		lines = append(lines, strings.Join(rule.Verbs, ", ")+" "+strings.Join(names, ", "))
	}
	return lines
}

// Users is how many users a plan's load comes from.
func Users(plan *profiles.Plan) int { return usersOf(plan) }
