package api

import (
	"bytes"
	"context"
	"net/http"
	"time"

	"windtunnel/hollow/light/h2"
	"windtunnel/hollow/light/loop"
)

// Client sends requests: an h2.Client, or what stands in for one and its server in tests.
type Client interface {
	Do(*h2.Request)
	Close()
}

// retries is how often client-go sends a request again when the answer asks for that (rest/request.go).
const retries = 10

// Call is a request whose answer is looked at on the loop.
type Call struct {
	Method, Path, Accept, ContentType string
	Body                              []byte
	// Discard says that the body of a success is of no interest.
	Discard bool
	// Timeout bounds the call, with all its tries; 0 for none.
	Timeout time.Duration
	// Again is given an answer that asks for another try after a while, and has to call send after that. It is called for the first
	// ten such answers of a call, as client-go heeds them; nil: Done is given the first.
	Again func(response h2.Response, send func())
	// Read is given the answer on the connection's goroutine, where its body is valid, before Done; nil to copy the body for Done.
	Read func(h2.Response)
	// Done is told of the end on the loop: err when there was no answer.
	Done func(response h2.Response, err error)
}

// errTimeout is a context.DeadlineExceeded without a context.
type errTimeout struct{}

func (errTimeout) Error() string { return "no answer in time" }

// Send sends a call. It must be called on the loop.
func Send(l *loop.Loop, client Client, c Call) {
	s := &sending{Call: c, loop: l, client: client}
	if c.Timeout > 0 {
		s.timer = l.After(c.Timeout, func() {
			s.over = true
			s.request.Cancel()
			c.Done(h2.Response{}, errTimeout{})
		})
	}
	s.send()
}

// sending is a call that is under way. It is of the loop.
type sending struct {
	Call
	loop    *loop.Loop
	client  Client
	request *h2.Request
	timer   *loop.Timer
	tries   int
	over    bool
}

func (s *sending) send() {
	if s.over {
		return
	}
	s.tries++
	r := &h2.Request{Method: s.Method, Path: s.Path, Accept: s.Accept, ContentType: s.ContentType, Body: s.Body, Discard: s.Discard}
	s.request = r
	r.Done = func(response h2.Response, err error) {
		if s.Read != nil {
			s.Read(response)
			response.Body = nil
		} else if response.Body != nil {
			response.Body = append([]byte(nil), response.Body...)
		}
		s.loop.Post(func() { s.answered(response, err) })
	}
	s.client.Do(r)
}

func (s *sending) answered(response h2.Response, err error) {
	switch {
	case s.over:
	case s.Again != nil && s.tries <= retries && AsksToWait(response):
		s.Again(response, s.send)
	default:
		s.loop.Stop(s.timer)
		s.Done(response, err)
	}
}

// AsksToWait says whether an answer asks for the same request after a while (checkWait in client-go's rest/with_retry.go).
func AsksToWait(response h2.Response) bool {
	return response.RetryAfter > 0 && (response.Status == http.StatusTooManyRequests || response.Status >= 500)
}

// Wait is how long an answer asks to wait.
func Wait(response h2.Response) time.Duration {
	return time.Duration(response.RetryAfter) * time.Second
}

// Ask sends a call and waits for the answer or the end of ctx. It is for goroutines that are no loop's; Read, Done, Timeout and Again do not
// count.
func Ask(ctx context.Context, client Client, c Call) (h2.Response, error) {
	type answer struct {
		response h2.Response
		err      error
	}
	answered := make(chan answer, 1)
	r := &h2.Request{Method: c.Method, Path: c.Path, Accept: c.Accept, ContentType: c.ContentType, Body: c.Body, Discard: c.Discard}
	r.Done = func(response h2.Response, err error) {
		response.Body = bytes.Clone(response.Body)
		answered <- answer{response, err}
	}
	client.Do(r)
	select {
	case a := <-answered:
		return a.response, a.err
	case <-ctx.Done():
		r.Cancel()
		return h2.Response{}, context.Cause(ctx)
	}
}

// Strained says whether an answer, or its absence, shows the server to be overloaded.
func Strained(response h2.Response, err error) bool {
	_, late := err.(errTimeout)
	return late || response.Status == http.StatusTooManyRequests || response.Status == http.StatusGatewayTimeout
}

// Temporary says whether the same request may succeed later.
func Temporary(response h2.Response, err error) bool {
	return err != nil || response.Status == http.StatusTooManyRequests || response.Status >= 500
}

// Queue sends calls, a limited number at one time, the rest in their order. It is of a loop.
type Queue struct {
	Loop   *loop.Loop
	Client Client
	// Most is the most calls at one time.
	Most int

	under   int
	waiting []Call
}

// Send sends a call as soon as there is a place.
func (q *Queue) Send(c Call) {
	done := c.Done
	c.Done = func(response h2.Response, err error) {
		q.under--
		if len(q.waiting) > 0 {
			next := q.waiting[0]
			q.waiting[0] = Call{}
			if q.waiting = q.waiting[1:]; len(q.waiting) == 0 {
				q.waiting = nil
			}
			q.start(next)
		}
		done(response, err)
	}
	if q.under < q.Most {
		q.start(c)
	} else {
		q.waiting = append(q.waiting, c)
	}
}

func (q *Queue) start(c Call) {
	q.under++
	Send(q.Loop, q.Client, c)
}

// Backoff returns how long to wait before a call is tried again for the nth time, n from 0, by what the server asks for.
func Backoff(n int, response h2.Response) time.Duration {
	const first, most = 200 * time.Millisecond, 10 * time.Second
	return Jitter(max(Wait(response), min(most, first<<min(n, 10))), 0.5)
}
