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

// container is one of a pod, as far as a status needs it.
type container struct{ name, image string }

// sighting is what a node looks at of a pod.
type sighting struct {
	namespace, name, uid, object string
	phase                        string
	deleting                     bool
	unready                      bool // its status says that it is running and not ready
	grace                        time.Duration
	hostNetwork                  bool
	runFor                       time.Duration // how long its containers run; 0 for ever
	began                        time.Time     // when they began, of one that runs
	exitCode                     int
	inits, containers            []container // until it runs, or while its end is to be reported
	count                        int         // of containers
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

// see reads what a node looks at of a Pod.
func see(object []byte) *sighting {
	meta, err := wire.ReadMeta(object)
	if err != nil {
		return &sighting{}
	}
	spec := wire.Field(object, 2)
	p := &sighting{
		namespace: string(meta.Namespace), name: string(meta.Name), uid: string(meta.UID),
		deleting: meta.Deleting, grace: time.Duration(meta.GraceSeconds) * time.Second,
		unready: api.SaidNotReady(object), phase: string(wire.At(object, 3, 1)), object: string(wire.InMap(meta.Raw, 11, host.ObjectLabel)),
	}
	// A pod whose containers would be started again counts as one that runs for ever.
	if policy := string(wire.Field(spec, 3)); policy != "Always" {
		p.runFor, p.exitCode = api.RunsFor(meta.Raw, policy)
	}
	pending, runs := p.phase == "" || p.phase == "Pending", p.phase == "Running"
	if runs {
		p.began = seconds(wire.At(object, 3, 7)) // status.startTime
	}
	_ = wire.Each(spec, func(f wire.Number, b []byte, n uint64) bool {
		switch f {
		case 2:
			p.count++
			if pending || runs && p.runFor > 0 {
				p.containers = append(p.containers, container{string(wire.Field(b, 1)), string(wire.Field(b, 2))})
			}
		case 20:
			if pending {
				p.inits = append(p.inits, container{string(wire.Field(b, 1)), string(wire.Field(b, 2))})
			}
		case 11:
			p.hostNetwork = n != 0
		}
		return true
	})
	return p
}

// seconds reads a time, which has whole seconds; now where there is none.
func seconds(encoded []byte) time.Time {
	at := time.Now()
	_ = wire.Each(encoded, func(f wire.Number, _ []byte, n uint64) bool {
		if f == 1 {
			at = time.Unix(int64(n), 0)
		}
		return f != 1
	})
	return at
}

// running is the patch of a status that says that the pod runs.
func (p *pod) running(now time.Time) []byte {
	b := append(make([]byte, 0, 1024), `{"metadata":{"uid":`...)
	b = append(api.AppendText(b, p.uid), `},"status":{"conditions":[`...)
	for i, kind := range [...]string{"PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady"} {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(append(b, `{"type":"`...), kind...), `","status":"True","lastTransitionTime":`...)
		b = append(api.AppendTime(b, now), '}')
	}
	b = append(b, `],"containerStatuses":[`...)
	for i, c := range p.containers {
		b = appendContainer(b, i, c)
		b = append(b, `,"ready":true,"started":true,"state":{"running":{"startedAt":`...)
		b = append(api.AppendTime(b, now), `}}}`...)
	}
	if len(p.inits) > 0 {
		b = append(b, `],"initContainerStatuses":[`...)
		for i, c := range p.inits {
			b = appendContainer(b, i, c)
			b = appendTerminated(append(b, `,"ready":true,"started":false`...), now, now, 0)
		}
	}
	b = append(b, `],"hostIP":`...)
	b = api.AppendText(b, p.node.shard.machine.Address)
	b = append(api.AppendText(append(b, `,"hostIPs":[{"ip":`...), p.node.shard.machine.Address), `}]`...)
	ip := p.node.shard.machine.Address
	if p.address.IsValid() {
		ip = p.address.String()
	}
	b = append(api.AppendText(append(b, `,"podIP":`...), ip), `,"podIPs":[{"ip":`...)
	b = append(api.AppendText(b, ip), `}],"phase":"Running","startTime":`...)
	return append(api.AppendTime(b, now), `}}`...)
}

// completed is the patch of a status that says that all containers have ended by themselves.
func (p *pod) completed(now time.Time) []byte {
	phase, reason := "Succeeded", "PodCompleted"
	if p.exitCode != 0 {
		phase, reason = "Failed", "PodFailed"
	}
	b := append(make([]byte, 0, 1024), `{"metadata":{"uid":`...)
	b = append(api.AppendText(b, p.uid), `},"status":{"conditions":[`...)
	for i, kind := range [...]string{"Ready", "ContainersReady"} {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(append(b, `{"type":"`...), kind...), `","status":"False","reason":"`...)
		b = append(append(b, reason...), `","lastTransitionTime":`...)
		b = append(api.AppendTime(b, now), '}')
	}
	b = append(b, `],"containerStatuses":[`...)
	for i, c := range p.containers {
		b = appendContainer(b, i, c)
		b = appendTerminated(append(b, `,"ready":false,"started":false`...), p.began, now, p.exitCode)
	}
	return append(append(append(b, `],"phase":"`...), phase...), `"}}`...)
}

// appendContainer begins a container's status, which the caller ends.
func appendContainer(b []byte, i int, c container) []byte {
	if i > 0 {
		b = append(b, ',')
	}
	b = api.AppendText(append(b, `{"name":`...), c.name)
	b = api.AppendText(append(b, `,"image":`...), c.image)
	b = append(append(append(b, `,"imageID":"`...), api.ImageID(c.image)...), `","containerID":"windtunnel://`...)
	return append(append(b, api.NewID()...), `","restartCount":0`...)
}

func appendTerminated(b []byte, started, finished time.Time, code int) []byte {
	reason := "Completed"
	if code != 0 {
		reason = "Error"
	}
	b = api.AppendNumber(append(b, `,"state":{"terminated":{"exitCode":`...), int64(code))
	b = append(append(append(b, `,"reason":"`...), reason...), `","startedAt":`...)
	b = append(api.AppendTime(b, started), `,"finishedAt":`...)
	return append(api.AppendTime(b, finished), `}}}`...)
}
