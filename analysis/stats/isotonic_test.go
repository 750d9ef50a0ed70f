package stats

import (
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

func TestIsotonic(t *testing.T) {
	check := func(want, y, weights []float64) {
		t.Helper()
		if diff := cmp.Diff(want, Isotonic(y, weights), cmpopts.EquateApprox(1e-12, 0), cmpopts.EquateEmpty()); diff != "" {
			t.Error(diff)
		}
	}
	check(nil, nil, nil)
	check([]float64{1, 2, 3}, []float64{1, 2, 3}, nil)
	check([]float64{2, 2, 2}, []float64{3, 2, 1}, nil)
	check([]float64{1, 2.5, 2.5, 4}, []float64{1, 3, 2, 4}, nil)
	check([]float64{1, 2.75, 2.75, 4}, []float64{1, 3, 2, 4}, []float64{1, 3, 1, 1})
}

// TestIsotonicIsTheMinMax: the fit equals the max-min formula max over s ≤ i of min over t ≥ i of mean(y[s..t]) (the same
// book, §1.4), which is slow and plain.
func TestIsotonicIsTheMinMax(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		y := rapid.SliceOfN(rapid.Float64Range(-10, 10), 1, 12).Draw(t, "y")
		got := Isotonic(y, nil)
		if !slices.IsSorted(got) {
			t.Fatalf("%v falls", got)
		}
		for i := range y {
			want := math.Inf(-1)
			for from := 0; from <= i; from++ {
				least := math.Inf(1)
				for to := i; to < len(y); to++ {
					sum := 0.0
					for _, v := range y[from : to+1] {
						sum += v
					}
					least = min(least, sum/float64(to-from+1))
				}
				want = max(want, least)
			}
			if math.Abs(got[i]-want) > 1e-9 {
				t.Fatalf("place %d: %v, want %v", i, got[i], want)
			}
		}
	})
}
