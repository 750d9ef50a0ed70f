package kubelet

import (
	"fmt"
	"net/netip"
	"strconv"
	"time"

	"golang.org/x/time/rate"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"windtunnel/hollow/host"
	"windtunnel/hollow/light/api"
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

	timer    *loop.Timer // of the next step
	queued   bool        // for its status to be written
	objects  []object
	renewals []*loop.Timer // of tokens
	spam     *rate.Limiter // of events about it

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

// update takes in a changed object: a container with another image is started again. It tells whether there is something new for a behaviour.
func (p *pod) update(object *corev1.Pod) (news bool) {
	if len(object.Spec.Containers)+len(object.Spec.InitContainers) != len(p.list) {
		return false // cannot be
	}
	news = p.driven != nil && p.keep(object)
	old := make([]string, len(p.list))
	for i := range p.list {
		old[i] = p.list[i].spec.Image
	}
	p.object = object
	p.point()
	if object.Generation != p.generation && !p.ending && !p.terminal {
		p.generation = object.Generation
		for i := p.inits; i < len(p.list); i++ {
			if c := &p.list[i]; p.driven == nil && c.state == running && c.spec.Image != old[i] {
				c.kill("Container " + c.spec.Name + " definition changed, will be restarted")
				c.exit(0)
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
	p.node.events.aboutPod(p, "", corev1.EventTypeWarning, r.reason, r.message, false)
	p.node.writer.changed(p)
}

// begin starts an admitted pod, once the node's network is there.
func (p *pod) begin() {
	if p.node.addresses == nil && !p.object.Spec.HostNetwork {
		p.waiting = true
		p.node.events.aboutPod(p, "", corev1.EventTypeWarning, "NetworkNotReady", "network is not ready: "+api.NotReadyMessage, true)
		return
	}
	if p.driven == nil { // else the first status is the behaviour's
		p.node.writer.changed(p)
	}
	p.volumes(p.makeSandbox)
}

// networkReady lets a pod go on that waits for the network.
func (p *pod) networkReady() {
	if p.waiting && p.there() {
		p.waiting = false
		p.begin()
	}
}

func (p *pod) makeSandbox() {
	if !p.takeAddress() {
		p.after(noAddressAgain, p.makeSandbox)
		return
	}
	if p.driven != nil {
		p.ask()
		p.drive()
		return
	}
	p.after(p.node.takes(p.node.shard.config.Sandbox(), leastSandbox), func() {
		p.sandbox = true
		p.node.writer.changed(p)
		// The sandbox's readiness is on its way before a container runs (OnPodSandboxReady).
		p.node.loop.Post(func() {
			if p.there() {
				p.startNext(0)
			}
		})
	})
}

// takeAddress gives the pod its address; false when there is none.
func (p *pod) takeAddress() bool {
	if p.object.Spec.HostNetwork || p.address.IsValid() {
		return true
	}
	address, err := p.node.addresses.Take()
	if err != nil {
		p.node.events.aboutPod(p, "", corev1.EventTypeWarning, "FailedCreatePodSandBox", "Failed to create pod sandbox: "+err.Error(), true)
		return false
	}
	p.address = address
	return true
}

// startNext starts the containers from the ith on, one after another: an init container that is no sidecar has to end before the next.
func (p *pod) startNext(i int) {
	if i == len(p.list) {
		p.node.writer.changed(p)
		return
	}
	c := &p.list[i]
	c.start(func() {
		p.known = true
		if i >= p.inits || c.sidecar() {
			p.startNext(i + 1)
			return
		}
		c.whenInitialized = func() { p.startNext(i + 1) }
		p.node.writer.changed(p)
		_, code := runsFor(p.object)
		p.after(initRunsFor(p.object), func() { c.exit(initExit(p.object, code)) })
	})
}

// exited decides what follows a container's exit.
func (p *pod) exited(c *container) {
	if !p.there() {
		return
	}
	p.node.writer.changed(p)
	if c.initializing() && c.code == 0 {
		next := c.whenInitialized
		c.whenInitialized = nil
		if next != nil {
			next()
		}
		return
	}
	if c.restartable() {
		c.again()
		return
	}
	for i := range p.list {
		if other := &p.list[i]; other.state == running && !other.sidecar() || other.state == waiting && i >= p.inits && !c.initializing() {
			return
		}
	}
	p.complete()
}

// complete is the end of a pod whose containers have all ended by themselves. Sidecars are ended now.
func (p *pod) complete() {
	p.stopTimers()
	p.terminal = true
	for i := range p.list {
		if c := &p.list[i]; c.state == running {
			c.kill("Stopping container " + c.spec.Name)
			c.stopped(0)
		}
	}
	p.leaveSandbox()
	p.node.writer.changed(p)
	p.clean()
}

// end ends a pod that is being deleted, within its grace.
func (p *pod) end(grace time.Duration) {
	if p.gone || p.ending && !p.terminal {
		return
	}
	if p.driven != nil {
		p.driven.released = true
	}
	if p.terminal {
		p.node.writer.changed(p) // to delete it
		return
	}
	runs := p.runs()
	p.ending = true
	p.stopTimers()
	if p.driven == nil { // else it is written already
		p.node.writer.changed(p) // the generation that was observed
	}
	stop, code := p.node.takes(p.node.shard.config.Stop(), 0), int32(0)
	if stop > grace {
		stop, code = grace, exitKilled
	}
	if runs {
		// The status is on its way before a container is told to end (SyncTerminatingPod).
		p.node.loop.Post(func() { p.killAll() })
		stop = max(stop, leastStop)
	} else {
		stop = 0
	}
	over := func() {
		if p.gone {
			return
		}
		for i := range p.list {
			if c := &p.list[i]; c.state == running {
				c.stopped(code)
			}
		}
		if p.driven != nil {
			p.conclude(code)
		}
		p.terminal = true
		p.leaveSandbox()
		p.node.writer.changed(p)
		p.timer = p.node.loop.After(terminatedSync, func() {
			if p.gone {
				return
			}
			if p.deleting { // then every look at it counts as a change (SetPodStatus in pkg/kubelet/status/status_manager.go)
				p.node.writer.changed(p)
			}
			p.clean()
		})
	}
	if stop <= 0 {
		over()
		return
	}
	p.timer = p.node.loop.After(stop, over)
}

// killAll posts that the containers that run are told to end.
func (p *pod) killAll() {
	for i := range p.list {
		if c := &p.list[i]; c.state == running && !p.gone {
			c.kill("Stopping container " + c.spec.Name)
		}
	}
}

// clean lets go of the pod's volumes after a while; what never ran has ended then as well. The status manager reads the pod once more
// (TerminatePod), and deletes one that is to be deleted.
func (p *pod) clean() {
	for _, o := range p.objects {
		p.node.release(o)
	}
	p.objects = nil
	p.timer = p.node.loop.After(api.Jitter(cleanUp, cleanUpJitter), func() {
		p.finished = true
		if !p.gone {
			p.node.writer.changed(p)
		}
	})
}

// leaveSandbox gives the address back.
func (p *pod) leaveSandbox() {
	p.sandbox = false
	if p.address.IsValid() {
		p.node.addresses.Release(p.address)
		p.address = netip.Addr{}
	}
}

// vanish forgets a pod that the server has no more; containers that still run are killed.
func (p *pod) vanish() {
	p.stopTimers()
	if p.driven != nil {
		p.node.loop.Stop(p.driven.timer)
	}
	if !p.ending {
		p.killAll()
	}
	p.gone = true
	for i := range p.list {
		if c := &p.list[i]; c.state == running {
			c.stopped(exitKilled)
		}
	}
	p.leaveSandbox()
	for _, o := range p.objects {
		p.node.release(o)
	}
	p.objects = nil
	p.node.events.forget(p)
	delete(p.node.pods, string(p.object.UID))
}

func (p *pod) stopTimers() {
	l := p.node.loop
	l.Stop(p.timer)
	for _, t := range p.renewals {
		l.Stop(t)
	}
	for i := range p.list {
		l.Stop(p.list[i].timer)
		l.Stop(p.list[i].probe)
		l.Stop(p.list[i].liveness)
	}
}

// happened records a container's start or end.
func (p *pod) happened(what string) {
	p.node.shard.Record(host.Happening{At: time.Now(), Node: p.node.Name, Event: what, Namespace: p.object.Namespace, Name: p.object.Name,
		UID: string(p.object.UID), Object: p.object.Labels[host.ObjectLabel]})
}

// runsFor is how long the containers of a pod run, and the code that they exit with; 0 for ever.
func runsFor(o *corev1.Pod) (time.Duration, int32) {
	code, _ := strconv.ParseInt(o.Annotations[api.ExitCodeAnnotation], 10, 32) // what is no number is 0
	if d, err := time.ParseDuration(o.Annotations[api.RunForAnnotation]); err == nil && d > 0 {
		return d, int32(code)
	}
	if o.Spec.RestartPolicy != corev1.RestartPolicyAlways && len(o.OwnerReferences) > 0 && o.OwnerReferences[0].Kind == "Job" {
		return api.JobRunsFor, int32(code)
	}
	return 0, int32(code)
}

// initRunsFor is how long an init container runs, and initExit how it ends.
func initRunsFor(o *corev1.Pod) time.Duration {
	d, err := time.ParseDuration(o.Annotations[api.InitForAnnotation])
	if err != nil {
		return 0
	}
	return d
}

func initExit(o *corev1.Pod, code int32) int32 {
	if o.Annotations[api.InitExitCodeAnnotation] == "" {
		return 0
	}
	if n, err := strconv.ParseInt(o.Annotations[api.InitExitCodeAnnotation], 10, 32); err == nil {
		return int32(n)
	}
	return code
}

func (p *pod) String() string { return fmt.Sprintf("%s/%s", p.object.Namespace, p.object.Name) }
