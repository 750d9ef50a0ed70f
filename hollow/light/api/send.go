package api

import (
	"bytes"
	"context"
	"net/http"
	"time"

	"windtunnel/hollow/light/h2"
	"windtunnel/hollow/light/loop"
)

// Call is a request whose answer is looked at on the loop.
type Call struct {
	Method, Path, Accept, ContentType string
	Body                              []byte
	// Discard says that the body of a success is of no interest.
	Discard bool
	// Timeout bounds the call; 0 for none.
	Timeout time.Duration
	// Read is given the answer on the connection's goroutine, where its body is valid, before Done; nil to copy the body for Done.
	Read func(h2.Response)
	// Done is told of the end on the loop: err when there was no answer.
	Done func(response h2.Response, err error)
}

// errTimeout is a context.DeadlineExceeded without a context.
type errTimeout struct{}

func (errTimeout) Error() string { return "no answer in time" }

// Send sends a call. It must be called on the loop.
func Send(l *loop.Loop, client *h2.Client, c Call) {
	r := &h2.Request{Method: c.Method, Path: c.Path, Accept: c.Accept, ContentType: c.ContentType, Body: c.Body, Discard: c.Discard}
	over := false
	var timer *loop.Timer
	if c.Timeout > 0 {
		timer = l.After(c.Timeout, func() {
			over = true
			r.Cancel()
			c.Done(h2.Response{}, errTimeout{})
		})
	}
	r.Done = func(response h2.Response, err error) {
		if c.Read != nil {
			c.Read(response)
			response.Body = nil
		} else if response.Body != nil {
			response.Body = append([]byte(nil), response.Body...)
		}
		l.Post(func() {
			if over {
				return
			}
			l.Stop(timer)
			c.Done(response, err)
		})
	}
	client.Do(r)
}

// Ask sends a call and waits for the answer or the end of ctx. It is for goroutines that are no loop's; Read, Done and Timeout do not count.
func Ask(ctx context.Context, client *h2.Client, c Call) (h2.Response, error) {
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
	Client *h2.Client
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
	asked := time.Duration(response.RetryAfter) * time.Second
	return Jitter(max(asked, min(most, first<<min(n, 10))), 0.5)
}
