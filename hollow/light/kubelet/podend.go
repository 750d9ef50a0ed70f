package kubelet

import (
	"net/netip"
	"time"

	"windtunnel/hollow/light/api"
)

// leastGrace is the least time within which a pod ends (pkg/kubelet/pod_workers.go).
const leastGrace = time.Second

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
	p.ending, p.grace = true, grace
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
	if stop <= 0 {
		p.over(code)
		return
	}
	p.stopIn(stop, code)
}

// stopIn has the pod's containers end after a while.
func (p *pod) stopIn(d time.Duration, code int32) {
	p.stops = time.Now().Add(d)
	p.timer = p.node.loop.After(d, func() { p.over(code) })
}

// hasten ends a pod that is being ended within a shorter grace, which counts from now: its containers are told once more
// (calculateEffectiveGracePeriod in pkg/kubelet/pod_workers.go).
func (p *pod) hasten(grace time.Duration) {
	grace = max(grace, leastGrace)
	if !p.ending || p.terminal || p.gone || grace >= p.grace {
		return
	}
	p.grace = grace
	p.node.writer.changed(p)
	p.killAll()
	if time.Until(p.stops) > grace {
		p.node.loop.Stop(p.timer)
		p.stopIn(grace, exitKilled)
	}
}

// over is the end of the pod's containers.
func (p *pod) over(code int32) {
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
		p.node.release(o.object)
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
		p.node.release(o.object)
	}
	p.objects = nil
	delete(p.node.pods, string(p.object.UID))
	p.node.usage.Gone(string(p.object.UID))
}

func (p *pod) stopTimers() {
	l := p.node.loop
	l.Stop(p.timer)
	for _, t := range p.tokens {
		l.Stop(t.timer)
	}
	for i := range p.list {
		l.Stop(p.list[i].timer)
		l.Stop(p.list[i].probe)
		l.Stop(p.list[i].liveness)
	}
}
