package hollow

import (
	"slices"
	"testing"
	"time"
)

// TestLatencies: of many times half are below the median and one in a hundred is above the 99th percentile; the same node draws the same ones
// with the same seed, and other nodes others.
func TestLatencies(t *testing.T) {
	config := ShardConfig{Seed: 7, ContainerStart: time.Second, ContainerStartP99: 10 * time.Second, ContainerStop: time.Minute}
	draw := func(node int) (all []time.Duration) {
		random := config.Random(node)
		for range 20_000 {
			all = append(all, config.Start().Draw(random))
		}
		return all
	}
	times := draw(3)
	if !slices.Equal(times, draw(3)) || slices.Equal(times, draw(4)) {
		t.Error("node 3 draws other times in another run of the same seed, or the times of node 4")
	}
	slices.Sort(times)
	// With n = 20 000 the sample's median and 99th percentile lie within 3 % and 8 % of the distribution's with a probability above 0.99.
	if p50 := times[len(times)/2]; p50 < 970*time.Millisecond || p50 > 1030*time.Millisecond {
		t.Errorf("the median is %v, want about 1s", p50)
	}
	if p99 := times[len(times)*99/100]; p99 < 9200*time.Millisecond || p99 > 10800*time.Millisecond {
		t.Errorf("the 99th percentile is %v, want about 10s", p99)
	}
	random := config.Random(3)
	if a, b := config.Stop().Draw(random), config.Sandbox().Draw(random); a != time.Minute || b != 0 {
		t.Errorf("without a 99th percentile: %v and %v", a, b)
	}
}
