package clusterloader

import (
	"slices"
	"time"

	"windtunnel/results"
)

// podStartupThreshold is the default (sig-scalability, pod_startup_latency.md).
const podStartupThreshold = 5 * time.Second

// transitions are the stages of a pod's start-up by the original's names. What it calls run and watch is one event, the watch's that shows
// the pod running.
func transitions() []transition {
	created := func(p *pod) results.Instant { return p.created }
	scheduled := func(p *pod) results.Instant { return p.scheduled }
	running := func(p *pod) results.Instant { return p.running }
	return []transition{{"create_to_schedule", created, scheduled}, {"schedule_to_run", scheduled, running}, {"run_to_watch", running, running},
		{"schedule_to_watch", scheduled, running}, {podStartup, created, running}, {"create_to_run", created, running}}
}

const podStartup = "pod_startup"

type transition struct {
	name     string
	from, to func(*pod) results.Instant
}

// seconds are the transition's times of those pods that had come to its end when it was gathered, ascending. One below zero is 0.
func (t transition) seconds(of []*pod, gathered results.Instant) []float64 {
	var all []float64
	for _, p := range of {
		from, to := t.from(p), t.to(p)
		if from != never && to != never && from <= gathered && to <= gathered {
			all = append(all, max(0, seconds(to-from)))
		}
	}
	slices.Sort(all)
	return all
}

// podStartupLatency is the time from the first event of a pod to those that show it with a node and running, of the pods that came while
// it was measured.
func podStartupLatency(e *evidence, w window) finding {
	f := finding{decides: true}
	picks, err := readSelector(w.start.params)
	if err != nil {
		return failed(err)
	}
	limits, err := thresholds(w.start.params, podStartupThreshold)
	if err != nil {
		return failed(err)
	}
	came, before := e.picked(picks, w)
	if before > 0 {
		f.note("%d pods were there when it was started and are left out", before)
	}
	for _, kind := range []struct {
		prefix string
		of     func(*pod) bool
	}{{"", func(*pod) bool { return true }}, {"Stateless", func(p *pod) bool { return !p.stateful }}, {"Stateful", func(p *pod) bool { return p.stateful }}} {
		of := slices.DeleteFunc(slices.Clone(came), func(p *pod) bool { return !kind.of(p) })
		f.startup(kind.prefix, of, limits, w)
	}
	return f
}

// startup adds the figures of one kind of pods, and their summary.
func (f *finding) startup(prefix string, of []*pod, limits [3]time.Duration, w window) {
	data := PerfData{Version: "1.0", DataItems: []DataItem{}}
	kind := map[string]string{"": "", "Stateless": "stateless ", "Stateful": "stateful "}[prefix]
	for _, t := range transitions() {
		sample := t.seconds(of, w.gather.At)
		if len(sample) == 0 {
			continue // zeros would read as a figure
		}
		l := latencyOf(sample)
		data.DataItems = append(data.DataItems, l.item(map[string]string{"Metric": t.name}))
		if t.name != podStartup {
			continue
		}
		for i, q := range l.quantiles() {
			f.judge(kind+podStartup+" "+q.name, q.value.Seconds(), "s", limits[i].Seconds(), false, len(sample))
		}
		if over := l.over(limits[0], limits[1], limits[2]); over != "" {
			f.violate("pod start-up of %d %spods: %s", len(sample), kind, over)
		}
		if missing := len(of) - len(sample); missing > 0 && prefix == "" {
			f.note("%d of %d pods had not been seen running when it was gathered and are in no figure", missing, len(of))
		}
	}
	if prefix == "" && len(data.DataItems) == 0 {
		f.note("no pod of %d was seen running", len(of))
	}
	if prefix == "" {
		f.empty = !slices.ContainsFunc(data.DataItems, func(i DataItem) bool { return i.Labels["Metric"] == podStartup })
	}
	f.summaries = append(f.summaries, summary{prefix + "PodStartupLatency_" + w.identifier, data})
}

// thresholds reads threshold and those of the three quantiles, which stand in for it.
func thresholds(p params, otherwise time.Duration) (limits [3]time.Duration, err error) {
	all, err := p.duration("threshold", otherwise)
	if err != nil {
		return limits, err
	}
	for i, name := range []string{"perc50Threshold", "perc90Threshold", "perc99Threshold"} {
		if limits[i], err = p.duration(name, all); err != nil {
			return limits, err
		}
	}
	return limits, nil
}

// picked are the pods that a selector picks and that came between start and gather, and how many were there before.
func (e *evidence) picked(s selector, w window) (came []*pod, before int) {
	for _, p := range e.pods {
		switch {
		case p.created == never || p.created > w.gather.At || !s.matches(p):
		case p.created >= w.start.At:
			came = append(came, p)
		case p.gone == never || p.gone > w.start.At:
			before++
		}
	}
	return came, before
}
