package export

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
)

// label is a name with its value.
type label struct{ name, value string }

// point is a value at a time.
type point struct {
	ms    int64 // Unix time
	value float64
}

// family is one metric with all its series.
type family struct {
	kind       dto.MetricType // gauge, counter (whose name ends with _total) or untyped
	help, unit string
	series     map[string][]point // by labels, as key gives them
}

// families are the metrics of one export by name. All is held in memory, 16 bytes a value, because OpenMetrics wants every
// series in one piece and the records have them interleaved.
type families map[string]*family

// add appends a value to a series, which is made where it is missing. The unit is the one that the name ends with.
func (fs families) add(name string, kind dto.MetricType, help string, p point, labels ...label) {
	f := fs[name]
	if f == nil {
		f = &family{kind: kind, help: help, unit: unitOf(strings.TrimSuffix(name, "_total")), series: map[string][]point{}}
		fs[name] = f
	}
	k := key(labels)
	f.series[k] = append(f.series[k], p)
}

func (fs families) gauge(name, help string, p point, labels ...label) {
	fs.add(name, dto.MetricType_GAUGE, help, p, labels...)
}

// unitOf is the base unit at the end of a name.
func unitOf(name string) string {
	for _, unit := range []string{"seconds", "bytes", "ratio"} {
		if strings.HasSuffix(name, "_"+unit) {
			return unit
		}
	}
	return ""
}

// key is a series' labels, those with a value, in order of their names, the first of each name; labelsOf reverses it.
func key(labels []label) string {
	labels = slices.DeleteFunc(slices.Clone(labels), func(l label) bool { return l.value == "" })
	slices.SortStableFunc(labels, func(a, b label) int { return cmp.Compare(a.name, b.name) })
	labels = slices.CompactFunc(labels, func(a, b label) bool { return a.name == b.name })
	var b []byte
	for _, l := range labels {
		b = append(b, l.name...)
		b = append(b, '=')
		b = strconv.AppendQuote(b, l.value)
		b = append(b, ',')
	}
	return string(b)
}

func labelsOf(key string) []*dto.LabelPair {
	labels, err := parseLabels("{" + strings.TrimSuffix(key, ",") + "}")
	if err != nil {
		panic("export: " + err.Error()) // key made it
	}
	var pairs []*dto.LabelPair
	for _, l := range labels {
		pairs = append(pairs, &dto.LabelPair{Name: &l.name, Value: &l.value})
	}
	return pairs
}

// parseLabels reads labels such as {code="200",verb="GET"}; "" and {} are none. Prometheus' escapes are a part of Go's.
func parseLabels(text string) ([]label, error) {
	if text == "" || text == "{}" {
		return nil, nil
	}
	bad := fmt.Errorf("labels %q make no sense", text)
	if !strings.HasPrefix(text, "{") || !strings.HasSuffix(text, "}") {
		return nil, bad
	}
	var labels []label
	seen := map[string]bool{}
	rest := text[1 : len(text)-1]
	for {
		name, after, ok := strings.Cut(rest, "=")
		quoted, err := strconv.QuotedPrefix(after)
		if !ok || err != nil || !isLabelName(name) || quoted[0] != '"' || seen[name] {
			return nil, bad
		}
		value, err := strconv.Unquote(quoted)
		if err != nil {
			return nil, bad
		}
		seen[name] = true
		labels = append(labels, label{name, value})
		rest = after[len(quoted):]
		if rest == "" {
			return labels, nil
		}
		if rest, ok = strings.CutPrefix(rest, ","); !ok {
			return nil, bad
		}
	}
}

// isLabelName follows the OpenMetrics grammar, as isMetricName does.
func isLabelName(s string) bool { return isMetricName(s) && !strings.Contains(s, ":") }

func isMetricName(s string) bool {
	for i, c := range s {
		letter := c == '_' || c == ':' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return s != ""
}

// write writes all families in OpenMetrics text, in order of names, labels and times. Of two values of a series in one
// millisecond, which is what Prometheus tells apart, the later one counts.
func (fs families) write(w io.Writer) error {
	for _, name := range slices.Sorted(maps.Keys(fs)) {
		f := fs[name]
		out := &dto.MetricFamily{Name: &name, Help: &f.help, Type: &f.kind}
		if f.unit != "" {
			out.Unit = &f.unit
		}
		for _, k := range slices.Sorted(maps.Keys(f.series)) {
			points := f.series[k]
			slices.SortStableFunc(points, func(a, b point) int { return cmp.Compare(a.ms, b.ms) })
			labels := labelsOf(k)
			for i := range points {
				if i+1 == len(points) || points[i+1].ms > points[i].ms {
					out.Metric = append(out.Metric, f.metric(labels, &points[i]))
				}
			}
		}
		if _, err := expfmt.MetricFamilyToOpenMetrics(w, out, expfmt.WithUnit()); err != nil {
			return fmt.Errorf("write OpenMetrics: %w", err)
		}
	}
	if _, err := expfmt.FinalizeOpenMetrics(w); err != nil {
		return fmt.Errorf("write OpenMetrics: %w", err)
	}
	return nil
}

func (f *family) metric(labels []*dto.LabelPair, p *point) *dto.Metric {
	m := &dto.Metric{Label: labels, TimestampMs: &p.ms}
	switch f.kind {
	case dto.MetricType_COUNTER:
		m.Counter = &dto.Counter{Value: &p.value}
	case dto.MetricType_GAUGE:
		m.Gauge = &dto.Gauge{Value: &p.value}
	default:
		m.Untyped = &dto.Untyped{Value: &p.value}
	}
	return m
}
