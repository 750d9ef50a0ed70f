package load

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"windtunnel/results"
)

const (
	// scratchSize is the size of the buffer through which an unwanted body is counted: two HTTP/2 frames.
	scratchSize = 32 << 10
	// errorBodySize is how much of an error's body is kept, for its class and for messages.
	errorBodySize = 4 << 10
	// versionSize is how much of an answer to a write is kept: the object's resourceVersion is among the first fields of its metadata.
	// Those of custom resources come in the order of their names, after the annotations.
	versionSize = 16 << 10
	// keptBodySize bounds a body that an operation asked for. The API server's own bound of one object is about 3 MiB.
	keptBodySize = 64 << 20
)

// The response headers by which priority and fairness says how it classified a request.
const (
	headerFlowSchema    = "X-Kubernetes-Pf-Flowschema-Uid"
	headerPriorityLevel = "X-Kubernetes-Pf-Prioritylevel-Uid"
)

// Exchange is one worker's hand on one connection: operations send their requests through it. It belongs to one operation
// at a time, and a pick's requests all go over the same connection.
type Exchange struct {
	client *Client
	conn   *conn
	lane   *lane
	step   context.Context // of the step; it ends before that of the requests
	fail   func(error)     // ends the step

	unanswered bool // the last request was not sent, or nothing answered it

	scratch []byte
	body    bytes.Buffer // of the last answer, when it was kept
	out     []byte       // of the last request, reused
}

// Call is one HTTP request.
type Call struct {
	// Record is what the records will say of it. Planned and the description are given; Send fills in the rest.
	Record results.Request
	// Method is the HTTP method.
	Method string
	// Path is the URL's path.
	Path string
	// Query is the URL's query.
	Query string
	// Variant says the headers.
	Variant *Variant
	// Body is what is sent; nil for nothing.
	Body []byte
	// Dry says that nothing is stored, so that the answer shows no version of this request's.
	Dry bool
	// Keep asks for the body of the answer, which is otherwise read, counted and thrown away.
	Keep bool
}

// Answer is what came of a Call.
type Answer struct {
	// Code is the HTTP status, 0 without an answer.
	Code int
	// Class is the error class, "" when all is well.
	Class string
	// Body is the answer's body when Keep was set, or the beginning of an error's. It is valid until the next Send.
	Body []byte
	// Compressed says that Body is gzip.
	Compressed bool
	// Done is when the last byte arrived, or when the request was given up.
	Done results.Instant
	// RetryAfter is how long the server asks to wait.
	RetryAfter time.Duration
	// Err is why there is no whole answer.
	Err error
}

// Send sends one request, reads its answer to the end and records it. Sent is the instant at which the request is handed
// to its connection (which is first replaced if it is broken: what that takes is the server's doing, not the generator's);
// FirstByte is when the response header arrived, Done when the last byte did or the request was given up. Bytes are those
// of the bodies as they are on the wire, compressed ones as they came.
func (x *Exchange) Send(ctx context.Context, call Call) Answer {
	ctx, cancel := context.WithTimeout(ctx, x.client.options.Timeout)
	defer cancel()
	record := call.Record
	record.Identity = x.lane.identity
	record.Attempt = max(record.Attempt, 1)
	record.BytesOut = int64(len(call.Body))
	clock := x.client.options.Clock

	record.Sent = clock.Now()
	answer := Answer{}
	response, err := x.roundTrip(ctx, &call)
	if err == nil {
		record.FirstByte = clock.Now()
		answer.Code = response.StatusCode
		answer.RetryAfter = retryAfter(response.Header)
		answer.Compressed = headerValue(response.Header, "Content-Encoding") == "gzip"
		record.Code = int32(response.StatusCode)
		record.FlowSchema = headerValue(response.Header, headerFlowSchema)
		record.PriorityLevel = headerValue(response.Header, headerPriorityLevel)
		record.BytesIn, err = x.read(response, call.kept(response.StatusCode))
		if call.showsVersion(answer) {
			record.ResourceVersion, _ = strconv.ParseInt(resourceVersionOf(x.body.Bytes()), 10, 64)
		}
	}
	record.Done = clock.Now()
	answer.Done, answer.Err, answer.Body = record.Done, err, x.body.Bytes()
	if err != nil {
		answer.Class = classOfError(ctx, err)
	} else {
		answer.Class = classOfAnswer(answer.Code, answer.Body)
	}
	record.Error = answer.Class
	x.unanswered = answer.Code == 0
	x.client.options.Record(record)
	return answer
}

func (x *Exchange) roundTrip(ctx context.Context, call *Call) (*http.Response, error) {
	x.body.Reset()
	live, err := x.conn.ready(ctx)
	if err != nil {
		return nil, err
	}
	server := x.client.server
	request := (&http.Request{
		Method: call.Method,
		URL:    &url.URL{Scheme: server.Scheme, Host: server.Host, Path: server.Path + call.Path, RawQuery: call.Query},
		Host:   server.Host,
		Header: call.Variant.headerOf(x.lane), // shared: the transport reads it and never writes
	}).WithContext(ctx)
	if call.Body != nil {
		request.Body = io.NopCloser(bytes.NewReader(call.Body))
		request.ContentLength = int64(len(call.Body))
	}
	return live.RoundTrip(request)
}

// kept is how many bytes of an answer with this status are kept.
func (c *Call) kept(status int) int {
	switch {
	case c.Keep:
		return keptBodySize
	case status >= 400:
		return errorBodySize
	case c.Body != nil:
		return versionSize
	}
	return 0
}

// showsVersion tells whether the answer begins with the object that was written.
func (c *Call) showsVersion(a Answer) bool {
	return c.Body != nil && !c.Dry && a.Code < 300 && c.Method != http.MethodDelete && !a.Compressed
}

// read reads the body to its end, keeps the beginning of it, and returns how many bytes it had.
func (x *Exchange) read(response *http.Response, limit int) (int64, error) {
	defer response.Body.Close()
	if x.scratch == nil {
		x.scratch = make([]byte, scratchSize)
	}
	var total int64
	for {
		n, err := response.Body.Read(x.scratch)
		total += int64(n)
		if room := limit - x.body.Len(); room > 0 && n > 0 {
			x.body.Write(x.scratch[:min(n, room)])
		}
		if err == io.EOF {
			return total, nil
		}
		if err != nil {
			return total, err
		}
	}
}

// headerValue is Header.Get for a key that is in canonical form.
func headerValue(h http.Header, key string) string {
	if v := h[key]; len(v) > 0 {
		return v[0]
	}
	return ""
}

// retryAfter reads Retry-After, which the API server gives in whole seconds.
func retryAfter(h http.Header) time.Duration {
	value := headerValue(h, "Retry-After")
	if value == "" {
		return 0
	}
	seconds, err := strconv.Atoi(value)
	if err != nil || seconds < 0 {
		return 0
	}
	return time.Duration(seconds) * time.Second
}
