package waits

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// podOf is a pod of a controller, which runs and is ready or not.
func podOf(uid, owner, name string, ready bool) *corev1.Pod {
	yes := true
	p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{
		UID: types.UID(uid), Namespace: "n", Name: name, Labels: map[string]string{appsv1.ControllerRevisionHashLabelKey: "r1"},
		OwnerReferences: []metav1.OwnerReference{{UID: types.UID(owner), Controller: &yes}},
	}}
	if ready {
		p.Status.Phase = corev1.PodRunning
		p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}
	}
	return p
}

// TestGraph: pods are counted as they were heard of last, whatever an informer says that they were before; those of a Deployment through its
// ReplicaSets, of which the youngest has the latest template.
func TestGraph(t *testing.T) {
	g := &graph{news: newNews(), known: map[types.UID]podState{}, owners: map[types.UID]map[string]tally{}, below: map[types.UID]map[types.UID]replicaSet{}}
	check := func(controller, revision string, want tally, outdated int) {
		t.Helper()
		if got, old := g.pods(types.UID(controller), revision); got != want || old.active() != outdated {
			t.Errorf("%s: %+v, %+v outdated; want %+v, %d", controller, got, old, want, outdated)
		}
	}
	g.podChanged(nil, podOf("a", "set", "p-0", false))
	g.podChanged(podOf("a", "set", "p-0", false), podOf("a", "set", "p-0", true))
	g.podChanged(nil, podOf("b", "set", "p-1", true))
	check("set", "r1", tally{all: 2, ready: 2}, 0)
	check("set", "r2", tally{all: 2, ready: 2}, 2)
	g.podChanged(podOf("a", "set", "p-0", true), podOf("c", "set", "p-0", false)) // the deletion was not seen
	check("set", "r1", tally{all: 2, ready: 1}, 0)
	ended := podOf("c", "set", "p-0", false)
	ended.Status.Phase = corev1.PodSucceeded
	g.podChanged(podOf("c", "set", "p-0", false), ended)
	check("set", "r1", tally{all: 2, ready: 1, inactive: 1}, 0)
	g.podChanged(podOf("c", "set", "p-0", true), nil) // shown as it never was
	g.podChanged(podOf("b", "set", "p-1", false), nil)
	check("set", "r1", tally{}, 0)
	if len(g.known) != 0 || len(g.owners) != 0 {
		t.Errorf("left: %v, %v", g.known, g.owners)
	}

	yes := true
	for uid, revision := range map[string]string{"rs-1": "9", "rs-2": "10"} {
		g.replicaSetChanged(nil, &appsv1.ReplicaSet{ObjectMeta: metav1.ObjectMeta{
			UID: types.UID(uid), Annotations: map[string]string{"deployment.kubernetes.io/revision": revision},
			OwnerReferences: []metav1.OwnerReference{{UID: "web", Controller: &yes}},
		}})
	}
	g.podChanged(nil, podOf("d", "rs-1", "d", true))
	g.podChanged(nil, podOf("e", "rs-2", "e", true))
	check("web", "", tally{all: 2, ready: 2}, 1)
	g.replicaSetChanged(&appsv1.ReplicaSet{}, nil)
	g.podChanged(podOf("d", "rs-1", "d", true), nil)
	check("web", "", tally{all: 1, ready: 1}, 0)
}
