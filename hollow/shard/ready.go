package shard

import (
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"sync/atomic"
)

// readiness looks at what a node sends until the node is Ready: the server's yes to a status that says so is when it is. No
// request is added for it. Until then it also tells of answers that show the server to be overloaded.
type readiness struct {
	next   http.RoundTripper
	path   string // of the node's status
	ready  func()
	strain func()
	over   atomic.Bool
}

func newReadiness(next http.RoundTripper, node string, ready, strain func()) *readiness {
	return &readiness{next: next, path: "/api/v1/nodes/" + node + "/status", ready: ready, strain: strain}
}

// RoundTrip implements http.RoundTripper.
func (r *readiness) RoundTrip(request *http.Request) (*http.Response, error) {
	if r.over.Load() {
		return r.next.RoundTrip(request)
	}
	saysReady := request.Method == http.MethodPatch && request.URL.Path == r.path && patchesReady(request)
	response, err := r.next.RoundTrip(request)
	switch {
	case err != nil:
		if timeout := net.Error(nil); errors.As(err, &timeout) && timeout.Timeout() {
			r.strain()
		}
	case response.StatusCode == http.StatusTooManyRequests || response.StatusCode == http.StatusGatewayTimeout:
		r.strain()
	case saysReady && response.StatusCode == http.StatusOK && r.over.CompareAndSwap(false, true):
		r.ready()
	}
	return response, err
}

// patchesReady says whether the request's body is a patch after which the node's condition Ready is True. It reads a copy.
func patchesReady(request *http.Request) bool {
	if request.GetBody == nil {
		return false
	}
	body, err := request.GetBody()
	if err != nil {
		return false
	}
	defer body.Close()
	text, err := io.ReadAll(body)
	if err != nil {
		return false
	}
	var patch struct {
		Status struct {
			Conditions []struct{ Type, Status string }
		}
	}
	if json.Unmarshal(text, &patch) != nil {
		return false
	}
	for _, condition := range patch.Status.Conditions {
		if condition.Type == "Ready" {
			return condition.Status == "True"
		}
	}
	return false
}

// CancelRequest does nothing: requests over HTTP/2 are cancelled by their context. client-go asks for it and logs where it is
// missing.
func (r *readiness) CancelRequest(*http.Request) {}
