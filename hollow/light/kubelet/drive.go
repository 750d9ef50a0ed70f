package kubelet

import (
	"net/http"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"

	"windtunnel/hollow/light/api"
	"windtunnel/hollow/light/behaviour"
	"windtunnel/hollow/light/h2"
	"windtunnel/hollow/light/loop"
	"windtunnel/hollow/light/wire"
)

// leastStage is what a change that a behaviour decides takes at the least, for the reason of leastStart.
const leastStage = 100 * time.Millisecond

// driven is the state of a pod whose life is up to a behaviour. Admission, volumes, the address, the end and the writing of the status
// are the node's as ever. Instead of starting containers it asks the behaviour what follows, and says what that has made of the status.
type driven struct {
	// asked says that the behaviour is asked what follows. From then on the status of the pod's object is what the node says.
	asked bool
	here  behaviour.Node
	name  string // of the transition that is under way
	timer *loop.Timer
	busy  bool // patches are under way that are not of the status
	// changed says that the pod has changed meanwhile, and version is the least resourceVersion that shows what the patches did.
	changed bool
	version uint64
	// said are the conditions that the behaviour has set and no kubelet writes: from then on they are the node's, too.
	said     []corev1.PodConditionType
	grace    time.Duration // to end within
	released bool          // its end has begun, so that it may be deleted
}

// ask has the behaviour asked from now on.
func (p *pod) ask() {
	if d := p.driven; d != nil {
		d.asked = true
		if p.address.IsValid() {
			d.here.PodIP = p.address.String()
		}
	}
}

// drive asks the behaviour what follows. A pod that was rejected or evicted is not its business. One that is being deleted, and of which it
// knows no more, ends as it does without a behaviour.
func (p *pod) drive() {
	d := p.driven
	if d.busy {
		d.changed = true
		return
	}
	if p.gone || p.rejected != nil || !d.asked || version(p.object.ResourceVersion) < d.version {
		return
	}
	next, any := p.node.shard.behaviour.Next(p.object, d.here)
	if any && next.Name == d.name {
		return
	}
	p.node.loop.Stop(d.timer)
	d.name = ""
	if !any {
		if p.object.DeletionTimestamp != nil {
			p.end(d.grace)
		}
		return
	}
	d.name = next.Name
	d.timer = p.node.loop.After(max(next.After, leastStage), func() {
		d.name = ""
		if p.gone || p.rejected != nil {
			return
		}
		change, err := next.Do(p.object, d.here, p.node.now())
		if err != nil {
			p.node.shard.Note(err)
			return
		}
		p.apply(change)
	})
}

// version is a resourceVersion as a number, by which versions of one object are compared.
func version(text string) uint64 {
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// apply carries a change out: what others than the node have to write first, as a pod's finalizers have to be gone before it is deleted.
func (p *pod) apply(c behaviour.Change) {
	for _, e := range c.Events {
		p.node.events.aboutPod(p, "", e.Type, e.Reason, e.Message)
	}
	var statuses, others []behaviour.Patch
	for _, patch := range c.Patches {
		if patch.Subresource == "status" {
			statuses = append(statuses, patch)
		} else {
			others = append(others, patch)
		}
	}
	d := p.driven
	d.busy = true
	p.patch(others, 0, func() {
		d.busy = false
		if p.gone {
			return
		}
		changed := p.become(statuses) || d.changed
		d.changed = false
		if c.Delete {
			p.leave()
		}
		if changed { // a change that changes nothing is not made again
			p.drive()
		}
	})
}

// patch sends patches that are not of the status, one after another, each again while that may help. They go out in the shared identity,
// as the Node authorizer lets no kubelet write them.
func (p *pod) patch(patches []behaviour.Patch, try int, done func()) {
	if p.gone || len(patches) == 0 {
		done()
		return
	}
	path := p.path()
	if patches[0].Subresource != "" {
		path += "/" + patches[0].Subresource
	}
	n := p.node
	api.Send(n.loop, n.others, api.Call{Method: http.MethodPatch, Path: path, Accept: wire.Protobuf, ContentType: string(patches[0].Type), Body: patches[0].Body,
		Done: func(r h2.Response, err error) {
			if api.Temporary(r, err) {
				n.fail("patch pod", r, err)
				n.loop.After(api.Backoff(try, r), func() { p.patch(patches, try+1, done) })
				return
			}
			if !ok(r, err) {
				if r.Status != http.StatusNotFound && r.Status != http.StatusConflict { // it has gone, or another has its name
					n.fail("patch pod", r, err)
				}
			} else if meta, err := api.AnswerMeta(r.Body); err == nil {
				p.driven.version = version(string(meta.ResourceVersion))
			}
			p.patch(patches[1:], 0, done)
		}})
}

// leave is a pod's end for good. One that is being deleted is ended and deleted as a kubelet does it.
func (p *pod) leave() {
	if p.object.DeletionTimestamp != nil {
		p.end(p.driven.grace)
		return
	}
	p.node.ask(api.Call{Method: http.MethodDelete, Path: p.path(), ContentType: wire.Protobuf, Body: api.DeleteNow(string(p.object.UID)), Discard: true, Done: func(r h2.Response, err error) {
		if !ok(r, err) && r.Status != http.StatusNotFound && r.Status != http.StatusConflict {
			p.node.fail("delete pod", r, err)
		}
	}})
}
