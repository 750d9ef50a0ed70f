package profiles

import (
	"math"
	"slices"
	"testing"
	"time"
)

// TestPace reckons the instants of the paces that have no chance in them.
func TestPace(t *testing.T) {
	ms := func(all ...int) (at []time.Duration) {
		for _, n := range all {
			at = append(at, time.Duration(n)*time.Millisecond)
		}
		return at
	}
	second := Duration(time.Second)
	for _, test := range []struct {
		pace   Pace
		n      int
		want   []time.Duration
		length time.Duration
	}{
		{Pace{Kind: PaceEven, Rate: 5}, 3, ms(0, 200, 400), 600 * time.Millisecond},
		{Pace{Kind: PaceBursts, Burst: 2, Period: second}, 5, ms(0, 0, 1000, 1000, 2000), 2 * time.Second},
		{Pace{Kind: PaceBursts, Burst: 2, Period: second}, 4, ms(0, 0, 1000, 1000), 2 * time.Second},
		{Pace{Kind: PaceSpread, Period: second}, 4, ms(0, 250, 500, 750), time.Second},
		{Pace{Kind: PaceBucket, Rate: 10, Burst: 3}, 5, ms(0, 0, 0, 100, 200), 200 * time.Millisecond},
		{Pace{Kind: PaceParallel, Workers: 2}, 2, ms(0, 0), 0},
		{Pace{Kind: PaceEven, Rate: 5}, 0, nil, 0},
		{Pace{Kind: PacePoisson}, 2, ms(0, 0), 0},
		{Pace{Kind: PaceScatter}, 2, ms(0, 0), 0},
		{Pace{Kind: PaceBursts}, 2, ms(0, 0), 0},
	} {
		at, length := test.pace.Instants(test.n, 1)
		if !slices.Equal(at, test.want) || length != test.length {
			t.Errorf("%+v of %d: %v in %v, want %v in %v", test.pace, test.n, at, length, test.want, test.length)
		}
	}
}

// TestRandomPace: the paces with chance in them keep their mean, their bounds and their law within 5 standard errors, the same
// seed gives the same instants, and another seed others.
func TestRandomPace(t *testing.T) {
	const n, rate = 40_000, 100.0
	for _, test := range []struct {
		pace Pace
		// mean and deviation of a gap (of an instant, for scatter), in seconds
		mean, deviation, highest float64
		at                       bool
	}{
		{Pace{Kind: PaceUniform, Rate: rate}, 1 / rate, 2 / rate / math.Sqrt(12), 2 / rate, false},
		{Pace{Kind: PacePoisson, Rate: rate}, 1 / rate, 1 / rate, math.Inf(1), false},
		{Pace{Kind: PaceScatter, Period: Duration(time.Minute)}, 30, 60 / math.Sqrt(12), 60, true},
	} {
		at, length := test.pace.Instants(n, 1)
		same, _ := test.pace.Instants(n, 1)
		other, _ := test.pace.Instants(n, 2)
		if !slices.Equal(at, same) || slices.Equal(at, other) {
			t.Errorf("%s: the instants are not a function of the seed", test.pace.Kind)
		}
		if length < slices.Max(at) {
			t.Errorf("%s: ends at %v, before the last instant", test.pace.Kind, length)
		}
		values := make([]float64, 0, n)
		for i := range at {
			switch {
			case test.at:
				values = append(values, at[i].Seconds())
			case i > 0:
				values = append(values, (at[i] - at[i-1]).Seconds())
			}
		}
		bound := 5 * test.deviation / math.Sqrt(float64(len(values)))
		if got := mean(values); math.Abs(got-test.mean) > bound {
			t.Errorf("%s: mean %v, want %v ± %v", test.pace.Kind, got, test.mean, bound)
		}
		if spread := math.Sqrt(covariance(values, values)); math.Abs(spread-test.deviation) > test.deviation/20 {
			t.Errorf("%s: deviation %v, want %v", test.pace.Kind, spread, test.deviation)
		}
		if slices.Min(values) < 0 || slices.Max(values) >= test.highest+1e-9 {
			t.Errorf("%s: from %v to %v, want 0 to %v", test.pace.Kind, slices.Min(values), slices.Max(values), test.highest)
		}
	}
}
