package load

import (
	"context"
	"fmt"

	utiljson "k8s.io/apimachinery/pkg/util/json"

	"windtunnel/profiles"
	"windtunnel/results"
)

// VariantRead is the variant of the GET by which a PUT gets the object and the resourceVersion that it writes back.
const VariantRead = "rmw"

// update is PUT as clients do it: a GET (variant "rmw", at the planned instant) and a PUT of what it returned with one thing
// changed, under the resourceVersion that was read. The PUT counts as planned at the instant at which the GET was done,
// so that what the GET waited and took is counted once. Another's write in between is a conflict; where retries are asked for, it
// begins again with the GET, and both are attempts of a higher number. Without an object from the GET there is nothing to
// write, and the PUT is recorded as no_target.
type update struct {
	operation
	get     *Variant
	merges  bool // the body is merged into the object; otherwise an annotation is set
	retries int
}

// Do implements Operation.
func (u *update) Do(ctx context.Context, x *Exchange, p profiles.Pick, planned results.Instant) {
	call, ok := u.call(p, planned)
	if !ok {
		u.unsent(x, call.Record, ClassNoTarget)
		return
	}
	call.Method = "PUT"
	for attempt := range u.retries + 1 {
		call.Record.Attempt = int32(attempt + 1)
		done, again := u.once(ctx, x, p, call)
		if !again || ctx.Err() != nil {
			return
		}
		call.Record.Planned = done
	}
}

// once reads and writes, and tells whether the write met a conflict.
func (u *update) once(ctx context.Context, x *Exchange, p profiles.Pick, call Call) (done results.Instant, conflict bool) {
	first := Call{Record: call.Record, Method: "GET", Path: call.Path, Variant: u.get, Keep: true}
	first.Record.Verb, first.Record.Variant = profiles.VerbGet, VariantRead
	got := x.Send(ctx, first)
	call.Record.Planned, call.Record.Part = got.Done, 1
	if got.Class != "" {
		u.unsent(x, call.Record, ClassNoTarget)
		return got.Done, false
	}
	var err error
	if call.Body, err = u.changed(x, p, got.Body); err != nil {
		u.unsent(x, call.Record, ClassInternal)
		x.fail(fmt.Errorf("change %s: %w", call.Record.Object, err))
		return got.Done, false
	}
	answer := x.Send(ctx, call)
	return answer.Done, answer.Class == ClassConflict
}

// changed is the object that was read with its change.
func (u *update) changed(x *Exchange, p profiles.Pick, object []byte) ([]byte, error) {
	changed, err := u.apply(p, object)
	if err != nil {
		return nil, err
	}
	x.out, err = u.encoder.Encode(x.out[:0], changed)
	return x.out, err
}

func (u *update) apply(p profiles.Pick, object []byte) ([]byte, error) {
	if !u.merges {
		return annotate(make([]byte, 0, len(object)+64), object, u.step.touch())
	}
	t, _ := u.targets.find(p)
	v := u.values(p, t)
	v.Touched = u.step.touch()
	var whole, part any
	if err := utiljson.Unmarshal(object, &whole); err != nil {
		return nil, fmt.Errorf("read the object: %w", err)
	}
	if err := utiljson.Unmarshal(u.body.Append(nil, v), &part); err != nil {
		return nil, fmt.Errorf("read the body: %w", err)
	}
	return utiljson.Marshal(merge(whole, part))
}
