package stats

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/stat/combin"
	"gonum.org/v1/gonum/stat/distuv"
)

func TestShiftByHand(t *testing.T) {
	x, y := []float64{1, 2, 3, 4}, []float64{11, 12.5, 13, 14}
	// The 16 differences range from 7 to 13; 4 + 4 values give 95 % from the least to the largest.
	if got, want := Shift(x, y), (Estimate{10, 7, 13}); got != want {
		t.Errorf("Shift = %+v, want %+v", got, want)
	}
	if got := Shift(x[:3], y[:3]); got.Bounded() || !math.IsInf(got.Low, -1) || !math.IsInf(got.High, 1) {
		t.Errorf("3 + 3 values cannot bound a shift at 95 %%: %+v", got)
	}
	if got := Shift([]float64{5}, []float64{7}); got.Value != 2 {
		t.Errorf("Shift of single values = %+v", got)
	}
	ratio, ok := Ratio([]float64{1, 2, 4, 8}, []float64{10, 20, 40, 80})
	if !ok || math.Abs(ratio.Value-10) > 1e-12 || math.Abs(ratio.Low-1.25) > 1e-12 || math.Abs(ratio.High-80) > 1e-12 {
		t.Errorf("Ratio = %+v, %v", ratio, ok)
	}
	if _, ok := Ratio([]float64{1, 0}, []float64{1, 2}); ok {
		t.Error("a ratio to 0 was given")
	}
	if got, _ := Ratio([]float64{2}, []float64{3}); got.Low != 0 || !math.IsInf(got.High, 1) {
		t.Errorf("Ratio of single values = %+v", got)
	}
}

// TestShiftIntervalIsTheRankTestInverted: a shift just inside the interval is not rejected, one just outside is.
func TestShiftIntervalIsTheRankTestInverted(t *testing.T) {
	random := rand.New(rand.NewPCG(11, 12))
	for _, c := range []struct{ n, m int }{{4, 4}, {5, 7}, {8, 8}, {12, 6}, {20, 20}} {
		x, y := sample(random, c.n, 0), sample(random, c.m, 0)
		e := Shift(x, y)
		p := func(shift float64) float64 {
			moved := slices.Clone(x)
			for i := range moved {
				moved[i] += shift
			}
			return MannWhitney(moved, y).P
		}
		const hair = 1e-9
		for _, bound := range []struct{ in, out float64 }{{e.Low + hair, e.Low - hair}, {e.High - hair, e.High + hair}} {
			if p(bound.in) <= 0.05 || p(bound.out) > 0.05 {
				t.Errorf("%+v: interval %+v: p inside %g, outside %g", c, e, p(bound.in), p(bound.out))
			}
		}
	}
}

// TestShiftCoverage: the interval holds the true shift as often as the exact distribution of U says.
func TestShiftCoverage(t *testing.T) {
	if testing.Short() {
		t.Skip("a simulation, which make test runs without the race detector")
	}
	random := rand.New(rand.NewPCG(13, 14))
	const trials, shift = 3000, 0.7
	for _, c := range []struct {
		n, m  int
		exact float64 // 1 − 2·P(U < k); 0: the normal approximation, which has 95 % in the limit
	}{{4, 4, 1 - 2./70}, {6, 6, exactCoverage(6, 6)}, {8, 8, exactCoverage(8, 8)}, {60, 55, 0.95}} {
		held := 0
		for range trials {
			x, y := sample(random, c.n, 0), sample(random, c.m, 0)
			for i := range y {
				y[i] = math.Exp(y[i]) + shift // skewed
			}
			for i := range x {
				x[i] = math.Exp(x[i])
			}
			if e := Shift(x, y); e.Low <= shift && shift <= e.High {
				held++
			}
		}
		share, err := float64(held)/trials, 3.5*math.Sqrt(c.exact*(1-c.exact)/trials)
		if math.Abs(share-c.exact) > err {
			t.Errorf("%d + %d values: covered in %.4f, want %.4f ± %.4f", c.n, c.m, share, c.exact, err)
		}
	}
}

// exactCoverage enumerates the rank sums of m of n+m values.
func exactCoverage(n, m int) float64 {
	var us []int
	for _, chosen := range combin.Combinations(n+m, m) {
		u := 0
		for rank, at := range chosen {
			u += at - rank
		}
		us = append(us, u)
	}
	slices.Sort(us)
	best := 0.0
	for k := 1; k <= n*m/2; k++ {
		below, _ := slices.BinarySearch(us, k)
		if tail := 2 * float64(below) / float64(len(us)); tail <= 0.05 {
			best = tail
		}
	}
	return 1 - best
}

func TestMedian(t *testing.T) {
	if testing.Short() {
		t.Skip("a simulation, which make test runs without the race detector")
	}
	if got := Median([]float64{3, 1, 2, 5, 4}); got.Value != 3 || got.Bounded() {
		t.Errorf("5 values cannot bound a median at 95 %%: %+v", got)
	}
	if got, want := Median([]float64{3, 1, 2, 5, 4, 6}), (Estimate{3.5, 1, 6}); got != want {
		t.Errorf("Median = %+v, want %+v", got, want)
	}
	random := rand.New(rand.NewPCG(15, 16))
	const trials = 4000
	for _, n := range []int{6, 8, 15, 40} {
		b := distuv.Binomial{N: float64(n), P: 0.5}
		outside := 0.0
		for k := 0; 2*b.CDF(float64(k)) <= 0.05; k++ {
			outside = 2 * b.CDF(float64(k))
		}
		exact, held := 1-outside, 0
		for range trials {
			values := sample(random, n, 0)
			for i := range values {
				values[i] = math.Exp(2 * values[i]) // median 1
			}
			if e := Median(values); e.Low <= 1 && 1 <= e.High {
				held++
			}
		}
		if share, err := float64(held)/trials, 3.5*math.Sqrt(exact*outside/trials); math.Abs(share-exact) > err {
			t.Errorf("%d values: covered in %.4f, want %.4f ± %.4f", n, share, exact, err)
		}
	}
}
