package nodepods

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

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
	spec := o.Spec
	taints := slices.Clone(spec.Taints)
	own := profiles.Taint{Key: manifests.TaintHollow, Effect: string(v1.TaintEffectNoSchedule)}
	if !slices.ContainsFunc(taints, func(t profiles.Taint) bool { return t.Key == own.Key }) {
		taints = append(taints, own)
	}
	return pod.Config{
		NamePrefix: spec.NamePrefix, Count: spec.Count, PerPod: o.perPod(), Zones: spec.Zones,
		Shard: hollow.ShardConfig{
			MaxPods: spec.MaxPods, Capacity: spec.Capacity, Labels: o.Labels, Taints: taints,
			PaddingBytes: spec.PaddingBytes, QPS: spec.QPS, Burst: spec.Burst, Proxy: o.withProxy(),
			SandboxStart:   time.Duration(spec.Runtime.SandboxStart),
			ContainerStart: time.Duration(spec.Runtime.ContainerStart),
			ContainerStop:  time.Duration(spec.Runtime.ContainerStop),
			ExpectedPods:   o.podsOfOne(),
		},
	}
}

// withProxy is whether every node has a hollow kube-proxy; by default it does.
func (o Options) withProxy() bool { return o.Spec.Proxy == nil || *o.Spec.Proxy }

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
	all, err := manifests.Objects()
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
	container.Resources = resourcesFor(o.perPod(), o.podsOfOne(), o.withProxy())
	changed, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&set)
	if err != nil {
		return err
	}
	delete(changed, "status")
	object.Object = changed
	return nil
}

// What a pod of hollow nodes asks for besides the memory of hollow.Need, measured by BenchmarkPod in this package.
const (
	// nodeMilliCPU is what an idle node with its proxy takes, and startMilliCPU what a pod asks for beside it, so that it also comes
	// up where others are busy.
	nodeMilliCPU  = 1
	startMilliCPU = 100
	// memorySlack is the limit over what is asked for: the Go runtime keeps to hollow.HeapAllowance, but for what the cluster's
	// services and endpoints take, which nobody foretold, and the files of volumes, which are memory of the pod as well.
	memorySlack = 1.5
)

// resourcesFor is what a pod asks for, by the nodes and the pods on them. Memory is limited, as a pod without a limit would be the first to
// be ended for another's hunger; CPU is not, as a node that is throttled is slow for a reason that no measurement shows.
func resourcesFor(nodes, pods int, proxy bool) v1.ResourceRequirements {
	memory, _ := hollow.Need(hollow.Size{Nodes: nodes, Pods: pods, Proxy: proxy})
	return v1.ResourceRequirements{
		Requests: v1.ResourceList{
			v1.ResourceCPU:    *resource.NewMilliQuantity(int64(startMilliCPU+nodes*nodeMilliCPU), resource.DecimalSI),
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
