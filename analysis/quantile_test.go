package analysis

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"windtunnel/results"
)

// sampleOf is a sample whose values began one nanosecond after another, two at a time.
func sampleOf(values []float64) timedSample {
	s := make(timedSample, len(values))
	for i, v := range values {
		s[i] = timed{results.Instant(i / 2), v}
	}
	return s
}

func TestQuantileBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sample := sampleOf(rapid.SliceOfN(rapid.Float64Range(-1e3, 1e3), 1, 600).Draw(t, "sample"))
		shuffled := rapid.Permutation(sample).Draw(t, "shuffled")
		s := stageQuantiles(slices.Clone(sample))
		if diff := cmp.Diff(s, stageQuantiles(shuffled)); diff != "" {
			t.Fatalf("the order of the sample matters: %s", diff)
		}
		if s.P50.Value > s.P90.Value || s.P90.Value > s.P99.Value || s.P99.Value > s.P100.Value {
			t.Fatalf("quantiles do not rise: %+v", s)
		}
		for _, b := range []results.Bounds{s.P50, s.P90, s.P99} {
			if b.Low != nil && *b.Low > b.Value || b.High != nil && *b.High < b.Value {
				t.Fatalf("quantile %+v is outside of its interval", b)
			}
			if b.Least == 0 && (b.Effective <= 0 || b.Effective > float64(s.N) || b.PlainCoverage <= 0 || b.PlainCoverage > 0.95) {
				t.Fatalf("of %d values: %+v", s.N, b)
			}
		}
	})
}

// TestTooFewSamples: a quantile beyond which no value is to be expected is not given.
func TestTooFewSamples(t *testing.T) {
	values := func(n int) timedSample {
		s := make([]float64, n)
		for i := range s {
			s[i] = float64(i * 7919 % n)
		}
		return sampleOf(s)
	}
	for _, c := range []struct {
		n             int
		p50, p90, p99 bool
		high          bool // of the p99's interval
	}{{1, false, false, false, false}, {2, true, false, false, false}, {9, true, false, false, false}, {10, true, true, false, false},
		{99, true, true, false, false}, {100, true, true, true, false}, {367, true, true, true, false}, {500, true, true, true, true}} {
		p50, p90, p99, most := latencyOf(values(c.n))
		if (p50 != nil) != c.p50 || (p90 != nil) != c.p90 || (p99 != nil) != c.p99 || most == nil {
			t.Errorf("n %d: p50 %v, p90 %v, p99 %v, max %v", c.n, p50, p90, p99, most)
		}
		if p99 != nil && (p99.High != nil) != c.high {
			t.Errorf("n %d: upper bound of the p99 %v", c.n, p99.High)
		}
		if s := stageQuantiles(values(c.n)); (s.P99.Least == 0) != c.p99 {
			t.Errorf("n %d: a stage's p99 says %+v", c.n, s.P99)
		}
	}
}
