package kubelet

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"windtunnel/hollow/light/api"
	"windtunnel/hollow/light/wire"
)

const (
	// objectWatch is the least time after which the server ends a watch of one ConfigMap or Secret
	// (pkg/kubelet/util/manager/watch_based_manager.go).
	objectWatch = 30 * time.Minute
	// volumeLoop is how often the volume manager looks for volumes to set up, and volumePoll how often a pod looks whether its own are
	// (reconcilerLoopSleepPeriod, podAttachAndMountRetryInterval in pkg/kubelet/volumemanager/volume_manager.go).
	volumeLoop = 100 * time.Millisecond
	volumePoll = 300 * time.Millisecond
	// firstVolumeWait is how long a volume that could not be set up is left alone, which doubles up to mostVolumeWait
	// (pkg/util/goroutinemap/exponentialbackoff).
	firstVolumeWait = 500 * time.Millisecond
	mostVolumeWait  = 2*time.Minute + 2*time.Second
)

// object names a ConfigMap or a Secret.
type object struct{ kind, namespace, name string }

// reference is an object that pods of the node refer to, with the watch of it, which begins with the first pod and ends with the last.
type reference struct {
	pods    int
	watch   *api.Watch
	synced  bool
	there   bool // the server has it
	waiting []func()
}

// wanted is an object that a pod refers to, and the volume that cannot be set up without it; empty for none.
type wanted struct {
	object
	volume string
}

// missing says of an object that the server does not have it; empty when it has.
func (n *node) missing(o object) string {
	if r := n.objects[o]; r != nil && r.there {
		return ""
	}
	return fmt.Sprintf("%s %q not found", strings.TrimSuffix(o.kind, "s"), o.name)
}

// refer counts a reference, and calls done when it is known whether there is the object.
func (n *node) refer(o object, done func()) {
	r := n.objects[o]
	if r == nil {
		r = &reference{watch: &api.Watch{Client: n.client, Loop: n.loop, MinTime: objectWatch, Path: "/api/v1/namespaces/" + o.namespace + "/" + o.kind, Fields: "metadata.name=" + o.name}}
		r.watch.Event = func(e wire.Event) {
			there := e.Type != wire.Deleted
			n.loop.Post(func() { r.there = there })
		}
		r.watch.Synced = func() {
			n.loop.Post(func() {
				r.synced = true
				waiting := r.waiting
				r.waiting = nil
				for _, do := range waiting {
					do()
				}
			})
		}
		if n.objects == nil {
			n.objects = make(map[object]*reference)
		}
		n.objects[o] = r
		r.watch.Start()
	}
	r.pods++
	if r.synced {
		done()
	} else {
		r.waiting = append(r.waiting, done)
	}
}

// release takes a reference back.
func (n *node) release(o object) {
	r := n.objects[o]
	if r == nil {
		return
	}
	if r.pods--; r.pods == 0 {
		r.watch.Stop()
		delete(n.objects, o)
	}
}

// references are the ConfigMaps and Secrets that a pod refers to: by volumes, environment and pull secrets, each once.
func references(p *corev1.Pod) []wanted {
	var all []wanted
	add := func(kind, name, volume string, optional *bool) {
		if name == "" {
			return
		}
		if optional != nil && *optional {
			volume = ""
		}
		o := object{kind, p.Namespace, name}
		i := slices.IndexFunc(all, func(w wanted) bool { return w.object == o })
		if i < 0 {
			all = append(all, wanted{o, volume})
		} else if all[i].volume == "" {
			all[i].volume = volume
		}
	}
	for _, s := range p.Spec.ImagePullSecrets {
		add("secrets", s.Name, "", nil)
	}
	for _, list := range [][]corev1.Container{p.Spec.InitContainers, p.Spec.Containers} {
		for i := range list {
			environment(&list[i], func(kind, name string, optional *bool) { add(kind, name, "", optional) })
		}
	}
	for i := range p.Spec.Volumes {
		v := &p.Spec.Volumes[i]
		if v.ConfigMap != nil {
			add("configmaps", v.ConfigMap.Name, v.Name, v.ConfigMap.Optional)
		}
		if v.Secret != nil {
			add("secrets", v.Secret.SecretName, v.Name, v.Secret.Optional)
		}
		if v.Projected == nil {
			continue
		}
		for _, source := range v.Projected.Sources {
			if source.ConfigMap != nil {
				add("configmaps", source.ConfigMap.Name, v.Name, source.ConfigMap.Optional)
			}
			if source.Secret != nil {
				add("secrets", source.Secret.Name, v.Name, source.Secret.Optional)
			}
		}
	}
	return all
}

// environment are the objects that a container's environment is made of.
func environment(c *corev1.Container, of func(kind, name string, optional *bool)) {
	for _, from := range c.EnvFrom {
		if from.ConfigMapRef != nil {
			of("configmaps", from.ConfigMapRef.Name, from.ConfigMapRef.Optional)
		}
		if from.SecretRef != nil {
			of("secrets", from.SecretRef.Name, from.SecretRef.Optional)
		}
	}
	for _, e := range c.Env {
		if e.ValueFrom != nil && e.ValueFrom.ConfigMapKeyRef != nil {
			of("configmaps", e.ValueFrom.ConfigMapKeyRef.Name, e.ValueFrom.ConfigMapKeyRef.Optional)
		}
		if e.ValueFrom != nil && e.ValueFrom.SecretKeyRef != nil {
			of("secrets", e.ValueFrom.SecretKeyRef.Name, e.ValueFrom.SecretKeyRef.Optional)
		}
	}
}

// volumes sees to what a pod's volumes need of the API server, and then calls done, in the rounds in which the kubelet looks at them.
func (p *pod) volumes(done func()) {
	p.objects = references(p.object)
	p.tokens = tokensOf(p)
	begun := time.Now()
	left := 1 + len(p.objects)
	one := func() {
		if left--; left > 0 || !p.there() {
			return
		}
		if len(p.object.Spec.Volumes) == 0 {
			done()
			return
		}
		p.after(volumePoll-time.Since(begun)%volumePoll, done)
	}
	for _, o := range p.objects {
		p.node.refer(o.object, func() { p.mount(o, firstVolumeWait, one) })
	}
	if len(p.tokens) > 0 {
		left++
		p.after(volumeRound(), func() {
			left += len(p.tokens) - 1
			for _, t := range p.tokens {
				t.request(firstVolumeWait, one)
			}
		})
	}
	one()
}

// mount calls done once the server has what a volume is of, for which it looks again after wait, and after twice that each time.
func (p *pod) mount(o wanted, wait time.Duration, done func()) {
	missing := ""
	if o.volume != "" && p.there() {
		missing = p.node.missing(o.object)
	}
	if missing == "" {
		done()
		return
	}
	p.node.events.aboutPod(p, "", corev1.EventTypeWarning, "FailedMount", fmt.Sprintf("MountVolume.SetUp failed for volume %q : %s", o.volume, missing))
	p.node.loop.After(wait+volumeRound(), func() { p.mount(o, min(2*wait, mostVolumeWait), done) })
}

// volumeRound is how long it is until the volume manager looks again.
func volumeRound() time.Duration { return time.Duration(rand.Int64N(int64(volumeLoop))) }
