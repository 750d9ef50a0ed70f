package load

import (
	"context"
	"errors"
	"fmt"
	"testing"
)

func TestClassOfAnswer(t *testing.T) {
	for _, test := range []struct {
		code int
		body string
		want string
	}{
		{200, "", ""}, {201, "", ""}, {202, "", ""},
		{400, "", ClassBadRequest}, {401, "", ClassUnauthorized}, {403, "", ClassForbidden}, {404, "", ClassNotFound},
		{405, "", ClassClientError}, {409, `{"reason":"Conflict"}`, ClassConflict},
		{409, `{"reason":"AlreadyExists"}`, ClassAlreadyExists}, {409, "k8s\x00\x0a\x0dAlreadyExists2\x00", ClassAlreadyExists},
		{410, "", ClassGone}, {415, "", ClassClientError}, {422, "", ClassInvalid}, {429, "", ClassTooManyRequests},
		{500, "", ClassServerError}, {503, "", ClassUnavailable}, {504, "", ClassServerTimeout}, {599, "", ClassServerError},
	} {
		if got := classOfAnswer(test.code, []byte(test.body)); got != test.want {
			t.Errorf("class of %d %q is %q, want %q", test.code, test.body, got, test.want)
		}
	}
}

func TestClassOfError(t *testing.T) {
	live := context.Background()
	canceled, cancel := context.WithCancel(live)
	cancel()
	expired, cancel := context.WithTimeout(live, 0)
	defer cancel()
	for _, test := range []struct {
		name string
		ctx  context.Context
		err  error
		want string
	}{
		{"broken", live, errors.New("connection reset by peer"), ClassConnection},
		{"time-out of the dial", live, fmt.Errorf("dial: %w", context.DeadlineExceeded), ClassTimeout},
		{"time-out", expired, errors.New("stream error"), ClassTimeout},
		{"canceled", canceled, errors.New("stream error"), ClassCanceled},
	} {
		if got := classOfError(test.ctx, test.err); got != test.want {
			t.Errorf("%s: class %q, want %q", test.name, got, test.want)
		}
	}
}
