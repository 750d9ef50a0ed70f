package usage

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"strings"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	"k8s.io/apimachinery/pkg/util/cache"
	"k8s.io/apimachinery/pkg/util/wait"

	"windtunnel/hollow/light/api"
	"windtunnel/hollow/light/h2"
	"windtunnel/hollow/light/wire"
)

// How long a kubelet keeps what it has learnt of a token, of a right, and of a right that is missing
// (authentication.webhook.cacheTTL and authorization.webhook.cache…TTL, pkg/kubelet/apis/config/v1beta1/defaults.go).
const (
	tokenTime   = 2 * time.Minute
	allowedTime = 5 * time.Minute
	deniedTime  = 30 * time.Second
)

// most bounds each of the two, whoever asks; what does not fit is asked for again.
const most = 8192

// Paths of the reviews.
const (
	tokenReviews  = "/apis/authentication.k8s.io/v1/tokenreviews"
	accessReviews = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
)

// Post posts an object in its envelope to the API server and waits for the answer.
type Post func(ctx context.Context, path string, body []byte) (h2.Response, error)

// Access says who may read a node's metrics, as a kubelet does that leaves both questions to the API server (cmd/kubelet/app/auth.go):
// a TokenReview, and a SubjectAccessReview of whether that user may get nodes/metrics. It is safe for concurrent use.
type Access struct {
	post   Post
	users  *cache.LRUExpireCache // *authenticationv1.UserInfo by the token's hash; nil: it is nobody's
	rights *cache.LRUExpireCache // bool by the encoded question
}

// NewAccess returns the access to nodes of which so many ask with one identity. Each node of fidelity kubelet has its own.
func NewAccess(post Post, nodes int) *Access {
	return &Access{post: post, users: cache.NewLRUExpireCache(most), rights: cache.NewLRUExpireCache(most + nodes)}
}

// user is who sends a request; nil for nobody.
func (a *Access) user(r *http.Request) (*authenticationv1.UserInfo, error) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	token = strings.TrimSpace(token)
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return nil, nil
	}
	key := sha256.Sum256([]byte(token))
	if known, ok := a.users.Get(key); ok {
		return known.(*authenticationv1.UserInfo), nil
	}
	review := authenticationv1.TokenReview{Spec: authenticationv1.TokenReviewSpec{Token: token}}
	if err := a.review(r.Context(), tokenReviews, "authentication.k8s.io/v1", "TokenReview", &review); err != nil {
		return nil, fmt.Errorf("review a token: %w", err)
	}
	var user *authenticationv1.UserInfo
	if review.Status.Authenticated {
		user = &review.Status.User
	}
	a.users.Add(key, user, tokenTime)
	return user, nil
}

// allows says whether a user may get a node's metrics, with the attributes of NodeRequestAttributesGetter (pkg/kubelet/server/auth.go).
func (a *Access) allows(ctx context.Context, user *authenticationv1.UserInfo, node string) (bool, error) {
	extra := make(map[string]authorizationv1.ExtraValue, len(user.Extra))
	for key, values := range user.Extra {
		extra[key] = authorizationv1.ExtraValue(values)
	}
	review := authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
		User: user.Username, UID: user.UID, Groups: user.Groups, Extra: extra,
		ResourceAttributes: &authorizationv1.ResourceAttributes{Verb: "get", Version: "v1", Resource: "nodes", Subresource: "metrics", Name: node},
	}}
	question, err := review.Spec.Marshal()
	if err != nil {
		return false, fmt.Errorf("encode a question about rights: %w", err)
	}
	if known, ok := a.rights.Get(string(question)); ok {
		return known.(bool), nil
	}
	if err := a.review(ctx, accessReviews, "authorization.k8s.io/v1", "SubjectAccessReview", &review); err != nil {
		return false, fmt.Errorf("review the rights of %s: %w", user.Username, err)
	}
	ttl := deniedTime
	if review.Status.Allowed {
		ttl = allowedTime
	}
	a.rights.Add(string(question), review.Status.Allowed, ttl)
	return review.Status.Allowed, nil
}

// message is an object in protobuf.
type message interface {
	Marshal() ([]byte, error)
	Unmarshal([]byte) error
}

// review posts a review and reads the answer into it. It is tried again as DefaultAuthWebhookRetryBackoff says
// (k8s.io/apiserver/pkg/server/options/authentication.go).
func (a *Access) review(ctx context.Context, path, version, kind string, m message) error {
	raw, err := m.Marshal()
	if err != nil {
		return err
	}
	body := wire.Envelope(version, kind, raw)
	var last error
	backoff := wait.Backoff{Duration: 500 * time.Millisecond, Factor: 1.5, Jitter: 0.2, Steps: 5}
	err = wait.ExponentialBackoffWithContext(ctx, backoff, func(ctx context.Context) (bool, error) {
		r, err := a.post(ctx, path, body)
		switch {
		case api.Temporary(r, err):
			last = failure(r, err)
			return false, nil
		case r.Status != http.StatusOK && r.Status != http.StatusCreated:
			return false, failure(r, nil)
		}
		object, err := wire.Object(r.Body)
		if err != nil {
			return false, err
		}
		return true, m.Unmarshal(object)
	})
	if wait.Interrupted(err) && last != nil {
		return last
	}
	return err
}

func failure(r h2.Response, err error) error {
	if err != nil {
		return err
	}
	return fmt.Errorf("the server answers %d", r.Status)
}
