package stats

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestHolmByHand is the example of R's p.adjust: p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm").
func TestHolmByHand(t *testing.T) {
	for i, got := range Holm([]float64{0.01, 0.04, 0.03, 0.005}) {
		if want := []float64{0.03, 0.06, 0.06, 0.02}[i]; math.Abs(got-want) > 1e-12 {
			t.Errorf("p %d: %g, want %g", i, got, want)
		}
	}
	if got := Holm(nil); len(got) != 0 {
		t.Errorf("Holm of nothing: %v", got)
	}
}

// TestHolmKeepsTheLevel of a family of which some are false: a true hypothesis is rejected in at most 5 % of the families, and
// without the correction it would be in far more.
func TestHolmKeepsTheLevel(t *testing.T) {
	if testing.Short() {
		t.Skip("a simulation, which make test runs without the race detector")
	}
	random := rand.New(rand.NewPCG(17, 18))
	const trials, family, changed = 4000, 20, 5
	wrong, raw := 0, 0
	for range trials {
		ps := make([]float64, family)
		for i := range ps {
			if ps[i] = random.Float64(); i < changed {
				ps[i] *= 1e-4
			}
		}
		low := func(p float64) bool { return p <= 0.05 }
		if slices.ContainsFunc(Holm(ps)[changed:], low) {
			wrong++
		}
		if slices.ContainsFunc(ps[changed:], low) {
			raw++
		}
	}
	err := 3 * math.Sqrt(0.05*0.95/trials)
	if share := float64(wrong) / trials; math.Abs(share-0.05) > err { // almost 5 %, because the false ones are rejected first
		t.Errorf("a true hypothesis was rejected in %.4f of the families, want 0.05 ± %.4f", share, err)
	}
	if share := float64(raw) / trials; share < 0.4 {
		t.Errorf("uncorrected %.4f: the trial shows nothing", share)
	}
}

func TestCliffsDelta(t *testing.T) {
	for _, c := range []struct {
		x, y []float64
		want float64
	}{
		{[]float64{1, 2, 3}, []float64{4, 5}, 1}, {[]float64{4, 5}, []float64{1, 2, 3}, -1}, {[]float64{1, 2}, []float64{1, 2}, 0},
		{[]float64{1, 2, 3, 4}, []float64{2.5, 4}, 3. / 8}, {nil, []float64{1}, 0},
	} {
		if got := CliffsDelta(c.x, c.y); got != c.want {
			t.Errorf("CliffsDelta(%v, %v) = %g, want %g", c.x, c.y, got, c.want)
		}
	}
}
