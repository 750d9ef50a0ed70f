package load

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/http"
	"os"
)

// The error classes of a request. An answered request without an error has the class "".
const (
	// ClassConnection is a request without an answer because its connection could not be made or broke.
	ClassConnection = "connection"
	// ClassTimeout is a request that had no whole answer within the request timeout.
	ClassTimeout = "timeout"
	// ClassCanceled is a request that the harness gave up because the phase ended while it was under way.
	ClassCanceled = "canceled"
	// ClassDropped is a planned request that was never sent because the phase ended first.
	ClassDropped = "dropped"
	// ClassNoTarget is a planned request that was never sent because there was nothing to send it to.
	ClassNoTarget = "no_target"
	// ClassInternal is a request that the harness itself could not build, from a template that does not render for one.
	ClassInternal = "internal"

	// ClassBadRequest is 400.
	ClassBadRequest = "bad_request"
	// ClassUnauthorized is 401.
	ClassUnauthorized = "unauthorized"
	// ClassForbidden is 403: not authorised, refused by admission or by a quota.
	ClassForbidden = "forbidden"
	// ClassNotFound is 404.
	ClassNotFound = "not_found"
	// ClassConflict is 409 because the object changed since it was read.
	ClassConflict = "conflict"
	// ClassAlreadyExists is 409 because there is an object of that name.
	ClassAlreadyExists = "already_exists"
	// ClassGone is 410: the resourceVersion or the continue token is too old.
	ClassGone = "gone"
	// ClassInvalid is 422: validation refused the object.
	ClassInvalid = "invalid"
	// ClassTooManyRequests is 429: priority and fairness, or an eviction that has to wait.
	ClassTooManyRequests = "too_many_requests"
	// ClassUnavailable is 503.
	ClassUnavailable = "unavailable"
	// ClassServerTimeout is 504: the server gave up.
	ClassServerTimeout = "server_timeout"
	// ClassClientError is any other 4xx.
	ClassClientError = "client_error"
	// ClassServerError is any other 5xx.
	ClassServerError = "server_error"
)

// classOfAnswer classifies a status code. The reason in a 409's body tells an object that exists from one that changed;
// it reads the same in JSON and in protobuf, where strings are stored as they are.
func classOfAnswer(code int, body []byte) string {
	switch code {
	case http.StatusBadRequest:
		return ClassBadRequest
	case http.StatusUnauthorized:
		return ClassUnauthorized
	case http.StatusForbidden:
		return ClassForbidden
	case http.StatusNotFound:
		return ClassNotFound
	case http.StatusConflict:
		if bytes.Contains(body, []byte("AlreadyExists")) {
			return ClassAlreadyExists
		}
		return ClassConflict
	case http.StatusGone:
		return ClassGone
	case http.StatusUnprocessableEntity:
		return ClassInvalid
	case http.StatusTooManyRequests:
		return ClassTooManyRequests
	case http.StatusServiceUnavailable:
		return ClassUnavailable
	case http.StatusGatewayTimeout:
		return ClassServerTimeout
	}
	switch {
	case code >= 500:
		return ClassServerError
	case code >= 400:
		return ClassClientError
	}
	return ""
}

// classOfError classifies a request that has no whole answer. ctx is the request's own context: its end says more than
// the error that the connection made of it.
func classOfError(ctx context.Context, err error) string {
	var netErr net.Error
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded), errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return ClassTimeout
	case ctx.Err() != nil, errors.Is(err, context.Canceled):
		return ClassCanceled
	case errors.As(err, &netErr) && netErr.Timeout():
		return ClassTimeout
	}
	return ClassConnection
}
