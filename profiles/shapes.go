package profiles

import "math"

// ramp goes by a straight line from one rate to another:
//
//	λ(t) = from + (to − from)·t/length
//	Λ(t) = from·t + (to − from)·t²/(2·length)
type ramp struct{ from, to, length float64 }

func (r ramp) integral(t float64) float64 {
	return t * (r.from + (r.to-r.from)*(t/r.length)/2)
}

// inverse solves the quadratic equation by the form of its root that has no difference of nearly equal numbers in it.
func (r ramp) inverse(n float64) float64 {
	if n <= 0 {
		return 0
	}
	discriminant := r.from*r.from + 2*(r.to-r.from)/r.length*n // λ(t)²
	return min(2*n/(r.from+math.Sqrt(max(discriminant, 0))), r.length)
}

func (r ramp) peak() float64 { return max(r.from, r.to) }
func (r ramp) last() float64 { return r.to }

// wave is one period of a sine, from its lowest to its lowest. With x = 2π·t/length:
//
//	λ(t) = mean − amplitude·cos x                   _
//	Λ(t) = mean·t − amplitude·length/2π·sin x     _/ \_
type wave struct{ mean, amplitude, length float64 }

// rate and integral are written as sums of what is not negative: where the lowest rate is 0, the plain form of Λ is a
// difference of nearly equal numbers, whose rounding would move the first arrivals of a day by many nanoseconds.

func (w wave) rate(t float64) float64 {
	half := math.Sin(math.Pi * t / w.length)
	return (w.mean - w.amplitude) + 2*w.amplitude*half*half
}

func (w wave) integral(t float64) float64 {
	turn := 2 * math.Pi / w.length
	return (w.mean-w.amplitude)*t + w.amplitude/turn*minusSine(turn*t)
}

// minusSine is x − sin x for x ≥ 0, by its series where the difference would lose digits.
func minusSine(x float64) float64 {
	if x >= 1 {
		return x - math.Sin(x)
	}
	term := x * x * x / 6
	sum := 0.0
	for k := 4.0; sum+term != sum; k += 2 {
		sum += term
		term *= -x * x / (k * (k + 1))
	}
	return sum
}

// nearRoot is how near, in seconds, inverse comes to the root: a tenth of a nanosecond.
const nearRoot = 1e-10

// inverse goes by Newton's steps, and by halves where a step would leave the bracket: at its ends the wave can be flat. Λ
// grows throughout, so there is one root.
func (w wave) inverse(n float64) float64 {
	low, high := 0.0, w.length
	t := min(n/w.mean, high)
	for range 200 { // far more than the halves from 292 years to a nanosecond
		over := w.integral(t) - n
		if over > 0 {
			high = t
		} else {
			low = t
		}
		next := t - over/w.rate(t)
		if !(next >= low && next <= high) { // also when it is not a number
			next = low + (high-low)/2
		}
		if math.Abs(next-t) < nearRoot {
			return next
		}
		t = next
	}
	return t
}

func (w wave) peak() float64 { return w.mean + w.amplitude }
func (w wave) last() float64 { return w.mean - w.amplitude }
