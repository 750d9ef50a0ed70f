package usage

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"

	"windtunnel/hollow/light/h2"
	"windtunnel/hollow/light/wire"
)

// reviewer answers reviews: a token is that of the user of its name, except "nobody's", and "reader" may read.
type reviewer struct {
	t             *testing.T
	tokens        int
	rights        int
	asked         authorizationv1.SubjectAccessReviewSpec
	status        int // instead of an answer
	err           error
	unanswered    int
	unansweredFor int // requests
}

func (v *reviewer) post(_ context.Context, path string, body []byte) (h2.Response, error) {
	if v.unansweredFor > 0 {
		v.unansweredFor--
		v.unanswered++
		return h2.Response{Status: v.status}, v.err
	}
	object, err := wire.Object(body)
	if err != nil {
		v.t.Error(err)
	}
	switch path {
	case tokenReviews:
		v.tokens++
		var review authenticationv1.TokenReview
		v.read(review.Unmarshal(object))
		review.Status.Authenticated = review.Spec.Token != "nobody's"
		review.Status.User = authenticationv1.UserInfo{Username: review.Spec.Token, UID: "1", Groups: []string{"g"}, Extra: map[string]authenticationv1.ExtraValue{"k": {"v"}}}
		raw, err := review.Marshal()
		v.read(err)
		return h2.Response{Status: http.StatusCreated, Body: wire.Envelope("authentication.k8s.io/v1", "TokenReview", raw)}, nil
	case accessReviews:
		v.rights++
		var review authorizationv1.SubjectAccessReview
		v.read(review.Unmarshal(object))
		v.asked = review.Spec
		review.Status.Allowed = review.Spec.User == "reader"
		raw, err := review.Marshal()
		v.read(err)
		return h2.Response{Status: http.StatusCreated, Body: wire.Envelope("authorization.k8s.io/v1", "SubjectAccessReview", raw)}, nil
	}
	return h2.Response{Status: http.StatusNotFound}, nil
}

func (v *reviewer) read(err error) {
	if err != nil {
		v.t.Error(err)
	}
}

// who asks who sends a request with this header.
func who(t *testing.T, a *Access, header string) (*authenticationv1.UserInfo, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", header)
	return a.user(r)
}

func TestAnswersAreKeptAsLongAsAKubeletKeepsThem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &reviewer{t: t}
		a := NewAccess(v.post, 1)
		for _, header := range []string{"", "Bearer", "Bearer ", "Basic reader"} {
			if user, err := who(t, a, header); user != nil || err != nil || v.tokens != 0 {
				t.Errorf("%q: %v, %v after %d reviews", header, user, err, v.tokens)
			}
		}
		check := func(what string, tokens, rights int) {
			t.Helper()
			for _, name := range []string{"reader", "other"} {
				user, err := who(t, a, "bearer "+name)
				if err != nil || user == nil || user.Username != name {
					t.Fatalf("%s: %v, %v", what, user, err)
				}
				if allowed, err := a.allows(t.Context(), user, "n"); err != nil || allowed != (name == "reader") {
					t.Errorf("%s: %s: %v, %v", what, name, allowed, err)
				}
			}
			if user, err := who(t, a, "Bearer nobody's"); user != nil || err != nil {
				t.Errorf("%s: %v, %v", what, user, err)
			}
			if v.tokens != tokens || v.rights != rights {
				t.Errorf("%s: %d reviews of tokens and %d of rights, want %d and %d", what, v.tokens, v.rights, tokens, rights)
			}
		}
		check("at first", 3, 2)
		if got := v.asked.ResourceAttributes; got == nil || *got != (authorizationv1.ResourceAttributes{Verb: "get", Version: "v1", Resource: "nodes", Subresource: "metrics", Name: "n"}) ||
			v.asked.UID != "1" || len(v.asked.Groups) != 1 || len(v.asked.Extra["k"]) != 1 {
			t.Errorf("asked for %+v", v.asked)
		}
		check("again", 3, 2)
		time.Sleep(31 * time.Second)
		check("a right that was missing is asked for again", 3, 3)
		time.Sleep(90 * time.Second)
		check("tokens are", 6, 4)
		time.Sleep(4 * time.Minute)
		check("and so is a right that was there", 9, 6)
		if _, err := a.allows(t.Context(), &authenticationv1.UserInfo{Username: "reader"}, "another"); err != nil || v.rights != 7 {
			t.Errorf("a right is one to a node: %v, %d reviews", err, v.rights)
		}
	})
}

func TestFailuresAreNotKept(t *testing.T) {
	for _, c := range []struct {
		name         string
		status, for_ int
		err          error
		fails        bool
		tries        int
	}{
		{name: "a server that recovers", status: http.StatusTooManyRequests, for_: 3, tries: 3},
		{name: "a server that does not", status: http.StatusServiceUnavailable, for_: 9, fails: true, tries: 5},
		{name: "no connection", err: errors.New("cut off"), for_: 9, fails: true, tries: 5},
		{name: "a refusal", status: http.StatusForbidden, for_: 9, fails: true, tries: 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v := &reviewer{t: t, status: c.status, err: c.err, unansweredFor: c.for_}
				a := NewAccess(v.post, 1)
				if _, err := who(t, a, "Bearer reader"); (err != nil) != c.fails || v.unanswered != c.tries {
					t.Errorf("%v after %d tries, want %d", err, v.unanswered, c.tries)
				}
				v.unansweredFor = 0
				if user, err := who(t, a, "Bearer reader"); err != nil || user == nil {
					t.Errorf("then %v, %v", user, err)
				}
			})
		})
	}
}
