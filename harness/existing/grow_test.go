package existing

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"windtunnel/harness/cluster"
	"windtunnel/manifests/hollow"
	"windtunnel/profiles"
)

// TestAllowNodes: a consent binds whoever scales; without one nodes that a guest's up has made become no more.
func TestAllowNodes(t *testing.T) {
	target := openShared(t)
	ask := func(count int, want string) {
		t.Helper()
		err := target.AllowNodes(t.Context(), count)
		var refused *cluster.RefusedError
		if want == "" && err != nil || want != "" && (!errors.As(err, &refused) || !strings.Contains(err.Error(), want)) {
			t.Errorf("%d nodes: %v, want %q", count, err, want)
		}
	}
	for _, c := range []struct {
		consent Consent
		want    string
	}{{Consent{Load: true}, ""}, {Consent{Load: true, MaxNodes: 5}, ""}, {Consent{Load: true, MaxNodes: 4}, "allows 4 hollow nodes"},
		{Consent{}, "is off"}, {Consent{Load: true, Until: time.Now().Add(-time.Minute)}, "has ended"}} {
		if err := target.SetConsent(t.Context(), c.consent); err != nil {
			t.Fatal(err)
		}
		ask(5, c.want)
	}
	if err := target.client.CoreV1().ConfigMaps(Namespace).Delete(t.Context(), ConsentName, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	ask(5, "")
	labels := map[string]string{"a": "b"}
	set := &appsv1.StatefulSet{ObjectMeta: metav1.ObjectMeta{Name: hollow.Name, Labels: map[string]string{profiles.LabelRun: UpPrefix + "1"}},
		Spec: appsv1.StatefulSetSpec{Replicas: new(int32), Selector: &metav1.LabelSelector{MatchLabels: labels}, Template: corev1.PodTemplateSpec{
			ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "a", Image: "a"}}}}}}
	sets := target.client.AppsV1().StatefulSets(Namespace)
	if _, err := sets.Create(t.Context(), set, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { sets.Delete(context.Background(), hollow.Name, metav1.DeleteOptions{}) })
	ask(5, "has not agreed")
}
