package nodepods_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	v1 "k8s.io/api/core/v1"
	policy "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/kubernetes"

	"windtunnel/harness/nodepods"
	"windtunnel/hollow/pod"
	manifests "windtunnel/manifests/hollow"
	"windtunnel/profiles"
)

func TestScaleNeedsHollowNodes(t *testing.T) {
	config, _ := embedded(t)
	if err := nodepods.Scale(t.Context(), config, nodepods.Scaling{Count: 3}); !errors.Is(err, nodepods.ErrNone) {
		t.Errorf("%v", err)
	}
}

// TestScaleOnKind: up over the edge of a pod, down with a drain that heeds a disruption budget, up again, and down to nothing.
func TestScaleOnKind(t *testing.T) {
	config, client := onKind(t)
	before := everything(t, config, client)
	o := options(profiles.HollowNodes{Count: 3, PerProcess: 3}, "r1")
	o.Image = testImage
	p, err := nodepods.Start(t.Context(), config, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Stop(context.Background()) })
	scale := func(n int, drain bool) {
		t.Helper()
		begin := time.Now()
		if err := nodepods.Scale(t.Context(), config, nodepods.Scaling{Count: n, Drain: drain, Progress: func(text string) { t.Log(text) }}); err != nil {
			t.Fatal(err)
		}
		t.Logf("%d nodes after %v", n, time.Since(begin))
		list, err := client.CoreV1().Nodes().List(t.Context(), metav1.ListOptions{LabelSelector: manifests.LabelHollow})
		if err != nil || len(list.Items) != n {
			t.Fatalf("there are %d nodes, not %d: %v", len(list.Items), n, err)
		}
		leases, err := client.CoordinationV1().Leases("kube-node-lease").List(t.Context(), metav1.ListOptions{})
		if err != nil {
			t.Fatal(err)
		}
		there := map[string]bool{}
		for _, one := range list.Items {
			there[one.Name] = true
		}
		for _, l := range leases.Items { // a node that came just now may not have one yet
			if strings.HasPrefix(l.Name, "hollow-") && !there[l.Name] {
				t.Errorf("the lease of %s is left", l.Name)
			}
		}
	}
	scale(8, true)
	deploy(t, client, 16)
	two := intstr.FromInt32(14)
	_, err = client.PolicyV1().PodDisruptionBudgets("default").Create(t.Context(), &policy.PodDisruptionBudget{ObjectMeta: metav1.ObjectMeta{Name: "try"},
		Spec: policy.PodDisruptionBudgetSpec{MinAvailable: &two, Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "try"}}}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	// Counted by the pods: the Deployment's own count follows them at some distance, and sees an end before a beginning.
	for readyPods(t, client) < 16 {
		time.Sleep(100 * time.Millisecond)
	}
	fewest := make(chan int, 1)
	watching, stop := context.WithCancel(t.Context())
	go func() { // what the budget is for
		least := 16
		for watching.Err() == nil {
			least = min(least, readyPods(t, client))
		}
		fewest <- least
	}()
	scale(4, true)
	stop()
	if least := <-fewest; least < 14 {
		t.Errorf("only %d pods were ready during the drain, the budget demands 14", least)
	}
	pods, err := client.CoreV1().Pods("default").List(t.Context(), metav1.ListOptions{LabelSelector: "app=try"})
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range pods.Items {
		if one.Status.Phase == v1.PodRunning && one.Spec.NodeName > "hollow-3" {
			t.Errorf("pod %s is on %s, which has gone", one.Name, one.Spec.NodeName)
		}
	}
	scale(7, false) // those of the second pod that come again do so in the same process
	if err := client.PolicyV1().PodDisruptionBudgets("default").Delete(t.Context(), "try", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	undeploy(t, client)
	interrupted, cancel := context.WithCancel(t.Context())
	go func() { // as soon as the description says so, long before the nodes have gone
		for interrupted.Err() == nil && !describes(client, `"count": 4`) {
			time.Sleep(time.Millisecond)
		}
		cancel()
	}()
	if err := nodepods.Scale(interrupted, config, nodepods.Scaling{Count: 4}); err == nil {
		t.Error("the scaling was not interrupted")
	}
	cancel()
	scale(4, false)
	scale(0, false)
	scale(2, false)
	if err := p.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	nothingLeft(t, config, client, before)
}

// describes tells whether the description of the hollow nodes has a text in it.
func describes(client kubernetes.Interface, text string) bool {
	found, err := client.CoreV1().ConfigMaps(manifests.Namespace).Get(context.Background(), manifests.Name, metav1.GetOptions{})
	return err == nil && strings.Contains(found.Data[pod.KeyNodes], text)
}

// readyPods counts the pods of deploy that are ready and not being deleted.
func readyPods(t *testing.T, client kubernetes.Interface) (ready int) {
	t.Helper()
	pods, err := client.CoreV1().Pods("default").List(t.Context(), metav1.ListOptions{LabelSelector: "app=try"})
	if err != nil {
		t.Error(err)
		return 0
	}
	for _, one := range pods.Items {
		if one.DeletionTimestamp == nil && slices.ContainsFunc(one.Status.Conditions, func(c v1.PodCondition) bool {
			return c.Type == v1.PodReady && c.Status == v1.ConditionTrue
		}) {
			ready++
		}
	}
	return ready
}
