package stages

import (
	"math"
	"math/rand/v2"
	"time"
)

// distribution is the shape of a delay. Its inverse gives the delay below which a share of all delays lies.
type distribution struct {
	inverse  func(share float64) float64 // nanoseconds, for 0 < share < 1
	ends     *Range                      // of a shape that has both
	min, max time.Duration               // max 0: none
}

// normalP99 is the 99th percentile of the standard normal distribution.
const normalP99 = 2.3263478740408408

func logNormal(p50, p99 time.Duration) func(float64) float64 {
	mu, sigma := math.Log(float64(p50)), math.Log(float64(p99)/float64(p50))/normalP99
	return func(share float64) float64 { return math.Exp(mu + sigma*standardNormal(share)) }
}

func exponential(mean time.Duration) func(float64) float64 {
	return func(share float64) float64 { return -float64(mean) * math.Log1p(-share) }
}

func normal(mean, deviation time.Duration) func(float64) float64 {
	return func(share float64) float64 { return float64(mean) + float64(deviation)*standardNormal(share) }
}

func standardNormal(share float64) float64 { return math.Sqrt2 * math.Erfinv(2*share-1) }

// quantile is one point of a measured distribution.
type quantile struct {
	share float64 // from 0 to 1
	value time.Duration
}

// measured joins the points of a distribution by straight lines. The points are ordered and begin at 0 and end at 1.
func measured(points []quantile) func(float64) float64 {
	return func(share float64) float64 {
		for i := 1; i < len(points); i++ {
			if from, to := points[i-1], points[i]; share <= to.share {
				return float64(from.value) + (share-from.share)/(to.share-from.share)*float64(to.value-from.value)
			}
		}
		return float64(points[len(points)-1].value)
	}
}

// at is the delay below which a share of the delays lies, within the bounds.
func (d *distribution) at(share float64) time.Duration {
	v := d.inverse(share)
	if !(v < math.MaxInt64/2) {
		v = math.MaxInt64 / 2 // beyond 146 years
	}
	// Machines differ in the last bits of a logarithm; to the microsecond one seed gives one life everywhere.
	return d.within(time.Duration(v).Round(time.Microsecond))
}

func (d *distribution) within(got time.Duration) time.Duration {
	got = max(got, d.min, 0)
	if d.max > 0 {
		got = min(got, d.max)
	}
	return got
}

func (d *distribution) draw(random *rand.Rand) time.Duration {
	for {
		if share := random.Float64(); share > 0 {
			return d.at(share)
		}
	}
}

func (d *distribution) span() Range {
	switch {
	case d.ends != nil:
		return Range{Least: d.within(d.ends.Least), Most: d.within(d.ends.Most)}
	case d.max > 0:
		return Range{Least: d.min, Most: d.max}
	}
	return Range{Least: d.min, Most: d.at(0.99), Open: true}
}
