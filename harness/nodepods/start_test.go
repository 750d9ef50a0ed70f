package nodepods_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"windtunnel/harness/internal/live"
	"windtunnel/harness/nodepods"
	"windtunnel/harness/nodes"
	"windtunnel/harness/supervise"
	manifests "windtunnel/manifests/hollow"
	"windtunnel/profiles"
	"windtunnel/results"
)

// embedded is a control plane without a real node: it makes pods, and none of them can be scheduled.
func embedded(t *testing.T) (*rest.Config, kubernetes.Interface) {
	t.Helper()
	config := live.Use(t, suite.Shared(t)).Observer()
	config.WarningHandler = rest.NoWarnings{}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	return config, client
}

func options(spec profiles.HollowNodes, run string) nodepods.Options {
	return nodepods.Options{Options: nodes.Options{Spec: spec, Clock: results.NewClock()}, Run: run}
}

// TestStartSaysWhatHoldsThePods: the error has the pod, the scheduler's reason and the time-out, and nothing is left. That there are pods at
// all shows that they are admitted to a namespace of the restricted kind.
func TestStartSaysWhatHoldsThePods(t *testing.T) {
	config, client := embedded(t)
	before := everything(t, config, client)
	spec := profiles.HollowNodes{Count: 5, PerProcess: 3, NamePrefix: "held-", ReadyTimeout: profiles.Duration(5 * time.Second)}
	p, err := nodepods.Start(t.Context(), config, options(spec, "r1"))
	var failure *supervise.ComponentError
	if p != nil || !errors.As(err, &failure) || !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("%v", err)
	}
	for _, want := range []string{"hollow-nodes-0", "0 of 5 nodes are Ready: not all are Ready within 5s", "cannot be scheduled: no nodes available"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in: %v", want, err)
		}
	}
	nothingLeft(t, config, client, before)
}

// nothingLeft returns when a cluster holds what it held before.
func nothingLeft(t *testing.T, config *rest.Config, client kubernetes.Interface, before map[string]bool) {
	t.Helper()
	var left []string
	look := func() bool {
		left = nil
		for _, what := range slices.Sorted(maps.Keys(everything(t, config, client))) {
			if !before[what] {
				left = append(left, what)
			}
		}
		return len(left) == 0
	}
	for deadline := time.Now().Add(time.Minute); !look(); { // a namespace goes by itself when it is empty
		if time.Now().After(deadline) {
			t.Fatalf("is left: %q", left)
		}
		time.Sleep(200 * time.Millisecond)
	}
}

// TestOneRunAtATime: hollow nodes of somebody else are not touched, whether a set of them or a node.
func TestOneRunAtATime(t *testing.T) {
	config, client := embedded(t)
	before := everything(t, config, client)
	labels := map[string]string{manifests.LabelHollow: "true", profiles.LabelRun: "other"}
	node, err := client.CoreV1().Nodes().Create(t.Context(), &v1.Node{ObjectMeta: metav1.ObjectMeta{Name: "left-behind", Labels: labels}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	spec := profiles.HollowNodes{Count: 1, NamePrefix: "mine-"}
	if _, err := nodepods.Start(t.Context(), config, options(spec, "r1")); err == nil || !strings.Contains(err.Error(), "left-behind is there already, of run other") {
		t.Errorf("%v", err)
	}
	if err := nodepods.Remove(t.Context(), config, "r1"); err != nil {
		t.Fatal(err)
	}
	if _, err := client.CoreV1().Nodes().Get(t.Context(), node.Name, metav1.GetOptions{}); err != nil {
		t.Errorf("the node of another run: %v", err)
	}
	if err := nodepods.Remove(t.Context(), config, "other"); err != nil {
		t.Fatal(err)
	}

	real, err := client.CoreV1().Nodes().Create(t.Context(), &v1.Node{ObjectMeta: metav1.ObjectMeta{Name: "mine-0"}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := nodepods.Start(t.Context(), config, options(spec, "r1")); err == nil || !strings.Contains(err.Error(), "mine-0 that is not windtunnel's") {
		t.Errorf("%v", err)
	}
	if err := client.CoreV1().Nodes().Delete(t.Context(), real.Name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	nothingLeft(t, config, client, before)
}

// TestRemoveLeavesWhatIsNotLabelled: things in windtunnel's namespace and of its names that it did not make stay.
func TestRemoveLeavesWhatIsNotLabelled(t *testing.T) {
	config, client := embedded(t)
	before := everything(t, config, client)
	ctx := t.Context()
	must := func(_ any, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(client.CoreV1().Namespaces().Create(ctx, &v1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: manifests.Namespace}}, metav1.CreateOptions{}))
	must(client.CoreV1().ConfigMaps(manifests.Namespace).Create(ctx, &v1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: manifests.Name}}, metav1.CreateOptions{}))
	must(client.CoreV1().Nodes().Create(ctx, &v1.Node{ObjectMeta: metav1.ObjectMeta{Name: "hollow-0"}}, metav1.CreateOptions{}))
	theirs := everything(t, config, client)
	for _, run := range []string{"", "r1"} {
		if err := nodepods.Remove(ctx, config, run); err != nil {
			t.Fatal(err)
		}
	}
	after := everything(t, config, client)
	for what := range theirs {
		if !after[what] {
			t.Errorf("was removed: %s", what)
		}
	}
	must(nil, client.CoreV1().Namespaces().Delete(ctx, manifests.Namespace, metav1.DeleteOptions{}))
	must(nil, client.CoreV1().Nodes().Delete(ctx, "hollow-0", metav1.DeleteOptions{}))
	nothingLeft(t, config, client, before)
}

// TestKeepOff: after it a DaemonSet that tolerates everything is not placed on a hollow node, which the real controller decides.
func TestKeepOff(t *testing.T) {
	config, client := embedded(t)
	before := everything(t, config, client)
	ctx := t.Context()
	labels := map[string]string{"app": "everywhere"}
	for _, namespace := range []string{"kube-system", "default"} {
		_, err := client.AppsV1().DaemonSets(namespace).Create(ctx, &appsv1.DaemonSet{ObjectMeta: metav1.ObjectMeta{Name: "everywhere"},
			Spec: appsv1.DaemonSetSpec{Selector: &metav1.LabelSelector{MatchLabels: labels}, Template: v1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec: v1.PodSpec{Tolerations: []v1.Toleration{{Operator: v1.TolerationOpExists}}, Containers: []v1.Container{{Name: "c", Image: "none"}}}}}}, metav1.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
	}
	names, err := nodepods.Intruders(ctx, client)
	if err != nil || !slices.Equal(names, []string{"default/everywhere", "kube-system/everywhere"}) {
		t.Errorf("%v, %v", names, err)
	}
	for range 2 { // twice is once
		if err := nodepods.KeepOff(ctx, client); err != nil {
			t.Fatal(err)
		}
	}
	if names, err := nodepods.Intruders(ctx, client); err != nil || !slices.Equal(names, []string{"default/everywhere"}) {
		t.Errorf("%v, %v", names, err)
	}
	node := &v1.Node{ObjectMeta: metav1.ObjectMeta{Name: "hollow-0", Labels: map[string]string{manifests.LabelHollow: "true"}},
		Spec: v1.NodeSpec{Taints: []v1.Taint{{Key: manifests.TaintHollow, Effect: v1.TaintEffectNoSchedule}}}}
	if _, err := client.CoreV1().Nodes().Create(ctx, node, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	wanted := func(namespace string) (int64, int32) {
		set, err := client.AppsV1().DaemonSets(namespace).Get(ctx, "everywhere", metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return set.Generation - set.Status.ObservedGeneration, set.Status.DesiredNumberScheduled
	}
	eventually(t, "the one that was left alone is placed there", func() bool { behind, n := wanted("default"); return behind == 0 && n == 1 })
	if behind, n := wanted("kube-system"); behind != 0 || n != 0 {
		t.Errorf("the other one is placed on %d nodes, %d generations behind", n, behind)
	}
	for _, namespace := range []string{"kube-system", "default"} {
		if err := client.AppsV1().DaemonSets(namespace).Delete(ctx, "everywhere", metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	none := int64(0)
	if err := client.CoreV1().Pods("default").DeleteCollection(ctx, metav1.DeleteOptions{GracePeriodSeconds: &none}, metav1.ListOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := client.CoreV1().Nodes().Delete(ctx, "hollow-0", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	nothingLeft(t, config, client, before)
}
