package analysis

import (
	"math/rand/v2"
	"testing"

	"windtunnel/results"
)

// BenchmarkLatencyOf is what the figures of a row cost, of 10 million answers that were recorded about in order of their planned instants.
func BenchmarkLatencyOf(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 2))
	sample := make(timedSample, 10_000_000)
	for i := range sample {
		sample[i] = timed{results.Instant(i*100) + rng.Int64N(5000), rng.ExpFloat64()}
	}
	own := make(timedSample, len(sample))
	for b.Loop() {
		b.StopTimer()
		copy(own, sample)
		b.StartTimer()
		latencyOf(own)
	}
}
