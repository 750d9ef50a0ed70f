package analysis

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

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
