package kubelet

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"windtunnel/hollow"
	"windtunnel/hollow/light/wire"
)

// waits says why the pod's container waits, and what events with a reason there have been.
func (a *alone) waits(p *pod, reason string) (why string) {
	a.do(func() {
		if w := p.status().ContainerStatuses[0].State.Waiting; w != nil {
			why = w.Reason + ": " + w.Message
		}
		for _, e := range a.events.queue {
			if e.Reason == reason {
				why += fmt.Sprintf(", %s %d", e.Message, e.Count)
			}
		}
	})
	return why
}

// TestPodsWaitForWhatTheyNeed: a pod waits for the ConfigMap of a volume before its sandbox, and for that of the environment before its
// container, until the server has it; what is optional, or the Secret to pull an image with, holds nothing up.
func TestPodsWaitForWhatTheyNeed(t *testing.T) {
	const watch = "/api/v1/namespaces/ns/configmaps settings"
	reference := corev1.LocalObjectReference{Name: "settings"}
	volume := func(o *corev1.Pod, optional *bool) {
		o.Spec.Volumes = []corev1.Volume{{Name: "v", VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: reference, Optional: optional}}}}
	}
	environment := func(o *corev1.Pod, optional *bool) {
		o.Spec.Containers[0].EnvFrom = []corev1.EnvFromSource{{ConfigMapRef: &corev1.ConfigMapEnvSource{LocalObjectReference: reference, Optional: optional}}}
	}
	for _, c := range []struct {
		name         string
		refers       func(o *corev1.Pod, optional *bool)
		reason, says string
		sandbox      bool
		soon         time.Duration // until it runs once the object is there
	}{
		{"volume", volume, "FailedMount", `ContainerCreating: , MountVolume.SetUp failed for volume "v" : configmap "settings" not found 1`, false, 5 * time.Second},
		{"environment", environment, "Failed", `CreateContainerConfigError: configmap "settings" not found, Error: configmap "settings" not found 1`, true, 15 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			onANode(t, hollow.ShardConfig{}, func(a *alone) {
				s := a.served(answers(nil))
				a.do(func() { a.events.sending = true }) // so that they stay where they are
				p := a.bind(func(o *corev1.Pod) { c.refers(o, nil) })
				s.bookmark(watch)
				time.Sleep(600 * time.Millisecond)
				if got := a.waits(p, c.reason); !strings.HasPrefix(got, c.says) || p.sandbox != c.sandbox {
					t.Errorf("%q and sandbox %v, want %q and %v", got, p.sandbox, c.says, c.sandbox)
				}
				time.Sleep(3 * time.Second)
				s.event(watch, wire.Added, nil)
				time.Sleep(c.soon)
				if !a.runs(p) || a.waits(p, "") != "" {
					t.Errorf("%q", a.waits(p, c.reason))
				}
			})
			onANode(t, hollow.ShardConfig{}, func(a *alone) {
				s := a.served(answers(nil))
				p := a.bind(func(o *corev1.Pod) { c.refers(o, new(true)) })
				s.bookmark(watch)
				time.Sleep(time.Second)
				if !a.runs(p) {
					t.Error("what is optional holds it up")
				}
			})
		})
	}
	onANode(t, hollow.ShardConfig{}, func(a *alone) {
		s := a.served(answers(nil))
		p := a.bind(func(o *corev1.Pod) { o.Spec.ImagePullSecrets = []corev1.LocalObjectReference{{Name: "key"}} })
		s.bookmark("/api/v1/namespaces/ns/secrets key")
		time.Sleep(time.Second)
		if !a.runs(p) {
			t.Error("a Secret to pull with holds it up")
		}
	})
}

// TestFailedMountsAreRareAfterAWhile: a volume that cannot be set up is tried after times that double, which is all that is sent.
func TestFailedMountsAreRareAfterAWhile(t *testing.T) {
	onANode(t, hollow.ShardConfig{}, func(a *alone) {
		s := a.served(answers(nil))
		p := a.bind(func(o *corev1.Pod) {
			o.Spec.Volumes = []corev1.Volume{{Name: "v", VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: "key"}}}}
		})
		s.bookmark("/api/v1/namespaces/ns/secrets key")
		time.Sleep(20 * time.Second) // at 0, 0.5, 1.5, 3.5, 7.5 and 15.5 s
		if got := s.eventCalls(); !slices.Equal(got, []string{"POST 200", "PATCH 200", "PATCH 200", "PATCH 200", "PATCH 200", "PATCH 200"}) {
			t.Errorf("%q", got)
		}
		a.do(p.vanish)
		time.Sleep(time.Hour)
		if n := len(s.eventCalls()); n != 6 {
			t.Errorf("%d events when the pod has gone", n)
		}
	})
}

// TestImagesArePulledAsAskedFor: an image that is there is pulled again where the pod says so.
func TestImagesArePulledAsAskedFor(t *testing.T) {
	for policy, want := range map[corev1.PullPolicy]int{corev1.PullAlways: 2, corev1.PullIfNotPresent: 1} {
		onANode(t, hollow.ShardConfig{}, func(a *alone) {
			a.bind(func(o *corev1.Pod) {
				o.Spec.Containers[0].ImagePullPolicy = policy
				o.Annotations["windtunnel/run-for"] = "1s"
			})
			time.Sleep(2 * time.Second)
			pulls := 0
			a.do(func() {
				for _, e := range a.events.queue {
					if e.Reason == "Pulling" {
						pulls++
					}
				}
			})
			if pulls != want {
				t.Errorf("%d pulls with %s, want %d", pulls, policy, want)
			}
		})
	}
}
