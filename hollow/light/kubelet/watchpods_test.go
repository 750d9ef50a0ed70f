package kubelet

import (
	"net/http"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"windtunnel/hollow"
	"windtunnel/hollow/light/h2"
	"windtunnel/hollow/light/wire"
)

// bound is a pod of the node as its watch shows it, and the server has it.
func bound() *corev1.Pod {
	return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "p", Namespace: "ns", UID: "u", Generation: 1},
		Spec: corev1.PodSpec{NodeName: "n", RestartPolicy: corev1.RestartPolicyAlways, Containers: []corev1.Container{{Name: "main", Image: "x"}}}}
}

func encoded(t *testing.T, o *corev1.Pod) []byte {
	t.Helper()
	raw, err := o.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// TestReadinessGates: a pod is ready once others have written that its gates are met, and then its status is written.
func TestReadinessGates(t *testing.T) {
	onANode(t, hollow.ShardConfig{}, func(a *alone) {
		object := bound()
		object.Spec.ReadinessGates = []corev1.PodReadinessGate{{ConditionType: "x/reachable"}}
		s := a.served(func(call string) h2.Response {
			if call == "GET /api/v1/namespaces/ns/pods/p" {
				return h2.Response{Status: http.StatusOK, Body: wire.Envelope("v1", "Pod", encoded(t, object))}
			}
			return h2.Response{Status: http.StatusOK}
		})
		a.do(a.watchPods)
		s.event("/api/v1/pods ", wire.Added, encoded(t, object))
		time.Sleep(5 * time.Second)
		ready := func() (c *corev1.PodCondition) {
			a.do(func() { c = findCondition(a.pods["u"].status().Conditions, corev1.PodReady) })
			return c
		}
		if c := ready(); c.Status != corev1.ConditionFalse || c.Reason != "ReadinessGatesNotReady" {
			t.Errorf("%+v", c)
		}
		written := s.count("PATCH")
		for i, state := range []corev1.ConditionStatus{corev1.ConditionTrue, corev1.ConditionTrue, corev1.ConditionFalse} {
			object.Status.Conditions = []corev1.PodCondition{{Type: "x/reachable", Status: state}}
			s.event("/api/v1/pods ", wire.Modified, encoded(t, object))
			time.Sleep(time.Second)
			if c := ready(); c.Status != state {
				t.Errorf("%+v with a gate that is %v", c, state)
			}
			if more := s.count("PATCH") - written; more != []int{1, 1, 2}[i] {
				t.Errorf("%d statuses written after change %d", more, i)
			}
		}
	})
}
