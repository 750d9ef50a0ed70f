package stages

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"windtunnel/profiles"
)

// delay compiles spec.delay; nil is no delay.
func (c *compiler) delay() *delay {
	const path = "spec.delay"
	in := c.from.Spec.Delay
	if in == nil || c.Null(path) {
		return nil
	}
	if in.Distribution != nil {
		if in.DurationMilliseconds != nil || in.DurationFrom != nil || in.JitterDurationMilliseconds != nil || in.JitterDurationFrom != nil {
			c.Problem(path, "take distribution away, or the durations and jitters", "a distribution stands instead of a duration and a jitter")
		}
		return &delay{distribution: c.distribution(path+".distribution", in.Distribution)}
	}
	var zero int64
	out := &delay{duration: c.source(path+".durationFrom", in.DurationFrom, c.milliseconds(path+".durationMilliseconds", in.DurationMilliseconds))}
	if out.duration.fallback == nil {
		out.duration.fallback = &zero
	}
	if in.JitterDurationMilliseconds != nil || in.JitterDurationFrom != nil {
		jitter := c.source(path+".jitterDurationFrom", in.JitterDurationFrom, c.milliseconds(path+".jitterDurationMilliseconds", in.JitterDurationMilliseconds))
		out.jitter = &jitter
	}
	return out
}

// milliseconds are nanoseconds; nil stays nil.
func (c *compiler) milliseconds(path string, n *int64) *int64 {
	if n == nil {
		return nil
	}
	const most = int64(time.Duration(1<<62) / time.Millisecond)
	if *n < 0 || *n > most {
		c.Problem(path, "", "must be between 0 and %d, not %d", most, *n)
		return nil
	}
	nanoseconds := *n * int64(time.Millisecond)
	return &nanoseconds
}

// distribution compiles the shape of a delay.
func (c *compiler) distribution(path string, in *distributionSpec) *distribution {
	shapes := map[string]func() *distribution{}
	if in.LogNormal != nil {
		shapes["logNormal"] = func() *distribution { return c.logNormal(path+".logNormal", in.LogNormal) }
	}
	if in.Exponential != nil {
		shapes["exponential"] = func() *distribution { return c.exponential(path+".exponential", in.Exponential) }
	}
	if in.Normal != nil {
		shapes["normal"] = func() *distribution { return c.normal(path+".normal", in.Normal) }
	}
	if in.Quantiles != nil {
		shapes["quantiles"] = func() *distribution { return c.quantiles(path+".quantiles", in.Quantiles) }
	}
	if len(shapes) != 1 {
		c.Problem(path, "one of: logNormal, exponential, normal, quantiles", "needs exactly one shape, not %d", len(shapes))
		return nil
	}
	out := shapes[sortedKeys(shapes)[0]]()
	if in.Min != nil {
		if out.min = time.Duration(*in.Min); out.min < 0 {
			c.Problem(path+".min", "", "must not be negative, not %s", *in.Min)
		}
	}
	if in.Max != nil {
		if out.max = time.Duration(*in.Max); out.max <= 0 || out.max < out.min {
			c.Problem(path+".max", "", "must be more than 0s and not less than min, not %s", *in.Max)
		}
	}
	return out
}

// span checks a duration that must be more than zero.
func (c *compiler) span(path string, d profiles.Duration) time.Duration {
	if d <= 0 {
		c.Problem(path, "", "must be more than 0s, not %s", d)
	}
	return max(time.Duration(d), 1)
}

func (c *compiler) logNormal(path string, in *logNormalSpec) *distribution {
	p50, p99 := c.span(path+".p50", in.P50), c.span(path+".p99", in.P99)
	if p99 < p50 {
		c.Problem(path+".p99", "", "must not be less than p50 (%s), not %s", in.P50, in.P99)
	}
	return &distribution{inverse: logNormal(p50, p99)}
}

func (c *compiler) exponential(path string, in *exponentialSpec) *distribution {
	return &distribution{inverse: exponential(c.span(path+".mean", in.Mean))}
}

func (c *compiler) normal(path string, in *normalSpec) *distribution {
	return &distribution{inverse: normal(c.span(path+".mean", in.Mean), c.span(path+".standardDeviation", in.StandardDeviation))}
}

// quantiles reads a measured distribution: p0, p50, p99.9, … up to p100.
func (c *compiler) quantiles(path string, in map[string]profiles.Duration) *distribution {
	var points []quantile
	for _, name := range sortedKeys(in) {
		percent, err := strconv.ParseFloat(strings.TrimPrefix(name, "p"), 64)
		if err != nil || !strings.HasPrefix(name, "p") || !(percent >= 0 && percent <= 100) {
			c.Problem(path+"."+name, "such as p50, p99.9 or p100", "%q is no quantile", name)
			continue
		}
		points = append(points, quantile{percent / 100, time.Duration(in[name])})
	}
	slices.SortFunc(points, func(a, b quantile) int {
		switch {
		case a.share < b.share:
			return -1
		case a.share > b.share:
			return 1
		}
		return 0
	})
	for i := 1; i < len(points); i++ {
		if points[i].value < points[i-1].value || points[i].share == points[i-1].share {
			c.Problem(path, "", "the quantiles must rise: %s comes after %s", fmt.Sprint(points[i].value), fmt.Sprint(points[i-1].value))
			break
		}
	}
	if len(points) == 0 || points[len(points)-1].share != 1 {
		c.Problem(path, "write the longest delay as p100", "a measured distribution needs its end")
		return &distribution{inverse: measured([]quantile{{}, {share: 1}})}
	}
	if points[0].share != 0 {
		points = slices.Insert(points, 0, quantile{value: 0})
	}
	if points[0].value < 0 {
		c.Problem(path, "", "a delay must not be negative, not %s", points[0].value)
	}
	return &distribution{inverse: measured(points), ends: &Range{Least: points[0].value, Most: points[len(points)-1].value}}
}
