package kubelet

import (
	"fmt"
	"net/netip"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"windtunnel/hollow/host"
	"windtunnel/hollow/light/behaviour"
	"windtunnel/hollow/light/loop"
)

const (
	// What a container runtime takes at the least for a sandbox, for a container's start, and for the end of a pod's containers and sandbox:
	// processes and a network are made and undone. So long a real node's status manager has to send what was before; a runtime that took
	// no time would have it send two changes as one.
	leastSandbox = 100 * time.Millisecond
	leastStart   = 100 * time.Millisecond
	leastStop    = 100 * time.Millisecond
	// terminatedSync is how long after the containers' end the kubelet looks at a pod that is being deleted again, which makes the status
	// manager read it once more: the pod worker waits for a newer state of the runtime (SyncTerminatedPod in pkg/kubelet/kubelet.go), which
	// comes with the next relist, at the latest after a second.
	terminatedSync = 300 * time.Millisecond
	// cleanUp is how long a pod's volumes take to go after its containers have ended, and its jitter: the kubelet looks at both in rounds
	// of 100 and 300 ms (pkg/kubelet/volumemanager).
	cleanUp       = 200 * time.Millisecond
	cleanUpJitter = 1.0
	// exitTerminated is the code of a container that ended when it was told to because its probe failed: 128 and SIGTERM.
	exitTerminated = 143
	// exitKilled is the code of a container that did not end within its grace: 128 and SIGKILL.
	exitKilled = 137
	// noAddressAgain is when a pod is tried again whose node has no address left.
	noAddressAgain = time.Second
)

// pod is one pod of a node, from the first event about it until it is gone. It is of the node's loop.
//
// Its life: admit → volumes → sandbox → containers, the init containers one after another and then the others → probes; containers may
// exit and be started again; end → cleaned up → deleted.
type pod struct {
	node       *node
	object     *corev1.Pod // without managed fields; its status is that of the first event
	generation int64
	requests   requests
	anew       bool // seen since the watch began anew
	unready    bool // its status says that it is running and not ready

	rejected *rejection // by the kubelet's admission, or evicted
	start    metav1.Time
	sandbox  bool
	known    bool // the sandbox's address is known to the kubelet, which reads it after the sandbox has been reported
	lastIP   string
	address  netip.Addr
	inits    int // how many of containers are init containers
	list     []container
	deleting bool
	ending   bool // its containers are being ended
	terminal bool // none runs or will run again
	finished bool // nothing of it is left on the node
	gone     bool
	waiting  bool // for the network

	grace   time.Duration // that its containers have to end
	stops   time.Time     // when they do
	timer   *loop.Timer   // of the next step
	queued  bool          // for its status to be written
	objects []wanted
	tokens  []*token
	events  correlator

	driven *driven // nil: its containers are those of this package
}

// rejection is why a pod has failed without having been allowed to go on.
type rejection struct {
	reason, message string
	disrupted       bool // it was evicted
}

// adopt takes in a pod that was bound to the node.
func (n *node) adopt(object *corev1.Pod) *pod {
	p := &pod{node: n, object: object, generation: object.Generation, requests: requestsOf(object), inits: len(object.Spec.InitContainers)}
	n.pods[string(object.UID)] = p
	p.list = make([]container, p.inits+len(object.Spec.Containers))
	for i := range p.list {
		p.list[i].pod = p
	}
	p.point()
	if n.shard.behaviour != nil {
		p.driven = &driven{here: behaviour.Node{Name: n.Name, Address: n.shard.machine.Address}}
	}
	switch {
	case ended(object.Status.Phase):
		p.terminal, p.finished = true, true
		p.restore()
		p.ask()
	case object.DeletionTimestamp != nil:
		// end follows
	case object.Status.Phase == corev1.PodRunning: // the shard started again
		p.start = n.stamp()
		for i := p.inits; p.driven != nil && i < len(p.list); i++ {
			p.list[i].state = running
			n.usage.Start(string(object.UID), p.list[i].spec.Name, n.now())
		}
		p.begin()
	default:
		if r := n.admit(p); r != nil {
			p.reject(r)
			break
		}
		p.start = n.stamp()
		p.begin()
	}
	n.watchMemory(p)
	return p
}

// point makes the containers refer to the pod's spec.
func (p *pod) point() {
	for i := range p.list {
		if i < p.inits {
			p.list[i].spec = &p.object.Spec.InitContainers[i]
		} else {
			p.list[i].spec = &p.object.Spec.Containers[i-p.inits]
		}
	}
}

// restore lets containers be as the server has them, of a pod that had ended before the shard began.
func (p *pod) restore() {
	for i := range p.list {
		p.list[i].state = exited
	}
}

// update takes in a changed object: a container with another image is started again, also in a pod whose containers else are not. It tells whether there is something new for a behaviour.
func (p *pod) update(object *corev1.Pod) (news bool) {
	if len(object.Spec.Containers)+len(object.Spec.InitContainers) != len(p.list) {
		return false // cannot be
	}
	news = p.driven != nil && p.keep(object)
	old := make([]string, len(p.list))
	for i := range p.list {
		old[i] = p.list[i].spec.Image
	}
	was := p.readiness()
	p.object = object
	p.point()
	if p.readiness() != was {
		p.node.writer.changed(p)
	}
	if object.Generation != p.generation && !p.ending && !p.terminal {
		p.generation = object.Generation
		for i := p.inits; i < len(p.list); i++ {
			if c := &p.list[i]; p.driven == nil && c.state == running && c.spec.Image != old[i] {
				c.kill("Container " + c.spec.Name + " definition changed, will be restarted")
				c.stopped(0)
				c.again()
			}
		}
		p.node.writer.changed(p)
	}
	return news
}

func (p *pod) path() string {
	return "/api/v1/namespaces/" + p.object.Namespace + "/pods/" + p.object.Name
}

func (p *pod) isInit(name string) bool {
	for i := range p.inits {
		if p.object.Spec.InitContainers[i].Name == name {
			return true
		}
	}
	return false
}

// there says whether the pod goes on.
func (p *pod) there() bool { return !p.gone && !p.ending && !p.terminal }

// after has the pod's next step done after a while.
func (p *pod) after(d time.Duration, do func()) {
	if d <= 0 {
		do()
		return
	}
	p.timer = p.node.loop.After(d, func() {
		if p.there() {
			do()
		}
	})
}

// reject fails the pod as the kubelet's admission does.
func (p *pod) reject(r *rejection) {
	p.rejected, p.terminal, p.finished = r, true, true
	p.node.events.aboutPod(p, "", corev1.EventTypeWarning, r.reason, r.message)
	p.node.writer.changed(p)
}

// happened records a container's start or end.
func (p *pod) happened(what string) {
	p.node.shard.Record(host.Happening{At: time.Now(), Node: p.node.Name, Event: what, Namespace: p.object.Namespace, Name: p.object.Name,
		UID: string(p.object.UID), Object: p.object.Labels[host.ObjectLabel]})
}

func (p *pod) String() string { return fmt.Sprintf("%s/%s", p.object.Namespace, p.object.Name) }
