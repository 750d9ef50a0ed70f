package profiles

import (
	"math"
	"slices"
	"testing"
	"time"
)

// TestPoissonCounts counts the arrivals of many seeds in windows of a stream of all shapes. A Poisson process of rate λ
// has in each window a Poisson distributed count, whose mean and variance are both the window's Λ, and the counts of
// windows that do not overlap are independent. With m seeds, the standard errors are
//
//	mean        √(Λ/m)
//	variance    √((μ₄ − Λ²·(m−3)/(m−1))/m), μ₄ = Λ + 3Λ² being the fourth central moment of the Poisson distribution
//	covariance  √(Λ₁·Λ₂/(m−1)) of two independent counts
//
// and all are to be within 5 of them: by the normal distribution one in 1.7 million is not, and there are 20.
func TestPoissonCounts(t *testing.T) {
	const seeds, bound = 4000, 5.0
	a := Arrivals{Process: ProcessPoisson, Rate: 2, Stages: []Stage{
		{For: Duration(4 * time.Second), Shape: ShapeLinear, Rate: 10},
		{For: Duration(8 * time.Second), Shape: ShapeSine, Rate: 6, Amplitude: 6},
		hold(0, time.Second),
		hold(20, time.Second),
		{For: Duration(6 * time.Second), Shape: ShapeCurve, Rate: 1, Rates: []float64{0, 9, 3, 1}},
	}}
	edges := []time.Duration{0, 3 * time.Second, 6 * time.Second, 7 * time.Second, 11 * time.Second, 13 * time.Second, 15 * time.Second, 20 * time.Second}
	windows := len(edges) - 1
	counts := make([][]float64, windows)
	for seed := range uint64(seeds) {
		instants := slices.Collect(Schedule(a, seed))
		for w := range windows {
			first, _ := slices.BinarySearch(instants, edges[w])
			last, _ := slices.BinarySearch(instants, edges[w+1])
			counts[w] = append(counts[w], float64(last-first))
		}
	}
	lambda := func(w int) float64 { return a.Expected(edges[w+1]) - a.Expected(edges[w]) }
	within := func(w int, what string, got, want, deviation float64) {
		if off := math.Abs(got-want) / deviation; off > bound {
			t.Errorf("window %d: %s %v, want %v: %.1f standard errors off", w, what, got, want, off)
		}
	}
	for w := range windows {
		l, m := lambda(w), float64(seeds)
		within(w, "mean", mean(counts[w]), l, math.Sqrt(l/m))
		fourth := l + 3*l*l
		within(w, "variance", covariance(counts[w], counts[w]), l, math.Sqrt((fourth-l*l*(m-3)/(m-1))/m))
		if w > 0 {
			within(w, "covariance with the window before", covariance(counts[w-1], counts[w]), 0, math.Sqrt(lambda(w-1)*l/(m-1)))
		}
	}
}

func mean(xs []float64) float64 {
	sum := 0.0
	for _, x := range xs {
		sum += x
	}
	return sum / float64(len(xs))
}

// covariance is the unbiased estimate.
func covariance(xs, ys []float64) float64 {
	mx, my, sum := mean(xs), mean(ys), 0.0
	for i := range xs {
		sum += (xs[i] - mx) * (ys[i] - my)
	}
	return sum / float64(len(xs)-1)
}
