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
	"windtunnel/hollow/light/loop"
	"windtunnel/hollow/light/wire"
)

const (
	// A token is renewed when 80 % of its life are over, shifted by up to tokenJitter (pkg/kubelet/token/token_manager.go).
	tokenUsed   = 0.8
	tokenJitter = 10 * time.Second
	// tokenSeconds is what is asked for where a volume does not say (pkg/volume/projected).
	tokenSeconds = 3600
	// resync is how often the kubelet looks at a pod that does not change, which it lengthens by up to resyncJitter: then it renews
	// tokens, and tries again where that has failed (syncFrequency, workerResyncIntervalJitterFactor in pkg/kubelet/pod_workers.go).
	resync       = time.Minute
	resyncJitter = 0.5
)

// token is a service account token that a volume of a pod has, bound to the pod.
type token struct {
	pod   *pod
	spec  *corev1.ServiceAccountTokenProjection
	timer *loop.Timer // of the next request
}

func tokensOf(p *pod) []*token {
	var all []*token
	for i := range p.object.Spec.Volumes {
		if projected := p.object.Spec.Volumes[i].Projected; projected != nil {
			for j := range projected.Sources {
				if t := projected.Sources[j].ServiceAccountToken; t != nil {
					all = append(all, &token{pod: p, spec: t})
				}
			}
		}
	}
	return all
}

func (t *token) seconds() int64 {
	if t.spec.ExpirationSeconds != nil {
		return *t.spec.ExpirationSeconds
	}
	return tokenSeconds
}

// request asks for the token until it is given, and then calls done. It waits for wait, and twice that each time, in between: the volume
// cannot be set up without it.
func (t *token) request(wait time.Duration, done func()) {
	t.ask(func(given bool) {
		if given {
			done()
			return
		}
		t.timer = t.pod.node.loop.After(wait+volumeRound(), func() { t.request(min(2*wait, mostVolumeWait), done) })
	})
}

// renew asks for the token anew. One that is not given is asked for the next time that the kubelet looks at the pod.
func (t *token) renew() {
	t.ask(func(given bool) {
		if !given {
			t.timer = t.pod.node.loop.After(api.Jitter(resync, resyncJitter), t.renew)
		}
	})
}

// ask asks for the token once, and has it renewed before it expires. A pod that has ended needs none.
func (t *token) ask(done func(given bool)) {
	p := t.pod
	if !p.there() {
		return
	}
	body, err := t.body()
	if err != nil {
		p.node.shard.Note(fmt.Errorf("encode token request: %w", err))
		return
	}
	path := "/api/v1/namespaces/" + p.object.Namespace + "/serviceaccounts/" + p.object.Spec.ServiceAccountName + "/token"
	p.node.post(path, body, func(r h2.Response, err error) {
		if !p.there() {
			return
		}
		given := ok(r, err)
		if given {
			life := time.Duration(float64(t.seconds())*tokenUsed)*time.Second - time.Duration(rand.Int64N(int64(tokenJitter)))
			t.timer = p.node.loop.After(life, t.renew)
		} else if r.Status != http.StatusForbidden { // the authorizer has not seen the pod yet
			p.node.fail("ask for a token", r, err)
		}
		done(given)
	})
}

// body is the TokenRequest in its envelope.
func (t *token) body() ([]byte, error) {
	o, seconds := t.pod.object, t.seconds()
	request := authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: &seconds, BoundObjectRef: &authenticationv1.BoundObjectReference{
		Kind: "Pod", APIVersion: "v1", Name: o.Name, UID: o.UID,
	}}}
	if t.spec.Audience != "" {
		request.Spec.Audiences = []string{t.spec.Audience}
	}
	raw, err := request.Marshal()
	return wire.Envelope("authentication.k8s.io/v1", "TokenRequest", raw), err
}
