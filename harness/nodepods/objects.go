package nodepods

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"windtunnel/hollow"
	"windtunnel/hollow/pod"
	manifests "windtunnel/manifests/hollow"
	"windtunnel/profiles"
)

// describe is the pods' description of all nodes.
func (o Options) describe() pod.Config {
	spec, shard := o.Spec, o.Shard()
	own := profiles.Taint{Key: manifests.TaintHollow, Effect: string(v1.TaintEffectNoSchedule)}
	if !slices.ContainsFunc(shard.Taints, func(t profiles.Taint) bool { return t.Key == own.Key }) {
		shard.Taints = append(slices.Clone(shard.Taints), own)
	}
	shard.Labels, shard.ExpectedPods = o.Labels, o.podsOfOne()
	return pod.Config{NamePrefix: spec.NamePrefix, Count: spec.Count, PerPod: o.perPod(), Zones: spec.Zones, Shard: shard}
}

// podsOfOne is how many of the expected pods the fullest pod of hollow nodes has.
func (o Options) podsOfOne() int {
	if o.Spec.Count == 0 {
		return 0
	}
	return (o.ExpectedPods*o.perPod() + o.Spec.Count - 1) / o.Spec.Count
}

// perPod is how many nodes a pod holds: no more than there are, as its requests and limits follow from it, and when nodes are added later
// they come in pods of their own.
func (o Options) perPod() int { return max(1, min(o.Spec.PerProcess, o.Spec.Count)) }

// objects are the manifests' objects with the numbers of the options.
func (o Options) objects() ([]*unstructured.Unstructured, error) {
	var extras []manifests.Extra
	if o.Spec.Minimal() {
		extras = append(extras, manifests.Minimal)
	}
	if len(o.Spec.Stages) > 0 {
		extras = append(extras, manifests.Stages)
	}
	all, err := manifests.Objects(extras...)
	if err != nil {
		return nil, err
	}
	described := o.describe()
	for _, object := range all {
		labels := object.GetLabels()
		if o.Run != "" {
			labels[profiles.LabelRun] = o.Run
		}
		object.SetLabels(labels)
		switch object.GetKind() {
		case "ConfigMap":
			text, err := json.MarshalIndent(described, "", "  ")
			if err != nil {
				return nil, err
			}
			object.Object["data"] = map[string]any{pod.KeyNodes: string(text)}
		case "StatefulSet":
			if err := o.changeSet(object, described); err != nil {
				return nil, fmt.Errorf("change the StatefulSet of the manifests: %w", err)
			}
		}
	}
	return all, nil
}

// changeSet sets what of the StatefulSet depends on the options.
func (o Options) changeSet(object *unstructured.Unstructured, described pod.Config) error {
	var set appsv1.StatefulSet
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, &set); err != nil {
		return err
	}
	replicas := int32(described.Pods())
	set.Spec.Replicas = &replicas
	set.Spec.Template.Labels[manifests.LabelPartOf] = manifests.PartOf
	if o.Run != "" {
		set.Spec.Template.Labels[profiles.LabelRun] = o.Run
	}
	container := &set.Spec.Template.Spec.Containers[0]
	container.Image = o.Image
	container.Resources = resourcesFor(described)
	container.Env = append(container.Env, environment(described)...)
	changed, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&set)
	if err != nil {
		return err
	}
	delete(changed, "status")
	object.Object = changed
	return nil
}

// environment is what a pod has in its environment for what its nodes are.
func environment(c pod.Config) (all []v1.EnvVar) {
	for _, variable := range c.Shard.Environment() {
		name, value, _ := strings.Cut(variable, "=")
		all = append(all, v1.EnvVar{Name: name, Value: value})
	}
	return all
}

// What a pod of hollow nodes asks for besides the memory of hollow.Need, measured by BenchmarkPods in this package.
const (
	// startMilliCPU is what a pod asks for beside its nodes, so that it also comes up where others are busy.
	startMilliCPU = 100
	// memorySlack is the limit over what is asked for: the Go runtime keeps to hollow.HeapAllowance, but for what the cluster's
	// services and endpoints take, which nobody foretold, and the files of volumes, which are memory of the pod as well.
	memorySlack = 1.5
)

// nodeMicroCPU is what an idle node with its proxy takes, in millionths of a core.
func nodeMicroCPU(s hollow.Size) int {
	switch {
	case s.Minimal:
		return 10
	case s.Light:
		return 100
	}
	return 1000
}

// resourcesFor is what a pod asks for, by the nodes and the pods on them. Memory is limited, as a pod without a limit would be the first to
// be ended for another's hunger; CPU is not, as a node that is throttled is slow for a reason that no measurement shows.
func resourcesFor(c pod.Config) v1.ResourceRequirements {
	size := c.Shard.Size()
	size.Nodes = c.PerPod
	memory, _ := hollow.Need(size)
	return v1.ResourceRequirements{
		Requests: v1.ResourceList{
			v1.ResourceCPU:    *resource.NewMilliQuantity(int64(startMilliCPU+(size.Nodes*nodeMicroCPU(size)+999)/1000), resource.DecimalSI),
			v1.ResourceMemory: *resource.NewQuantity(wholeMiB(float64(memory)), resource.BinarySI),
		},
		Limits: v1.ResourceList{v1.ResourceMemory: *resource.NewQuantity(wholeMiB(float64(memory)*memorySlack), resource.BinarySI)},
	}
}

// wholeMiB rounds bytes up to whole MiB, which people can read.
func wholeMiB(bytes float64) int64 {
	const mib = 1 << 20
	return (int64(bytes) + mib - 1) / mib * mib
}
