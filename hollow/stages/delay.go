package stages

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/google/cel-go/cel"
)

// moment is when something is asked, and where chance comes from.
type moment struct {
	now    time.Time
	random *rand.Rand
}

// source is where a weight or a duration comes from: an expression, and what stands where that has no value.
type source struct {
	query    *query
	program  cel.Program
	text     string // of the CEL expression
	fallback *int64 // a weight, or nanoseconds
}

// raw is the value of the expression; ok is false where the fallback stands.
func (s *source) raw(object *view, at moment) (value any, ok bool, err error) {
	switch {
	case s.program != nil:
		if value, err = evaluate(s.program, object, at); err != nil {
			return nil, false, fmt.Errorf("%s: %w", s.text, err)
		}
		return value, true, nil
	case s.query != nil:
		value, ok = s.query.first(object)
	}
	return value, ok, nil
}

func (s *source) otherwise() (int64, bool, error) {
	if s.fallback == nil {
		return 0, false, nil
	}
	return *s.fallback, true, nil
}

// weight is a stage's weight; ok is false where the object names none although it should.
func (s *source) weight(object *view, at moment) (weight int64, ok bool, err error) {
	value, ok, err := s.raw(object, at)
	if err != nil {
		return 0, false, fmt.Errorf("weightFrom: %w", err)
	}
	if !ok {
		return s.otherwise()
	}
	switch v := value.(type) {
	case string:
		n, err := strconv.ParseInt(v, 0, 64)
		return max(n, 0), err == nil, nil
	case bool:
		if v {
			return 1, true, nil
		}
		return 0, true, nil
	case time.Duration:
		return max(int64(v), 0), true, nil
	}
	if n, ok := wholeNumber(value); ok {
		return max(n, 0), true, nil
	}
	return s.otherwise()
}

// duration is how long to wait: a text such as 1m30s, or the time until an instant in RFC 3339, which may have passed. ok is
// false where there is neither a value nor a fallback, or the text is empty.
func (s *source) duration(object *view, at moment) (d time.Duration, ok bool, err error) {
	value, ok, err := s.raw(object, at)
	if err != nil {
		return 0, false, err
	}
	switch v := value.(type) {
	case string:
		if v == "" {
			return 0, false, nil
		}
		if instant, err := time.Parse(time.RFC3339Nano, v); err == nil {
			return instant.Sub(at.now), true, nil
		}
		if d, err := time.ParseDuration(v); err == nil {
			return d, true, nil
		}
	case time.Time:
		return v.Sub(at.now), true, nil
	case time.Duration:
		return v, true, nil
	default:
		if n, whole := wholeNumber(value); ok && whole && s.program != nil {
			return time.Duration(n), true, nil
		}
	}
	n, ok, err := s.otherwise()
	return time.Duration(n), ok, err
}

func wholeNumber(v any) (int64, bool) {
	switch v := v.(type) {
	case int:
		return int64(v), true
	case int64:
		return v, true
	case uint64:
		return int64(min(v, math.MaxInt64)), true
	case float64:
		return int64(min(max(v, math.MinInt64), math.MaxInt64/2)), !math.IsNaN(v)
	}
	return 0, false
}

// delay is how long a stage waits.
type delay struct {
	duration     source
	jitter       *source
	distribution *distribution
}

// Range is the span that a delay is taken from.
type Range struct {
	// Least and Most bound the delay. Instants of the object that have passed give negative ones.
	Least, Most time.Duration
	// Open says that there is no most: a distribution with a tail. Most is then its 99th percentile.
	Open bool
}

// span is what the delay may be for an object at an instant.
func (d *delay) span(object *view, at moment) (Range, error) {
	if d == nil {
		return Range{}, nil
	}
	if d.distribution != nil {
		return d.distribution.span(), nil
	}
	least, ok, err := d.duration.duration(object, at)
	if err != nil {
		return Range{}, fmt.Errorf("delay.durationFrom: %w", err)
	}
	if !ok {
		return Range{}, nil
	}
	if d.jitter == nil {
		return Range{Least: least, Most: least}, nil
	}
	most, ok, err := d.jitter.duration(object, at)
	if err != nil {
		return Range{}, fmt.Errorf("delay.jitterDurationFrom: %w", err)
	}
	switch {
	case !ok:
		most = least
	case most < least:
		least = most
	}
	return Range{Least: least, Most: most}, nil
}

// draw takes a delay: uniformly from the span, or from the distribution.
func (d *delay) draw(object *view, at moment) (time.Duration, error) {
	if d != nil && d.distribution != nil {
		return d.distribution.draw(at.random), nil
	}
	span, err := d.span(object, at)
	if err != nil || span.Most <= span.Least {
		return span.Least, err
	}
	width := uint64(span.Most) - uint64(span.Least) // right also where the difference does not fit into an int64
	return span.Least + time.Duration(at.random.Uint64N(width)), nil
}
