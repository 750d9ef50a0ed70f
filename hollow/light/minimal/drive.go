package minimal

import (
	"encoding/json"
	"net/http"
	"net/netip"
	"time"

	corev1 "k8s.io/api/core/v1"

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
	anew    bool
	gone    bool
}

// drive takes in a pod as it is now and asks what follows.
func (s *shard) drive(n *node, object *corev1.Pod) {
	d := s.driven[string(object.UID)]
	if d == nil {
		d = &driven{node: n}
		s.driven[string(object.UID)] = d
	}
	d.object, d.anew = object, true
	n.whenUp(func() { n.whenNetworked(d.next) })
}

// next asks the behaviour what follows.
func (d *driven) next() {
	if d.gone {
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
			d.apply(change)
		})
	})
}

func (d *driven) path() string {
	return "/api/v1/namespaces/" + d.object.Namespace + "/pods/" + d.object.Name
}

// apply carries a change out, one request after another.
func (d *driven) apply(c behaviour.Change) {
	send := func(call api.Call, rest behaviour.Change) {
		call.Accept, call.Discard = wire.Protobuf, true
		call.Done = func(r h2.Response, err error) {
			if !accepted(r, err) && r.Status != http.StatusNotFound {
				d.node.failed("change pod "+d.object.Name, r, err)
			}
			d.apply(rest)
		}
		d.node.shard.podsQueue.Send(call)
	}
	rest := c
	switch {
	case len(c.Patches) > 0:
		first := c.Patches[0]
		rest.Patches = c.Patches[1:]
		path := d.path()
		if first.Subresource != "" {
			path += "/" + first.Subresource
		}
		send(api.Call{Method: http.MethodPatch, Path: path, ContentType: string(first.Type), Body: first.Body}, rest)
	case c.Status != nil:
		rest.Status = nil
		body, err := json.Marshal(map[string]any{"metadata": map[string]any{"uid": d.object.UID}, "status": c.Status})
		if err != nil {
			d.node.shard.Note(err)
			return
		}
		send(api.Call{Method: http.MethodPatch, Path: d.path() + "/status", ContentType: wire.StrategicMergePatch, Body: body}, rest)
	case len(c.Events) > 0:
		first := c.Events[0]
		rest.Events = c.Events[1:]
		body, err := api.PodEvent(d.object, d.node.Name, first.Type, first.Reason, first.Message, time.Now())
		if err != nil {
			d.node.shard.Note(err)
			return
		}
		send(api.Call{Method: http.MethodPost, Path: "/api/v1/namespaces/" + d.object.Namespace + "/events", ContentType: wire.Protobuf, Body: body}, rest)
	case c.Delete:
		rest.Delete = false
		send(api.Call{Method: http.MethodDelete, Path: d.path(), ContentType: wire.Protobuf, Body: api.DeleteNow(string(d.object.UID))}, rest)
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
	s.loop.Stop(d.timer)
	if d.address.IsValid() {
		d.node.addresses.Release(d.address)
	}
}
