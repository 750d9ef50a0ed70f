package analysis

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/aclements/go-moremath/stats"
	"gonum.org/v1/gonum/stat/distuv"
	"pgregory.net/rapid"
)

func TestQuantileIsNearestRank(t *testing.T) {
	sample := func(n int) []float64 { // 1 … n, so that a value is its rank
		s := make([]float64, n)
		for i := range s {
			s[i] = float64(i + 1)
		}
		return s
	}
	for _, c := range []struct {
		n    int
		q    float64
		want float64
	}{
		{1, 0.5, 1}, {2, 0.5, 1}, {3, 0.5, 2}, {10, 0.9, 9}, {10, 0.99, 10}, {100, 0.99, 99}, {101, 0.99, 100},
		{300, 0.99, 297}, {3000, 0.99, 2970}, {3000, 0.9, 2700}, {7, 1, 7}, {7, 0, 1},
	} {
		if got := Quantile(sample(c.n), c.q); got != c.want {
			t.Errorf("n %d, q %g: %g, not %g", c.n, c.q, got, c.want)
		}
	}
}

// TestQuantileIntervalRanks compares with ranks worked out elsewhere (scipy's binom.ppf).
func TestQuantileIntervalRanks(t *testing.T) {
	for _, c := range []struct {
		n         int
		q         float64
		low, high int
	}{
		{5, 0.5, 0, 0}, {6, 0.5, 1, 6}, {10, 0.5, 2, 9}, {100, 0.5, 40, 61},
		{367, 0.99, 359, 0}, {368, 0.99, 360, 368}, {500, 0.99, 490, 500}, {1000, 0.99, 983, 997}, {3000, 0.99, 2959, 2981},
		{10000, 0.99, 9880, 9920}, {0, 0.5, 0, 0},
	} {
		low, high := QuantileInterval(c.n, c.q)
		if high != c.high || low != c.low && !nearby(low, c.low) {
			t.Errorf("n %d, q %g: ranks %d … %d, not %d … %d", c.n, c.q, low, high, c.low, c.high)
		}
	}
}

// nearby is for lower ranks: sources differ by one in whether the bound belongs to the interval.
func nearby(a, b int) bool { return a-b <= 1 && b-a <= 1 }

// TestQuantileIntervalIsTheNarrowest checks both conditions of the definition at the ranks and just inside of them.
func TestQuantileIntervalIsTheNarrowest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 5000).Draw(t, "n")
		q := rapid.SampledFrom([]float64{0.01, 0.1, 0.5, 0.9, 0.99, 0.999}).Draw(t, "q")
		low, high := QuantileInterval(n, q)
		b := distuv.Binomial{N: float64(n), P: q}
		less := func(k int) float64 { return b.CDF(float64(k - 1)) }
		if low > 0 && less(low) > 0.025 {
			t.Fatalf("n %d q %g: P(B < %d) = %g", n, q, low, less(low))
		}
		if low < n && less(low+1) <= 0.025 {
			t.Fatalf("n %d q %g: low could be %d", n, q, low+1)
		}
		if high > 0 && 1-less(high) > 0.025 {
			t.Fatalf("n %d q %g: P(B ≥ %d) = %g", n, q, high, 1-less(high))
		}
		if h := cmpHigh(high, n) - 1; h >= 1 && 1-less(h) <= 0.025 {
			t.Fatalf("n %d q %g: high could be %d", n, q, h)
		}
	})
}

func cmpHigh(high, n int) int {
	if high == 0 {
		return n + 1
	}
	return high
}

// TestQuantileIntervalOracle compares with go-moremath, whose interval is the narrowest around the quantile and need not
// have equal tails: where it exists its bounds must be close to ours.
func TestQuantileIntervalOracle(t *testing.T) {
	for _, q := range []float64{0.5, 0.9, 0.99} {
		for _, n := range []int{400, 1000, 3000, 9999} {
			low, high := QuantileInterval(n, q)
			ci := stats.QuantileCI(n, q, confidence)
			width := max(1, math.Sqrt(float64(n)*q*(1-q))/2) // an eighth of the interval, and a rank for its normal approximation
			if math.Abs(float64(low-ci.LoOrder)) > width || math.Abs(float64(high-ci.HiOrder)) > width {
				t.Errorf("n %d, q %g: ranks %d … %d, go-moremath has %d … %d", n, q, low, high, ci.LoOrder, ci.HiOrder)
			}
		}
	}
}

// TestQuantileIntervalCovers draws samples of a skewed distribution whose quantiles are known and counts how often the
// interval holds them: at least 95 % of the time, within the error of the experiment.
func TestQuantileIntervalCovers(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	const trials = 2000
	for _, c := range []struct {
		n int
		q float64
	}{{50, 0.5}, {200, 0.9}, {500, 0.99}, {1000, 0.99}} {
		truth := -math.Log(1 - c.q) // of the exponential distribution
		low, high := QuantileInterval(c.n, c.q)
		held := 0
		sample := make([]float64, c.n)
		for range trials {
			for i := range sample {
				sample[i] = rng.ExpFloat64()
			}
			slices.Sort(sample)
			if sample[low-1] <= truth && truth <= sample[high-1] {
				held++
			}
		}
		b := distuv.Binomial{N: float64(c.n), P: c.q}
		exact := b.CDF(float64(high-1)) - b.CDF(float64(low-1)) // P(low ≤ B < high)
		got := float64(held) / trials
		if exact < confidence {
			t.Errorf("n %d, q %g: exact coverage %.4f", c.n, c.q, exact)
		}
		if sigma := math.Sqrt(exact * (1 - exact) / trials); math.Abs(got-exact) > 4*sigma {
			t.Errorf("n %d, q %g: covered in %.4f of the trials, exactly it is %.4f", c.n, c.q, got, exact)
		}
	}
}

func TestQuantileBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sample := rapid.SliceOfN(rapid.Float64Range(-1e3, 1e3), 1, 600).Draw(t, "sample")
		s := stageQuantiles(slices.Clone(sample))
		slices.Reverse(sample)
		if r := stageQuantiles(slices.Clone(sample)); r.P50.Value != s.P50.Value || r.P99.Value != s.P99.Value || r.Negative != s.Negative {
			t.Fatal("the order of the sample matters")
		}
		if s.P50.Value > s.P90.Value || s.P90.Value > s.P99.Value || s.P99.Value > s.P100.Value {
			t.Fatalf("quantiles do not rise: %+v", s)
		}
		slices.Sort(sample)
		for _, q := range []float64{0.5, 0.9, 0.99} {
			b := QuantileBounds(sample, q)
			if b.Low != nil && *b.Low > b.Value || b.High != nil && *b.High < b.Value {
				t.Fatalf("%g quantile %+v is outside of its interval", q, b)
			}
		}
	})
}

// TestProportionInterval checks the definition by the binomial distribution itself: at the lower bound, seeing k or more
// has probability 2.5 %; at the upper, seeing k or fewer has.
func TestProportionInterval(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Int64Range(1, 20000).Draw(t, "n")
		k := rapid.Int64Range(0, n).Draw(t, "k")
		if rapid.Bool().Draw(t, "close to all") {
			k = max(0, n-k%20)
		}
		low, high := ProportionInterval(k, n)
		if share := float64(k) / float64(n); low > share || high < share {
			t.Fatalf("%d of %d: [%g, %g]", k, n, low, high)
		}
		if k > 0 {
			if p := 1 - (distuv.Binomial{N: float64(n), P: low}).CDF(float64(k-1)); math.Abs(p-0.025) > 1e-6 {
				t.Fatalf("%d of %d: P(K ≥ k) at %g is %g", k, n, low, p)
			}
		}
		if k < n {
			if p := (distuv.Binomial{N: float64(n), P: high}).CDF(float64(k)); math.Abs(p-0.025) > 1e-6 {
				t.Fatalf("%d of %d: P(K ≤ k) at %g is %g", k, n, high, p)
			}
		}
	})
	// All of 299 within the threshold is the least that shows 99 % with 95 % confidence, one-sided; see minSamples.
	if low := math.Pow(0.05, 1.0/299); low < 0.99 {
		t.Errorf("one-sided bound of 299 in 299 is %g", low)
	}
	if low, high := ProportionInterval(3000, 3000); math.Abs(low-math.Pow(0.025, 1.0/3000)) > 1e-9 || high != 1 {
		t.Errorf("3000 of 3000: [%g, %g]", low, high)
	}
	if low, high := ProportionInterval(0, 0); low != 0 || high != 1 {
		t.Errorf("0 of 0: [%g, %g]", low, high)
	}
}
