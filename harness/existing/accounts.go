package existing

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"windtunnel/harness/cluster"
)

// The names of the service accounts in Namespace.
const (
	observerAccount  = "observer"
	bystanderAccount = "bystander"
	storageAccount   = "volumes"
	userAccount      = "user-" // and a number
)

const (
	// leastLife is the shortest life of a token that the API server grants.
	leastLife = 10 * time.Minute
	// spareLife is how much longer than the plan's time-out tokens are asked for: for what comes after the last phase.
	spareLife = 10 * time.Minute
	// renewEvery is how often tokens are looked at.
	renewEvery = 30 * time.Second
)

// account is a service account with a token that is renewed before it ends. The token is in no file and in no record.
type account struct {
	name    string // within Namespace
	token   atomic.Pointer[string]
	issued  time.Time
	expires time.Time
}

// user is the account's name as the API server sees it.
func (a *account) user() string { return "system:serviceaccount:" + Namespace + ":" + a.name }

func (a *account) bearer() string { return *a.token.Load() }

// identity is the account as the load engine takes it.
func (a *account) identity() cluster.Identity {
	return cluster.Identity{Name: a.user(), Token: a.bearer}
}

// config is the configuration of a client that is the account, over connections of its own.
func (a *account) config(t *Target) *rest.Config {
	config := t.anonymous()
	config.WrapTransport = func(next http.RoundTripper) http.RoundTripper { return &authorised{next: next, bearer: a.bearer} }
	return config
}

// authorised sends the token that is valid now with every request.
type authorised struct {
	next   http.RoundTripper
	bearer func() string
}

// RoundTrip implements http.RoundTripper.
func (a *authorised) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+a.bearer())
	return a.next.RoundTrip(r)
}

// CloseIdleConnections lets http.Client reach the transport below.
func (a *authorised) CloseIdleConnections() {
	if c, ok := a.next.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// accounts are those of a run.
type accounts struct {
	target *Target
	life   time.Duration // that is asked for

	mu  sync.Mutex
	all []*account // of which tokens are renewed
}

// make makes a service account with a token.
func (s *accounts) make(ctx context.Context, meta metav1.ObjectMeta) (*account, error) {
	no := false
	object := &corev1.ServiceAccount{ObjectMeta: meta, AutomountServiceAccountToken: &no}
	if _, err := s.target.client.CoreV1().ServiceAccounts(Namespace).Create(ctx, object, metav1.CreateOptions{}); err != nil {
		return nil, fmt.Errorf("make the service account %s: %w", meta.Name, err)
	}
	a := &account{name: meta.Name}
	if err := s.renew(ctx, a); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, a)
	return a, nil
}

// renew asks for a new token. The API server may grant a shorter life than is asked for.
func (s *accounts) renew(ctx context.Context, a *account) error {
	seconds := int64(s.life.Seconds())
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: &seconds}}
	issued := time.Now()
	granted, err := s.target.client.CoreV1().ServiceAccounts(Namespace).CreateToken(ctx, a.name, request, metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("ask for a token of %s: %w", a.name, err)
	}
	a.issued, a.expires = issued, granted.Status.ExpirationTimestamp.Time
	a.token.Store(&granted.Status.Token)
	return nil
}

// keep renews the tokens until the context ends. A token that cannot be renewed is tried again as long as it is valid; failed is
// told what went wrong when it is not any more.
func (s *accounts) keep(ctx context.Context, failed func(error)) {
	ticker := time.NewTicker(renewEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			if err := s.renewDue(ctx, now); err != nil {
				failed(err)
				return
			}
		}
	}
}

// renewDue renews the tokens whose time has come.
func (s *accounts) renewDue(ctx context.Context, now time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.all {
		if now.Before(renewAt(a.issued, a.expires)) {
			continue
		}
		if err := s.renew(ctx, a); err != nil && now.After(a.expires) && ctx.Err() == nil {
			return err
		}
	}
	return nil
}

// renewAt is when a token is to be renewed: when a fifth of its life is left, as the kubelet does it for pods.
func renewAt(issued, expires time.Time) time.Time { return issued.Add(expires.Sub(issued) / 5 * 4) }

// userName is the name of the account of the load's user of that number.
func userName(number int) string { return userAccount + strconv.Itoa(number) }
