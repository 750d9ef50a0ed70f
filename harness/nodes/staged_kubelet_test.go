package nodes_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"windtunnel/hollow/stages"
	"windtunnel/profiles"
)

// stagedKubelets starts light nodes of fidelity kubelet whose pods go through these stages.
func stagedKubelets(t *testing.T, texts ...string) *lightPods {
	return lightly(t, profiles.FidelityKubelet, func(s *profiles.HollowNodes) {
		for _, text := range texts {
			s.Stages = append(s.Stages, profiles.StageSource{Name: "life", Text: text})
		}
	})
}

func builtin(t *testing.T, name string, replace ...string) string {
	t.Helper()
	text, ok := stages.Builtin(name)
	if !ok {
		t.Fatal(name)
	}
	changed := strings.NewReplacer(replace...).Replace(string(text))
	if len(replace) > 0 && changed == string(text) {
		t.Fatalf("%s has no %q", name, replace[0])
	}
	return changed
}

// writers are who wrote what of a pod, as the server remembers it: user agent and subresource.
func writers(p *corev1.Pod) (all []string) {
	for _, m := range p.ManagedFields {
		all = append(all, strings.TrimSpace(m.Manager+" "+m.Subresource))
	}
	slices.Sort(all)
	return all
}

// terminated says whether the only container of a pod has ended with this code.
func terminated(code int32) func(*corev1.Pod) bool {
	return func(p *corev1.Pod) bool {
		s := p.Status.ContainerStatuses
		return len(s) == 1 && s[0].State.Terminated != nil && s[0].State.Terminated.ExitCode == code
	}
}

// TestStagedKubelet: what users write of a pod's life happens on nodes that otherwise do what a kubelet does.
func TestStagedKubelet(t *testing.T) {
	t.Run("slowpull", func(t *testing.T) {
		l := stagedKubelets(t, builtin(t, "pod-slow-pull", "{p50: 8s, p99: 90s}", "{p50: 2s, p99: 4s}"))
		l.pod("p", func(p *corev1.Pod) { p.Finalizers = []string{"example.com/keep"} })
		p := l.until("p", "is being pulled", func(p *corev1.Pod) bool {
			s := p.Status.ContainerStatuses
			return p.Status.Phase == corev1.PodPending && len(s) == 1 && s[0].State.Waiting != nil && s[0].State.Waiting.Reason == "ContainerCreating"
		})
		if p.Status.ObservedGeneration != p.Generation || p.Status.HostIP == "" || p.Status.PodIP != "" {
			t.Errorf("%+v", p.Status)
		}
		p = l.until("p", "runs", running)
		if want := []string{"windtunnel-light-kubelet status"}; !slices.Equal(slices.DeleteFunc(writers(p), func(s string) bool { return !strings.HasPrefix(s, "windtunnel-light") }), want) {
			t.Errorf("%q wrote the pod", writers(p))
		}
		eventually(t, "the events", func() bool {
			e := l.events("p")
			slices.Sort(e)
			return slices.Equal(e, []string{"Pulled", "Pulling", "Started"})
		})
		l.delete("p", nil)
		// A pod that somebody else keeps shows how the node ends it: it tells the container, and writes the end before it deletes.
		p = l.until("p", "has ended", func(p *corev1.Pod) bool { return p.Status.Phase == corev1.PodSucceeded && terminated(0)(p) })
		if ready(p) || p.Status.ObservedGeneration != p.Generation || p.Generation != 2 {
			t.Errorf("generation %d: %+v", p.Generation, p.Status)
		}
		eventually(t, "the event", func() bool { return slices.Contains(l.events("p"), "Killing") })
		eventually(t, "it is deleted at once", func() bool { s := l.get("p").DeletionGracePeriodSeconds; return s != nil && *s == 0 })
		if _, err := l.client.CoreV1().Pods(l.namespace).Patch(t.Context(), "p", "application/merge-patch+json", []byte(`{"metadata":{"finalizers":null}}`), metav1.PatchOptions{}); err != nil {
			t.Fatal(err)
		}
		l.gone("p")
	})
	t.Run("flaky", func(t *testing.T) {
		l := stagedKubelets(t, builtin(t, "pod-flaky-readiness", "exponential: {mean: 60s}", "exponential: {mean: 2s}", "jitterDurationMilliseconds: 15000", "jitterDurationMilliseconds: 5000"))
		l.pod("p", nil)
		for range 2 {
			l.until("p", "is ready", running)
			l.until("p", "is not ready", func(p *corev1.Pod) bool { return p.Status.Phase == corev1.PodRunning && !ready(p) })
		}
		eventually(t, "the event, which is counted", func() bool {
			list, err := l.client.CoreV1().Events(l.namespace).List(t.Context(), metav1.ListOptions{FieldSelector: "involvedObject.name=p,reason=Unhealthy"})
			return err == nil && len(list.Items) == 1 && list.Items[0].Count >= 2
		})
		l.delete("p", nil)
		l.gone("p")
	})
	t.Run("lost", func(t *testing.T) {
		l := stagedKubelets(t, builtin(t, "pod-fast"))
		l.pod("c", nil)
		l.until("c", "runs", running)
		l.job()
		l.lost()
	})
	t.Run("room", func(t *testing.T) { // a pod that its stages have ended leaves its resources to others
		l := stagedKubelets(t, strings.Replace(builtin(t, "pod-fast"), "{key: '.metadata.ownerReferences.[].kind', operator: In, values: [Job]}", "{key: .metadata.labels.short, operator: Exists}", 1))
		big := func(p *corev1.Pod) {
			p.Labels = map[string]string{"short": "yes"}
			p.Spec.RestartPolicy = corev1.RestartPolicyNever
			p.Spec.Containers[0].Resources.Requests = corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("3")}
		}
		for _, name := range []string{"first", "second"} {
			l.pod(name, big)
			if p := l.until(name, "has ended", func(p *corev1.Pod) bool { return ended(p.Status.Phase) }); p.Status.Phase != corev1.PodSucceeded {
				t.Errorf("%s: %+v", name, p.Status)
			}
		}
		l.pod("huge", func(p *corev1.Pod) {
			p.Spec.Containers[0].Resources.Requests = corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("30")}
		})
		if p := l.until("huge", "is rejected", phase(corev1.PodFailed)); p.Status.Reason != "OutOfcpu" {
			t.Errorf("%+v", p.Status)
		}
		for _, name := range []string{"first", "second", "huge"} {
			l.delete(name, nil)
			l.gone(name)
		}
	})
}

func ended(p corev1.PodPhase) bool { return p == corev1.PodSucceeded || p == corev1.PodFailed }

// TestKWOKsStagesOnKubelets: pods and Jobs go through KWOK's own documents, as they are, on nodes of fidelity kubelet. The documents are
// not ours to keep, so this runs only where somebody has fetched them: go mod download sigs.k8s.io/kwok@v0.8.0 in any module.
func TestKWOKsStagesOnKubelets(t *testing.T) {
	out, err := exec.Command("go", "env", "GOMODCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, set := range []string{"fast", "general"} {
		files, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(out)), "sigs.k8s.io", "kwok@v0.8.0", "kustomize", "stage", "pod", set, "pod-*.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		t.Run("kwok-"+set, func(t *testing.T) {
			if len(files) == 0 {
				t.Skip("KWOK 0.8.0 is not in the module cache")
			}
			var texts []string
			for _, file := range files {
				text, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				texts = append(texts, string(text))
			}
			l := stagedKubelets(t, texts...)
			l.pod("plain", nil)
			l.pod("initialized", func(p *corev1.Pod) {
				p.Spec.InitContainers = []corev1.Container{{Name: "first", Image: "x"}}
			})
			for _, name := range []string{"plain", "initialized"} {
				p := l.until(name, "runs", running)
				if s := p.Status.InitContainerStatuses; p.Status.PodIP == "" || name == "initialized" && (len(s) != 1 || s[0].State.Terminated == nil) {
					text, _ := json.Marshal(p.Status)
					t.Errorf("%s: %s", name, text)
				}
			}
			l.job()
			for _, name := range []string{"plain", "initialized"} {
				l.delete(name, nil)
			}
			l.gone("plain")
			l.gone("initialized")
		})
	}
}
