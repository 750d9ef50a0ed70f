package nodepods_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"windtunnel/harness/nodepods"
	"windtunnel/harness/nodes"
	"windtunnel/profiles"
	"windtunnel/results"
)

// everything lists what a cluster holds, by resource, namespace and name, but what comes and goes by itself.
func everything(t *testing.T, config *rest.Config, client kubernetes.Interface) map[string]bool {
	t.Helper()
	lists, err := client.Discovery().ServerPreferredResources()
	if err != nil {
		t.Fatal(err)
	}
	objects, err := dynamic.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]bool{}
	for _, list := range lists {
		for _, r := range list.APIResources {
			if !slices.Contains(r.Verbs, "list") || r.Name == "events" {
				continue
			}
			version, err := schema.ParseGroupVersion(list.GroupVersion)
			if err != nil {
				t.Fatal(err)
			}
			found, err := objects.Resource(version.WithResource(r.Name)).List(t.Context(), metav1.ListOptions{})
			if err != nil {
				t.Fatal(err)
			}
			for _, o := range found.Items {
				if o.GetName() == "kube-root-ca.crt" { // in every namespace, some time after it was made
					continue
				}
				all[r.Name+" "+o.GetNamespace()+"/"+o.GetName()] = true
			}
		}
	}
	return all
}

// deploy makes pods that only hollow nodes may run.
func deploy(t testing.TB, client kubernetes.Interface, replicas int32) {
	t.Helper()
	labels := map[string]string{"app": "try"}
	_, err := client.AppsV1().Deployments("default").Create(t.Context(), &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "try"},
		Spec: appsv1.DeploymentSpec{Replicas: &replicas, Selector: &metav1.LabelSelector{MatchLabels: labels}, Template: v1.PodTemplateSpec{
			ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": "try", profiles.LabelObject: "try"}},
			Spec: v1.PodSpec{
				NodeSelector: map[string]string{"windtunnel/hollow": "true"},
				Tolerations:  []v1.Toleration{{Key: "windtunnel/hollow", Operator: v1.TolerationOpExists}},
				Containers:   []v1.Container{{Name: "c", Image: "none"}},
			}}},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "all pods run", func() bool {
		d, err := client.AppsV1().Deployments("default").Get(t.Context(), "try", metav1.GetOptions{})
		return err == nil && d.Status.ReadyReplicas == replicas
	})
}

func undeploy(t testing.TB, client kubernetes.Interface) {
	t.Helper()
	foreground := metav1.DeletePropagationForeground
	if err := client.AppsV1().Deployments("default").Delete(t.Context(), "try", metav1.DeleteOptions{PropagationPolicy: &foreground}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "all pods have gone", func() bool {
		list, err := client.CoreV1().Pods("default").List(t.Context(), metav1.ListOptions{LabelSelector: "app=try"})
		return err == nil && len(list.Items) == 0
	})
}

func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(4 * time.Minute); !holds(); {
		if time.Now().After(deadline) {
			t.Fatalf("in vain: %s", what)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// TestPodsOnKind: hollow nodes as pods become Ready, go down and come back at once, record what their runtimes see, and leave nothing.
func TestPodsOnKind(t *testing.T) {
	config, client := onKind(t)
	before := everything(t, config, client)
	dir := t.TempDir()
	for _, folder := range []string{"logs", "samples"} {
		if err := os.Mkdir(filepath.Join(dir, folder), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	begin := time.Now()
	p, err := nodepods.Start(t.Context(), config, nodepods.Options{
		Options: nodes.Options{
			Spec: profiles.HollowNodes{Count: 12, PerProcess: 5, Zones: 2}, ExpectedPods: 60, Clock: results.NewClock(),
			LogDir: filepath.Join(dir, "logs"), SamplesDir: filepath.Join(dir, "samples"),
		},
		Run: "r1", Image: testImage,
		Note: func(text string) { t.Error("note:", text) }, Failed: func(err error) { t.Error("failed:", err) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Stop(context.Background()) })
	t.Logf("12 nodes in 3 pods Ready in %v", time.Since(begin))
	for i, c := range p.Components() {
		if c.Name != fmt.Sprintf("hollow-%d", i) || c.PID == 0 || c.Log != fmt.Sprintf("logs/hollow-%d.log", i) {
			t.Errorf("component %+v", c)
		}
	}
	ready := func(name string) v1.ConditionStatus {
		n, err := client.CoreV1().Nodes().Get(t.Context(), name, metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range n.Status.Conditions {
			if c.Type == v1.NodeReady {
				return c.Status
			}
		}
		return ""
	}

	deploy(t, client, 60)
	pods, err := client.CoreV1().Pods("").List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]bool{}
	for _, one := range pods.Items {
		hollow := slices.Contains(p.Names(), one.Spec.NodeName)
		if test := one.Labels["app"] == "try"; test != hollow {
			t.Errorf("%s/%s runs on %s", one.Namespace, one.Name, one.Spec.NodeName)
		} else if test {
			want[string(one.UID)] = true
		}
	}

	asked := time.Now()
	if err := p.Down(t.Context(), []string{"hollow-1", "hollow-7"}); err != nil {
		t.Fatal(err)
	}
	t.Logf("two nodes are cut off after %v", time.Since(asked))
	eventually(t, "they are no longer Ready", func() bool {
		return ready("hollow-1") == v1.ConditionUnknown && ready("hollow-7") == v1.ConditionUnknown
	})
	if err := p.Up(t.Context(), []string{"hollow-1", "hollow-7"}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "they are back", func() bool { return ready("hollow-1") == v1.ConditionTrue && ready("hollow-7") == v1.ConditionTrue })
	undeploy(t, client)

	asked = time.Now()
	if err := p.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Logf("everything is removed after %v", time.Since(asked))
	nothingLeft(t, config, client, before)

	started := map[string]bool{}
	for i := range 3 {
		for e, err := range results.Read[results.PodEvent](filepath.Join(dir, "samples", fmt.Sprintf("hollow-%d.arrows", i))) {
			if err != nil {
				t.Fatal(err)
			}
			if e.Event == "started" && e.Object == "try" {
				started[e.UID] = true
			}
		}
		if info, err := os.Stat(filepath.Join(dir, "logs", fmt.Sprintf("hollow-%d.log", i))); err != nil || info.Size() == 0 {
			t.Errorf("the log of pod %d: %v", i, err)
		}
	}
	if !maps.Equal(started, want) {
		t.Errorf("the runtimes recorded the start of %d pods, %d ran", len(started), len(want))
	}
}
