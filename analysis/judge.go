package analysis

import (
	"fmt"
	"os"
	"slices"
	"strconv"

	"windtunnel/analysis/slo"
	"windtunnel/profiles"
	"windtunnel/results"
)

// Judge judges a stored run by a file of objectives. As for Summarize, only a directory without a readable run.json is an error.
// Only the metrics that the file is about are kept.
func Judge(d *results.Dir, f *slo.File) (slo.Report, error) {
	run, err := d.ReadRun()
	if err != nil {
		return slo.Report{}, fmt.Errorf("judge run: %w", err)
	}
	e := gather(d, run)
	data := slo.Data{Run: run.ID, Validity: e.validity().Verdict, Phases: e.phases, Series: map[string][]slo.Series{}, Missing: map[string]string{}}
	asked := f.Metrics()
	if _, err := os.Stat(d.Path(results.MetricsFile)); err != nil {
		data.Missing[slo.ComponentMetric] = "the run has no " + results.MetricsFile
	}
	for name, read := range map[string]func() []slo.Series{
		slo.RequestLatency:  func() []slo.Series { return e.latencySeries() },
		slo.Requests:        func() []slo.Series { return e.requestSeries(d) },
		slo.ServerLatency:   func() []slo.Series { return e.serverSeries() },
		slo.WatchLatency:    func() []slo.Series { return e.watchSeries() },
		slo.PodStartup:      func() []slo.Series { return e.startupSeries() },
		slo.PodsCreated:     func() []slo.Series { return e.podSeries(func(p *podLife) results.Instant { return p.created }) },
		slo.PodsScheduled:   func() []slo.Series { return e.podSeries(func(p *podLife) results.Instant { return p.scheduled }) },
		slo.PodsRunning:     func() []slo.Series { return e.podSeries(func(p *podLife) results.Instant { return p.running }) },
		slo.CPU:             func() []slo.Series { return e.processSeries(d, cpuPoints) },
		slo.Memory:          func() []slo.Series { return e.processSeries(d, memoryPoints) },
		slo.NodesReady:      func() []slo.Series { return e.nodeSeries(d) },
		slo.ComponentMetric: func() []slo.Series { return e.componentSeries(d) },
	} {
		if slices.Contains(asked, name) {
			data.Series[name] = read()
		}
	}
	if slices.Contains(asked, slo.ServerLatency) {
		_, data.Notes = e.scrapes.calls()
	}
	return slo.Judge(f, data), nil
}

// seriesSet collects points by labels.
type seriesSet[K comparable] map[K][]slo.Point

func (s seriesSet[K]) add(key K, at results.Instant, value float64) {
	s[key] = append(s[key], slo.Point{At: at, Value: value})
}

// list gives the series with the labels of their keys. Their order, that of a map, does not matter: the points of a group are
// sorted.
func (s seriesSet[K]) list(labels func(K) map[string]string) []slo.Series {
	var all []slo.Series
	for key, points := range s {
		all = append(all, slo.Series{Labels: labels(key), Points: points})
	}
	return all
}

// labels are the labels of a kind of request.
func (k kind) labels() map[string]string {
	loop := "open"
	if k.loop != "" {
		loop = k.loop
	}
	return map[string]string{"verb": k.verb, "group": k.group, "resource": k.resource, "subresource": k.subresource, "scope": k.scope,
		"variant": k.variant, "loop": loop, "phase": k.phase}
}

func (e *evidence) latencySeries() []slo.Series {
	var all []slo.Series
	for k, s := range e.requests.kinds {
		one := slo.Series{Labels: k.labels(), Points: make([]slo.Point, 0, len(s.latency))}
		for _, t := range s.latency {
			one.Points = append(one.Points, slo.Point{At: t.at, Value: t.seconds})
		}
		all = append(all, one)
	}
	return all
}

// requestSeries are the requests that were sent, by what became of them.
func (e *evidence) requestSeries(d *results.Dir) []slo.Series {
	type outcome struct {
		kind
		code  int32
		error string
	}
	set := seriesSet[outcome]{}
	e.again(func() {
		each(e, d, results.RequestsFile, func(r results.Request) {
			if _, measured := e.phases.phase(r.Phase); measured && r.Sent != 0 {
				set.add(outcome{e.requests.kindOf(r), r.Code, r.Error}, r.Planned, 1)
			}
		})
	})
	return set.list(func(o outcome) map[string]string {
		labels := o.kind.labels()
		labels["code"], labels["error"] = strconv.Itoa(int(o.code)), o.error
		return labels
	})
}

// again reads streams a second time; their damage has been noted the first time.
func (e *evidence) again(read func()) {
	damage := e.damage
	read()
	e.damage = damage
}

// serverSeries are the SLI's histograms over each measured phase.
func (e *evidence) serverSeries() []slo.Series {
	var all []slo.Series
	for _, s := range e.scrapes.phases {
		cs, _ := s.calls() // the notes are those of the summary, and of the report
		for c, h := range cs {
			all = append(all, slo.Series{Counts: &slo.Counts{Within: h.buckets, N: h.n}, Labels: map[string]string{"verb": c.verb, "group": c.group,
				"resource": c.resource, "subresource": c.subresource, "scope": c.scope, "phase": s.name, "builtin": strconv.FormatBool(c.builtin())}})
		}
	}
	return all
}

// builtin tells the resources that Kubernetes itself serves from custom and aggregated ones.
func (c call) builtin() bool {
	return slices.ContainsFunc(profiles.Resources(), func(r profiles.Resource) bool { return r.Name == c.resource && r.Group == c.group })
}

func (e *evidence) watchSeries() []slo.Series {
	var all []slo.Series
	for w, s := range e.watching.rows {
		one := slo.Series{Labels: map[string]string{"track": w.track, "group": w.group, "resource": w.resource, "phase": w.phase}}
		for _, t := range s.latency {
			one.Points = append(one.Points, slo.Point{At: t.at, Value: t.seconds})
		}
		all = append(all, one)
	}
	return all
}

// startupSeries are the stages of the pods that were created in the measured phases, by template and phase.
func (e *evidence) startupSeries() []slo.Series {
	type key struct{ object, phase, stage string }
	set := seriesSet[key]{}
	for object, pods := range e.podsByObject() {
		for _, phase := range e.phases {
			s := startup{stages: map[string]timedSample{}}
			for _, p := range pods {
				if in, ok := e.phases.at(p.created); ok && in == phase {
					s.add(p, e.phases.end())
				}
			}
			s.stages[stageTotal] = s.judged
			for stage, sample := range s.stages {
				for _, t := range sample {
					set.add(key{object, phase.Name, stage}, t.at, t.seconds)
				}
			}
		}
	}
	return set.list(func(k key) map[string]string {
		return map[string]string{"object": k.object, "phase": k.phase, "stage": k.stage, "schedulable": strconv.FormatBool(schedulable(e.profile, k.object))}
	})
}

// podsByObject are the pods that templates made, by template.
func (e *evidence) podsByObject() map[string][]*podLife {
	by := map[string][]*podLife{}
	for _, p := range e.pods {
		if p.object != "" {
			by[p.object] = append(by[p.object], p)
		}
	}
	return by
}

// schedulable tells whether the pods of a template go to the scheduler that there is.
func schedulable(p profiles.Profile, object string) bool {
	spec, _ := p.Objects[object].Manifest["spec"].(map[string]any)
	if template, ok := spec["template"].(map[string]any); ok {
		spec, _ = template["spec"].(map[string]any)
	}
	name, named := spec["schedulerName"]
	return !named || name == "default-scheduler"
}

// podSeries are moments in the lives of pods, by template and by the measured phase in which they came.
func (e *evidence) podSeries(moment func(*podLife) results.Instant) []slo.Series {
	type key struct{ object, phase string }
	set := seriesSet[key]{}
	for object, pods := range e.podsByObject() {
		for _, p := range pods {
			at := moment(p)
			if phase, ok := e.phases.at(at); ok && at != never {
				set.add(key{object, phase.Name}, at, 1)
			}
		}
	}
	return set.list(func(k key) map[string]string {
		return map[string]string{"object": k.object, "phase": k.phase}
	})
}

// inPhase is a component in a measured phase.
type inPhase struct{ component, phase string }

func (k inPhase) labels() map[string]string {
	return map[string]string{"component": k.component, "phase": k.phase}
}

// processSeries are points made of the samples of each process.
func (e *evidence) processSeries(d *results.Dir, points func(samples []results.ProcessSample) []slo.Point) []slo.Series {
	processes := map[processKey][]results.ProcessSample{}
	e.again(func() {
		each(e, d, results.ProcessesFile, func(s results.ProcessSample) {
			k := processKey{s.Component, s.PID}
			processes[k] = append(processes[k], s)
		})
	})
	set := seriesSet[inPhase]{}
	for k, samples := range processes {
		slices.SortFunc(samples, func(a, b results.ProcessSample) int { return int(a.At - b.At) })
		for _, p := range points(samples) {
			if phase, ok := e.phases.at(p.At); ok {
				set.add(inPhase{k.component, phase.Name}, p.At, p.Value)
			}
		}
	}
	return set.list(inPhase.labels)
}

// cpuPoints are the cores that a process took between two samples, at the later one.
func cpuPoints(samples []results.ProcessSample) []slo.Point {
	var all []slo.Point
	for i := 1; i < len(samples); i++ {
		if length := seconds(samples[i].At - samples[i-1].At); length > 0 {
			all = append(all, slo.Point{At: samples[i].At, Value: (samples[i].CPUSeconds - samples[i-1].CPUSeconds) / length})
		}
	}
	return all
}

// memoryPoints are the proportional set sizes of a process, or where those were never read its resident ones.
func memoryPoints(samples []results.ProcessSample) []slo.Point {
	hasPSS := slices.ContainsFunc(samples, func(s results.ProcessSample) bool { return s.PSS > 0 })
	var all []slo.Point
	for _, s := range samples {
		switch {
		case !hasPSS:
			all = append(all, slo.Point{At: s.At, Value: float64(s.RSS)})
		case s.PSS > 0:
			all = append(all, slo.Point{At: s.At, Value: float64(s.PSS)})
		}
	}
	return all
}

// nodeSeries is the number of hollow nodes that were Ready, once a second from the begin of each measured phase.
func (e *evidence) nodeSeries(d *results.Dir) []slo.Series {
	var events []results.NodeEvent
	e.again(func() { each(e, d, results.NodesFile, func(n results.NodeEvent) { events = append(events, n) }) })
	nodesInOrder(events)
	set, nodes, next := seriesSet[inPhase]{}, newNodeStates(e.phases, e.profile.HollowNodes.NamePrefix), 0
	for _, phase := range e.phases {
		for at := phase.Begin; at <= phase.End; at += 1e9 {
			for ; next < len(events) && events[next].At <= at; next++ {
				nodes.add(events[next])
			}
			set.add(inPhase{phase: phase.Name}, at, float64(len(nodes.ready)))
		}
	}
	if e.nodes.n == 0 {
		return nil
	}
	return set.list(inPhase.labels)
}
