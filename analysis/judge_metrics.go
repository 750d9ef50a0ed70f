package analysis

import (
	"strconv"
	"strings"

	"windtunnel/analysis/slo"
	"windtunnel/results"
)

// componentSeries are the chosen metrics of the components: the values of gauges, and what counters rose by between two looks in
// one measured phase.
func (e *evidence) componentSeries(d *results.Dir) []slo.Series {
	type key struct {
		seriesKey
		phase string
	}
	set := seriesSet[key]{}
	l := newLooks(e.phases)
	l.seen = func(r reading) {
		switch counter := isCounter(r.key.name); {
		case counter && r.rose != "":
			set.add(key{r.key, r.rose}, r.at, r.rise)
		case !counter && r.phase != "":
			set.add(key{r.key, r.phase}, r.at, r.value)
		}
	}
	e.again(func() { each(e, d, results.MetricsFile, l.add) })
	l.finish()
	return set.list(func(k key) map[string]string {
		labels := labelsOf(k.labels)
		labels["name"], labels["component"], labels["phase"] = k.name, k.component, k.phase
		return labels
	})
}

func isCounter(name string) bool {
	for _, suffix := range []string{"_total", "_count", "_sum"} {
		if strings.HasSuffix(name, suffix) {
			return true
		}
	}
	return false
}

// labelsOf reads labels such as {code="200",verb="GET"}.
func labelsOf(text string) map[string]string {
	labels := map[string]string{}
	for rest := strings.TrimPrefix(text, "{"); rest != ""; {
		name, after, ok := strings.Cut(rest, "=")
		quoted, err := strconv.QuotedPrefix(after)
		if !ok || err != nil {
			break
		}
		labels[name], _ = strconv.Unquote(quoted) // QuotedPrefix has checked it
		rest = strings.TrimPrefix(after[len(quoted):], ",")
	}
	return labels
}
