package profiles

import (
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// genStages draws a stream of any shapes, lulls among them.
func genStages(t *rapid.T) Arrivals {
	rate := rapid.OneOf(rapid.Just(0.0), rapid.Float64Range(0.01, 200))
	a := Arrivals{Process: rapid.SampledFrom([]string{ProcessConstant, ProcessPoisson}).Draw(t, "process"), Rate: rate.Draw(t, "from")}
	for range rapid.IntRange(1, 5).Draw(t, "stages") {
		s := Stage{
			For:   Duration(rapid.Int64Range(int64(time.Millisecond), int64(10*time.Second)).Draw(t, "for")),
			Shape: rapid.SampledFrom([]string{ShapeHold, ShapeLinear, ShapeSine, ShapeCurve}).Draw(t, "shape"),
			Rate:  rate.Draw(t, "rate"),
		}
		switch s.Shape {
		case ShapeSine:
			s.Amplitude = s.Rate * rapid.SampledFrom([]float64{0.3, 1}).Draw(t, "amplitude")
		case ShapeCurve:
			s.Rate = rapid.Float64Range(0.1, 3).Draw(t, "factor")
			s.Rates = rapid.SliceOfN(rate, 2, 8).Draw(t, "rates")
		}
		a.Stages = append(a.Stages, s)
	}
	return a
}

func TestStagedSchedule(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, seed := genStages(t), rapid.Uint64().Draw(t, "seed")
		instants := slices.Collect(Schedule(a, seed))
		if !slices.Equal(instants, slices.Collect(Schedule(a, seed))) {
			t.Fatal("the same seed gives other instants")
		}
		if !slices.IsSorted(instants) {
			t.Fatal("not in order")
		}
		if n := len(instants); n > 0 && (instants[0] < 0 || instants[n-1] >= a.Length()) {
			t.Fatalf("from %s to %s, outside of %s", instants[0], instants[n-1], a.Length())
		}
		if a.Process != ProcessConstant {
			return
		}
		edges := []int64{rapid.Int64Range(0, int64(a.Length())).Draw(t, "one edge"), rapid.Int64Range(0, int64(a.Length())).Draw(t, "other edge")}
		slices.Sort(edges)
		from, to := time.Duration(edges[0]), time.Duration(edges[1])
		first, _ := slices.BinarySearch(instants, from)
		last, _ := slices.BinarySearch(instants, to)
		want := a.Expected(to) - a.Expected(from)
		// An instant is rounded to the nanosecond, so at either edge it may be on the other side of it.
		if off := math.Abs(float64(last-first) - want); off > 1+2e-9*a.Peak()+1e-9 {
			t.Fatalf("%d arrivals from %s to %s, where %v are expected", last-first, from, to, want)
		}
	})
}

// TestInverse holds that Λ⁻¹ is the inverse of Λ to the nanosecond, and that Λ grows by no more than the peak allows.
func TestInverse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := genStages(t)
		rate, total := intensityOf(a), a.Expected(a.Length())
		n := total * rapid.Float64Range(0, 1).Draw(t, "part")
		at, ever := rate.instant(n)
		if !ever {
			if left := total - n; left > 1e-9*(a.Peak()+total) {
				t.Fatalf("no instant for %v of %v", n, total)
			}
			return
		}
		if off := math.Abs(rate.expected(at) - n); off > 1e-9*a.Peak()+1e-12*total {
			t.Fatalf("%v are expected by %s, want %v", rate.expected(at), at, n)
		}
		later := at + time.Duration(rapid.Int64Range(0, int64(time.Second)).Draw(t, "later"))
		if more := rate.expected(later) - rate.expected(at); more < 0 || more > a.Peak()*(later-at).Seconds()*(1+1e-9)+1e-12*total {
			t.Fatalf("%v are expected from %s to %s at %v/s at most", more, at, later, a.Peak())
		}
	})
}

// TestSineInverse looks at a day whose night has no requests at all, where Λ is flattest.
func TestSineInverse(t *testing.T) {
	day := wave{mean: 100, amplitude: 100, length: 86_400}
	total := day.integral(day.length)
	if math.Abs(total-100*86_400) > 1e-6 {
		t.Fatalf("%v arrivals a day", total)
	}
	for n := 1e-6; n < total; n = n*1.7 + 0.3 {
		at := day.inverse(n)
		// Half a nanosecond, and what the last digits of n itself are worth in time.
		ulp := math.Nextafter(n, math.Inf(1)) - n
		if off := math.Abs(day.integral(at) - n); off > 0.5e-9*day.rate(at)+4*ulp {
			t.Errorf("%v are expected by %v s, want %v", day.integral(at), at, n)
		}
	}
	// Λ(t) is 100·(2π/86400)²·t³/6 at first, so the first arrival after that of k = 0 comes after 225 s.
	turn := 2 * math.Pi / day.length
	if got, want := day.inverse(1), math.Cbrt(6/(100*turn*turn)); math.Abs(got/want-1) > 1e-4 {
		t.Errorf("the first arrival is at %v s, want about %v s", got, want)
	}
	for _, n := range []float64{1e5, 2e6, total / 2} { // the evening mirrors the morning
		if sum := day.inverse(n) + day.inverse(total-n); math.Abs(sum-day.length) > 1e-8 {
			t.Errorf("the two instants for %v sum to %v", n, sum)
		}
	}
}

// TestMinusSine compares the two forms of x − sin x where both are good, and the series with its first terms where only it is.
func TestMinusSine(t *testing.T) {
	for x := 0.5; x < 1; x += 0.01 {
		if got, want := minusSine(x), x-math.Sin(x); math.Abs(got/want-1) > 1e-14 {
			t.Errorf("%v: %v, want %v", x, got, want)
		}
	}
	const x = 1e-3
	if got, want := minusSine(x), x*x*x/6-x*x*x*x*x/120; math.Abs(got/want-1) > 1e-13 {
		t.Errorf("%v: %v, want %v", x, got, want)
	}
	if minusSine(0) != 0 {
		t.Error("not 0 at 0")
	}
}

// TestIntegral compares Λ of every shape with the sum of λ in small steps.
func TestIntegral(t *testing.T) {
	for name, c := range map[string]struct {
		shape shape
		rate  func(t float64) float64
	}{
		"up":   {ramp{3, 10, 8}, func(t float64) float64 { return 3 + 7*t/8 }},
		"down": {ramp{10, 0, 8}, func(t float64) float64 { return 10 - 10*t/8 }},
		"sine": {wave{5, 4, 8}, func(t float64) float64 { return 5 - 4*math.Cos(2*math.Pi*t/8) }},
	} {
		const steps = 100_000
		sum := 0.0
		for i := range steps {
			sum += c.rate(8*(float64(i)+0.5)/steps) * 8 / steps
			if i%10_000 != 9999 {
				continue
			}
			if got := c.shape.integral(8 * float64(i+1) / steps); math.Abs(got-sum) > 1e-6 {
				t.Errorf("%s: %v after %d steps, want %v", name, got, i+1, sum)
			}
		}
		if got, want := c.shape.last(), c.rate(8); math.Abs(got-want) > 1e-9 {
			t.Errorf("%s ends at %v, want %v", name, got, want)
		}
	}
}

func hold(rate float64, last time.Duration) Stage {
	return Stage{For: Duration(last), Shape: ShapeHold, Rate: rate}
}

// TestOneHoldIsTheSteadyStream holds that a single stage plans what rate and for plan, but for the rounding to nanoseconds.
func TestOneHoldIsTheSteadyStream(t *testing.T) {
	for _, process := range []string{ProcessConstant, ProcessPoisson} {
		old := slices.Collect(Schedule(Arrivals{Process: process, Rate: 31.7, For: Duration(10 * time.Minute)}, 5))
		got := slices.Collect(Schedule(Arrivals{Process: process, Stages: []Stage{hold(31.7, 10*time.Minute)}}, 5))
		if len(got) != len(old) {
			t.Fatalf("%s: %d arrivals, want %d", process, len(got), len(old))
		}
		for i := range old {
			if d := got[i] - old[i]; d < -2 || d > 2 {
				t.Fatalf("%s: arrival %d at %s, want %s", process, i, got[i], old[i])
			}
		}
	}
}

// TestInstantsOfShapes has streams whose instants can be worked out by hand.
func TestInstantsOfShapes(t *testing.T) {
	s := time.Second
	for name, c := range map[string]struct {
		arrivals Arrivals
		want     []time.Duration
	}{
		"a lull waits for its end": {Arrivals{Stages: []Stage{hold(0, s), hold(2, s), hold(0, 5*s), hold(1, 2*s)}},
			[]time.Duration{s, 1500 * time.Millisecond, 7 * s, 8 * s}},
		"a ramp from nothing": {Arrivals{Stages: []Stage{{For: Duration(10 * s), Shape: ShapeLinear, Rate: 0.2}}}, // Λ(t) = t²/100
			[]time.Duration{0}},
		"a ramp from rate": {Arrivals{Rate: 3, Stages: []Stage{{For: Duration(4 * s), Shape: ShapeLinear, Rate: 1}}}, // Λ(t) = 3t − t²/4
			[]time.Duration{0, 343145751, 708497378, 1101020514, 1527864045, 2 * s, 2535898385, 3171572875}},
		"a ramp from the stage before": {Arrivals{Stages: []Stage{hold(1, s), {For: Duration(2 * s), Shape: ShapeLinear, Rate: 1}}},
			[]time.Duration{0, s, 2 * s}},
		"a curve and its factor": {Arrivals{Stages: []Stage{{For: Duration(2 * s), Shape: ShapeCurve, Rate: 2, Rates: []float64{0, 1, 0}}}}, // Λ(t) = t² up to 1 s
			[]time.Duration{0, s}},
	} {
		if got := slices.Collect(Schedule(c.arrivals, 1)); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

// TestExactSum holds that a long curve loses nothing: 0.1 a million times is 100 000 to the last digit.
func TestExactSum(t *testing.T) {
	var sum exactSum
	for range 1_000_000 {
		sum.add(0.1)
	}
	if sum.value != 100_000 {
		t.Errorf("%v", sum.value)
	}
}
