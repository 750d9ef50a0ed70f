package waits

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"

	"windtunnel/harness/internal/live"
	"windtunnel/profiles"
	"windtunnel/results"
)

// rig is waits, and somebody beside them who makes objects and says how pods are.
type rig struct {
	t         *testing.T
	waits     *Waits
	cluster   *live.Cluster
	client    kubernetes.Interface
	namespace string

	mu      sync.Mutex
	objects []results.ObjectEvent // recorded
}

func (r *rig) record(e results.ObjectEvent) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.objects = append(r.objects, e)
}

func newRig(t *testing.T, namespace string) *rig {
	t.Helper()
	r := &rig{t: t, cluster: live.Use(t, suite.Shared(t)), namespace: namespace}
	var err error
	if r.waits, err = New(t.Context(), r.cluster.Observer(), r.record); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.waits.Close)
	if r.client, err = kubernetes.NewForConfig(r.cluster.Observer()); err != nil {
		t.Fatal(err)
	}
	r.post("/api/v1/namespaces", `{"metadata":{"name":"`+namespace+`"}}`)
	t.Cleanup(func() { r.cluster.Do(http.MethodDelete, "/api/v1/namespaces/"+namespace, "", nil) })
	r.eventually("the namespace is usable", func() bool {
		return r.cluster.Get("/api/v1/namespaces/"+namespace+"/serviceaccounts/default", &struct{}{}) == http.StatusOK
	})
	return r
}

func (r *rig) send(method, path, contentType, body string) {
	r.t.Helper()
	if code, answer := r.cluster.Do(method, path, contentType, strings.NewReader(body)); code >= 300 {
		r.t.Fatalf("%s %s: HTTP %d: %s", method, path, code, answer)
	}
}

func (r *rig) post(path, body string) {
	r.t.Helper()
	r.send(http.MethodPost, path, "application/json", body)
}

func (r *rig) eventually(what string, holds func() bool) {
	r.t.Helper()
	for deadline := time.Now().Add(time.Minute); !holds(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			r.t.Fatalf("after a minute it is not so that %s", what)
		}
	}
}

// pods are those of the namespace that are not on their way out.
func (r *rig) pods() []corev1.Pod {
	r.t.Helper()
	list, err := r.client.CoreV1().Pods(r.namespace).List(r.t.Context(), metav1.ListOptions{})
	if err != nil {
		r.t.Fatal(err)
	}
	return list.Items
}

// run says of pods that they run, as their kubelet would, once there are so many that do not.
func (r *rig) run(n int) {
	r.t.Helper()
	r.eventually(fmt.Sprintf("there are %d pods to run", n), func() bool {
		waiting := 0
		for _, p := range r.pods() {
			if p.Status.Phase == corev1.PodPending {
				waiting++
			}
		}
		return waiting == n
	})
	for _, p := range r.pods() {
		if p.Status.Phase == corev1.PodPending {
			r.status(p.Name, `{"status":{"phase":"Running","conditions":[{"type":"Ready","status":"True"}]}}`)
		}
	}
}

func (r *rig) status(pod, patch string) {
	r.t.Helper()
	_, err := r.client.CoreV1().Pods(r.namespace).Patch(r.t.Context(), pod, types.StrategicMergePatchType, []byte(patch), metav1.PatchOptions{}, "status")
	if err != nil {
		r.t.Fatal(err)
	}
}

// says checks an error of a wait.
func (r *rig) says(err error, texts ...string) {
	r.t.Helper()
	for _, text := range texts {
		if err == nil || !strings.Contains(err.Error(), text) {
			r.t.Errorf("error %v, want it to say %q", err, text)
		}
	}
}

func (r *rig) deployment(replicas int, env string) string {
	body, err := json.Marshal(map[string]any{
		"apiVersion": "apps/v1", "kind": "Deployment", "metadata": map[string]any{"name": "web", "labels": map[string]string{"group": "web"}},
		"spec": map[string]any{"replicas": replicas, "selector": map[string]any{"matchLabels": map[string]string{"app": "web"}},
			"template": map[string]any{"metadata": map[string]any{"labels": map[string]string{"app": "web"}}, "spec": map[string]any{
				"terminationGracePeriodSeconds": 0, "containers": []any{map[string]any{"name": "c", "image": "pause", "env": []any{map[string]string{"name": "A", "value": env}}}}}}},
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return string(body)
}

// TestControlledPods follows a Deployment through its life: made, not there in time, scaled, updated, deleted.
func TestControlledPods(t *testing.T) {
	r := newRig(t, "waits-controlled")
	deployments, _ := profiles.ResourceFor("apps/v1", "Deployment")
	path := "/apis/apps/v1/namespaces/" + r.namespace + "/deployments"
	do := func(moment string) error {
		return r.waits.Do(t.Context(), "a", profiles.Act{Controlled: &profiles.ControlledAct{
			Moment: moment, Resource: deployments, Selection: profiles.Selection{Namespace: r.namespace, Labels: "group=web"},
			Timeout: 5 * time.Second, Updated: true, Sync: 10 * time.Second,
		}})
	}
	r.says(do(profiles.MomentGather), "not been started")
	for range 2 { // the second changes nothing
		if err := do(profiles.MomentStart); err != nil {
			t.Fatal(err)
		}
	}
	if err := do(profiles.MomentGather); err != nil {
		t.Errorf("there is nothing to wait for: %v", err)
	}

	r.post(path, r.deployment(2, "x"))
	err := do(profiles.MomentGather)
	r.says(err, "1 deployments: timed out after 5s: waits-controlled/web (0 of 2 pods run, 2 exist)")
	if !errors.Is(err, ErrTimeout) {
		t.Error("the error does not tell that the time was over")
	}
	r.run(2)
	r.says(do(profiles.MomentGather), "timed out") // the operation has failed: only the next change begins another

	done := make(chan error, 1)
	gather := func() { done <- do(profiles.MomentGather) }
	r.send(http.MethodPatch, path+"/web", "application/merge-patch+json", `{"spec":{"replicas":3}}`)
	go gather()
	r.run(1)
	if err := <-done; err != nil {
		t.Errorf("scaled up: %v", err)
	}
	r.send(http.MethodPatch, path+"/web", "application/strategic-merge-patch+json",
		`{"spec":{"strategy":{"rollingUpdate":{"maxSurge":3,"maxUnavailable":3}},"template":{"spec":{"containers":[{"name":"c","env":[{"name":"A","value":"y"}]}]}}}}`)
	go gather()
	select {
	case err := <-done:
		t.Errorf("the pods of the old template satisfied the wait: %v", err)
	case <-time.After(500 * time.Millisecond):
	}
	r.run(3)
	if err := <-done; err != nil {
		t.Errorf("updated: %v", err)
	}

	r.cluster.Do(http.MethodDelete, path+"/web", "", nil)
	if err := do(profiles.MomentGather); err != nil {
		t.Errorf("deleted: %v", err)
	}
	if n := len(r.pods()); n != 0 {
		t.Errorf("%d pods are left after the wait", n)
	}
	if err := do(profiles.MomentStop); err != nil {
		t.Error(err)
	}
	r.says(do(profiles.MomentGather), "not been started")
}

// TestPodsAndOthers: the waits for what one look tells.
func TestPodsAndOthers(t *testing.T) {
	r := newRig(t, "waits-objects")
	here := profiles.Selection{Namespace: r.namespace, Labels: "app=p"}
	do := func(act profiles.Act) error { return r.waits.Do(t.Context(), "b", act) }
	const soon = 700 * time.Millisecond
	for name, app := range map[string]string{"one": "p", "two": "p", "ended": "p", "other": "q"} {
		r.post("/api/v1/namespaces/"+r.namespace+"/pods", fmt.Sprintf(`{"metadata":{"name":%q,"labels":{"app":%q}},"spec":{"containers":[{"name":"c","image":"pause"}]}}`, name, app))
	}
	r.status("ended", `{"status":{"phase":"Failed"}}`)
	pods := profiles.Act{Pods: &profiles.PodsAct{Selection: here, Count: 2, Timeout: soon}}
	r.says(do(pods), "0 of 2 pods run, 3 exist: timed out after 700ms")
	for _, name := range []string{"one", "two", "other"} {
		r.status(name, `{"status":{"phase":"Running","conditions":[{"type":"Ready","status":"True"},{"type":"Checked","status":"False"}]}}`)
	}
	if err := do(pods); err != nil {
		t.Error(err)
	}
	pods.Pods.Count = 1
	r.says(do(pods), "2 of 1 pods run")

	r.says(do(profiles.Act{Nodes: &profiles.NodesAct{Min: 1, Max: 2, Timeout: soon}}), "0 nodes are ready, want 1 to 2")
	if err := do(profiles.Act{Nodes: &profiles.NodesAct{Min: 0, Max: 2, Timeout: soon}}); err != nil {
		t.Error(err)
	}
	r.post("/api/v1/namespaces/"+r.namespace+"/persistentvolumeclaims", `{"metadata":{"name":"c"},"spec":{"storageClassName":"none","accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1Mi"}}}}`)
	r.says(do(profiles.Act{Claims: &profiles.ClaimsAct{Selection: profiles.Selection{Namespace: r.namespace}, Count: 1, Timeout: soon}}), "0 of 1 claims are bound")
	if err := do(profiles.Act{Volumes: &profiles.VolumesAct{Provisioner: "x", Timeout: soon}}); err != nil {
		t.Error(err)
	}
	checked := &profiles.ConditionsAct{Resource: profiles.Resource{Version: "v1", Name: "pods", Namespaced: true}, Namespaces: []string{r.namespace},
		Labels: "app=p", Good: []string{"Ready=True"}, Bad: []string{"Checked=Never"}, Min: 2, Timeout: soon}
	if err := do(profiles.Act{Conditions: checked}); err != nil {
		t.Error(err)
	}
	checked.Bad = []string{"Checked=False"}
	r.says(do(profiles.Act{Conditions: checked}), "2 pods have a condition of [Checked=False], more than 0")
	checked.Good, checked.MaxBad = nil, 2
	if err := do(profiles.Act{Conditions: checked}); err != nil {
		t.Errorf("as many with a bad condition as there may be, and enough of them: %v", err)
	}
	checked.Bad, checked.Min = nil, 3
	if err := do(profiles.Act{Conditions: checked}); err != nil {
		t.Errorf("without conditions the objects count: %v", err)
	}
	checked.Namespaces = []string{""}
	r.says(do(profiles.Act{Conditions: checked}), "0 of 3 pods exist")
	checked.Good, checked.Bad, checked.Min, checked.Namespaces = []string{"Ready=True"}, nil, 2, []string{"elsewhere"}
	r.says(do(profiles.Act{Conditions: checked}), "0 of 2 pods have a condition of [Ready=True]")

	if n, err := r.waits.Count(t.Context(), profiles.Count{Resource: kind("Pod"), Namespace: r.namespace, Selector: "app=p"}); n != 3 || err != nil {
		t.Errorf("%d pods, error %v", n, err)
	}
	r.says(do(profiles.Act{}), "nothing is to be waited for")
}

// TestFinishedJobs: the wait is for all Jobs that there are when it begins, whether they complete or fail, and what happens to them is recorded.
func TestFinishedJobs(t *testing.T) {
	r := newRig(t, "waits-jobs")
	do := func(ctx context.Context, moment string) error {
		return r.waits.Do(ctx, "c", profiles.Act{Jobs: &profiles.JobsAct{Moment: moment, Selection: profiles.Selection{Namespace: r.namespace}, Timeout: 30 * time.Second, Record: true}})
	}
	r.says(do(t.Context(), profiles.MomentGather), "not been started")
	if err := do(t.Context(), profiles.MomentStart); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"good", "bad"} {
		r.post("/apis/batch/v1/namespaces/"+r.namespace+"/jobs", fmt.Sprintf(`{"metadata":{"name":%q},"spec":{"backoffLimit":0,"template":{"spec":{"restartPolicy":"Never","terminationGracePeriodSeconds":0,"containers":[{"name":"c","image":"pause"}]}}}}`, name))
	}
	r.run(2)
	stopped, stop := context.WithTimeout(t.Context(), time.Second)
	defer stop()
	r.says(do(stopped, profiles.MomentGather), "0 of 2 Jobs have finished")
	for _, p := range r.pods() {
		phase := "Succeeded"
		if strings.HasPrefix(p.Name, "bad") {
			phase = "Failed"
		}
		r.status(p.Name, `{"status":{"phase":"`+phase+`"}}`)
	}
	if err := do(t.Context(), profiles.MomentGather); err != nil {
		t.Error(err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	lives := map[string]string{}
	for _, e := range r.objects {
		lives[e.Name] += e.Event + " "
		if stamped := e.Event != "failed"; e.Measure != "c" || e.Resource != "jobs" || e.Namespace != r.namespace || e.UID == "" || stamped != (e.Stamp > 1.7e9) {
			t.Errorf("recorded %+v", e)
		}
	}
	if lives["good"] != "created started completed " || lives["bad"] != "created started failed " {
		t.Errorf("recorded %q", lives)
	}
}
