package kubelet

import (
	"net/http"

	corev1 "k8s.io/api/core/v1"

	"windtunnel/hollow/light/api"
	"windtunnel/hollow/light/behaviour"
	"windtunnel/hollow/light/h2"
	"windtunnel/hollow/light/wire"
)

// driven is the state of a pod whose life is up to a behaviour.
type driven struct {
	status *corev1.PodStatus // as it is to be written; nil: never yet
	name   string            // of the transition that is under way
}

// drive asks the behaviour what follows. A pod that is not yet admitted, or rejected, or being cleaned up is not its business.
func (p *pod) drive() {
	if p.gone || p.rejected != nil || p.waiting || p.start.IsZero() {
		return
	}
	info := behaviour.Node{Name: p.node.Name, Address: p.node.shard.machine.Address}
	if p.address.IsValid() {
		info.PodIP = p.address.String()
	}
	next, any := p.node.shard.behaviour.Next(p.object, info)
	if any && next.Name == p.driven.name {
		return
	}
	p.node.loop.Stop(p.timer)
	p.driven.name = ""
	if !any {
		return
	}
	p.driven.name = next.Name
	p.timer = p.node.loop.After(next.After, func() {
		p.driven.name = ""
		if p.gone {
			return
		}
		change, err := next.Do(p.object, info, p.node.now())
		if err != nil {
			p.node.shard.Note(err)
			return
		}
		p.apply(change)
	})
}

// apply carries a change out.
func (p *pod) apply(c behaviour.Change) {
	for _, e := range c.Events {
		p.node.events.aboutPod(p, "", e.Type, e.Reason, e.Message, false)
	}
	if len(c.Patches) > 0 {
		first, rest := c.Patches[0], c
		rest.Patches, rest.Events = c.Patches[1:], nil
		path := p.path()
		if first.Subresource != "" {
			path += "/" + first.Subresource
		}
		p.node.ask(api.Call{Method: http.MethodPatch, Path: path, ContentType: string(first.Type), Body: first.Body, Discard: true, Done: func(r h2.Response, err error) {
			if !ok(r, err) {
				p.node.fail("patch pod", r, err)
			}
			p.apply(rest)
		}})
		return
	}
	if c.Status != nil {
		p.driven.status = c.Status
		p.object.Status = *c.Status
		p.node.writer.changed(p)
	}
	if c.Delete {
		p.node.ask(api.Call{Method: http.MethodDelete, Path: p.path(), ContentType: wire.Protobuf, Body: api.DeleteNow(string(p.object.UID)), Discard: true, Done: func(r h2.Response, err error) {
			if !ok(r, err) && r.Status != http.StatusNotFound {
				p.node.fail("delete pod", r, err)
			}
		}})
	}
}
