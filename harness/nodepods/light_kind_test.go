package nodepods_test

import (
	"context"
	"path/filepath"
	"slices"
	"testing"
	"time"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"windtunnel/harness/nodepods"
	manifests "windtunnel/manifests/hollow"
	"windtunnel/profiles"
)

// TestLightPodsOnKind: light nodes as pods become Ready, carry pods, go down and come back, become more and fewer, and leave nothing.
func TestLightPodsOnKind(t *testing.T) {
	config, client := onKind(t)
	stages := []profiles.StageSource{{Name: "a-life", Text: aLife}}
	for name, spec := range map[string]profiles.HollowNodes{
		"kubelet": {Fidelity: profiles.FidelityKubelet}, "minimal": {Fidelity: profiles.FidelityMinimal}, "stages": {Fidelity: profiles.FidelityMinimal, Stages: stages},
	} {
		t.Run(name, func(t *testing.T) {
			before := everything(t, config, client)
			spec.Tier, spec.Count, spec.PerProcess = profiles.TierLight, 12, 8
			dir := t.TempDir()
			o := options(spec, "r1")
			o.Image, o.SamplesDir, o.ExpectedPods = testImage, dir, 24
			o.Note = func(text string) { t.Error("note:", text) }
			begin := time.Now()
			p, err := nodepods.Start(t.Context(), config, o)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { p.Stop(context.Background()) })
			t.Logf("12 nodes in 2 pods Ready in %v", time.Since(begin))
			if err := p.Down(t.Context(), []string{"hollow-1", "hollow-9"}); err != nil {
				t.Fatal(err)
			}
			if err := p.Up(t.Context(), []string{"hollow-1", "hollow-9"}); err != nil {
				t.Fatal(err)
			}
			begin = time.Now()
			deploy(t, client, 24)
			t.Logf("24 pods run after %v", time.Since(begin))
			for _, n := range []int{18, 5} { // a further pod, and one that goes; those that go are drained
				begin = time.Now()
				if err := nodepods.Scale(t.Context(), config, nodepods.Scaling{Count: n, Drain: true}); err != nil {
					t.Fatal(err)
				}
				t.Logf("%d nodes after %v", n, time.Since(begin))
				list, err := client.CoreV1().Nodes().List(t.Context(), metav1.ListOptions{LabelSelector: manifests.LabelHollow})
				if err != nil || len(list.Items) != n {
					t.Errorf("there are %d nodes, not %d: %v", len(list.Items), n, err)
				}
				pods, err := client.CoreV1().Pods("default").List(t.Context(), metav1.ListOptions{})
				if err != nil {
					t.Fatal(err)
				}
				for _, one := range pods.Items {
					there := slices.ContainsFunc(list.Items, func(node v1.Node) bool { return node.Name == one.Spec.NodeName })
					if one.Spec.NodeName != "" && !there {
						t.Errorf("pod %s (%s, deleted at %v) is left on %s, which has gone", one.Name, one.Status.Phase, one.DeletionTimestamp, one.Spec.NodeName)
					}
				}
			}
			begin = time.Now()
			undeploy(t, client)
			t.Logf("the pods have gone after %v", time.Since(begin))
			begin = time.Now()
			if err := p.Stop(t.Context()); err != nil {
				t.Fatal(err)
			}
			t.Logf("everything is removed after %v", time.Since(begin))
			nothingLeft(t, config, client, before)
			recorded := 0
			for _, pod := range []string{"0", "1"} {
				recorded += countStarts(filepath.Join(dir, "hollow-"+pod+".arrows"))
			}
			if recorded < 24 {
				t.Errorf("the runtimes recorded %d starts, there were 24 and those after the drain", recorded)
			}
		})
	}
}
