package nodepods_test

import (
	"context"
	"net/http"
	"testing"

	authorization "k8s.io/api/authorization/v1"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	manifests "windtunnel/manifests/hollow"
)

// TestNodesThatComeAgain: a node that left and whose Node stayed takes up what has become of its pods meanwhile.
func TestNodesThatComeAgain(t *testing.T) {
	for _, tier := range tiers {
		t.Run(tier.name, func(t *testing.T) {
			described := func(count int) map[string]any {
				d := description(count)
				tier.change(d)
				return d
			}
			p := startProgram(t, "hollow-nodes-0", described(2), tier.extras...)
			t.Cleanup(p.clear)
			eventually(t, "its nodes are Ready", func() bool { return p.status().Settled() })
			for name, node := range map[string]string{"stays": "signed-0", "goes": "signed-1", "kept": "signed-1"} {
				p.place(name, node)
			}
			eventually(t, "they run", func() bool { return len(p.running()) == 3 })

			p.change("nodes.json", jsonOf(t, described(1)))
			p.place("comes", "signed-1")
			pods := p.admin.CoreV1().Pods("default")
			if err := pods.Delete(t.Context(), "goes", metav1.DeleteOptions{}); err != nil {
				t.Fatal(err)
			}
			p.place("beside", "signed-0")
			eventually(t, "the other node goes on", func() bool { return p.running()["beside"].Name != "" })
			if now := p.running(); now["goes"].Name == "" || now["comes"].Name != "" {
				t.Errorf("a node that has left still does its work: %v", now)
			}

			p.change("nodes.json", jsonOf(t, described(2)))
			eventually(t, "it has taken up its pods", func() bool {
				now := p.running()
				return now["comes"].Name != "" && now["goes"].Name == "" && len(now) == 4 && p.status().Settled()
			})
			if err := pods.Delete(t.Context(), "kept", metav1.DeleteOptions{}); err != nil {
				t.Fatal(err)
			}
			eventually(t, "and ends those that it had before", func() bool { return len(p.running()) == 3 })
		})
	}
}

// aLife changes pods in every way that needs a right.
const aLife = `
apiVersion: kwok.x-k8s.io/v1alpha1
kind: Stage
metadata: {name: up}
spec:
  resourceRef: {kind: Pod}
  selector: {matchExpressions: [{key: .metadata.deletionTimestamp, operator: DoesNotExist}, {key: .status.phase, operator: In, values: [Pending]}]}
  steps:
  - event: {type: Normal, reason: Staged, message: The pod goes up}
  - patch: {type: merge, root: metadata, template: "labels: {staged: ok}"}
  - patch: {subresource: status, root: status, template: "{phase: Running, conditions: [{type: Ready, status: 'True'}]}"}
---
apiVersion: kwok.x-k8s.io/v1alpha1
kind: Stage
metadata: {name: down}
spec:
  resourceRef: {kind: Pod}
  selector: {matchExpressions: [{key: .metadata.deletionTimestamp, operator: Exists}]}
  next: {delete: true}
`

// TestProgramFollowsStages: pods go through the stages of the description, with the rights that the extra gives.
func TestProgramFollowsStages(t *testing.T) {
	described := description(1)
	light("minimal")(described)
	described["shard"].(map[string]any)["stages"] = []map[string]string{{"name": "a-life", "text": aLife}}
	p := startProgram(t, "hollow-nodes-0", described, manifests.Minimal, manifests.Stages)
	t.Cleanup(p.clear)
	p.place("staged", "signed-0")
	eventually(t, "it runs", func() bool { return p.running()["staged"].Labels["staged"] == "ok" })
	events, err := p.admin.CoreV1().Events("default").List(t.Context(), metav1.ListOptions{FieldSelector: "reason=Staged"})
	if err != nil || len(events.Items) != 1 {
		t.Errorf("%v, %d events", err, len(events.Items))
	}
	if err := p.admin.CoreV1().Pods("default").Delete(t.Context(), "staged", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it has gone", func() bool { return len(p.running()) == 0 })
	if s := p.status(); s.Error != "" {
		t.Errorf("status %+v", s)
	}
}

// TestWhatTheAccountOfMinimalNodesMay: what they need and no more, and its requests are to priority and fairness those of nodes.
func TestWhatTheAccountOfMinimalNodesMay(t *testing.T) {
	described := description(1)
	light("minimal")(described)
	p := startProgram(t, "hollow-nodes-0", described, manifests.Minimal)
	eventually(t, "its node is Ready", func() bool { return p.status().Settled() })
	may := func(verb, group, resource, subresource, namespace string) bool {
		t.Helper()
		review, err := p.admin.AuthorizationV1().SubjectAccessReviews().Create(t.Context(), &authorization.SubjectAccessReview{Spec: authorization.SubjectAccessReviewSpec{
			User: "system:serviceaccount:" + manifests.Namespace + ":" + manifests.Account, Groups: []string{"system:serviceaccounts", "system:authenticated"},
			ResourceAttributes: &authorization.ResourceAttributes{Verb: verb, Group: group, Resource: resource, Subresource: subresource, Namespace: namespace},
		}}, metav1.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return review.Status.Allowed
	}
	const lease = "coordination.k8s.io"
	for _, c := range []struct {
		verb, group, resource, subresource, namespace string
		want                                          bool
	}{
		{"create", "", "nodes", "", "", true}, {"patch", "", "nodes", "status", "", true}, {"update", lease, "leases", "", v1.NamespaceNodeLease, true},
		{"patch", "", "pods", "status", "default", true}, {"delete", "", "pods", "", "default", true},
		{"patch", "", "nodes", "", "", false}, {"delete", "", "nodes", "", "", false}, {"patch", "", "pods", "", "default", false},
		{"create", "", "pods", "", "default", false}, {"update", lease, "leases", "", "kube-system", false},
		{"delete", lease, "leases", "", v1.NamespaceNodeLease, false}, {"get", "", "secrets", "", "default", false}, {"create", "", "pods", "eviction", "default", false},
	} {
		if got := may(c.verb, c.group, c.resource, c.subresource, c.namespace); got != c.want {
			t.Errorf("may %s %s/%s in %q: %v", c.verb, c.resource, c.subresource, c.namespace, got)
		}
	}

	client, err := rest.HTTPClientFor(p.account)
	if err != nil {
		t.Fatal(err)
	}
	defer client.CloseIdleConnections()
	for path, name := range map[string]string{"/api/v1/nodes": "windtunnel-hollow-node-high", "/api/v1/pods": "windtunnel-hollow-nodes"} {
		schema, err := p.admin.FlowcontrolV1().FlowSchemas().Get(context.Background(), name, metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		eventually(t, path+" is classified by "+name, func() bool {
			answer, err := client.Get(p.account.Host + path)
			if err != nil {
				t.Fatal(err)
			}
			answer.Body.Close()
			return answer.StatusCode == http.StatusOK && answer.Header.Get("X-Kubernetes-Pf-Flowschema-Uid") == string(schema.UID)
		})
	}
}
