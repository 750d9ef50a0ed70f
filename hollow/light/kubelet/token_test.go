package kubelet

import (
	"net/http"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"windtunnel/hollow"
	"windtunnel/hollow/light/h2"
)

// TestTokensAreAskedForLessAndLess: a token that is not given is asked for again after a time that doubles.
func TestTokensAreAskedForLessAndLess(t *testing.T) {
	withToken := func(o *corev1.Pod) {
		token := func(name string, seconds int64) corev1.Volume {
			return corev1.Volume{Name: name, VolumeSource: corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{
				Sources: []corev1.VolumeProjection{{ServiceAccountToken: &corev1.ServiceAccountTokenProjection{ExpirationSeconds: &seconds}}}}}}
		}
		o.Spec.ServiceAccountName = "default"
		o.Spec.Volumes = []corev1.Volume{token("a", 600), token("b", 1000)}
	}
	const path = "POST /api/v1/namespaces/ns/serviceaccounts"
	onANode(t, hollow.ShardConfig{}, func(a *alone) {
		s := a.served(answers(map[string]h2.Response{path: {Status: http.StatusInternalServerError}}))
		p := a.bind(withToken)
		time.Sleep(10 * time.Minute)
		// After 0.5, 1.5, 3.5, 7.5, 15.5, 31.5, 63.5, 127.5, 249.5, 371.5 and 493.5 s, and a few tenths more.
		if n := s.count(path); n != 2*12 {
			t.Errorf("%d requests: %v", n, s.when(path))
		}
		a.do(p.vanish)
		time.Sleep(10 * time.Minute)
		if n := s.count(path); n != 2*12 {
			t.Errorf("%d requests when the pod has gone", n)
		}
	})
	onANode(t, hollow.ShardConfig{}, func(a *alone) { // none is asked for when the pod has ended
		s := a.served(answers(nil))
		a.bind(func(o *corev1.Pod) {
			withToken(o)
			o.Spec.RestartPolicy = corev1.RestartPolicyNever
			o.Annotations["windtunnel/run-for"] = "9m"
		})
		time.Sleep(time.Hour)
		if n := s.count(path); n != 3 { // that of ten minutes is renewed after eight
			t.Errorf("%d requests: %v", n, s.when(path))
		}
	})
}
