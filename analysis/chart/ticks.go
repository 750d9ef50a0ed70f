package chart

import (
	"math"
	"strconv"
)

// tick is a place on an axis; one without a label is a minor one.
type tick struct {
	at    float64
	label string
}

// scale maps the values of an axis to 0 … 1.
type scale struct {
	min, max float64
	log      bool
}

// at is the place of a value, NaN for one that has none.
func (s scale) at(v float64) float64 {
	if s.log {
		if v <= 0 {
			return math.NaN()
		}
		return math.Log(v/s.min) / math.Log(s.max/s.min)
	}
	return (v - s.min) / (s.max - s.min)
}

// ticks of an axis, with about that many labels, and the unit that the axis' own label has to name ("" where the ticks
// name it, or there is none).
func (a Axis) ticks(s scale, labels int) ([]tick, string) {
	if s.log {
		return logTicks(s, a.Unit), ""
	}
	size := math.Max(math.Abs(s.min), math.Abs(s.max))
	factor, suffix := a.Unit.scale(size)
	step := a.Unit.step((s.max-s.min)/factor, labels)
	if a.Whole {
		step = math.Max(step, 1)
	}
	decimals := decimalsOf(step)
	var ts []tick
	for i := math.Ceil(s.min/factor/step - 1e-9); i*step <= s.max/factor*(1+1e-12)+1e-9*step; i++ {
		v := i*step + 0 // no negative zero
		label := strconv.FormatFloat(v, 'f', decimals, 64)
		if a.Unit == Elapsed {
			label = clock(v)
		}
		ts = append(ts, tick{v * factor, label})
	}
	if a.Unit == Elapsed {
		suffix = "min:s"
		if s.max >= 3600 {
			suffix = "h:min:s"
		}
	}
	return ts, suffix
}

// step is the distance between ticks over a span that is counted in the unit shown: 1, 2 or 5 times a power of ten; of
// time, divisors of a minute and an hour; of bytes, powers of two.
func (u Unit) step(span float64, labels int) float64 {
	rough := span / float64(labels)
	if u == Elapsed {
		for _, s := range []float64{1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200} {
			if s >= rough {
				return s
			}
		}
		return math.Ceil(rough/86400) * 86400
	}
	if u == Bytes {
		return math.Pow(2, math.Ceil(math.Log2(rough)-1e-9))
	}
	power := math.Pow(10, math.Floor(math.Log10(rough)))
	for _, m := range []float64{1, 2, 5} {
		if m*power >= rough*(1-1e-9) {
			return m * power
		}
	}
	return 10 * power
}

// decimalsOf is how many decimals a step needs to be exact, six at most.
func decimalsOf(step float64) int {
	for d := range 6 {
		if v := step * math.Pow(10, float64(d)); math.Abs(v-math.Round(v)) < 1e-6*v {
			return d
		}
	}
	return 6
}

// logTicks are labelled at the powers of ten, of a short axis also at 2 and 5 times of them, of a long one at every second
// power; the others between are minor.
func logTicks(s scale, u Unit) []tick {
	decades := math.Log10(s.max / s.min)
	every := int(math.Ceil(decades / 7))
	var ts []tick
	for p := int(math.Floor(math.Log10(s.min) + 1e-9)); ; p++ {
		power := math.Pow(10, float64(p))
		for m := 1.0; m < 10; m++ {
			v := m * power
			if v > s.max*(1+1e-9) {
				return ts
			}
			if v < s.min*(1-1e-9) {
				continue
			}
			t := tick{at: v}
			if m == 1 && p%every == 0 || decades < 2.2 && (m == 2 || m == 5) || decades < 0.7 {
				t.label = u.Format(v)
			}
			ts = append(ts, t)
		}
	}
}

// extents is what the data of a chart cover.
type extents struct{ xmin, xmax, ymin, ymax float64 }

func newExtents() extents {
	return extents{math.Inf(1), math.Inf(-1), math.Inf(1), math.Inf(-1)}
}

// x and y widen the extents by a value that has a place on the axis.
func (e *extents) x(a Axis, vs ...float64) { e.xmin, e.xmax = widen(a, e.xmin, e.xmax, vs) }
func (e *extents) y(a Axis, vs ...float64) { e.ymin, e.ymax = widen(a, e.ymin, e.ymax, vs) }

func widen(a Axis, low, high float64, vs []float64) (float64, float64) {
	for _, v := range vs {
		if math.IsNaN(v) || math.IsInf(v, 0) || a.Log && v <= 0 {
			continue
		}
		low, high = math.Min(low, v), math.Max(high, v)
	}
	return low, high
}

// range is the scale of an axis over its data.
func (a Axis) over(low, high float64) scale {
	if n := len(a.Categories); n > 0 {
		return scale{min: -0.5, max: float64(n) - 0.5}
	}
	if low > high { // no data
		low, high = 0, 1
		if a.Log {
			low, high = 1, 10
		}
	}
	if a.Min != nil {
		low = *a.Min
	}
	if a.Max != nil {
		high = *a.Max
	}
	if a.Log {
		return logScale(low, high, a.Min == nil, a.Max == nil)
	}
	if a.Min == nil && low > 0 && a.Unit != Elapsed {
		low = 0
	}
	if high <= low {
		high = low + 1
	}
	if a.Unit != Elapsed { // room for what stands at the edge
		room := (high - low) * 0.05
		if a.Max == nil {
			high += room
		}
		if a.Min == nil && low < 0 {
			low -= room
		}
	}
	return scale{min: low, max: high}
}

// logScale rounds the open edges outward to 1, 2 or 5 times a power of ten.
func logScale(low, high float64, openLow, openHigh bool) scale {
	if openLow {
		low = roundLog(low, -1)
	}
	if openHigh {
		high = roundLog(high, 1)
	}
	if high <= low*1.5 {
		high = low * 10
	}
	return scale{min: low, max: high, log: true}
}

// roundLog is the next of 1, 2 or 5 times a power of ten at or beyond a value, in a direction.
func roundLog(v float64, direction int) float64 {
	power := math.Pow(10, math.Floor(math.Log10(v)))
	steps := []float64{1, 2, 5, 10}
	if direction > 0 {
		for _, m := range steps {
			if m*power >= v*(1-1e-9) {
				return m * power
			}
		}
	}
	best := power
	for _, m := range steps {
		if m*power <= v*(1+1e-9) {
			best = m * power
		}
	}
	return best
}
