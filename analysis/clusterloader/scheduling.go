package clusterloader

import (
	"time"
)

const schedulerComponent = "kube-scheduler"

// The scheduler's histograms that the measurement reads.
const (
	podSchedulingMetric  = "scheduler_pod_scheduling_sli_duration_seconds_bucket"
	algorithmMetric      = "scheduler_scheduling_algorithm_duration_seconds_bucket"
	extensionPointMetric = "scheduler_framework_extension_point_duration_seconds_bucket"
	preemptionMetric     = "scheduler_scheduling_algorithm_preemption_evaluation_seconds_bucket"
)

func schedulerMetrics(params) []string {
	return []string{podSchedulingMetric, algorithmMetric, extensionPointMetric, preemptionMetric}
}

func extensionPoints() []string {
	return []string{"PreFilter", "Filter", "PostFilter", "PreScore", "Score", "PreBind", "Bind", "PostBind", "Reserve", "Unreserve", "Permit"}
}

// schedulingSummary is the file's shape; durations are nanoseconds.
type schedulingSummary struct {
	ExtensionPoints map[string]latency `json:"frameworkExtensionPointDuration"`
	Preemption      latency            `json:"preemptionEvaluationLatency"`
	EndToEnd        latency            `json:"e2eSchedulingLatency"`
	Algorithm       latency            `json:"schedulingLatency"`
}

// schedulingMetrics are the quantiles of the scheduler's own histograms between start and gather.
func schedulingMetrics(e *evidence, w window) finding {
	return e.schedulingMetrics(w, "SchedulingMetrics")
}

// prometheusSchedulingMetrics are the same figures, which the original asks Prometheus for.
func prometheusSchedulingMetrics(e *evidence, w window) finding {
	return e.schedulingMetrics(w, w.identifier+"_PrometheusSchedulingMetrics")
}

func (e *evidence) schedulingMetrics(w window, name string) finding {
	looks, ok := e.db.between(schedulerComponent, w.start.returned(), w.gather.At)
	if !ok {
		return e.unseen(schedulerComponent)
	}
	var f finding
	show := func(what string, h histogram) latency {
		l := h.latency()
		if n := h.count(); n > 0 {
			for _, q := range l.quantiles() {
				f.show(what+" "+q.name, q.value.Seconds(), "s", int(n))
			}
		}
		return l
	}
	s := schedulingSummary{ExtensionPoints: map[string]latency{}}
	s.EndToEnd = show("e2eScheduling", e.histogramWithin(podSchedulingMetric, looks, nil))
	s.Algorithm = show("scheduling", e.histogramWithin(algorithmMetric, looks, nil))
	s.Preemption = e.histogramWithin(preemptionMetric, looks, nil).latency()
	for _, point := range extensionPoints() {
		s.ExtensionPoints[point] = e.histogramWithin(extensionPointMetric, looks, func(s *series) bool { return s.labels["extension_point"] == point }).latency()
	}
	f.summaries = []summary{{name, s}}
	return f
}

// histogramWithin sums up the series of a histogram within a span; nil picks all of them.
func (e *evidence) histogramWithin(metric string, w span, picks func(*series) bool) histogram {
	h := histogram{}
	for _, s := range e.db.byName[metric] {
		if le, ok := bound(s.labels); ok && (picks == nil || picks(s)) {
			h[le] += s.increase(w)
		}
	}
	return h
}

// maxAtLooks is the largest value of a gauge at the looks of a time, and at how many looks it was there.
func (e *evidence) maxAtLooks(metric string, w window) (most float64, n int) {
	for _, s := range e.db.byName[metric] {
		for _, p := range s.points {
			if p.at >= w.start.At && p.at <= w.gather.returned()+int64(time.Second) {
				most = max(most, p.value)
				n++
			}
		}
	}
	return most, n
}
