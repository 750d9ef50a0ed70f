package profiles

import (
	"crypto/sha256"
	"encoding/binary"
	"iter"
	"math"
	"math/rand/v2"
	"time"
)

// The names of the arrival processes.
const (
	ProcessConstant = "constant"
	ProcessPoisson  = "poisson"
)

// Each stream seed feeds two independent generators, so that a change of the mix leaves the instants as they were.
const (
	arrivalStream = 1
	pickStream    = 2
)

// Schedule yields the planned instants of an open-loop stream, in order, as offsets from the stream's start. It is a pure
// function: the same arrivals and seed give the same instants. It ends before a.Length() when there is one; otherwise it
// goes on until the consumer stops (or the range of time.Duration is used up, after 292 years). A rate that is not a
// positive finite number yields nothing.
//
// With Λ(t) the number of arrivals expected in [0, t], the integral of the rate:
//
// constant: the k-th arrival, from k = 0, is at Λ⁻¹(k), computed from k each time, so that rounding does not add up.
// poisson: the n-th arrival is at Λ⁻¹ of the sum of n exponential gaps with mean 1, by inversion: −ln(1−U) with U uniform
// in [0, 1). This rescaling of time makes an exact Poisson process of any rate (Çinlar 1975, Introduction to Stochastic
// Processes, chapter 4).
func Schedule(a Arrivals, seed uint64) iter.Seq[time.Duration] {
	if len(a.Stages) > 0 {
		return staged(a, seed)
	}
	return steady(a, seed)
}

// staged follows a rate that changes.
func staged(a Arrivals, seed uint64) iter.Seq[time.Duration] {
	return func(yield func(time.Duration) bool) {
		rate := intensityOf(a)
		next := constantInstants(1)
		if a.Process == ProcessPoisson {
			next = poissonInstants(1, rand.New(rand.NewPCG(seed, arrivalStream)))
		}
		for {
			if at, more := rate.instant(next()); !more || !yield(at) {
				return
			}
		}
	}
}

// steady follows a fixed rate, for which Λ⁻¹(n) is n/rate.
func steady(a Arrivals, seed uint64) iter.Seq[time.Duration] {
	return func(yield func(time.Duration) bool) {
		if !(a.Rate > 0) || math.IsInf(a.Rate, 1) {
			return
		}
		next := constantInstants(a.Rate)
		if a.Process == ProcessPoisson {
			next = poissonInstants(a.Rate, rand.New(rand.NewPCG(seed, arrivalStream)))
		}
		for {
			nanos := next() * float64(time.Second)
			if nanos >= math.MaxInt64 || (a.For > 0 && nanos >= float64(a.For)) {
				return
			}
			if !yield(time.Duration(nanos)) {
				return
			}
		}
	}
}

// constantInstants gives 0, 1/rate, 2/rate, … in seconds.
func constantInstants(rate float64) func() float64 {
	k := -1.0
	return func() float64 {
		k++
		return k / rate
	}
}

// poissonInstants gives the running sum of exponential gaps in seconds.
func poissonInstants(rate float64, r *rand.Rand) func() float64 {
	at := 0.0
	return func() float64 {
		at -= math.Log1p(-r.Float64()) / rate
		return at
	}
}

// StreamSeed is the seed of one step's random choices. It depends on the run's seed and on where the step is, and on
// nothing else: adding or removing a track changes no other track's plan.
func StreamSeed(run uint64, phase, track string, step int) uint64 {
	h := sha256.New()
	var word [8]byte
	number := func(n uint64) {
		binary.BigEndian.PutUint64(word[:], n)
		h.Write(word[:])
	}
	number(run)
	for _, s := range []string{phase, track} {
		number(uint64(len(s))) // so that ("ab", "c") and ("a", "bc") differ
		h.Write([]byte(s))
	}
	number(uint64(step))
	return binary.BigEndian.Uint64(h.Sum(nil))
}
