package nodes_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"k8s.io/client-go/rest"

	"windtunnel/harness/controlplane"
	"windtunnel/harness/nodes"
	"windtunnel/profiles"
)

// lifeOfPods is a life in which every kind of change happens that a light node carries out.
const lifeOfPods = `
apiVersion: kwok.x-k8s.io/v1alpha1
kind: Stage
metadata: {name: up}
spec:
  resourceRef: {kind: Pod}
  selector:
    matchExpressions:
    - {key: .metadata.deletionTimestamp, operator: DoesNotExist}
    - {key: .status.phase, operator: In, values: [Pending]}
  delay: {distribution: {quantiles: {p0: 50ms, p100: 300ms}}}
  steps:
  - event: {type: Warning, reason: Upwards, message: The pod goes up}
  - finalizers: {add: [{value: example.com/held}]}
  - patch:
      subresource: status
      root: status
      template: |
        phase: Running
        hostIP: {{ NodeIP | Quote }}
        podIP: {{ PodIPWith .spec.nodeName false .metadata.uid .metadata.name .metadata.namespace | Quote }}
---
apiVersion: kwok.x-k8s.io/v1alpha1
kind: Stage
metadata: {name: mark}
spec:
  resourceRef: {kind: Pod}
  selector:
    matchLabels: {app: staged}
    matchExpressions:
    - {key: .status.phase, operator: In, values: [Running]}
    - {key: .metadata.labels.marked, operator: DoesNotExist}
  next: {patches: [{type: merge, root: metadata, template: "labels: {marked: {{ .spec.nodeName | Quote }}}"}]}
---
apiVersion: kwok.x-k8s.io/v1alpha1
kind: Stage
metadata: {name: let-go}
spec:
  resourceRef: {kind: Pod}
  selector:
    matchExpressions:
    - {key: .metadata.deletionTimestamp, operator: Exists}
    - {key: ".metadata.finalizers[]", operator: In, values: [example.com/held]}
  next: {finalizers: {remove: [{value: example.com/held}]}}
---
apiVersion: kwok.x-k8s.io/v1alpha1
kind: Stage
metadata: {name: down}
spec:
  resourceRef: {kind: Pod}
  selector:
    matchExpressions:
    - {key: .metadata.deletionTimestamp, operator: Exists}
    - {key: ".metadata.finalizers[]", operator: NotIn, values: [example.com/held]}
  next: {delete: true}
`

type stagedPod struct {
	Metadata struct {
		Name, UID  string
		Labels     map[string]string
		Finalizers []string
	}
	Status struct{ Phase, PodIP string }
}

// post posts an object as an administrator and gives the answer's code.
func post(t *testing.T, c *controlplane.Cluster, path, body string) int {
	t.Helper()
	config, err := c.RESTConfig("admin", "system:masters")
	if err != nil {
		t.Fatal(err)
	}
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		t.Fatal(err)
	}
	defer client.CloseIdleConnections()
	resp, err := client.Post(c.Server()+path, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode
}

// TestStagesDecideTheLifeOfPods: on light nodes of both levels pods go through the stages of the profile, up to their end.
func TestStagesDecideTheLifeOfPods(t *testing.T) {
	for _, fidelity := range []string{profiles.FidelityMinimal, profiles.FidelityKubelet} {
		t.Run(fidelity, func(t *testing.T) { stagesDecide(t, fidelity) })
	}
}

func stagesDecide(t *testing.T, fidelity string) {
	c := suite.Shared(t)
	const pods = 6
	if _, err := start(t, nodes.Options{Spec: profiles.HollowNodes{
		Count: 2, NamePrefix: fidelity + "-staged-", Tier: profiles.TierLight, Fidelity: fidelity, Zones: 1, MaxPods: 110, PerProcess: 2,
		Capacity: map[string]string{"cpu": "8"}, Stages: []profiles.StageSource{{Name: "life", Text: lifeOfPods}},
	}, ExpectedPods: pods, Seed: 1}); err != nil {
		t.Fatal(err)
	}
	const path = "/api/v1/namespaces/default/pods"
	for i := range pods {
		body := fmt.Sprintf(`{"apiVersion":"v1","kind":"Pod","metadata":{"name":"staged-%d","labels":{"app":"staged"}},"spec":{"nodeName":"%s-staged-%d",`+
			`"automountServiceAccountToken":false,"containers":[{"name":"c","image":"example.com/c:1"}]}}`, i, fidelity, i%2)
		// Until the namespace has its service account the pod is refused.
		eventually(t, "the pod is taken", func() bool { return post(t, c, path, body) == http.StatusCreated })
	}
	seen := func() []stagedPod {
		var list struct{ Items []stagedPod }
		api(t, c, http.MethodGet, path+"?labelSelector=app%3Dstaged", &list)
		return list.Items
	}
	var all []stagedPod
	eventually(t, "all pods run and are marked", func() bool {
		all = seen()
		done := 0
		for _, p := range all {
			if p.Status.Phase == "Running" && p.Metadata.Labels["marked"] != "" {
				done++
			}
		}
		return done == pods
	})
	addresses := map[string]bool{}
	for _, p := range all {
		addresses[p.Status.PodIP] = true
		if len(p.Metadata.Finalizers) != 1 || p.Metadata.Finalizers[0] != "example.com/held" {
			t.Errorf("%s has the finalizers %v", p.Metadata.Name, p.Metadata.Finalizers)
		}
	}
	if len(addresses) != pods || addresses[""] {
		t.Errorf("addresses %v", addresses)
	}
	var events struct {
		Items []struct {
			InvolvedObject struct{ UID string }
			Type, Message  string
		}
	}
	api(t, c, http.MethodGet, "/api/v1/namespaces/default/events?fieldSelector=reason%3DUpwards", &events)
	told := map[string]int{}
	for _, e := range events.Items {
		told[e.InvolvedObject.UID]++
		if e.Type != "Warning" || e.Message != "The pod goes up" {
			t.Errorf("%+v", e)
		}
	}
	for _, p := range all {
		if told[p.Metadata.UID] != 1 {
			t.Errorf("%d events about %s", told[p.Metadata.UID], p.Metadata.Name)
		}
	}
	for _, p := range all {
		api(t, c, http.MethodDelete, path+"/"+p.Metadata.Name, nil)
	}
	eventually(t, "all pods are gone", func() bool { return len(seen()) == 0 })
}
