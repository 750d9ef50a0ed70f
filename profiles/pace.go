package profiles

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"
)

// PaceKind is a rule by which the actions of a list begin.
type PaceKind string

// The kinds of a Pace. In all but PaceParallel an action begins at its instant whether or not those before it have ended.
const (
	PaceEven     PaceKind = "even"     // 1/Rate apart
	PaceUniform  PaceKind = "uniform"  // apart by gaps that are uniform between 0 and 2/Rate
	PacePoisson  PaceKind = "poisson"  // apart by exponential gaps with mean 1/Rate
	PaceBursts   PaceKind = "bursts"   // Burst at once, then a pause of Period
	PaceSpread   PaceKind = "spread"   // evenly over Period
	PaceScatter  PaceKind = "scatter"  // each at an instant of its own, uniform in Period
	PaceBucket   PaceKind = "bucket"   // out of a bucket of Burst tokens that begins full and gets Rate a second
	PaceParallel PaceKind = "parallel" // closed loop: Workers at a time, each the next one when its last has ended
)

// Pace says when the actions of a list begin. Which of its fields count follows from the kind.
type Pace struct {
	// Kind is the rule.
	Kind PaceKind `json:"kind"`
	// Rate is in actions a second.
	Rate float64 `json:"rate,omitempty"`
	// Burst is a number of actions.
	Burst int `json:"burst,omitempty"`
	// Period is the pause between bursts, or the time over which all actions are spread.
	Period Duration `json:"period,omitempty"`
	// Workers bounds the actions under way.
	Workers int `json:"workers,omitempty"`
}

// ClosedLoop tells that an action waits for another to end, so that nobody knows its instant before.
func (p Pace) ClosedLoop() bool { return p.Kind == PaceParallel }

// Instants are when each of n actions begins, from the start of the list, and when the last pause after them is over. They are a
// pure function of the pace, n and the seed. Except for PaceScatter they are in order. A closed loop has none: all are 0, as is the
// length. Rates and periods that are not positive count as no pause at all.
func (p Pace) Instants(n int, seed uint64) (at []time.Duration, length time.Duration) {
	at = make([]time.Duration, max(n, 0))
	if len(at) == 0 || p.ClosedLoop() {
		return at, 0
	}
	if p.Kind == PaceScatter {
		return at, p.scatter(at, rand.New(rand.NewPCG(seed, arrivalStream)))
	}
	instant := p.law(len(at), rand.New(rand.NewPCG(seed, arrivalStream)))
	for i := range at {
		at[i] = instant(i)
	}
	switch p.Kind {
	case PaceEven, PaceUniform, PaceSpread: // the pause after the last one counts, too
		length = instant(len(at))
	case PaceBursts:
		length = instant(len(at) / max(p.Burst, 1) * max(p.Burst, 1))
	default:
		length = at[len(at)-1]
	}
	return at, max(length, at[len(at)-1])
}

// law gives the instants one by one; those of random gaps have to be asked for in order.
func (p Pace) law(n int, random *rand.Rand) func(i int) time.Duration {
	mean := 0.0 // seconds between two
	if p.Rate > 0 {
		mean = 1 / p.Rate
	}
	sum := 0.0
	gaps := func(gap func() float64) func(i int) time.Duration {
		return func(i int) time.Duration {
			if i > 0 {
				sum += gap()
			}
			return inSeconds(sum)
		}
	}
	switch p.Kind {
	case PaceUniform:
		return gaps(func() float64 { return 2 * random.Float64() * mean })
	case PacePoisson:
		return gaps(func() float64 { return -math.Log1p(-random.Float64()) * mean })
	case PaceBursts:
		return func(i int) time.Duration { return inSeconds(float64(i/max(p.Burst, 1)) * secondsOf(max(p.Period, 0))) }
	case PaceSpread:
		return func(i int) time.Duration { return inSeconds(float64(i) / float64(n) * secondsOf(max(p.Period, 0))) }
	case PaceBucket:
		return func(i int) time.Duration { return inSeconds(float64(max(i+1-max(p.Burst, 1), 0)) * mean) }
	}
	return func(i int) time.Duration { return inSeconds(float64(i) * mean) }
}

func (p Pace) scatter(at []time.Duration, random *rand.Rand) (length time.Duration) {
	for i := range at {
		if p.Period > 0 {
			at[i] = time.Duration(random.Int64N(int64(p.Period)))
		}
		length = max(length, at[i])
	}
	return length
}

// inSeconds converts what may be out of range.
func inSeconds(s float64) time.Duration {
	return time.Duration(min(s*float64(time.Second), math.MaxInt64/2))
}

// String is the pace in a few words.
func (p Pace) String() string {
	switch p.Kind {
	case PaceEven:
		return fmt.Sprintf("%.4g/s", p.Rate)
	case PaceUniform:
		return fmt.Sprintf("%.4g/s in the mean, gaps uniform", p.Rate)
	case PacePoisson:
		return fmt.Sprintf("%.4g/s in the mean, poisson", p.Rate)
	case PaceBursts:
		return fmt.Sprintf("%d at once every %s", p.Burst, p.Period)
	case PaceSpread:
		return fmt.Sprintf("spread over %s", p.Period)
	case PaceScatter:
		return fmt.Sprintf("scattered over %s", p.Period)
	case PaceBucket:
		return fmt.Sprintf("%.4g/s with bursts of %d, shared", p.Rate, p.Burst)
	case PaceParallel:
		return fmt.Sprintf("%d at a time", p.Workers)
	}
	return string(p.Kind)
}
