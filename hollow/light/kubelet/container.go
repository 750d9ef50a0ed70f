package kubelet

import (
	"math/rand/v2"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"

	"windtunnel/hollow/light/api"
	"windtunnel/hollow/light/loop"
)

// A container that exits is started again at once the first time, and then after a time that doubles; one that has run for twice the
// longest begins anew (pkg/kubelet/kubelet.go: MaxContainerBackOff; kuberuntime: doBackOff).
const (
	firstBackoff = 10 * time.Second
	mostBackoff  = 5 * time.Minute
	// failedSync is after which time the kubelet looks again at a pod with which something went wrong (backOffPeriod in
	// pkg/kubelet/kubelet.go), lengthened as resync is.
	failedSync = 10 * time.Second
)

// state is what a container is in.
type state int

const (
	waiting state = iota
	running
	exited
)

// container is one container of a pod.
type container struct {
	pod    *pod
	spec   *corev1.Container
	id     string
	state  state
	reason string // why it waits, if not for its pod
	lacks  string // what it could not be made for
	begun  instant
	over   instant
	code   int32
	last   *exit

	restarts int32
	backoff  time.Duration
	started  bool // its startup probe, if there is one, has succeeded
	ready    bool
	timer    *loop.Timer // of its exit, or of its next start
	probe    *loop.Timer // of its startup probe, then of its readiness probe
	liveness *loop.Timer

	whenInitialized func()
}

// exit is how a container ended before it was started again.
type exit struct {
	id          string
	begun, over instant
	code        int32
}

// sidecar says whether it is an init container that runs beside the others.
func (c *container) sidecar() bool {
	return c.spec.RestartPolicy != nil && *c.spec.RestartPolicy == corev1.ContainerRestartPolicyAlways
}

// initializing says whether the pod's other containers wait for its end.
func (c *container) initializing() bool {
	return c.pod.isInit(c.spec.Name) && !c.sidecar()
}

func (c *container) event(kind, reason, message string) {
	c.pod.node.events.aboutPod(c.pod, c.spec.Name, kind, reason, message)
}

// start starts the container, and calls then when it runs.
func (c *container) start(then func()) {
	p := c.pod
	c.pull()
	if c.lacks = c.missing(); c.lacks != "" {
		c.event(corev1.EventTypeWarning, "Failed", "Error: "+c.lacks)
		p.node.writer.changed(p)
		c.timer = p.node.loop.After(api.Jitter(failedSync, resyncJitter), func() {
			if p.there() {
				c.start(then)
			}
		})
		return
	}
	c.id = api.NewID()
	c.event(corev1.EventTypeNormal, "Created", "Container created")
	p.after(p.node.takes(p.node.shard.config.Start(), leastStart), func() {
		c.run()
		c.started, c.ready = c.spec.StartupProbe == nil, false
		c.event(corev1.EventTypeNormal, "Started", "Container started")
		c.probes()
		if d, code := runsFor(p.object); d > 0 && !c.initializing() && !c.sidecar() {
			c.timer = p.node.loop.After(d, func() { c.exit(code) })
		}
		then()
	})
}

// pull sees to the container's image, which is asked for each time where the pod says so. A real pull takes another time each time, which
// makes its event another one, and says it so, though here it takes none.
func (c *container) pull() {
	image := c.spec.Image
	if p := c.pod; p.node.hasImage(image) && c.spec.ImagePullPolicy != corev1.PullAlways {
		c.event(corev1.EventTypeNormal, "Pulled", "Container image \""+image+"\" already present on machine and can be accessed by the pod")
		return
	}
	c.event(corev1.EventTypeNormal, "Pulling", "Pulling image \""+image+"\"")
	took := strconv.Itoa(1+rand.IntN(999)) + "ms"
	c.event(corev1.EventTypeNormal, "Pulled", "Successfully pulled image \""+image+"\" in "+took+" ("+took+" including waiting). Image size: 10485760 bytes.")
}

// missing says what the container's environment is made of that the server does not have; empty for nothing.
func (c *container) missing() (what string) {
	environment(c.spec, func(kind, name string, optional *bool) {
		if what == "" && (optional == nil || !*optional) {
			what = c.pod.node.missing(object{kind, c.pod.object.Namespace, name})
		}
	})
	return what
}

// run begins a run of the container.
func (c *container) run() {
	c.state, c.reason, c.begun = running, "", c.pod.node.moment()
	c.pod.happened("started")
	c.pod.node.usage.Start(string(c.pod.object.UID), c.spec.Name, c.begun.said)
}

// exit is the container's end by itself, or by the kubelet's will while the pod goes on.
func (c *container) exit(code int32) {
	if c.state != running || c.pod.gone {
		return
	}
	c.stopped(code)
	c.pod.exited(c)
}

// stopped is its end.
func (c *container) stopped(code int32) {
	l := c.pod.node.loop
	l.Stop(c.timer)
	l.Stop(c.probe)
	l.Stop(c.liveness)
	c.state, c.over, c.code, c.ready, c.started = exited, c.pod.node.moment(), code, false, false
	c.pod.happened("stopped")
	c.pod.node.usage.Stop(string(c.pod.object.UID), c.spec.Name)
}

// kill posts that the kubelet ends it.
func (c *container) kill(why string) { c.event(corev1.EventTypeNormal, "Killing", why) }

// restartable says whether an exited container is to be started again.
func (c *container) restartable() bool {
	switch {
	case c.sidecar():
		return true
	case c.pod.object.Spec.RestartPolicy == corev1.RestartPolicyNever:
		return false
	case c.initializing() || c.pod.object.Spec.RestartPolicy == corev1.RestartPolicyOnFailure:
		return c.code != 0
	}
	return true
}

// again starts it again, after its back-off.
func (c *container) again() {
	p := c.pod
	if c.over.Sub(c.begun.Time) > 2*mostBackoff {
		c.backoff = 0
	}
	wait := c.backoff
	c.backoff = min(max(2*c.backoff, firstBackoff), mostBackoff)
	restart := func() {
		c.last = &exit{id: c.id, begun: c.begun, over: c.over, code: c.code}
		c.restarts++
		c.start(func() {
			p.node.writer.changed(p)
			if c.initializing() {
				_, code := runsFor(p.object)
				c.timer = p.node.loop.After(initRunsFor(p.object), func() { c.exit(initExit(p.object, code)) })
			}
		})
	}
	if wait == 0 {
		c.timer = p.node.loop.After(0, func() {
			if p.there() {
				restart()
			}
		})
		return
	}
	c.state, c.reason = waiting, "CrashLoopBackOff"
	p.node.writer.changed(p)
	c.backOff(time.Now().Add(wait), restart)
}

// backOff has the container started again at that time. Whenever the kubelet looks at the pod until then it says so in an event (doBackOff in
// pkg/kubelet/kuberuntime).
func (c *container) backOff(until time.Time, restart func()) {
	p := c.pod
	c.event(corev1.EventTypeWarning, "BackOff",
		"Back-off restarting failed container "+c.spec.Name+" in pod "+p.object.Name+"_"+p.object.Namespace+"("+string(p.object.UID)+")")
	left := time.Until(until)
	look, next := api.Jitter(min(left, resync), resyncJitter), func() { c.backOff(until, restart) }
	if look >= left {
		look, next = left, restart
	}
	c.timer = p.node.loop.After(look, func() {
		if p.there() {
			next()
		}
	})
}
