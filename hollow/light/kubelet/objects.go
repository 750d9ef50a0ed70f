package kubelet

import (
	"math/rand/v2"
	"time"

	corev1 "k8s.io/api/core/v1"

	"windtunnel/hollow/light/api"
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
	waiting []func()
}

// refer counts a reference, and calls done when the object is known.
func (n *node) refer(o object, done func()) {
	r := n.objects[o]
	if r == nil {
		r = &reference{watch: &api.Watch{Client: n.client, Loop: n.loop, MinTime: objectWatch, Path: "/api/v1/namespaces/" + o.namespace + "/" + o.kind, Fields: "metadata.name=" + o.name}}
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
func references(p *corev1.Pod) []object {
	var all []object
	seen := map[object]bool{}
	add := func(kind, name string) {
		if o := (object{kind, p.Namespace, name}); name != "" && !seen[o] {
			seen[o] = true
			all = append(all, o)
		}
	}
	for _, s := range p.Spec.ImagePullSecrets {
		add("secrets", s.Name)
	}
	for _, list := range [][]corev1.Container{p.Spec.InitContainers, p.Spec.Containers} {
		for i := range list {
			for _, from := range list[i].EnvFrom {
				if from.ConfigMapRef != nil {
					add("configmaps", from.ConfigMapRef.Name)
				}
				if from.SecretRef != nil {
					add("secrets", from.SecretRef.Name)
				}
			}
			for _, e := range list[i].Env {
				if e.ValueFrom != nil && e.ValueFrom.ConfigMapKeyRef != nil {
					add("configmaps", e.ValueFrom.ConfigMapKeyRef.Name)
				}
				if e.ValueFrom != nil && e.ValueFrom.SecretKeyRef != nil {
					add("secrets", e.ValueFrom.SecretKeyRef.Name)
				}
			}
		}
	}
	for i := range p.Spec.Volumes {
		v := &p.Spec.Volumes[i]
		if v.ConfigMap != nil {
			add("configmaps", v.ConfigMap.Name)
		}
		if v.Secret != nil {
			add("secrets", v.Secret.SecretName)
		}
		if v.Projected == nil {
			continue
		}
		for _, source := range v.Projected.Sources {
			if source.ConfigMap != nil {
				add("configmaps", source.ConfigMap.Name)
			}
			if source.Secret != nil {
				add("secrets", source.Secret.Name)
			}
		}
	}
	return all
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
		p.node.refer(o, one)
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

// volumeRound is how long it is until the volume manager looks again.
func volumeRound() time.Duration { return time.Duration(rand.Int64N(int64(volumeLoop))) }
