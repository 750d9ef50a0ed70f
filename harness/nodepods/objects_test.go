package nodepods

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	appsv1 "k8s.io/api/apps/v1"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"

	"windtunnel/harness/nodes"
	"windtunnel/hollow/pod"
	manifests "windtunnel/manifests/hollow"
	"windtunnel/profiles"
	"windtunnel/results"
)

// setAndNodes are the StatefulSet of objects, and what describes the nodes.
func setAndNodes(t *testing.T, o Options) (set appsv1.StatefulSet, c pod.Config) {
	t.Helper()
	objects, err := o.withDefaults().objects()
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range objects {
		labels := one.GetLabels()
		if labels[manifests.LabelPartOf] != manifests.PartOf || labels[profiles.LabelRun] != o.Run {
			t.Errorf("%s %s has the labels %v", one.GetKind(), one.GetName(), labels)
		}
		switch one.GetKind() {
		case "StatefulSet":
			err = runtime.DefaultUnstructuredConverter.FromUnstructured(one.Object, &set)
		case "ConfigMap":
			c, _, err = pod.Parse(map[string]string{pod.KeyNodes: one.Object["data"].(map[string]any)[pod.KeyNodes].(string)})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return set, c
}

// TestObjectsFollowTheProfile: every number of the profile reaches the pods, and the pods' own size follows from it.
func TestObjectsFollowTheProfile(t *testing.T) {
	no := false
	o := Options{Run: "r1", Image: "here/it:is"}
	o.Spec = profiles.HollowNodes{
		Count: 95, PerProcess: 40, NamePrefix: "n-", MaxPods: 17, Zones: 3, Proxy: &no, PaddingBytes: 9, QPS: 5, Burst: 6,
		Capacity: map[string]string{"cpu": "8", "example.com/gpu": "2"}, Labels: map[string]string{"team": "a"},
		Taints:  []profiles.Taint{{Key: "own", Effect: "NoExecute"}},
		Runtime: profiles.Runtime{SandboxStart: profiles.Duration(time.Second), ContainerStart: 2, ContainerStop: 3, ContainerStartP99: 5},
		Tier:    "light", Fidelity: "minimal", Stages: []profiles.StageSource{{Name: "s", Text: "kind: Stage"}},
	}
	o.ExpectedPods, o.Seed = 950, 7
	set, c := setAndNodes(t, o)
	want := pod.Config{NamePrefix: "n-", Count: 95, PerPod: 40, Zones: 3}
	want.Shard.Tier, want.Shard.Fidelity, want.Shard.Seed = "light", "minimal", 7
	want.Shard.Stages, want.Shard.ContainerStartP99 = []profiles.StageSource{{Name: "s", Text: "kind: Stage"}}, 5
	want.Shard.MaxPods, want.Shard.PaddingBytes, want.Shard.QPS, want.Shard.Burst = 17, 9, 5, 6
	want.Shard.Capacity = map[string]string{"cpu": "8", "memory": "256Gi", "example.com/gpu": "2"}
	want.Shard.Labels = map[string]string{"team": "a", "windtunnel/hollow": "true", "windtunnel/run": "r1"}
	want.Shard.Taints = []profiles.Taint{{Key: "own", Effect: "NoExecute"}, {Key: "windtunnel/hollow", Effect: "NoSchedule"}}
	want.Shard.SandboxStart, want.Shard.ContainerStart, want.Shard.ContainerStop, want.Shard.ExpectedPods = time.Second, 2, 3, 400
	if diff := cmp.Diff(want, c); diff != "" {
		t.Errorf("description (-want +got):\n%s", diff)
	}
	template := set.Spec.Template
	if *set.Spec.Replicas != 3 || template.Spec.Containers[0].Image != "here/it:is" || template.Labels[profiles.LabelRun] != "r1" ||
		template.Labels[manifests.LabelName] != manifests.Name {
		t.Errorf("StatefulSet %+v", set.Spec)
	}
	if got := template.Spec.Containers[0].Resources; !cmp.Equal(got, resourcesFor(c)) {
		t.Errorf("resources %v", got)
	}
	if got := withValue(template.Spec.Containers[0].Env); len(got) == 0 || !cmp.Equal(got, environment(c)) {
		t.Errorf("environment %v", got)
	}
}

// TestManifestsAreSizedAsTheHarnessWould: what kubectl applies has the same requests and limits for its numbers.
func TestManifestsAreSizedAsTheHarnessWould(t *testing.T) {
	for _, folder := range []string{"hollow", "hollow-light", "hollow-minimal"} {
		made, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), filepath.Join("..", "..", "manifests", folder))
		if err != nil {
			t.Fatal(err)
		}
		var set appsv1.StatefulSet
		var c pod.Config
		for _, r := range made.Resources() {
			text := []byte(r.MustYaml())
			switch r.GetKind() {
			case "StatefulSet":
				err = yaml.Unmarshal(text, &set)
			case "ConfigMap":
				var described v1.ConfigMap
				if err = yaml.Unmarshal(text, &described); err == nil {
					c, _, err = pod.Parse(described.Data)
				}
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		container := set.Spec.Template.Spec.Containers[0]
		got, want := container.Resources, resourcesFor(c)
		text := func(r v1.ResourceRequirements) string {
			b, err := json.Marshal(r)
			if err != nil {
				t.Fatal(err)
			}
			return string(b)
		}
		if text(got) != text(want) || int(*set.Spec.Replicas) != c.Pods() {
			t.Errorf("%s has %s in %d pods, the harness would have %s in %d", folder, text(got), *set.Spec.Replicas, text(want), c.Pods())
		}
		if diff := cmp.Diff(environment(c), withValue(container.Env), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s: environment (-harness +kubectl):\n%s", folder, diff)
		}
	}
}

// TestPodsHoldNoMoreThanTheyAreSizedFor: a pod is not larger than the run, so that more nodes later come in further pods.
func TestPodsHoldNoMoreThanTheyAreSizedFor(t *testing.T) {
	o := Options{Options: nodes.Options{Spec: profiles.HollowNodes{Count: 20}, ExpectedPods: 60, Clock: results.NewClock()}}
	set, c := setAndNodes(t, o)
	if c.PerPod != 20 || c.Shard.ExpectedPods != 60 || *set.Spec.Replicas != 1 {
		t.Errorf("%d nodes with %d pods in each of %d pods", c.PerPod, c.Shard.ExpectedPods, *set.Spec.Replicas)
	}
}

func TestReadAccount(t *testing.T) {
	const text = `# TYPE go_threads gauge
go_threads 9
# TYPE process_cpu_seconds_total counter
process_cpu_seconds_total 1.5
# TYPE process_open_fds gauge
process_open_fds 33
# TYPE process_resident_memory_bytes gauge
process_resident_memory_bytes 1.048576e+06
`
	got, err := readAccount(strings.NewReader(text))
	if want := (results.ProcessSample{CPUSeconds: 1.5, RSS: 1 << 20, FDs: 33, Threads: 9}); err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
	for _, bad := range []string{"", "nonsense {", strings.ReplaceAll(text, "process_cpu", "process_gpu")} {
		if _, err := readAccount(strings.NewReader(bad)); err == nil {
			t.Errorf("an account was read from %q", bad)
		}
	}
}

func TestOlder(t *testing.T) {
	for _, c := range []struct {
		a, than string
		want    bool
	}{{"9", "10", true}, {"10", "9", false}, {"10", "10", false}, {"", "1", true}} {
		if older(c.a, c.than) != c.want {
			t.Errorf("%q is older than %q: %v", c.a, c.than, !c.want)
		}
	}
}

// withValue are the variables that have a value, and do not take it from the pod.
func withValue(all []v1.EnvVar) []v1.EnvVar {
	return slices.DeleteFunc(slices.Clone(all), func(e v1.EnvVar) bool { return e.ValueFrom != nil })
}
