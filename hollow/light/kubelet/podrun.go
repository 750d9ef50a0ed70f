package kubelet

import (
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"

	"windtunnel/hollow/light/api"
)

// begin starts an admitted pod, once the node's network is there.
func (p *pod) begin() {
	if p.node.addresses == nil && !p.object.Spec.HostNetwork {
		p.waiting = true
		p.node.events.aboutPod(p, "", corev1.EventTypeWarning, "NetworkNotReady", "network is not ready: "+api.NotReadyMessage)
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
		p.node.events.aboutPod(p, "", corev1.EventTypeWarning, "FailedCreatePodSandBox", "Failed to create pod sandbox: "+err.Error())
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
