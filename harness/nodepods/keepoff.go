package nodepods

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/component-helpers/scheduling/corev1/nodeaffinity"

	"windtunnel/harness/cluster"
	manifests "windtunnel/manifests/hollow"
)

// KeepOff keeps the pods of a cluster's own DaemonSets, those of kube-system, away from hollow nodes, where they would be played and not
// run: those that tolerate every taint, such as kube-proxy's, would land there. It changes these DaemonSets, so it is for clusters that are
// windtunnel's. It does nothing to one that keeps off already, and so may be called again.
func KeepOff(ctx context.Context, client kubernetes.Interface) error {
	sets, err := intruders(ctx, client, metav1.NamespaceSystem)
	if err != nil {
		return fmt.Errorf("keep DaemonSets off hollow nodes: %w", err)
	}
	for _, set := range sets {
		patch, err := json.Marshal(map[string]any{"spec": map[string]any{"template": map[string]any{"spec": map[string]any{
			"affinity": map[string]any{"nodeAffinity": map[string]any{"requiredDuringSchedulingIgnoredDuringExecution": realNodesOnly(set.Spec.Template.Spec)}},
		}}}})
		if err != nil {
			return err
		}
		options := metav1.PatchOptions{FieldManager: cluster.UserAgent}
		if _, err := client.AppsV1().DaemonSets(set.Namespace).Patch(ctx, set.Name, types.MergePatchType, patch, options); err != nil {
			return fmt.Errorf("keep DaemonSet %s off hollow nodes: %w", set.Name, err)
		}
	}
	return nil
}

// Intruders are the DaemonSets of a cluster, NAMESPACE/NAME, whose pods would be placed on hollow nodes, for a note where the cluster is not
// windtunnel's to change. Those pods are then part of the load and of the nodes' account.
func Intruders(ctx context.Context, client kubernetes.Interface) ([]string, error) {
	sets, err := intruders(ctx, client, metav1.NamespaceAll)
	if err != nil {
		return nil, fmt.Errorf("find DaemonSets that would use hollow nodes: %w", err)
	}
	var names []string
	for _, set := range sets {
		if set.Labels[manifests.LabelPartOf] != manifests.PartOf {
			names = append(names, set.Namespace+"/"+set.Name)
		}
	}
	slices.Sort(names)
	return names, nil
}

func intruders(ctx context.Context, client kubernetes.Interface, namespace string) ([]appsv1.DaemonSet, error) {
	list, err := client.AppsV1().DaemonSets(namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(list.Items, func(set appsv1.DaemonSet) bool { return !intrudes(set.Spec.Template.Spec) }), nil
}

// intrudes says whether the DaemonSet controller would place pods of that kind on a hollow node: where its taint is tolerated and what the
// pod asks of a node does not exclude it.
func intrudes(spec v1.PodSpec) bool {
	taint := v1.Taint{Key: manifests.TaintHollow, Effect: v1.TaintEffectNoSchedule}
	tolerated := slices.ContainsFunc(spec.Tolerations, func(t v1.Toleration) bool {
		// The name is that of no operator that compares numbers, so that none applies.
		return (t.Effect == "" || t.Effect == taint.Effect) && (t.Key == taint.Key || (t.Key == "" && t.Operator == v1.TolerationOpExists)) &&
			(t.Operator == v1.TolerationOpExists || t.Value == taint.Value)
	})
	node := &v1.Node{ObjectMeta: metav1.ObjectMeta{Name: "hollow-0", Labels: map[string]string{
		manifests.LabelHollow: "true", v1.LabelHostname: "hollow-0", v1.LabelOSStable: "linux", v1.LabelArchStable: archOf(spec),
	}}}
	fits, err := nodeaffinity.GetRequiredNodeAffinity(&v1.Pod{Spec: spec}).Match(node)
	return tolerated && (fits || err != nil)
}

// archOf is the architecture that a pod asks for, as hollow nodes have that of the machine, whatever it is.
func archOf(spec v1.PodSpec) string { return spec.NodeSelector[v1.LabelArchStable] }

// realNodesOnly is what a pod asks of a node, and besides that it is not hollow.
func realNodesOnly(spec v1.PodSpec) *v1.NodeSelector {
	// Another value of the label is a real node's that pods of hollow nodes are to keep away from.
	real := v1.NodeSelectorRequirement{Key: manifests.LabelHollow, Operator: v1.NodeSelectorOpNotIn, Values: []string{"true"}}
	terms := []v1.NodeSelectorTerm{{}}
	if a := spec.Affinity; a != nil && a.NodeAffinity != nil && a.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution != nil {
		terms = slices.Clone(a.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution.NodeSelectorTerms)
	}
	for i := range terms { // one of them suffices for a node, so each has to keep off
		terms[i].MatchExpressions = append(slices.Clone(terms[i].MatchExpressions), real)
	}
	return &v1.NodeSelector{NodeSelectorTerms: terms}
}

// IntrudersNote says what a reader must know of them; "" where there are none.
func IntrudersNote(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return "DaemonSets that tolerate every taint place pods on the hollow nodes, too, where nothing runs: " + strings.Join(names, ", ")
}
