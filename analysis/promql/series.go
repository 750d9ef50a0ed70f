package promql

import (
	"maps"
	"slices"
	"strings"
)

// Point is one value of a series.
type Point struct {
	At    int64 // nanoseconds
	Value float64
	Stale bool // the series ended here: it has no value until the next point
}

// Series is a time series, its points in order of time. The name of the metric is the label __name__.
type Series struct {
	Labels map[string]string
	Points []Point
}

// Source has the series of each metric.
type Source interface {
	Select(metric string) []Series
}

// Sample is one element of an answer.
type Sample struct {
	Labels map[string]string
	Value  float64
}

const nameLabel = "__name__"

// key tells sets of labels apart.
func key(labels map[string]string) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		b.WriteString(name + "\x00" + labels[name] + "\x00")
	}
	return b.String()
}

// without is a copy of labels without some.
func without(labels map[string]string, names ...string) map[string]string {
	out := make(map[string]string, len(labels))
	for k, v := range labels {
		if !slices.Contains(names, k) {
			out[k] = v
		}
	}
	return out
}

// only is a copy of labels with no others than some.
func only(labels map[string]string, names []string) map[string]string {
	out := map[string]string{}
	for _, name := range names {
		if v, ok := labels[name]; ok {
			out[name] = v
		}
	}
	return out
}
