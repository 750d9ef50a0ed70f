package stats

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	oracle "github.com/aclements/go-moremath/stats"
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
			ci := oracle.QuantileCI(n, q, Confidence)
			width := max(1, math.Sqrt(float64(n)*q*(1-q))/2) // an eighth of the interval, and a rank for its normal approximation
			if math.Abs(float64(low-ci.LoOrder)) > width || math.Abs(float64(high-ci.HiOrder)) > width {
				t.Errorf("n %d, q %g: ranks %d … %d, go-moremath has %d … %d", n, q, low, high, ci.LoOrder, ci.HiOrder)
			}
		}
	}
}

// law is a distribution with what the exact coverage of an interval depends on: the probabilities of values up to a
// quantile and below it, which differ where values are tied.
type law struct {
	name  string
	draw  func(*rand.Rand) float64
	truth func(q float64) (quantile, upTo, below float64)
}

func laws() []law {
	whole := func(q float64) (quantile, upTo, below float64) { // 0 … 9, evenly
		v := math.Ceil(q*10-1e-9) - 1
		return v, (v + 1) / 10, v / 10
	}
	geometric := func(q float64) (quantile, upTo, below float64) { // whole milliseconds, half of them at each step
		v := math.Ceil(-math.Log2(1-q) - 1e-9)
		return v, 1 - math.Exp2(-v), 1 - math.Exp2(1-v)
	}
	return []law{
		{"exponential", (*rand.Rand).ExpFloat64, func(q float64) (float64, float64, float64) { return -math.Log(1 - q), q, q }},
		{"uniform", (*rand.Rand).Float64, func(q float64) (float64, float64, float64) { return q, q, q }},
		{"ten values", func(rng *rand.Rand) float64 { return float64(rng.IntN(10)) }, whole},
		{"geometric", func(rng *rand.Rand) float64 { return math.Ceil(rng.ExpFloat64() / math.Ln2) }, geometric},
	}
}

// TestQuantileIntervalCovers counts how often the interval holds the known quantile of independent values: as often as the
// binomial distribution says, within the error of the experiment, and where both bounds exist at least 95 % of the time.
func TestQuantileIntervalCovers(t *testing.T) {
	if testing.Short() {
		t.Skip("a simulation, which make test runs without the race detector")
	}
	rng := rand.New(rand.NewPCG(1, 2))
	const trials = 2000
	for _, law := range laws() {
		for _, c := range []struct {
			n int
			q float64
		}{{20, 0.5}, {51, 0.5}, {200, 0.9}, {150, 0.99}, {500, 0.99}, {1000, 0.99}} {
			truth, upTo, below := law.truth(c.q)
			low, high := QuantileInterval(c.n, c.q)
			held := 0
			sample := make([]float64, c.n)
			for range trials {
				for i := range sample {
					sample[i] = law.draw(rng)
				}
				slices.Sort(sample)
				if sample[low-1] <= truth && (high == 0 || truth <= sample[high-1]) {
					held++
				}
			}
			// It misses when fewer than low values are at or below the quantile, or high values and more are below it.
			exact := 1 - (distuv.Binomial{N: float64(c.n), P: upTo}).CDF(float64(low-1))
			if high > 0 {
				exact -= 1 - (distuv.Binomial{N: float64(c.n), P: below}).CDF(float64(high-1))
			}
			got := float64(held) / trials
			if exact < Confidence {
				t.Errorf("%s, n %d, q %g: exact coverage %.4f", law.name, c.n, c.q, exact)
			}
			if sigma := math.Sqrt(exact * (1 - exact) / trials); math.Abs(got-exact) > 4*sigma+1e-9 {
				t.Errorf("%s, n %d, q %g: covered in %.4f of the trials, exactly it is %.4f", law.name, c.n, c.q, got, exact)
			}
		}
	}
}

// TestLeastSamples holds what too few samples means.
func TestLeastSamples(t *testing.T) {
	for q, want := range map[float64]int{0.5: 2, 0.9: 10, 0.99: 100, 0.999: 1000, 0.01: 100, 1: 1, 0: 1} {
		if got := LeastFor(q); got != want {
			t.Errorf("LeastFor(%g) = %d, not %d", q, got, want)
		}
	}
	for share, want := range map[float64]int{0.99: 299, 0.9: 29, 0.5: 5, 0: 1, 1: 0} {
		if got := LeastToShow(share); got != want {
			t.Errorf("LeastToShow(%g) = %d, not %d", share, got, want)
		}
	}
}

// TestEffectiveInterval: fewer effective values give a wider interval, and open the bound where as many independent values
// would not have one.
func TestEffectiveInterval(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 5000).Draw(t, "n")
		q := rapid.SampledFrom([]float64{0.1, 0.5, 0.9, 0.99}).Draw(t, "q")
		less := rapid.Float64Range(0.02, 1).Draw(t, "less")
		low, high := QuantileInterval(n, q)
		wideLow, wideHigh := EffectiveInterval(n, float64(n)*less, q)
		if wideLow > low || cmpHigh(wideHigh, n) < cmpHigh(high, n) {
			t.Fatalf("n %d, effective %g: ranks %d … %d, of independent values %d … %d", n, float64(n)*less, wideLow, wideHigh, low, high)
		}
	})
	if _, high := EffectiveInterval(3000, 367, 0.99); high != 0 {
		t.Errorf("367 effective values have an upper bound, rank %d", high)
	}
	if _, high := EffectiveInterval(3000, 368, 0.99); high != 3000 {
		t.Errorf("368 effective values have the upper bound %d, not the largest", high)
	}
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
