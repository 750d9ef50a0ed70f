package analysis

import (
	"math"

	"windtunnel/results"
)

// maxPlaces is how many places a curve has at most.
const maxPlaces = 300

// timeline parts the time of a run into places of equal length.
type timeline struct {
	step results.Instant // nanoseconds of a place, a round number of seconds
	end  results.Instant // of the run
}

// newTimeline chooses the shortest round step at which the run has no more than maxPlaces.
func newTimeline(end results.Instant) timeline {
	const second = 1e9
	end = max(end, second)
	for _, s := range []int64{1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21600, 86400} {
		if end <= s*second*maxPlaces {
			return timeline{step: s * second, end: end}
		}
	}
	days := end/(86400*second*maxPlaces) + 1
	return timeline{step: days * 86400 * second, end: end}
}

// places is how many places there are.
func (t timeline) places() int { return int((t.end + t.step - 1) / t.step) }

// place is where an instant belongs; ok is false outside of the run.
func (t timeline) place(at results.Instant) (i int, ok bool) {
	if at < 0 || at > t.end {
		return 0, false
	}
	return min(int(at/t.step), t.places()-1), true
}

// middle and until are instants of a place, in seconds.
func (t timeline) middle(i int) float64 { return seconds(t.step)*float64(i) + seconds(t.step)/2 }
func (t timeline) until(i int) float64 {
	return math.Min(seconds(t.step)*float64(i+1), seconds(t.end))
}

// curve makes a curve of one value for each place.
func (t timeline) curve(name string, values []float64, n int64, at func(int) float64) Curve {
	c := Curve{Name: name, Value: values, N: n, At: make([]float64, len(values))}
	for i := range values {
		c.At[i] = at(i)
	}
	return c
}

// known is the curve without the places whose value is not known.
func (c Curve) known() Curve {
	k := Curve{Name: c.Name, N: c.N}
	for i, v := range c.Value {
		if !math.IsNaN(v) {
			k.At, k.Value = append(k.At, c.At[i]), append(k.Value, v)
		}
	}
	return k
}

// unknown is a slice of that many NaN.
func unknown(n int) []float64 {
	vs := make([]float64, n)
	for i := range vs {
		vs[i] = math.NaN()
	}
	return vs
}

// larger keeps the larger of two values, of which the first may not be known.
func larger(known, v float64) float64 {
	if math.IsNaN(known) || v > known {
		return v
	}
	return known
}
