package nodes_test

import (
	"encoding/json"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"windtunnel/harness/nodes"
	"windtunnel/profiles"
)

// TestLightNodesStartAgain: a pod that runs when the process starts again ends when its time has come, and one that has time left goes on.
func TestLightNodesStartAgain(t *testing.T) {
	spec := profiles.HollowNodes{Count: 1, Tier: profiles.TierLight, Fidelity: profiles.FidelityMinimal, NamePrefix: "light-again-", MaxPods: 5,
		Capacity: map[string]string{"cpu": "4", "memory": "4Gi"}}
	l := lightly(t, profiles.FidelityMinimal, func(s *profiles.HollowNodes) { *s = spec })
	if err := l.pack.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	began := time.Now().UTC().Truncate(time.Second)
	for name, runFor := range map[string]string{"over": "1s", "goes-on": "1h", "for-ever": ""} {
		l.pod(name, func(p *corev1.Pod) {
			p.Spec.RestartPolicy = corev1.RestartPolicyNever
			if runFor != "" {
				p.Annotations["windtunnel/run-for"], p.Annotations["windtunnel/exit-code"] = runFor, "3"
			}
		})
		l.runs(name, began)
	}
	if _, err := start(t, nodes.Options{Spec: spec}); err != nil {
		t.Fatal(err)
	}
	p := l.until("over", "ends", phase(corev1.PodFailed))
	if s := p.Status.ContainerStatuses; len(s) != 1 || s[0].State.Running != nil || s[0].State.Terminated == nil || s[0].State.Terminated.ExitCode != 3 || !s[0].State.Terminated.StartedAt.UTC().Equal(began) {
		t.Errorf("status %+v", p.Status)
	}
	l.pod("new", nil) // which the node starts after it has taken in the others
	l.until("new", "runs", running)
	for _, name := range []string{"goes-on", "for-ever"} {
		if p := l.get(name); p.Status.Phase != corev1.PodRunning {
			t.Errorf("%s is %s", name, p.Status.Phase)
		}
	}
}

// runs says that a pod runs, as the node did that it is on.
func (l *lightPods) runs(name string, began time.Time) {
	l.Helper()
	at := metav1.NewTime(began)
	patch, err := json.Marshal(map[string]any{"status": corev1.PodStatus{Phase: corev1.PodRunning, StartTime: &at, ContainerStatuses: []corev1.ContainerStatus{
		{Name: "main", Image: "x", State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: at}}}}}})
	if err != nil {
		l.Fatal(err)
	}
	if _, err := l.client.CoreV1().Pods(l.namespace).Patch(l.Context(), name, types.StrategicMergePatchType, patch, metav1.PatchOptions{}, "status"); err != nil {
		l.Fatal(err)
	}
}
