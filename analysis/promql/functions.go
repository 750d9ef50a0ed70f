package promql

import (
	"math"
	"slices"
	"strconv"
)

// function is what a call does with its arguments, of which the first ones, least in number, are needed. now is the instant in Unix seconds.
type function struct {
	takes []kind
	least int
	gives kind
	apply func(args []value, now float64) (value, error)
}

// functions is the table of those that are known.
func functions() map[string]function {
	return map[string]function{
		"rate":     overRange(func(w window) (float64, bool) { return extrapolated(w, true, true) }),
		"increase": overRange(func(w window) (float64, bool) { return extrapolated(w, true, false) }),
		"delta":    overRange(func(w window) (float64, bool) { return extrapolated(w, false, false) }),
		"irate":    overRange(func(w window) (float64, bool) { return lastTwo(w, true) }),
		"idelta":   overRange(func(w window) (float64, bool) { return lastTwo(w, false) }),
		"deriv":    overRange(slope),
		"changes": overRange(func(w window) (float64, bool) {
			return pairs(w, func(a, b float64) bool { return a != b && !(math.IsNaN(a) && math.IsNaN(b)) }), true
		}),
		"resets":             overRange(func(w window) (float64, bool) { return pairs(w, func(a, b float64) bool { return b < a }), true }),
		"avg_over_time":      overRange(func(w window) (float64, bool) { return sum(w.values()) / float64(len(w.points)), true }),
		"sum_over_time":      overRange(func(w window) (float64, bool) { return sum(w.values()), true }),
		"min_over_time":      overRange(func(w window) (float64, bool) { return extreme(w.values(), -1), true }),
		"max_over_time":      overRange(func(w window) (float64, bool) { return extreme(w.values(), 1), true }),
		"count_over_time":    overRange(func(w window) (float64, bool) { return float64(len(w.points)), true }),
		"last_over_time":     {[]kind{kindRange}, 1, kindVector, lastOverTime},
		"stddev_over_time":   overRange(func(w window) (float64, bool) { return deviation(w.values()), true }),
		"quantile_over_time": {[]kind{kindScalar, kindRange}, 2, kindVector, quantileOverTime},
		"histogram_quantile": {[]kind{kindScalar, kindVector}, 2, kindVector, histogramQuantiles},
		"scalar":             {[]kind{kindVector}, 1, kindScalar, toScalar},
		"vector": {[]kind{kindScalar}, 1, kindVector, func(a []value, _ float64) (value, error) {
			return value{vector: []Sample{{map[string]string{}, a[0].scalar}}}, nil
		}},
		"time": {nil, 0, kindScalar, func(_ []value, now float64) (value, error) { return value{scalar: now}, nil }},
		"abs":  overVector(math.Abs), "ceil": overVector(math.Ceil), "floor": overVector(math.Floor), "sqrt": overVector(math.Sqrt),
		"exp": overVector(math.Exp), "ln": overVector(math.Log), "log2": overVector(math.Log2), "log10": overVector(math.Log10),
		"clamp_min": {[]kind{kindVector, kindScalar}, 2, kindVector, clamp(math.Max)},
		"clamp_max": {[]kind{kindVector, kindScalar}, 2, kindVector, clamp(math.Min)},
	}
}

// overRange is a function of each series of a range; without ok the series has no value. The metric's name falls away.
func overRange(f func(window) (float64, bool)) function {
	return function{[]kind{kindRange}, 1, kindVector, func(args []value, _ float64) (value, error) {
		var v value
		for _, w := range args[0].ranges {
			if x, ok := f(w); ok {
				v.vector = append(v.vector, Sample{without(w.labels, nameLabel), x})
			}
		}
		return v, nil
	}}
}

// lastOverTime alone keeps the metric's name.
func lastOverTime(args []value, _ float64) (value, error) {
	var v value
	for _, w := range args[0].ranges {
		v.vector = append(v.vector, Sample{w.labels, w.points[len(w.points)-1].Value})
	}
	return v, nil
}

// overVector is a function of each sample.
func overVector(f func(float64) float64) function {
	return function{[]kind{kindVector}, 1, kindVector, func(args []value, _ float64) (value, error) {
		var v value
		for _, s := range args[0].vector {
			v.vector = append(v.vector, Sample{without(s.Labels, nameLabel), f(s.Value)})
		}
		return v, nil
	}}
}

func clamp(f func(a, b float64) float64) func([]value, float64) (value, error) {
	return func(args []value, now float64) (value, error) {
		return overVector(func(x float64) float64 { return f(x, args[1].scalar) }).apply(args[:1], now)
	}
}

func toScalar(args []value, _ float64) (value, error) {
	if len(args[0].vector) != 1 {
		return value{scalar: math.NaN()}, nil
	}
	return value{scalar: args[0].vector[0].Value}, nil
}

func (w window) values() []float64 {
	all := make([]float64, len(w.points))
	for i, p := range w.points {
		all[i] = p.Value
	}
	return all
}

// extrapolated is by how much a series changed within its range, extended to the range's ends where the series seems to go on there: up to
// half of the mean distance of its points beyond the last one when the end is farther than 1.1 of that, and a counter not to before it was 0.
func extrapolated(w window, counter, perSecond bool) (float64, bool) {
	n := len(w.points)
	if n < 2 {
		return 0, false
	}
	first, last := w.points[0], w.points[n-1]
	change := last.Value - first.Value
	if counter {
		for i := 1; i < n; i++ {
			if before := w.points[i-1].Value; w.points[i].Value < before {
				change += before
			}
		}
	}
	seconds := func(ns int64) float64 { return float64(ns) / 1e9 }
	sampled := seconds(last.At - first.At)
	mean := sampled / float64(n-1)
	toBegin, toEnd := seconds(first.At-w.begin), seconds(w.end-last.At)
	if toBegin >= mean*1.1 {
		toBegin = mean / 2
	}
	if counter && change > 0 && first.Value >= 0 {
		toBegin = min(toBegin, sampled*(first.Value/change))
	}
	if toEnd >= mean*1.1 {
		toEnd = mean / 2
	}
	change *= (sampled + toBegin + toEnd) / sampled
	if perSecond {
		change /= seconds(w.end - w.begin)
	}
	return change, true
}

// lastTwo is the difference between the last two points, of a counter a second.
func lastTwo(w window, counter bool) (float64, bool) {
	n := len(w.points)
	if n < 2 {
		return 0, false
	}
	a, b := w.points[n-2], w.points[n-1]
	if !counter {
		return b.Value - a.Value, true
	}
	change := b.Value - a.Value
	if change < 0 {
		change = b.Value
	}
	return change / (float64(b.At-a.At) / 1e9), true
}

// slope is that of the line of least squares, a second.
func slope(w window) (float64, bool) {
	if len(w.points) < 2 {
		return 0, false
	}
	var n, sx, sy, sxy, sxx float64
	for _, p := range w.points {
		x, y := float64(p.At-w.points[0].At)/1e9, p.Value-w.points[0].Value
		n, sx, sy, sxy, sxx = n+1, sx+x, sy+y, sxy+x*y, sxx+x*x
	}
	return (sxy - sx*sy/n) / (sxx - sx*sx/n), true
}

// pairs counts neighbours of which something holds.
func pairs(w window, holds func(before, after float64) bool) float64 {
	n := 0.0
	for i := 1; i < len(w.points); i++ {
		if holds(w.points[i-1].Value, w.points[i].Value) {
			n++
		}
	}
	return n
}

func sum(values []float64) float64 {
	total := 0.0
	for _, v := range values {
		total += v
	}
	return total
}

// extreme is the largest value, with sign -1 the smallest; NaN only when there is nothing else.
func extreme(values []float64, sign float64) float64 {
	out := math.NaN()
	for _, v := range values {
		if math.IsNaN(out) || v*sign > out*sign {
			out = v
		}
	}
	return out
}

func deviation(values []float64) float64 {
	mean, squares := sum(values)/float64(len(values)), 0.0
	for _, v := range values {
		squares += (v - mean) * (v - mean)
	}
	return math.Sqrt(squares / float64(len(values)))
}

// Quantile is linear between the two ranks beside it. NaN counts as the smallest value.
func Quantile(q float64, values []float64) float64 {
	switch {
	case len(values) == 0 || math.IsNaN(q):
		return math.NaN()
	case q < 0:
		return math.Inf(-1)
	case q > 1:
		return math.Inf(1)
	}
	values = slices.Clone(values)
	slices.Sort(values) // NaN first
	rank := q * float64(len(values)-1)
	low := int(math.Floor(rank))
	high := min(low+1, len(values)-1)
	weight := rank - float64(low)
	return values[low]*(1-weight) + values[high]*weight
}

func quantileOverTime(args []value, _ float64) (value, error) {
	return overRange(func(w window) (float64, bool) { return Quantile(args[0].scalar, w.values()), true }).apply(args[1:], 0)
}

type bucket struct{ le, count float64 }

// histogramQuantiles are the quantiles of the histograms whose buckets a vector has.
func histogramQuantiles(args []value, _ float64) (value, error) {
	by := map[string][]bucket{}
	var order []map[string]string
	for _, s := range args[1].vector {
		le, err := strconv.ParseFloat(s.Labels["le"], 64)
		if err != nil {
			continue // no bucket
		}
		labels := without(s.Labels, "le", nameLabel)
		k := key(labels)
		if by[k] == nil {
			order = append(order, labels)
		}
		by[k] = append(by[k], bucket{le, s.Value})
	}
	var v value
	for _, labels := range order {
		v.vector = append(v.vector, Sample{labels, HistogramQuantile(args[0].scalar, func(yield func(le, count float64)) {
			for _, b := range by[key(labels)] {
				yield(b.le, b.count)
			}
		})})
	}
	return v, nil
}

// HistogramQuantile is a quantile of a histogram, whose buckets are given in any order with their upper bounds and the number of observations
// at or below them: linear within the bucket that the rank falls into, from 0 in the first one, and the last finite bound beyond it.
// NaN without observations, without a bucket +Inf, or with that alone.
func HistogramQuantile(q float64, each func(yield func(le, count float64))) float64 {
	var buckets []bucket
	each(func(le, count float64) { buckets = append(buckets, bucket{le, count}) })
	slices.SortFunc(buckets, func(a, b bucket) int {
		switch {
		case a.le < b.le:
			return -1
		case a.le > b.le:
			return 1
		}
		return 0
	})
	n := len(buckets)
	switch {
	case n < 2 || !math.IsInf(buckets[n-1].le, 1) || math.IsNaN(q):
		return math.NaN()
	case q < 0:
		return math.Inf(-1)
	case q > 1:
		return math.Inf(1)
	}
	for i := 1; i < n; i++ { // rates of buckets that were scraped one after the other can go down a little
		buckets[i].count = max(buckets[i].count, buckets[i-1].count)
	}
	if buckets[n-1].count == 0 {
		return math.NaN()
	}
	rank := q * buckets[n-1].count
	i := slices.IndexFunc(buckets[:n-1], func(b bucket) bool { return b.count >= rank })
	switch {
	case i < 0:
		return buckets[n-2].le
	case i == 0 && buckets[0].le <= 0:
		return buckets[0].le
	}
	begin, count := 0.0, buckets[i].count
	if i > 0 {
		begin, count, rank = buckets[i-1].le, count-buckets[i-1].count, rank-buckets[i-1].count
	}
	return begin + (buckets[i].le-begin)*(rank/count)
}
