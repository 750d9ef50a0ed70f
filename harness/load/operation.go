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

// VariantRead is the variant of the GET by which a PUT gets the object and the resourceVersion that it writes back.
const VariantRead = "rmw"

// step is what the operations of a step have in common.
type step struct {
	client       *Client
	phase, track string
}

// operation is the common part of all operations.
type operation struct {
	step     *step
	base     results.Request // all of the record that does not depend on the pick
	resource resourcePath
	targets  targets
	variant  *Variant
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
	record.Identity, record.Error, record.Attempt = x.identity, class, 1
	x.client.options.Record(record)
}

// read is GET and LIST: one request without a body, whose answer is counted and thrown away. LIST is sent as the typed
// client of client-go sends it by default: no resourceVersion and no limit, that is a consistent read of the whole collection.
type read struct{ operation }

// Do implements Operation.
func (r *read) Do(ctx context.Context, x *Exchange, p profiles.Pick, planned results.Instant) {
	t, ok := r.targets.find(p)
	if !ok {
		r.unsent(x, r.record(t, planned), ClassNoTarget)
		return
	}
	x.Send(ctx, Call{Record: r.record(t, planned), Method: "GET", Path: r.resource.of(t), Variant: r.variant})
}

// create is POST of the next instance of a template.
type create struct {
	operation
	template profiles.Template
	encoder  Encoder
}

// call is the request; its record is there even when the object cannot be encoded.
func (c *create) call(x *Exchange, p profiles.Pick, planned results.Instant) (Call, error) {
	t, _ := c.targets.find(p)
	call := Call{Record: c.record(t, planned), Method: "POST", Path: c.resource.of(target{namespace: t.namespace}), Variant: c.variant}
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

// update is PUT as clients do it: a GET (variant "rmw", at the planned instant) and a PUT of what it returned with one annotation
// changed, under the resourceVersion that was read. The PUT counts as planned at the instant at which the GET was done,
// so that what the GET waited and took is counted once. Another's write in between is a conflict, which is not retried.
// Without an object from the GET there is nothing to write, and the PUT is recorded as no_target.
type update struct {
	operation
	get     *Variant
	encoder Encoder
}

// Do implements Operation.
func (u *update) Do(ctx context.Context, x *Exchange, p profiles.Pick, planned results.Instant) {
	t, ok := u.targets.find(p)
	record, path := u.record(t, planned), u.resource.of(t)
	if !ok {
		u.unsent(x, record, ClassNoTarget)
		return
	}
	first := record
	first.Verb, first.Variant = "GET", VariantRead
	got := x.Send(ctx, Call{Record: first, Method: "GET", Path: path, Variant: u.get, Keep: true})
	record.Planned = got.Done
	if got.Class != "" {
		u.unsent(x, record, ClassNoTarget)
		return
	}
	body, err := u.body(x, got.Body)
	if err != nil {
		u.unsent(x, record, ClassInternal)
		x.fail(fmt.Errorf("change %s: %w", t, err))
		return
	}
	x.Send(ctx, Call{Record: record, Method: "PUT", Path: path, Variant: u.variant, Body: body})
}

func (u *update) body(x *Exchange, object []byte) ([]byte, error) {
	changed, err := annotate(make([]byte, 0, len(object)+64), object, u.step.touch())
	if err != nil {
		return nil, err
	}
	x.out, err = u.encoder.Encode(x.out[:0], changed)
	return x.out, err
}

// patch is PATCH: a merge patch of one annotation, to a value never used before, so that it is a real write.
type patch struct{ operation }

// Do implements Operation.
func (o *patch) Do(ctx context.Context, x *Exchange, p profiles.Pick, planned results.Instant) {
	t, ok := o.targets.find(p)
	if !ok {
		o.unsent(x, o.record(t, planned), ClassNoTarget)
		return
	}
	x.out = append(x.out[:0], `{"metadata":{"annotations":{"`+touchedAnnotation+`":"`...)
	x.out = append(append(x.out, o.step.touch()...), `"}}}`...)
	x.Send(ctx, Call{Record: o.record(t, planned), Method: "PATCH", Path: o.resource.of(t), Variant: o.variant, Body: x.out})
}

// remove is DELETE with background propagation.
type remove struct{ operation }

// deleteOptions is the body of a DELETE.
const deleteOptions = `{"kind":"DeleteOptions","apiVersion":"v1","propagationPolicy":"Background"}`

func (r *remove) call(p profiles.Pick, planned results.Instant) Call {
	t, _ := r.targets.find(p)
	return Call{Record: r.record(t, planned), Method: "DELETE", Path: r.resource.of(t), Variant: r.variant, Body: []byte(deleteOptions)}
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
