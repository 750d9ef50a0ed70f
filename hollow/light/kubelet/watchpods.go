package kubelet

import (
	"time"

	corev1 "k8s.io/api/core/v1"

	"windtunnel/hollow/light/api"
	"windtunnel/hollow/light/wire"
)

// watchPods watches the pods that are bound to the node.
func (n *node) watchPods() {
	n.pods = make(map[string]*pod)
	w := &api.Watch{Client: n.client, Loop: n.loop, Path: "/api/v1/pods", Fields: "spec.nodeName=" + n.Name, Event: n.podEvent, Plain: true,
		Begin: func() {
			n.loop.Post(func() {
				for _, p := range n.pods {
					p.anew = false
				}
			})
		},
		Synced: func() {
			n.loop.Post(func() {
				for _, p := range n.pods {
					if !p.anew {
						p.vanish()
					}
				}
			})
		}}
	w.Start()
}

// podEvent reads an event about a pod of the node. Pods that come are decoded, once; of changes, most of which are the node's own
// writes, only metadata is read, unless the spec may have changed or the pod has readiness gates, whose conditions others write.
func (n *node) podEvent(e wire.Event) {
	meta, err := wire.ReadMeta(e.Object)
	if err != nil {
		return
	}
	n.usage.Seen(e)
	uid := string(meta.UID)
	if e.Type == wire.Deleted {
		n.loop.Post(func() {
			if p := n.pods[uid]; p != nil {
				p.vanish()
			}
		})
		return
	}
	var object *corev1.Pod
	if e.Type == wire.Added || (meta.Generation > 1 || gated(e.Object)) && !meta.Deleting || n.shard.behaviour != nil {
		object = new(corev1.Pod)
		if err := object.Unmarshal(e.Object); err != nil {
			n.shard.Note(err)
			return
		}
		object.ManagedFields = nil
	}
	change := podChange{uid: uid, generation: meta.Generation, deleting: meta.Deleting, grace: time.Duration(meta.GraceSeconds) * time.Second, unready: api.SaidNotReady(e.Object), object: object}
	n.loop.Post(func() { n.podChanged(change) })
}

// gated says whether an encoded Pod has readiness gates: spec = 2 {readinessGates = 28}.
func gated(object []byte) bool { return wire.At(object, 2, 28) != nil }

// podChange is what an event says of a pod.
type podChange struct {
	uid        string
	generation int64
	deleting   bool
	grace      time.Duration
	unready    bool        // its status says that it is running and not ready
	object     *corev1.Pod // nil: not decoded
}

func (n *node) podChanged(c podChange) {
	p, news := n.pods[c.uid], true
	if p == nil {
		if c.object == nil {
			return
		}
		p = n.adopt(c.object)
	} else if c.object != nil {
		news = p.update(c.object)
	}
	p.anew = true
	p.generation = max(p.generation, c.generation)
	if p.unready = c.unready; p.unready {
		n.writer.reconcile()
	}
	if c.deleting && !p.deleting {
		p.deleting = true
		if p.driven == nil || p.rejected != nil {
			p.end(c.grace)
		} else {
			p.driven.grace = c.grace
			p.ask()
		}
	} else if c.deleting {
		p.hasten(c.grace)
	}
	if p.driven != nil && news {
		p.drive()
	}
}
