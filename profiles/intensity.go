package profiles

import (
	"math"
	"sort"
	"time"
)

// The shapes of a stage.
const (
	ShapeHold   = "hold"
	ShapeLinear = "linear"
	ShapeSine   = "sine"
	ShapeCurve  = "curve"
)

// intensity is the rate of a stream as a function of time, λ(t), as pieces one after another. Everything about arrivals
// follows from its integral Λ(t), the number of arrivals expected in [0, t], and from the inverse of that.
type intensity []piece

// piece is a stretch of time over which Λ has a closed form.
type piece struct {
	shape         shape
	begin, length time.Duration
	before, after float64 // Λ at its beginning and end
}

// shape is λ over a piece; t counts seconds from the piece's beginning.
type shape interface {
	integral(t float64) float64 // of λ from 0 to t
	inverse(n float64) float64  // the t at which integral(t) = n, for n from 0 to the integral of the whole piece
	peak() float64              // the largest λ
	last() float64              // λ at the end
}

// intensityOf lays out the stages. Numbers that validation refuses (negative, not finite) count as 0, so that a profile
// with problems can be outlined, too.
func intensityOf(a Arrivals) intensity {
	var in intensity
	var sum exactSum
	begin, rate := time.Duration(0), sane(a.Rate)
	for _, stage := range a.Stages {
		length := stage.length(begin)
		for _, p := range stage.pieces(rate, length) {
			if p.length <= 0 {
				continue
			}
			p.begin += begin
			p.before = sum.value
			p.after = max(p.before, sum.add(p.shape.integral(p.length.Seconds())))
			in = append(in, p)
			rate = p.shape.last()
		}
		begin += length
	}
	return in
}

// length is how long a stage that begins there lasts; all of a stream is within the range of time.Duration.
func (s Stage) length(begin time.Duration) time.Duration {
	return min(max(time.Duration(s.For), 0), math.MaxInt64-begin)
}

// pieces are the stage's pieces, from its own beginning; rate is that at the end of the stage before.
func (s Stage) pieces(rate float64, length time.Duration) []piece {
	seconds := length.Seconds()
	switch s.Shape {
	case ShapeLinear:
		return []piece{{shape: ramp{rate, sane(s.Rate), seconds}, length: length}}
	case ShapeSine:
		mean := sane(s.Rate)
		return []piece{{shape: wave{mean, min(sane(s.Amplitude), mean), seconds}, length: length}}
	case ShapeCurve:
		var all []piece
		for i := range len(s.Rates) - 1 {
			// Each edge from i, so that the rounding of one does not move the next.
			edge := func(i int) time.Duration { return fraction(length, i, len(s.Rates)-1) }
			p := piece{begin: edge(i), length: edge(i+1) - edge(i)}
			p.shape = ramp{sane(s.Rate * s.Rates[i]), sane(s.Rate * s.Rates[i+1]), p.length.Seconds()}
			all = append(all, p)
		}
		return all
	}
	return []piece{{shape: ramp{sane(s.Rate), sane(s.Rate), seconds}, length: length}}
}

// fraction is i/n of a duration, to the nanosecond.
func fraction(d time.Duration, i, n int) time.Duration {
	whole, rest := d/time.Duration(n), d%time.Duration(n)
	return whole*time.Duration(i) + time.Duration(math.Round(float64(rest)*float64(i)/float64(n)))
}

// sane is a rate within the range that validation allows.
func sane(rate float64) float64 {
	if !(rate > 0) {
		return 0
	}
	return min(rate, 2*fastest) // the largest is the top of a sine of the fastest mean
}

// expected is Λ(at).
func (in intensity) expected(at time.Duration) float64 {
	i := sort.Search(len(in), func(i int) bool { return in[i].begin+in[i].length > at })
	switch {
	case len(in) == 0:
		return 0
	case i == len(in):
		return in[i-1].after
	}
	p := in[i]
	return min(p.before+p.shape.integral(max(at-p.begin, 0).Seconds()), p.after)
}

// instant is Λ⁻¹(n), the instant from which on more than n arrivals are expected, to the nearest nanosecond; false when
// there are never more. Where λ is 0 for a while, that is the end of the while. What rounds to the end of a piece is the
// beginning of the next in which there are arrivals, so that none falls into a stage that has no rate.
func (in intensity) instant(n float64) (time.Duration, bool) {
	for i := sort.Search(len(in), func(i int) bool { return in[i].after > n }); i < len(in); i++ {
		p := in[i]
		if p.after <= p.before {
			continue
		}
		at := time.Duration(math.Round(p.shape.inverse(max(n-p.before, 0)) * float64(time.Second)))
		if at < p.length {
			return p.begin + at, true
		}
	}
	return 0, false
}

// exactSum adds up numbers that are not negative and keeps what rounding takes from the sum (Neumaier 1974), so that a
// curve of many samples is as exact as one of two.
type exactSum struct{ value, sum, lost float64 }

func (s *exactSum) add(v float64) float64 {
	sum := s.sum + v
	if s.sum >= v {
		s.lost += (s.sum - sum) + v
	} else {
		s.lost += (v - sum) + s.sum
	}
	s.sum, s.value = sum, sum+s.lost
	return s.value
}
