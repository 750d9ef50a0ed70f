package load

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	"windtunnel/profiles"
	"windtunnel/results"
)

// Operation is how one planned pick becomes one or more HTTP requests. A verb in one of its forms on one resource is an
// Operation; it is made once a step and used by many workers at a time.
type Operation interface {
	// Describe is the record of a pick of which nothing is sent. The caller adds the planned instant, the identity and the
	// error class.
	Describe(p profiles.Pick) results.Request
	// Do sends the pick's requests, planned for the given instant, through x, which records each.
	Do(ctx context.Context, x *Exchange, p profiles.Pick, planned results.Instant)
}

// step is what the operations of a step have in common.
type step struct {
	client       *Client
	phase, track string
	nodes        []string // that a binding may name
}

// operation is the common part of all operations.
type operation struct {
	step     *step
	base     results.Request // all of the record that does not depend on the pick
	resource resourcePath
	template profiles.Template // whose instances it is about; the zero for resources that no template made
	targets  targets
	variant  *Variant
	options  string        // of a DELETE
	dry      bool          // nothing is stored
	encoder  Encoder       // of what is sent
	selector profiles.Text // of the query, where it differs from one instance to the next
	body     profiles.Text // of a PATCH, or a PUT or POST of a subresource
	replicas profiles.Replicas
}

// Describe implements Operation.
func (o *operation) Describe(p profiles.Pick) results.Request {
	t, _ := o.targets.find(p)
	return o.record(t, 0)
}

// record begins the record of a request to t.
func (o *operation) record(t target, planned results.Instant) results.Request {
	record := o.base
	record.Planned, record.Object = planned, t.String()
	return record
}

// unsent records a request that could not be sent, for a reason that was found out when its turn came.
func (o *operation) unsent(x *Exchange, record results.Request, class string) {
	x.unanswered = true
	record.Identity, record.Error, record.Attempt = x.lane.identity, class, max(record.Attempt, 1)
	x.client.options.Record(record)
}

// call is a request without a body; ok is false when there is nothing to send it to.
func (o *operation) call(p profiles.Pick, planned results.Instant) (call Call, ok bool) {
	t, ok := o.targets.find(p)
	call = Call{Record: o.record(t, planned), Path: o.resource.of(t), Variant: o.variant, Query: o.variant.query, Dry: o.dry}
	if selector := o.selector.Append(nil, o.values(p, t)); len(selector) > 0 {
		call.Query = join(call.Query, string(selector))
	}
	return call, ok
}

// values are what the placeholders of a body or a selector stand for.
func (o *operation) values(p profiles.Pick, t target) profiles.Values {
	v := profiles.Values{Name: t.name, Namespace: t.namespace, Index: p.Index, Run: o.step.client.options.Run}
	if p.Index >= 0 && v.Name == "" { // a collection of which one instance is asked for
		v.Name, v.Namespace = o.template.InstanceName(p.Index), o.template.Namespace(p.Index)
	}
	v.Replicas = o.replicas.Min + int(p.Draw>>32%uint64(o.replicas.Max-o.replicas.Min+1)) // not the bits that chose the instance
	if nodes := o.step.nodes; len(nodes) > 0 {
		v.Node = nodes[p.Draw%uint64(len(nodes))]
	}
	return v
}

// send renders the body and sends the request.
func (o *operation) send(ctx context.Context, x *Exchange, call Call, p profiles.Pick) Answer {
	t, _ := o.targets.find(p)
	v := o.values(p, t)
	v.Touched = o.step.touch()
	x.out = o.body.Append(x.out[:0], v)
	call.Body = x.out
	if _, plain := o.encoder.(jsonEncoder); !plain {
		body, err := o.encoder.Encode(nil, x.out)
		if err != nil {
			o.unsent(x, call.Record, ClassInternal)
			x.fail(fmt.Errorf("encode the body for %s: %w", call.Record.Object, err))
			return Answer{Class: ClassInternal}
		}
		call.Body = body
	}
	return x.Send(ctx, call)
}

// read is GET and LIST: one request without a body, whose answer is counted and thrown away. LIST is sent as the typed
// client of client-go sends it by default: no resourceVersion and no limit, that is a consistent read of the whole collection.
type read struct{ operation }

// call is the request.
func (r *read) call(p profiles.Pick, planned results.Instant) (Call, bool) {
	call, ok := r.operation.call(p, planned)
	call.Method = "GET"
	return call, ok
}

// Do implements Operation.
func (r *read) Do(ctx context.Context, x *Exchange, p profiles.Pick, planned results.Instant) {
	call, ok := r.call(p, planned)
	if !ok {
		r.unsent(x, call.Record, ClassNoTarget)
		return
	}
	x.Send(ctx, call)
}

// create is POST of the next instance of a template.
type create struct{ operation }

// call is the request; its record is there even when the object cannot be encoded.
func (c *create) call(x *Exchange, p profiles.Pick, planned results.Instant) (Call, error) {
	t, _ := c.targets.find(p)
	call := Call{Record: c.record(t, planned), Method: "POST", Path: c.resource.of(target{namespace: t.namespace}), Variant: c.variant, Query: c.variant.query}
	object := c.template.Render(c.step.client.options.Run, t.namespace, p.Index)
	body, err := c.encoder.Encode(x.out[:0], object)
	if err != nil {
		return call, fmt.Errorf("encode %s: %w", t, err)
	}
	x.out, call.Body = body, body
	return call, nil
}

// Do implements Operation.
func (c *create) Do(ctx context.Context, x *Exchange, p profiles.Pick, planned results.Instant) {
	call, err := c.call(x, p, planned)
	if err != nil {
		c.unsent(x, call.Record, ClassInternal)
		x.fail(err)
		return
	}
	x.Send(ctx, call)
}

// change is a request with a body to one instance: PATCH, or POST of a subresource.
type change struct {
	operation
	method string
}

// Do implements Operation.
func (o *change) Do(ctx context.Context, x *Exchange, p profiles.Pick, planned results.Instant) {
	call, ok := o.call(p, planned)
	if !ok {
		o.unsent(x, call.Record, ClassNoTarget)
		return
	}
	call.Method = o.method
	o.send(ctx, x, call, p)
}

// remove is DELETE with background propagation, of an instance or of a collection.
type remove struct{ operation }

// call is the request.
func (r *remove) call(p profiles.Pick, planned results.Instant) Call {
	call, _ := r.operation.call(p, planned)
	call.Method, call.Body = "DELETE", []byte(r.options)
	return call
}

// Do implements Operation.
func (r *remove) Do(ctx context.Context, x *Exchange, p profiles.Pick, planned results.Instant) {
	x.Send(ctx, r.call(p, planned))
}

// touch is a value of the annotation that no write had before: the instant, and the number of the write in this client.
func (s *step) touch() string {
	return strconv.FormatInt(s.client.options.Clock.Now(), 10) + "-" + strconv.FormatInt(s.client.touched.Add(1), 10)
}

// problem is the answer as an error: the class, the status and what the server said.
func (a Answer) problem() error {
	if a.Err != nil {
		return fmt.Errorf("%s: %w", a.Class, a.Err)
	}
	var status struct{ Message string }
	if json.Unmarshal(a.Body, &status) != nil || status.Message == "" {
		status.Message = string(a.Body)
	}
	return fmt.Errorf("%s (HTTP %d): %s", a.Class, a.Code, status.Message)
}
