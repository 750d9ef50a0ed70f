package stats

import (
	"math"
	"math/rand/v2"
	"testing"

	oracle "github.com/aclements/go-moremath/stats"
	"gonum.org/v1/gonum/stat/combin"
)

// sample draws n values; rounded to whole numbers up to ties, where ties is not 0.
func sample(random *rand.Rand, n int, ties int) []float64 {
	values := make([]float64, n)
	for i := range values {
		values[i] = random.NormFloat64()
		if ties != 0 {
			values[i] = float64(random.IntN(ties))
		}
	}
	return values
}

// TestMannWhitneyAgreesWithMoremath, an independent implementation. It doubles the smaller tail of a distribution that it takes
// for symmetrical; with ties that is so only where both samples have one size.
func TestMannWhitneyAgreesWithMoremath(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	compared := map[string]int{}
	check := func(n, m, ties int) {
		x, y := sample(random, n, ties), sample(random, m, ties)
		want, err := oracle.MannWhitneyUTest(y, x, oracle.LocationDiffers)
		got := MannWhitney(x, y)
		if err != nil {
			if got.P != 1 || got.Least != 1 {
				t.Errorf("%v, %v: p = %g, least %g; moremath: %v", x, y, got.P, got.Least, err)
			}
			return
		}
		compared[got.Method]++
		if got.U != want.U || math.Abs(got.P-min(1, want.P)) > 1e-9 {
			t.Errorf("%d and %d values, ties %d: U %g, p %.12g; moremath has U %g, p %.12g", n, m, ties, got.U, got.P, want.U, want.P)
		}
	}
	for range 20 {
		for n := 1; n <= 12; n++ {
			check(n, n, 0)
			check(n, n, 4)
			check(n, 13-n, 0)
		}
	}
	check(50, 50, 0)
	check(51, 50, 0)
	check(51, 40, 0)
	check(25, 25, 6)
	check(26, 26, 6)
	check(80, 60, 6)
	if compared[Exact] < 500 || compared[Normal] < 4 {
		t.Errorf("compared: %v", compared)
	}
}

// TestMannWhitneyByEnumeration holds p to its definition: over every choice of the values that could have been y.
func TestMannWhitneyByEnumeration(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	u := func(x, y []float64) float64 { return (1 + CliffsDelta(x, y)) / 2 * float64(len(x)*len(y)) }
	for _, c := range []struct{ n, m, ties int }{{1, 1, 0}, {2, 3, 0}, {3, 5, 3}, {5, 3, 3}, {4, 4, 2}, {2, 7, 4}, {6, 4, 5}} {
		for range 10 {
			x, y := sample(random, c.n, c.ties), sample(random, c.m, c.ties)
			all := append(append([]float64{}, x...), y...)
			mean := float64(c.n*c.m) / 2
			var distances []float64
			for _, chosen := range combin.Combinations(len(all), c.m) {
				in := map[int]bool{}
				for _, i := range chosen {
					in[i] = true
				}
				var a, b []float64
				for i, v := range all {
					if in[i] {
						b = append(b, v)
					} else {
						a = append(a, v)
					}
				}
				distances = append(distances, math.Abs(u(a, b)-mean))
			}
			share := func(d float64) float64 {
				n := 0
				for _, e := range distances {
					if e >= d-1e-9 {
						n++
					}
				}
				return float64(n) / float64(len(distances))
			}
			least := 1.0
			for _, d := range distances {
				least = min(least, share(d))
			}
			got := MannWhitney(x, y)
			if want := share(math.Abs(u(x, y) - mean)); math.Abs(got.P-want) > 1e-12 || math.Abs(got.Least-least) > 1e-12 {
				t.Errorf("%v, %v: p %g, least %g; by enumeration %g, %g", x, y, got.P, got.Least, want, least)
			}
		}
	}
}

func TestLeastRankP(t *testing.T) {
	for _, c := range []struct {
		n, m int
		want float64
	}{{0, 5, 1}, {1, 1, 1}, {3, 3, 0.1}, {4, 4, 2. / 70}, {5, 5, 2. / 252}, {6, 6, 2. / 924}, {8, 8, 2. / 12870}} {
		if got := LeastRankP(c.n, c.m); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("LeastRankP(%d, %d) = %g, want %g", c.n, c.m, got, c.want)
		}
		if c.n > 0 {
			x, y := sample(rand.New(rand.NewPCG(5, 6)), c.n, 0), sample(rand.New(rand.NewPCG(7, 8)), c.m, 0)
			if got := MannWhitney(x, y).Least; math.Abs(got-c.want) > 1e-12 {
				t.Errorf("Least of %d and %d values is %g, want %g", c.n, c.m, got, c.want)
			}
		}
	}
}

// TestFalseAlarmsOfTheRankTest: of samples from one distribution, skewed and with ties, at most 5 % have p ≤ 5 %.
func TestFalseAlarmsOfTheRankTest(t *testing.T) {
	if testing.Short() {
		t.Skip("a simulation, which make test runs without the race detector")
	}
	random := rand.New(rand.NewPCG(9, 10))
	const trials = 4000
	for _, c := range []struct{ n, m, ties int }{{8, 8, 0}, {5, 9, 0}, {8, 8, 5}, {6, 10, 3}, {60, 55, 0}, {30, 40, 4}} {
		alarms, nominal := 0, 0.05
		for range trials {
			x, y := sample(random, c.n, c.ties), sample(random, c.m, c.ties)
			if MannWhitney(x, y).P <= nominal {
				alarms++
			}
		}
		share, err := float64(alarms)/trials, 3*math.Sqrt(nominal*(1-nominal)/trials)
		if share > nominal+err {
			t.Errorf("%+v: %.4f false alarms, nominal 0.05 + %.4f", c, share, err)
		}
		if share < 0.02 {
			t.Errorf("%+v: %.4f false alarms: the test hardly ever speaks", c, share)
		}
	}
}
