package minimal

import (
	"net/http"
	"net/netip"
	"time"

	corev1 "k8s.io/api/core/v1"

	"windtunnel/hollow/host"
	"windtunnel/hollow/light/api"
	"windtunnel/hollow/light/h2"
	"windtunnel/hollow/light/loop"
	"windtunnel/hollow/light/wire"
)

// pod is one pod of a node of the shard. It is of the loop.
type pod struct {
	*sighting
	node    *node
	address netip.Addr
	started bool // its containers run, or have run
	ending  bool
	ended   bool // its containers have ended
	timer   *loop.Timer
	anew    bool // seen since the watch began anew
}

// podEvent hands on what concerns a pod of one of the shard's nodes.
func (s *shard) podEvent(e wire.Event) {
	if e.Type == wire.Deleted { // also of those whose node has left the shard
		uid := string(wire.At(e.Object, 1, 5))
		s.loop.Post(func() {
			s.podGone(uid)
			s.undrive(uid)
		})
		return
	}
	n := s.named(wire.At(e.Object, 2, 10)) // spec.nodeName
	if n == nil {
		return
	}
	n.usage.Seen(e)
	if s.behaviour != nil {
		object := new(corev1.Pod)
		if err := object.Unmarshal(e.Object); err != nil {
			s.Note(err)
			return
		}
		s.loop.Post(func() { s.drive(n, object) })
		return
	}
	seen := see(e.Object)
	s.loop.Post(func() { s.podSeen(n, seen) })
}

// podsAnew marks all pods before what is there comes again, and podsSynced lets go of those that were not among it.
func (s *shard) podsAnew() {
	s.loop.Post(func() {
		for _, p := range s.pods {
			p.anew = false
		}
		for _, d := range s.driven {
			d.anew = false
		}
	})
}

func (s *shard) podsSynced() {
	for uid, p := range s.pods {
		if !p.anew {
			s.podGone(uid)
		}
	}
	for uid, d := range s.driven {
		if !d.anew {
			s.undrive(uid)
		}
	}
}

func (s *shard) podSeen(n *node, seen *sighting) {
	p := s.pods[seen.uid]
	if p != nil && p.node != n { // the one before this one of the same name has left
		s.podGone(seen.uid)
		p = nil
	}
	finished := seen.phase == "Succeeded" || seen.phase == "Failed"
	if p == nil {
		p = &pod{sighting: seen, node: n, started: seen.phase == "Running" || finished, ended: finished}
		s.pods[seen.uid] = p
		if p.started && !p.ended {
			n.usage.Start(p.uid, "", time.Now())
			p.runOut() // the process has started again
		}
		if !p.started && !p.deleting {
			n.whenUp(func() { n.whenNetworked(p.begin) })
		}
	}
	p.anew = true
	if seen.unready && p.started {
		n.whenUp(func() { p.readyAgain(0) })
	}
	if seen.deleting && !p.ending {
		p.ending = true
		s.loop.Stop(p.timer)
		stop := min(s.config.Stop().Draw(s.random), seen.grace)
		if !p.started || p.ended {
			stop = 0
		}
		p.timer = s.loop.After(stop, func() { n.whenUp(func() { p.remove(0) }) })
	}
}

// podGone forgets a pod that is no longer there.
func (s *shard) podGone(uid string) {
	p := s.pods[uid]
	if p == nil {
		return
	}
	delete(s.pods, uid)
	s.loop.Stop(p.timer)
	p.stop()
	p.node.usage.Gone(uid)
	if p.address.IsValid() {
		p.node.addresses.Release(p.address)
	}
}

// there says whether the pod has neither gone nor begun to end.
func (p *pod) there() bool { return p.node.shard.pods[p.uid] == p && !p.ending }

// begin gives the pod its address and starts it after the latencies of the container runtime.
func (p *pod) begin() {
	if !p.there() {
		return
	}
	if !p.hostNetwork {
		address, err := p.node.addresses.Take()
		if err != nil { // until one is given back
			p.timer = p.node.shard.loop.After(time.Second, p.begin)
			return
		}
		p.address = address
	}
	s := p.node.shard
	latency := s.config.Sandbox().Draw(s.random)
	for range len(p.inits) + 1 {
		latency += s.config.Start().Draw(s.random)
	}
	if latency == 0 {
		p.run(0)
		return
	}
	p.timer = p.node.shard.loop.After(latency, func() { p.node.whenUp(func() { p.run(0) }) })
}

// run says that the pod's containers run.
func (p *pod) run(try int) {
	if !p.there() {
		return
	}
	now := time.Now()
	if !p.started {
		p.started = true
		p.happened("started", now)
		p.node.usage.Start(p.uid, "", now)
	}
	p.patch(p.running(now), try, p.run, func() {
		p.began = time.Now()
		p.runOut()
	})
}

// runOut lets the containers end by themselves when they have run as long as they are to.
func (p *pod) runOut() {
	if p.runFor == 0 {
		p.inits, p.containers = nil, nil
		return
	}
	left := p.runFor - time.Since(p.began)
	p.timer = p.node.shard.loop.After(left, func() { p.node.whenUp(func() { p.complete(0) }) })
}

// readyAgain says that the pod is ready, after another, such as the controller manager when the node had not been heard of, said that it was not.
func (p *pod) readyAgain(try int) {
	if !p.there() || p.ended {
		return
	}
	b := api.AppendText([]byte(`{"metadata":{"uid":`), p.uid)
	b = api.AppendTime(append(b, `},"status":{"conditions":[{"type":"Ready","status":"True","lastTransitionTime":`...), time.Now())
	p.patch(append(b, `}]}}`...), try, p.readyAgain, func() {})
}

// complete says that the pod's containers have ended by themselves.
func (p *pod) complete(try int) {
	if !p.there() {
		return
	}
	now := time.Now()
	p.stop()
	p.patch(p.completed(now), try, p.complete, func() { p.inits, p.containers = nil, nil })
}

// happened records the containers' start or end.
func (p *pod) happened(what string, at time.Time) {
	for range p.count {
		p.node.shard.Record(host.Happening{At: at, Node: p.node.Name, Event: what, Namespace: p.namespace, Name: p.name, UID: p.uid, Object: p.object})
	}
}

// stop records the containers' end, once.
func (p *pod) stop() {
	if p.started && !p.ended {
		p.ended = true
		p.happened("stopped", time.Now())
		p.node.usage.Stop(p.uid, "")
	}
}

func (p *pod) path() string { return "/api/v1/namespaces/" + p.namespace + "/pods/" + p.name }

// patch sends a status, and again when that may help.
func (p *pod) patch(body []byte, try int, again func(int), done func()) {
	p.node.shard.podsQueue.Send(api.Call{Method: http.MethodPatch, Path: p.path() + "/status", Accept: wire.Protobuf,
		ContentType: wire.StrategicMergePatch, Body: body, Discard: true, Done: func(r h2.Response, err error) {
			switch {
			case accepted(r, err):
				done()
			case api.Temporary(r, err):
				p.node.failed("report status of pod "+p.name, r, err)
				p.timer = p.node.shard.loop.After(api.Backoff(try, r), func() { p.node.whenUp(func() { again(try + 1) }) })
			case r.Status != http.StatusNotFound && r.Status != http.StatusConflict: // it has gone, or another has its name
				p.node.failed("report status of pod "+p.name, r, err)
			}
		}})
}

// remove ends the containers and deletes the pod at last.
func (p *pod) remove(try int) {
	s := p.node.shard
	if s.pods[p.uid] != p {
		return
	}
	p.stop()
	s.podsQueue.Send(api.Call{Method: http.MethodDelete, Path: p.path(), Accept: wire.Protobuf, ContentType: wire.Protobuf, Body: api.DeleteNow(p.uid), Discard: true,
		Done: func(r h2.Response, err error) {
			switch {
			case api.Temporary(r, err):
				p.node.failed("delete pod "+p.name, r, err)
				p.timer = s.loop.After(api.Backoff(try, r), func() { p.node.whenUp(func() { p.remove(try + 1) }) })
			case !accepted(r, err) && r.Status != http.StatusNotFound && r.Status != http.StatusConflict:
				p.node.failed("delete pod "+p.name, r, err)
			}
		}})
}
