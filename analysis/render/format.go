package render

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"windtunnel/analysis/stats"
	"windtunnel/results"
)

// none stands for a number that is not known.
const none = "–"

func percent(v *float64) string {
	if v == nil {
		return none
	}
	return percentOf(*v) + " %"
}

// percentOf is a fraction as a percentage with two decimals, which never rounds up to 100.00 what is less than all.
func percentOf(v float64) string {
	p := v * 100
	if p < 100 && p > 99.99 {
		p = 99.99
	}
	return strconv.FormatFloat(p, 'f', 2, 64)
}

func percentInterval(i []float64) string {
	if len(i) != 2 {
		return none
	}
	return "[" + percentOf(i[0]) + ", " + percentOf(i[1]) + "]"
}

// points is a difference of fractions in percentage points.
func points(v *float64) string {
	if v == nil {
		return none
	}
	return fmt.Sprintf("%+.2f", *v*100)
}

// scaled is a number of seconds in another unit, with a fixed number of decimals.
func scaled(v *float64, perSecond float64, decimals int) string {
	if v == nil {
		return none
	}
	return strconv.FormatFloat(*v*perSecond, 'f', decimals, 64)
}

func milliseconds(v *float64) string { return scaled(v, 1e3, 1) }

func secondsText(v *float64) string { return scaled(v, 1, 3) }

// value is the value of a quantile, nil when there is none.
func value(b *results.Bounds) *float64 {
	if b == nil {
		return nil
	}
	return &b.Value
}

// openEnd ends the cell of an interval that has no upper end.
const openEnd = ", " + none + "]"

// fewerThan begins the cell of a quantile that there are too few values for.
const fewerThan = "n<"

// quantile is the q-quantile of n values in a unit, or how many would be needed where they are too few for it.
func quantile(b *results.Bounds, q float64, n int64, format func(*float64) string) string {
	least := int64(stats.LeastFor(q))
	switch {
	case b != nil && b.Least == 0:
		return format(&b.Value)
	case n > 0 && n < least:
		return fewerThan + count(least)
	}
	return none
}

// percentiles are the cells of the 50th, 90th and 99th.
func percentiles(p50, p90, p99 *results.Bounds, n int64, format func(*float64) string) []string {
	return []string{quantile(p50, 0.5, n, format), quantile(p90, 0.9, n, format), quantile(p99, 0.99, n, format)}
}

// interval is a quantile's interval in a unit.
func interval(b *results.Bounds, format func(*float64) string) string {
	if b == nil || b.Least > 0 {
		return none
	}
	return "[" + format(b.Low) + ", " + format(b.High) + "]"
}

// Bucket is the histogram bucket that a quantile falls into, in milliseconds; – where there is none.
func Bucket(b *results.Bounds) string {
	if b == nil {
		return none
	}
	edge := func(v *float64) string {
		if v == nil {
			return "∞"
		}
		return strconv.FormatFloat(*v*1e3, 'f', -1, 64)
	}
	return "(" + edge(b.Low) + ", " + edge(b.High) + "]"
}

// KernelRelease is the number of a kernel's release, such as 6.18.44, without what its builder added.
func KernelRelease(release string) string {
	number, _, _ := strings.Cut(release, "-")
	number, _, _ = strings.Cut(number, "+")
	return number
}

func count(n int64) string { return strconv.FormatInt(n, 10) }

func mebibytes(bytes float64) string { return strconv.FormatFloat(bytes/(1<<20), 'f', 1, 64) }

// short is a number with four significant digits, or all digits before the point.
func short(v float64) string {
	if math.Abs(v) >= 1000 {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return strconv.FormatFloat(v, 'g', 4, 64)
}

// withUnit appends a unit, which may be none.
func withUnit(number, unit string) string {
	switch unit {
	case "", "1", "fraction":
		return number
	}
	return number + " " + unit
}

func duration(seconds float64) string {
	return time.Duration(seconds * float64(time.Second)).Round(100 * time.Millisecond).String()
}
