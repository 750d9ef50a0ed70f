package kubelet

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	resourcehelper "k8s.io/component-helpers/resource"
	schedulinghelper "k8s.io/component-helpers/scheduling/corev1"
	"k8s.io/component-helpers/scheduling/corev1/nodeaffinity"
	"k8s.io/klog/v2"

	"windtunnel/hollow/light/wire"
)

// requests are what a pod asks for, and allocatable what a node has, by resource: CPU in thousandths, the rest whole.
type (
	requests    map[corev1.ResourceName]int64
	allocatable map[corev1.ResourceName]int64
)

func amounts(list corev1.ResourceList) map[corev1.ResourceName]int64 {
	m := make(map[corev1.ResourceName]int64, len(list))
	for name, quantity := range list {
		if name == corev1.ResourceCPU {
			m[name] = quantity.MilliValue()
		} else {
			m[name] = quantity.Value()
		}
	}
	return m
}

func newAllocatable(list corev1.ResourceList) allocatable { return amounts(list) }

func requestsOf(o *corev1.Pod) requests {
	return amounts(resourcehelper.PodRequests(o, resourcehelper.PodResourcesOptions{}))
}

// admit is the kubelet's admission (pkg/kubelet/lifecycle/predicate.go): resources, node affinity and taints that evict, in this order;
// nil when the pod may run.
func (n *node) admit(p *pod) *rejection {
	if r := n.fits(p); r != nil {
		return r
	}
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: n.Name, Labels: n.labels()}}
	if match, err := nodeaffinity.GetRequiredNodeAffinity(p.object).Match(node); err != nil || !match {
		return &rejection{reason: "NodeAffinity", message: "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector"}
	}
	_, evicts := schedulinghelper.FindMatchingUntoleratedTaint(klog.Background(), n.taints(), p.object.Spec.Tolerations, func(t *corev1.Taint) bool {
		return t.Effect == corev1.TaintEffectNoExecute
	}, true)
	if evicts {
		return &rejection{reason: "TaintToleration", message: "Predicate TaintToleration failed: node(s) had taints that the pod didn't tolerate"}
	}
	return nil
}

// fits compares what the pod asks for with what the others leave.
func (n *node) fits(p *pod) *rejection {
	used, pods := requests{}, int64(0)
	for _, other := range n.pods {
		if other == p || other.terminal {
			continue
		}
		pods++
		for name, amount := range other.requests {
			used[name] += amount
		}
	}
	lacks := func(name corev1.ResourceName, asked, taken, has int64) *rejection {
		return &rejection{reason: "OutOf" + string(name), message: fmt.Sprintf("Node didn't have enough resource: %s, requested: %d, used: %d, capacity: %d", name, asked, taken, has)}
	}
	have := n.shard.allocated
	if pods+1 > have[corev1.ResourcePods] {
		return lacks(corev1.ResourcePods, 1, pods, have[corev1.ResourcePods])
	}
	for _, name := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory, corev1.ResourceEphemeralStorage} {
		if asked := p.requests[name]; asked > 0 && used[name]+asked > have[name] {
			return lacks(name, asked, used[name], have[name])
		}
	}
	for name, asked := range p.requests {
		if has, there := have[name]; there && asked > 0 && used[name]+asked > has {
			return lacks(name, asked, used[name], has)
		}
	}
	return nil
}

// labels are the node's as the server has them.
func (n *node) labels() map[string]string {
	labels := map[string]string{}
	_ = wire.Each(n.seen.labels, func(f wire.Number, b []byte, _ uint64) bool {
		labels[string(wire.Field(b, 1))] = string(wire.Field(b, 2))
		return true
	})
	return labels
}

// taints are the node's as the server has them.
func (n *node) taints() []corev1.Taint {
	var taints []corev1.Taint
	_ = wire.Each(n.seen.taints, func(f wire.Number, b []byte, _ uint64) bool {
		var t corev1.Taint
		if t.Unmarshal(b) == nil {
			taints = append(taints, t)
		}
		return true
	})
	return taints
}
