package clusterloader

import (
	"slices"
	"strconv"
	"time"

	"windtunnel/results"
)

// testMetricsParts are the measurements that TestMetrics runs with its own parameters. Its profiles are those of the run.
func testMetricsParts() []string {
	return []string{"EtcdMetrics", "SchedulingMetrics", "MetricsForE2E", "ResourceUsageSummary", "SystemPodMetrics", "ClusterOOMsTracker"}
}

// testMetrics puts together what its parts find.
func testMetrics(e *evidence, w window) finding {
	var f finding
	table := methods()
	for _, name := range testMetricsParts() {
		part := table[name].compute(e, w)
		if part.skip != "" {
			f.note("%s skipped: %s", name, part.skip)
		}
		for _, v := range part.values {
			v.Name = name + " " + v.Name
			f.values = append(f.values, v)
		}
		prefixed := func(texts []string) []string {
			texts = slices.Clone(texts)
			for i := range texts {
				texts[i] = name + ": " + texts[i]
			}
			return texts
		}
		f.errors = append(f.errors, prefixed(part.errors)...)
		f.notes = append(f.notes, prefixed(part.notes)...)
		f.summaries = append(f.summaries, part.summaries...)
		if part.notEnforced { // the others' violations fail the test all the same
			f.notes = append(f.notes, prefixed(part.violations)...)
			continue
		}
		f.violations = append(f.violations, prefixed(part.violations)...)
		f.decides = f.decides || part.decides
		f.empty = f.empty || part.decides && part.empty
	}
	return f
}

func testMetricsNames(p params) []string {
	var names []string
	for _, part := range testMetricsParts() {
		if m := methods()[part]; m.metrics != nil {
			names = append(names, m.metrics(p)...)
		}
	}
	return names
}

// clusterOOMs has nothing to count: hollow nodes do not report memory that ran out.
func clusterOOMs(_ *evidence, w window) finding {
	wanted, err := w.gather.params.boolean("clusterOOMsTrackerEnabled", false)
	switch {
	case err != nil:
		return failed(err)
	case !wanted:
		return finding{skip: "clusterOOMsTrackerEnabled is not set"}
	}
	return finding{skip: "hollow nodes have no memory that could run out"}
}

// e2eMetrics are the metrics in the file of MetricsForE2E that others read, out of the hundreds of which the original puts all into it.
func e2eMetrics(params) []string {
	return []string{"apiserver_request_total", "apiserver_init_events_total"}
}

// promSample is one value in Prometheus' JSON: the time in Unix seconds, and the value as a text.
type promSample struct {
	Metric map[string]string `json:"metric"`
	Value  [2]any            `json:"value"`
}

// metricsForE2E are the values of these metrics at the gather.
func metricsForE2E(e *evidence, w window) finding {
	var f finding
	looks := e.db.looks[apiServer]
	i, _ := slices.BinarySearch(looks, w.gather.At)
	if len(looks) == 0 {
		f.note("there is no look at the API server's metrics")
		return f
	}
	at := looks[min(i, len(looks)-1)]
	f.note("the file has only what perfdash reads")
	metrics := map[string][]promSample{}
	started, _ := time.Parse(time.RFC3339, e.run.Started)
	for _, name := range e2eMetrics(nil) {
		for _, s := range e.db.byName[name] {
			if p, ok := s.at(at); ok {
				labels := s.own()
				labels["__name__"] = name
				metrics[name] = append(metrics[name], promSample{labels, [2]any{float64(started.Unix()) + seconds(at), strconv.FormatFloat(p.value, 'g', -1, 64)}})
			}
		}
	}
	f.summaries = []summary{{"MetricsForE2E", map[string]any{"APIServerMetrics": metrics, "ControllerManagerMetrics": map[string]any{}, "KubeletMetrics": map[string]any{},
		"SchedulerMetrics": map[string]any{}, "ClusterAutoscalerMetrics": nil}}}
	return f
}

// at is the point of a look.
func (s *series) at(look results.Instant) (point, bool) {
	i, found := slices.BinarySearchFunc(s.points, look, func(p point, at results.Instant) int {
		switch {
		case p.at < at:
			return -1
		case p.at > at:
			return 1
		}
		return 0
	})
	if !found {
		return point{}, false
	}
	return s.points[i], true
}
