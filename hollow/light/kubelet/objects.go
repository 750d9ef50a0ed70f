package kubelet

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"

	"windtunnel/hollow/light/api"
	"windtunnel/hollow/light/h2"
	"windtunnel/hollow/light/wire"
)

const (
	// objectWatch is the least time after which the server ends a watch of one ConfigMap or Secret
	// (pkg/kubelet/util/manager/watch_based_manager.go).
	objectWatch = 30 * time.Minute
	// A token is renewed when 80 % of its life are over, shifted by up to tokenJitter (pkg/kubelet/token/token_manager.go).
	tokenUsed   = 0.8
	tokenJitter = 10 * time.Second
	// tokenSeconds is what is asked for where a volume does not say (pkg/volume/projected).
	tokenSeconds = 3600
	tokenAgain   = 500 * time.Millisecond
	// volumeLoop is how often the volume manager looks for volumes to set up, and volumePoll how often a pod looks whether its own are
	// (reconcilerLoopSleepPeriod, podAttachAndMountRetryInterval in pkg/kubelet/volumemanager/volume_manager.go).
	volumeLoop = 100 * time.Millisecond
	volumePoll = 300 * time.Millisecond
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

// tokens are the service account tokens that a pod's volumes have.
func tokens(p *corev1.Pod) []*corev1.ServiceAccountTokenProjection {
	var all []*corev1.ServiceAccountTokenProjection
	for i := range p.Spec.Volumes {
		if projected := p.Spec.Volumes[i].Projected; projected != nil {
			for j := range projected.Sources {
				if t := projected.Sources[j].ServiceAccountToken; t != nil {
					all = append(all, t)
				}
			}
		}
	}
	return all
}

// volumes sees to what a pod's volumes need of the API server, and then calls done, in the rounds in which the kubelet looks at them.
func (p *pod) volumes(done func()) {
	p.objects = references(p.object)
	requested, begun := tokens(p.object), time.Now()
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
	if len(requested) > 0 {
		left++
		p.after(time.Duration(rand.Int64N(int64(volumeLoop))), func() {
			left += len(requested) - 1
			for _, t := range requested {
				p.token(t, one)
			}
		})
	}
	one()
}

// token asks for a token bound to the pod, and again before it expires.
func (p *pod) token(t *corev1.ServiceAccountTokenProjection, done func()) {
	if p.gone {
		return
	}
	seconds := int64(tokenSeconds)
	if t.ExpirationSeconds != nil {
		seconds = *t.ExpirationSeconds
	}
	request := authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: &seconds, BoundObjectRef: &authenticationv1.BoundObjectReference{
		Kind: "Pod", APIVersion: "v1", Name: p.object.Name, UID: p.object.UID,
	}}}
	if t.Audience != "" {
		request.Spec.Audiences = []string{t.Audience}
	}
	raw, err := request.Marshal()
	if err != nil {
		p.node.shard.Note(fmt.Errorf("encode token request: %w", err))
		return
	}
	path := "/api/v1/namespaces/" + p.object.Namespace + "/serviceaccounts/" + p.object.Spec.ServiceAccountName + "/token"
	p.node.post(path, wire.Envelope("authentication.k8s.io/v1", "TokenRequest", raw), func(r h2.Response, err error) {
		switch {
		case p.gone:
		case ok(r, err):
			life := time.Duration(float64(seconds)*tokenUsed)*time.Second - time.Duration(rand.Int64N(int64(tokenJitter)))
			p.renewals = append(p.renewals[:0], p.node.loop.After(life, func() { p.token(t, func() {}) }))
			done()
		default:
			if r.Status != http.StatusForbidden { // the authorizer has not seen the pod yet
				p.node.fail("ask for a token", r, err)
			}
			p.node.loop.After(api.Jitter(tokenAgain, 1), func() { p.token(t, done) })
		}
	})
}
