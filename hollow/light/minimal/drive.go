package minimal

import (
	"encoding/json"
	"net/http"
	"net/netip"
	"time"

	corev1 "k8s.io/api/core/v1"

	"windtunnel/hollow/host"
	"windtunnel/hollow/light/api"
	"windtunnel/hollow/light/behaviour"
	"windtunnel/hollow/light/h2"
	"windtunnel/hollow/light/loop"
	"windtunnel/hollow/light/wire"
)

// driven is a pod whose life is up to a behaviour. It is of the loop.
type driven struct {
	node    *node
	object  *corev1.Pod
	address netip.Addr
	name    string // of the transition that is under way
	timer   *loop.Timer
	busy    bool // a change is being sent; what it makes the watch tell is looked at when all of it is there
	changed bool // the pod has changed meanwhile
	started bool // its containers run, or have run
	ended   bool // its containers have ended
	anew    bool
	gone    bool
}

// drive takes in a pod as it is now and asks what follows.
func (s *shard) drive(n *node, object *corev1.Pod) {
	d := s.driven[string(object.UID)]
	if d != nil && d.node != n { // the one before this one of the same name has left
		s.undrive(string(object.UID))
		d = nil
	}
	if d == nil {
		phase := object.Status.Phase
		ended := phase == corev1.PodSucceeded || phase == corev1.PodFailed
		d = &driven{node: n, started: ended || phase == corev1.PodRunning, ended: ended}
		s.driven[string(object.UID)] = d
		if d.started && !d.ended {
			n.usage.Start(string(object.UID), "", time.Now())
		}
	}
	d.object, d.anew = object, true
	n.whenUp(func() { n.whenNetworked(d.next) })
}

// next asks the behaviour what follows.
func (d *driven) next() {
	if d.gone {
		return
	}
	if d.busy {
		d.changed = true
		return
	}
	if !d.object.Spec.HostNetwork && !d.address.IsValid() {
		address, err := d.node.addresses.Take()
		if err != nil {
			d.node.shard.loop.After(time.Second, d.next)
			return
		}
		d.address = address
	}
	s := d.node.shard
	info := behaviour.Node{Name: d.node.Name, Address: s.machine.Address}
	if d.address.IsValid() {
		info.PodIP = d.address.String()
	}
	next, any := s.behaviour.Next(d.object, info)
	if any && next.Name == d.name {
		return
	}
	s.loop.Stop(d.timer)
	d.name = ""
	if !any {
		return
	}
	d.name = next.Name
	d.timer = s.loop.After(next.After, func() {
		d.node.whenUp(func() {
			d.name = ""
			if d.gone {
				return
			}
			change, err := next.Do(d.object, info, time.Now())
			if err != nil {
				s.Note(err)
				return
			}
			d.busy = true
			d.apply(change, 0)
		})
	})
}

func (d *driven) path() string {
	return "/api/v1/namespaces/" + d.object.Namespace + "/pods/" + d.object.Name
}

// apply carries a change out, one request after another, each again while that may help.
func (d *driven) apply(c behaviour.Change, try int) {
	if d.gone {
		return
	}
	call, rest, err := d.first(c)
	if err != nil {
		d.node.shard.Note(err)
	}
	if call.Method == "" || err != nil {
		d.applied()
		return
	}
	call.Accept, call.Discard = wire.Protobuf, true
	call.Done = func(r h2.Response, err error) {
		if !accepted(r, err) && r.Status != http.StatusNotFound && r.Status != http.StatusConflict { // it has gone, or another has its name
			d.node.failed("change pod "+d.object.Name, r, err)
		}
		if api.Temporary(r, err) {
			d.node.shard.loop.After(api.Backoff(try, r), func() { d.node.whenUp(func() { d.apply(c, try+1) }) })
			return
		}
		d.apply(rest, 0)
	}
	d.node.shard.podsQueue.Send(call)
}

// applied looks at what the pod has become.
func (d *driven) applied() {
	d.busy = false
	if d.changed {
		d.changed = false
		d.next()
	}
}

// first is the first request of a change, and what is left of it; without a method there is none.
func (d *driven) first(c behaviour.Change) (call api.Call, rest behaviour.Change, err error) {
	rest = c
	switch {
	case len(c.Patches) > 0:
		one := c.Patches[0]
		rest.Patches = c.Patches[1:]
		path := d.path()
		if one.Subresource != "" {
			path += "/" + one.Subresource
		}
		call = d.patch(path, string(one.Type), one.Body)
	case len(c.Events) > 0:
		one := c.Events[0]
		rest.Events = c.Events[1:]
		var body []byte
		body, err = api.PodEvent(d.object, d.node.Name, one.Type, one.Reason, one.Message, time.Now())
		call = api.Call{Method: http.MethodPost, Path: "/api/v1/namespaces/" + d.object.Namespace + "/events", ContentType: wire.Protobuf, Body: body}
	case c.Delete:
		rest.Delete = false
		d.stopped()
		call = api.Call{Method: http.MethodDelete, Path: d.path(), ContentType: wire.Protobuf, Body: api.DeleteNow(string(d.object.UID))}
	}
	return call, rest, err
}

// patch is a PATCH of the pod. That its containers run, or have ended, is recorded as the patch says so.
func (d *driven) patch(path, contentType string, body []byte) api.Call {
	var says struct {
		Status struct {
			Phase corev1.PodPhase `json:"phase"`
		} `json:"status"`
	}
	if json.Unmarshal(body, &says) == nil { // a list of operations says nothing of the kind
		switch says.Status.Phase {
		case corev1.PodRunning:
			if !d.started {
				d.started = true
				d.happened("started")
				d.node.usage.Start(string(d.object.UID), "", time.Now())
			}
		case corev1.PodSucceeded, corev1.PodFailed:
			d.stopped()
		}
	}
	return api.Call{Method: http.MethodPatch, Path: path, ContentType: contentType, Body: body}
}

// stopped records the containers' end, once.
func (d *driven) stopped() {
	if d.started && !d.ended {
		d.ended = true
		d.happened("stopped")
		d.node.usage.Stop(string(d.object.UID), "")
	}
}

func (d *driven) happened(what string) {
	for range d.object.Spec.Containers {
		d.node.shard.Record(host.Happening{At: time.Now(), Node: d.node.Name, Event: what, Namespace: d.object.Namespace, Name: d.object.Name,
			UID: string(d.object.UID), Object: d.object.Labels[host.ObjectLabel]})
	}
}

// undrive forgets a pod that is no longer there.
func (s *shard) undrive(uid string) {
	d := s.driven[uid]
	if d == nil {
		return
	}
	delete(s.driven, uid)
	d.gone = true
	d.stopped()
	d.node.usage.Gone(uid)
	s.loop.Stop(d.timer)
	if d.address.IsValid() {
		d.node.addresses.Release(d.address)
	}
}
