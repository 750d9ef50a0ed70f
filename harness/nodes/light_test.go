package nodes_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"windtunnel/harness/nodes"
	"windtunnel/profiles"
)

// lightPods is a namespace of the shared control plane with light nodes of its own.
type lightPods struct {
	*testing.T
	client    kubernetes.Interface
	namespace string
	node      string
	pack      *nodes.Pack
}

// lightly starts light nodes, to which the pods of a new namespace are bound by their tests.
func lightly(t *testing.T, fidelity string, change func(*profiles.HollowNodes)) *lightPods {
	t.Helper()
	name := "light-" + fidelity + "-" + strings.ToLower(t.Name()[strings.LastIndex(t.Name(), "/")+1:])
	spec := profiles.HollowNodes{Count: 3, Tier: profiles.TierLight, Fidelity: fidelity, NamePrefix: name + "-", MaxPods: 5,
		Capacity: map[string]string{"cpu": "4", "memory": "4Gi", "example.com/gpu": "1"}}
	if change != nil {
		change(&spec)
	}
	p, err := start(t, nodes.Options{Spec: spec})
	if err != nil {
		t.Fatal(err)
	}
	config, err := suite.Shared(t).RESTConfig("admin", "system:masters")
	if err != nil {
		t.Fatal(err)
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	l := &lightPods{T: t, client: client, namespace: name, node: p.Names()[0], pack: p}
	if _, err := client.CoreV1().Namespaces().Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := client.CoreV1().Namespaces().Delete(context.Background(), name, metav1.DeleteOptions{}); err != nil {
			t.Error(err)
		}
	})
	eventually(t, "the namespace has its service account", func() bool {
		_, err := client.CoreV1().ServiceAccounts(name).Get(t.Context(), "default", metav1.GetOptions{})
		return err == nil
	})
	return l
}

// pod makes a pod that is bound to the first node.
func (l *lightPods) pod(name string, change func(*corev1.Pod)) {
	l.Helper()
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: l.namespace, Annotations: map[string]string{}}, Spec: corev1.PodSpec{
		NodeName: l.node, Containers: []corev1.Container{{Name: "main", Image: "registry.k8s.io/pause:3.10.1"}}, TerminationGracePeriodSeconds: new(int64(1)),
	}}
	if change != nil {
		change(pod)
	}
	if _, err := l.client.CoreV1().Pods(l.namespace).Create(l.Context(), pod, metav1.CreateOptions{}); err != nil {
		l.Fatal(err)
	}
}

func (l *lightPods) get(name string) *corev1.Pod {
	l.Helper()
	pod, err := l.client.CoreV1().Pods(l.namespace).Get(l.Context(), name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		l.Fatal(err)
	}
	return pod
}

// until waits until a pod is as it should be, and returns it.
func (l *lightPods) until(name, what string, is func(*corev1.Pod) bool) *corev1.Pod {
	l.Helper()
	var pod *corev1.Pod
	eventually(l.T, name+" "+what, func() bool {
		pod = l.get(name)
		return pod != nil && is(pod)
	})
	return pod
}

func (l *lightPods) gone(name string) {
	l.Helper()
	eventually(l.T, name+" is gone", func() bool { return l.get(name) == nil })
}

func (l *lightPods) delete(name string, grace *int64) {
	l.Helper()
	if err := l.client.CoreV1().Pods(l.namespace).Delete(l.Context(), name, metav1.DeleteOptions{GracePeriodSeconds: grace}); err != nil {
		l.Fatal(err)
	}
}

// events are the reasons of the events about a pod.
func (l *lightPods) events(name string) []string {
	l.Helper()
	list, err := l.client.CoreV1().Events(l.namespace).List(l.Context(), metav1.ListOptions{FieldSelector: "involvedObject.name=" + name})
	if err != nil {
		l.Fatal(err)
	}
	var reasons []string
	for _, e := range list.Items {
		reasons = append(reasons, e.Reason)
	}
	return reasons
}

func ready(p *corev1.Pod) bool { return condition(p, corev1.PodReady) == corev1.ConditionTrue }

func condition(p *corev1.Pod, kind corev1.PodConditionType) corev1.ConditionStatus {
	for _, c := range p.Status.Conditions {
		if c.Type == kind {
			return c.Status
		}
	}
	return ""
}

func running(p *corev1.Pod) bool { return p.Status.Phase == corev1.PodRunning && ready(p) }

func phase(want corev1.PodPhase) func(*corev1.Pod) bool {
	return func(p *corev1.Pod) bool { return p.Status.Phase == want }
}

// At both levels pods start, with an address of their own, end, and Jobs complete; a node that is cut off is missed and comes back.
func TestLightNodes(t *testing.T) {
	for _, fidelity := range []string{profiles.FidelityKubelet, profiles.FidelityMinimal} {
		t.Run(fidelity, func(t *testing.T) {
			l := lightly(t, fidelity, nil)
			addresses := map[string]bool{}
			for _, name := range []string{"a", "b", "c"} {
				l.pod(name, nil)
				p := l.until(name, "runs", running)
				addresses[p.Status.PodIP] = true
				if s := p.Status.ContainerStatuses; len(s) != 1 || s[0].State.Running == nil || !s[0].Ready || s[0].ContainerID == "" || p.Status.HostIP == "" || p.Status.StartTime == nil {
					t.Errorf("status %+v", p.Status)
				}
			}
			if len(addresses) != 3 || addresses[""] {
				t.Errorf("addresses %v", addresses)
			}
			l.delete("a", nil)
			l.gone("a")
			l.delete("b", new(int64(0)))
			l.gone("b")
			l.job()
			l.lost()
		})
	}
}

// job runs a Job of two pods, on whatever node the scheduler takes.
func (l *lightPods) job() {
	l.Helper()
	job := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Name: "job", Namespace: l.namespace}, Spec: batchv1.JobSpec{
		Completions: new(int32(2)), Parallelism: new(int32(1)),
		Template: corev1.PodTemplateSpec{Spec: corev1.PodSpec{RestartPolicy: corev1.RestartPolicyNever, Containers: []corev1.Container{{Name: "main", Image: "x"}}}},
	}}
	if _, err := l.client.BatchV1().Jobs(l.namespace).Create(l.Context(), job, metav1.CreateOptions{}); err != nil {
		l.Fatal(err)
	}
	eventually(l.T, "the job is complete", func() bool {
		job, err := l.client.BatchV1().Jobs(l.namespace).Get(l.Context(), "job", metav1.GetOptions{})
		return err == nil && job.Status.Succeeded == 2
	})
}

// lost cuts the first node off: its pods are marked; one is deleted by the controllers only once the node is back, and the other one is
// ready again then; new pods start there again.
func (l *lightPods) lost() {
	l.Helper()
	l.pod("stays", nil)
	l.until("stays", "runs", running)
	if err := l.pack.Down(l.Context(), []string{l.node}); err != nil {
		l.Fatal(err)
	}
	for _, name := range []string{"c", "stays"} {
		l.until(name, "is not ready on a lost node", func(p *corev1.Pod) bool { return !ready(p) })
	}
	l.delete("c", nil)
	l.pod("later", nil)
	if p := l.get("c"); p == nil || p.DeletionTimestamp == nil {
		l.Errorf("a pod of a lost node: %v", p)
	}
	if err := l.pack.Up(l.Context(), []string{l.node}); err != nil {
		l.Fatal(err)
	}
	l.gone("c")
	l.until("later", "runs on a node that is back", running)
	l.until("stays", "is ready again", running)
	eventually(l.T, "the node is Ready again", func() bool { all := list(l.T, suite.Shared(l.T), l.node); n := all[l.node]; return n.ready() == "True" })
}

func TestLightKubelet(t *testing.T) {
	t.Run("admission", func(t *testing.T) {
		l := lightly(t, "kubelet", nil)
		ask := func(name corev1.ResourceName, amount string) func(*corev1.Pod) {
			return func(p *corev1.Pod) {
				p.Spec.Containers[0].Resources.Requests = corev1.ResourceList{name: resource.MustParse(amount)}
				if strings.Contains(string(name), "/") {
					p.Spec.Containers[0].Resources.Limits = p.Spec.Containers[0].Resources.Requests
				}
			}
		}
		l.pod("fits", ask("cpu", "3"))
		l.until("fits", "runs", running)
		for name, c := range map[string]struct {
			change          func(*corev1.Pod)
			reason, message string
		}{
			"cpu":      {ask("cpu", "2"), "OutOfcpu", "Pod was rejected: Node didn't have enough resource: cpu, requested: 2000, used: 3000, capacity: 4000"},
			"memory":   {ask("memory", "5Gi"), "OutOfmemory", "memory, requested: 5368709120, used: 0, capacity: 4190109696"},
			"gpu":      {ask("example.com/gpu", "2"), "OutOfexample.com/gpu", "requested: 2, used: 0, capacity: 1"},
			"selector": {func(p *corev1.Pod) { p.Spec.NodeSelector = map[string]string{"no": "node"} }, "NodeAffinity", "Predicate NodeAffinity failed"},
		} {
			l.pod(name, c.change)
			p := l.until(name, "is rejected", phase(corev1.PodFailed))
			if p.Status.Reason != c.reason || !strings.Contains(p.Status.Message, c.message) || len(p.Status.ContainerStatuses) != 0 {
				t.Errorf("%s: %+v", name, p.Status)
			}
			eventually(t, "the event", func() bool { return slices.Equal(l.events(name), []string{c.reason}) })
		}
		for i := range 4 {
			l.pod(fmt.Sprint("more-", i), nil)
			l.until(fmt.Sprint("more-", i), "runs", running)
		}
		l.pod("pods", nil)
		if p := l.until("pods", "is rejected", phase(corev1.PodFailed)); p.Status.Reason != "OutOfpods" {
			t.Errorf("%+v", p.Status)
		}
		l.delete("pods", nil)
		l.gone("pods")
	})
	t.Run("stages", func(t *testing.T) {
		l := lightly(t, "kubelet", func(s *profiles.HollowNodes) { s.Runtime.ContainerStart = profiles.Duration(time.Second) })
		l.pod("p", func(p *corev1.Pod) {
			p.Spec.InitContainers = []corev1.Container{{Name: "first", Image: "x"}, {Name: "side", Image: "x", RestartPolicy: new(corev1.ContainerRestartPolicyAlways)}}
			p.Spec.Containers[0].ReadinessProbe = &corev1.Probe{PeriodSeconds: 1, ProbeHandler: corev1.ProbeHandler{Exec: &corev1.ExecAction{Command: []string{"x"}}}}
			p.Annotations["windtunnel/ready-after"] = "2s"
		})
		l.until("p", "is being initialized", func(p *corev1.Pod) bool {
			return p.Status.Phase == corev1.PodPending && condition(p, corev1.PodInitialized) == corev1.ConditionFalse && len(p.Status.InitContainerStatuses) == 2
		})
		l.until("p", "runs and is not ready", func(p *corev1.Pod) bool {
			return p.Status.Phase == corev1.PodRunning && !ready(p) && condition(p, corev1.PodInitialized) == corev1.ConditionTrue
		})
		p := l.until("p", "is ready", running)
		if first := p.Status.InitContainerStatuses[0]; first.State.Terminated == nil || first.State.Terminated.Reason != "Completed" || !first.Ready {
			t.Errorf("the init container is %+v", first)
		}
		if side := p.Status.InitContainerStatuses[1]; side.State.Running == nil || !side.Ready {
			t.Errorf("the sidecar is %+v", side)
		}
	})
	t.Run("crashes", func(t *testing.T) {
		l := lightly(t, "kubelet", nil)
		l.pod("p", func(p *corev1.Pod) {
			p.Annotations["windtunnel/run-for"], p.Annotations["windtunnel/exit-code"] = "100ms", "3"
		})
		p := l.until("p", "is in a crash loop", func(p *corev1.Pod) bool {
			s := p.Status.ContainerStatuses
			return len(s) == 1 && s[0].State.Waiting != nil && s[0].State.Waiting.Reason == "CrashLoopBackOff"
		})
		s := p.Status.ContainerStatuses[0]
		if s.RestartCount != 1 || s.LastTerminationState.Terminated == nil || s.LastTerminationState.Terminated.ExitCode != 3 || p.Status.Phase != corev1.PodRunning || ready(p) {
			t.Errorf("%+v", p.Status)
		}
		if !strings.HasPrefix(s.State.Waiting.Message, "back-off 10s restarting failed container=main pod=p_") {
			t.Errorf("message %q", s.State.Waiting.Message)
		}
		l.until("p", "is started again", func(p *corev1.Pod) bool { return p.Status.ContainerStatuses[0].RestartCount == 2 })
		eventually(t, "the event", func() bool { return slices.Contains(l.events("p"), "BackOff") })
		l.pod("once", func(p *corev1.Pod) {
			p.Spec.RestartPolicy = corev1.RestartPolicyNever
			p.Annotations["windtunnel/run-for"], p.Annotations["windtunnel/exit-code"] = "100ms", "3"
		})
		if p := l.until("once", "fails", phase(corev1.PodFailed)); p.Status.ContainerStatuses[0].State.Terminated.Reason != "Error" {
			t.Errorf("%+v", p.Status)
		}
	})
	t.Run("endings", func(t *testing.T) {
		l := lightly(t, "kubelet", func(s *profiles.HollowNodes) { s.Runtime.ContainerStop = profiles.Duration(3 * time.Second) })
		l.pod("quick", nil)
		l.pod("slow", func(p *corev1.Pod) {
			p.Spec.TerminationGracePeriodSeconds = new(int64(30))
			p.Finalizers = []string{"example.com/keep"}
		})
		l.pod("evicted", nil)
		for _, name := range []string{"quick", "slow", "evicted"} {
			l.until(name, "runs", running)
		}
		if err := l.client.PolicyV1().Evictions(l.namespace).Evict(t.Context(), &policyv1.Eviction{ObjectMeta: metav1.ObjectMeta{Name: "evicted", Namespace: l.namespace}}); err != nil {
			t.Fatal(err)
		}
		l.gone("evicted")
		l.delete("slow", nil)
		// A pod that somebody else keeps shows how its containers ended: by themselves, within their grace.
		p := l.until("slow", "has ended", phase(corev1.PodSucceeded))
		if s := p.Status.ContainerStatuses[0].State.Terminated; s == nil || s.ExitCode != 0 || condition(p, corev1.PodReadyToStartContainers) != corev1.ConditionFalse {
			t.Errorf("%+v", p.Status)
		}
		if _, err := l.client.CoreV1().Pods(l.namespace).Patch(t.Context(), "slow", "application/merge-patch+json", []byte(`{"metadata":{"finalizers":null}}`), metav1.PatchOptions{}); err != nil {
			t.Fatal(err)
		}
		l.gone("slow")
		l.delete("quick", new(int64(0)))
		l.gone("quick")
		eventually(t, "the event of a pod that was forced away", func() bool { return slices.Contains(l.events("quick"), "Killing") })
	})
}
