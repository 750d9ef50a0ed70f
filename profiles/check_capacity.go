package profiles

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// scheduledSpec is the pod spec of a template whose pods are to run on hollow nodes, and how many an instance brings.
func (c *checker) scheduledSpec(name string) (spec map[string]any, pods int, ok bool) {
	o := c.Objects[name]
	_, kind := o.typeMeta()
	holder, has := podHolderOf(kind)
	if !has {
		return nil, 0, false
	}
	spec = digMap(o.Manifest, holder.spec...)
	pods, err := podCount(o.Manifest, holder, c.HollowNodes)
	return spec, pods, err == nil && spec != nil && toBeScheduled(spec)
}

// capacity checks that the nodes have room for all the pods that are to run at one time.
func (c *checker) capacity() {
	h := c.HollowNodes
	if h.Count <= 0 || h.MaxPods <= 0 {
		return // waiting for pods without nodes is reported where it is asked for
	}
	pods, phase := peak(c.Phases, func(name string) float64 {
		_, n, ok := c.scheduledSpec(name)
		if !ok {
			return 0
		}
		return float64(n)
	})
	if room := float64(h.Count) * float64(h.MaxPods); pods > room {
		need := math.Ceil(pods / float64(h.MaxPods))
		c.problem("hollowNodes.count", fmt.Sprintf("write count: %.0f or more, or raise hollowNodes.maxPods", need),
			"%.0f pods in phase %q do not fit on %s of at most %s each", pods, c.Phases[phase].Name, counted(h.Count, "node"), counted(h.MaxPods, "pod"))
	}
	for _, name := range c.requestedResources() {
		c.resourceCapacity(name)
	}
}

// requestedResources are the names of all resources that templates of running pods ask for.
func (c *checker) requestedResources() []string {
	all := map[string]bool{}
	for name := range c.Objects {
		if spec, _, ok := c.scheduledSpec(name); ok {
			for resource := range podRequests(spec) {
				all[resource] = true
			}
		}
	}
	return sortedKeys(all)
}

func (c *checker) resourceCapacity(resource string) {
	h := c.HollowNodes
	text, there := h.Capacity[resource]
	if !there {
		return // reported for the template, in canRun
	}
	capacity, err := parseQuantity(text)
	if err != nil || !(capacity > 0) {
		return
	}
	path := joinKey("hollowNodes.capacity", resource)
	total, phase := peak(c.Phases, func(name string) float64 {
		spec, n, ok := c.scheduledSpec(name)
		if !ok {
			return 0
		}
		return float64(n) * podRequests(spec)[resource]
	})
	if total > capacity*float64(h.Count) {
		c.problem(path, fmt.Sprintf("raise it to %s at least, or raise hollowNodes.count", quantityOf(total/float64(h.Count), resource)),
			"the pods in phase %q ask for %s of %s, and %s have %s", c.Phases[phase].Name, quantityOf(total, resource), resource, counted(h.Count, "node"), quantityOf(capacity*float64(h.Count), resource))
	}
}

// quantityOf writes an amount for people.
func quantityOf(amount float64, resource string) string {
	if resource == "memory" && amount >= 1<<20 {
		return strconv.FormatFloat(math.Ceil(amount/(1<<20)), 'f', -1, 64) + "Mi"
	}
	return strconv.FormatFloat(math.Ceil(amount*1000)/1000, 'f', -1, 64)
}

// canRun checks that pods of a template that somebody waits for can come to run on the hollow nodes.
func (c *checker) canRun(path, name string, spec map[string]any) {
	h := c.HollowNodes
	if c.unknown("hollowNodes.count", "hollowNodes.taints", "hollowNodes.labels", "hollowNodes.capacity") {
		return
	}
	switch {
	case h.Count == 0:
		c.problem(path, "write hollowNodes: {count: NUMBER}", "pods of %s cannot run: there are no hollow nodes", name)
		return
	case spec == nil, c.ControlPlane.AmongReal() && forReal(spec):
		return
	case !toBeScheduled(spec):
		c.problem(path, "take schedulerName and schedulingGates out of the pods' spec", "pods of %s are not for the default scheduler, so they stay pending", name)
		return
	}
	for _, taint := range h.Taints {
		if !tolerates(spec, taint) {
			c.problem(path, fmt.Sprintf("add to the pods' spec: tolerations: [{key: %s, operator: Exists}]", taint.Key), "pods of %s do not tolerate the taint %s:%s that every node has", name, taint.Key, taint.Effect)
			return
		}
	}
	c.selectsNodes(path, name, spec)
	for _, resource := range sortedKeys(podRequests(spec)) {
		c.fitsOneNode(path, name, resource, podRequests(spec)[resource])
	}
}

// selectsNodes checks the pods' nodeSelector against the labels that all nodes have. Labels of Kubernetes' own domains are
// left alone: the kubelet sets some.
func (c *checker) selectsNodes(path, name string, spec map[string]any) {
	for _, key := range sortedKeys(digMap(spec, "nodeSelector")) {
		want := digText(spec, "nodeSelector", key)
		if strings.Contains(key, "kubernetes.io/") || isPerInstance(want) {
			continue
		}
		if got, there := c.HollowNodes.Labels[key]; !there || got != want {
			c.problem(path, fmt.Sprintf("add to hollowNodes.labels: %s: %s", key, want), "pods of %s select nodes labelled %s=%s, and no node is", name, key, want)
		}
	}
}

func (c *checker) fitsOneNode(path, name, resource string, amount float64) {
	if amount == 0 || slices.Contains([]string{"ephemeral-storage"}, resource) {
		return
	}
	text, there := c.HollowNodes.Capacity[resource]
	if !there {
		c.problem(path, fmt.Sprintf("add to hollowNodes.capacity: %s: QUANTITY", resource), "pods of %s ask for %s, which no node has", name, resource)
		return
	}
	if capacity, err := parseQuantity(text); err == nil && amount > capacity {
		c.problem(path, "raise hollowNodes.capacity."+resource, "a pod of %s asks for %s of %s, and a node has %s", name, quantityOf(amount, resource), resource, text)
	}
}
