package analysis

import (
	"maps"
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
	former := map[string]*look{} // of each component
	latest := map[string]*look{}
	close := func(component string) {
		now, before := latest[component], former[component]
		if now == nil {
			return
		}
		start := seriesKey{component: component, name: startMetric}
		phase, measured := e.phases.at(now.at)
		var rose results.PhaseSpan // the phase that both looks lie in
		counted := false
		if before != nil {
			rose, counted = e.phases.both(before.at, now.at)
		}
		restarted := before != nil && before.values[start] != now.values[start]
		for _, k := range now.order {
			v := now.values[k]
			switch {
			case !isCounter(k.name):
				if measured {
					set.add(key{k, phase.Name}, now.at, v)
				}
			case counted:
				if was := before.values[k]; !restarted && v >= was {
					v -= was // a counter at 0 is not recorded; one that was reset shows what happened since
				}
				set.add(key{k, rose.Name}, now.at, v)
			}
		}
		former[component] = now
	}
	e.again(func() {
		each(e, d, results.MetricsFile, func(m results.Metric) {
			now := latest[m.Component]
			if now != nil && m.At < now.at {
				return // two looks overlapped; the older one is passed over
			}
			if now == nil || m.At > now.at {
				close(m.Component)
				now = &look{at: m.At, values: map[seriesKey]float64{}}
				latest[m.Component] = now
			}
			k := seriesKey{m.Component, m.Name, m.Labels}
			now.values[k] = m.Value
			now.order = append(now.order, k)
		})
	})
	for component := range maps.Clone(latest) {
		close(component)
	}
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
