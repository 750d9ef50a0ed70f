package kubelet

import (
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"windtunnel/hollow/light/api"
	"windtunnel/hollow/light/loop"
)

// The kubelet's eviction of pods when memory runs short (pkg/kubelet/eviction): it looks every 10 s, evicts one pod at a time while less
// than 100Mi are available, and takes the pressure back once it has been over for 5 minutes.
const (
	evictionEvery      = 10 * time.Second
	evictionThreshold  = 100 << 20
	evictionTransition = 5 * time.Minute
	// systemMemory is what a node's system uses, in bytes.
	systemMemory = 512 << 20
)

// eviction is a node's watch over its memory. It runs while there are pods that say how much they use.
type eviction struct {
	timer *loop.Timer
	over  time.Time // when the memory last sufficed after it had not; zero while it does not
}

// uses is how much memory a pod's containers use, in bytes, as its annotation says; 0 where it does not.
func uses(o *corev1.Pod) int64 {
	q, err := resource.ParseQuantity(o.Annotations[api.MemoryAnnotation])
	if err != nil {
		return 0
	}
	return q.Value()
}

// watchMemory begins to look at the node's memory when the first pod comes that uses some.
func (n *node) watchMemory(p *pod) {
	if n.eviction.timer == nil && uses(p.object) > 0 {
		n.eviction.timer = n.loop.After(evictionEvery, n.lookAtMemory)
	}
}

func (n *node) lookAtMemory() {
	var users []*pod
	used := int64(systemMemory)
	for _, p := range n.pods {
		if u := uses(p.object); u > 0 && p.runs() {
			users = append(users, p)
			used += u
		}
	}
	available := n.shard.machine.Memory() - used
	switch {
	case available < evictionThreshold:
		n.eviction.over = time.Time{}
		n.setPressure(true)
		n.evict(users, available)
	case n.status.pressure && n.eviction.over.IsZero():
		n.eviction.over = time.Now()
	case n.status.pressure && time.Since(n.eviction.over) >= evictionTransition:
		n.setPressure(false)
	}
	if len(users) == 0 && !n.status.pressure {
		n.eviction.timer = nil
		return
	}
	n.eviction.timer = n.loop.After(evictionEvery, n.lookAtMemory)
}

func (n *node) setPressure(pressure bool) {
	if n.status.pressure == pressure {
		return
	}
	n.status.pressure = pressure
	if pressure {
		n.statusEvent("NodeHasInsufficientMemory")
	} else {
		n.statusEvent("NodeHasSufficientMemory")
	}
}

// evict ends the pod that uses most beyond what it asked for; of lower priority first (rankMemoryPressure).
func (n *node) evict(users []*pod, available int64) {
	if len(users) == 0 {
		return
	}
	beyond := func(p *pod) int64 { return uses(p.object) - p.requests[corev1.ResourceMemory] }
	victim := slices.MinFunc(users, func(a, b *pod) int {
		if x, y := beyond(a) > 0, beyond(b) > 0; x != y {
			if x {
				return -1
			}
			return 1
		}
		if x, y := priority(a.object), priority(b.object); x != y {
			return int(x) - int(y)
		}
		if x, y := beyond(a), beyond(b); x != y {
			if x > y {
				return -1
			}
			return 1
		}
		return 0
	})
	message := fmt.Sprintf("The node was low on resource: memory. Threshold quantity: %s, available: %dKi. ", "100Mi", max(0, available)>>10)
	for _, c := range victim.object.Spec.Containers {
		request := c.Resources.Requests[corev1.ResourceMemory]
		message += fmt.Sprintf("Container %s was using %dKi, request is %s, has larger consumption of memory. ", c.Name, uses(victim.object)>>10, request.String())
	}
	n.events.aboutPod(victim, "", corev1.EventTypeWarning, "Evicted", message)
	victim.rejected = &rejection{reason: "Evicted", message: message, disrupted: true}
	victim.end(time.Second)
}

func priority(o *corev1.Pod) int32 {
	if o.Spec.Priority == nil {
		return 0
	}
	return *o.Spec.Priority
}

// runs says whether a container of the pod runs.
func (p *pod) runs() bool {
	for i := range p.list {
		if p.list[i].state == running && !p.ending {
			return true
		}
	}
	return false
}
