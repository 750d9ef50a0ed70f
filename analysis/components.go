package analysis

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"windtunnel/results"
)

// generator is the component that is windtunnel itself.
const generator = "windtunnel"

// processKey is one process; a component that was restarted is another process.
type processKey struct {
	component string
	pid       int32
}

// processUse is what is kept of the samples of one process.
type processUse struct {
	last     results.ProcessSample
	former   float64 // CPU seconds that are not the run's: of a process that was there before, on another machine, those before its first sample
	measured float64 // CPU seconds in the measured phases
}

// memoryUse sums up the memory of a component over all its processes.
type memoryUse struct {
	samples, pssSamples int64
	rssPeak, pssPeak    int64
	rssSum, pssSum      float64
}

// components gathers the samples of processes, which come in order of time.
type components struct {
	phases    window
	processes map[processKey]*processUse
	memory    map[string]*memoryUse
	inWindow  map[string]int64 // samples
	spans     []results.PhaseSpan
	byPhase   map[string]map[string]float64 // component -> phase -> CPU seconds
}

// newComponents takes the measured phases and all phases; a phase without an end, because the run was killed in it, has none.
func newComponents(w window, all []results.PhaseSpan) *components {
	return &components{phases: w, spans: all, processes: map[processKey]*processUse{}, memory: map[string]*memoryUse{},
		inWindow: map[string]int64{}, byPhase: map[string]map[string]float64{}}
}

func (c *components) add(s results.ProcessSample) {
	k := processKey{s.Component, s.PID}
	p := c.processes[k]
	if p == nil {
		p = &processUse{last: s}
		if s.PID <= 0 && !strings.HasPrefix(s.Component, "hollow-") {
			p.former = s.CPUSeconds
		}
		c.processes[k] = p
	}
	used := s.CPUSeconds - p.last.CPUSeconds
	p.measured += used * overlap(c.phases, p.last.At, s.At)
	if c.byPhase[s.Component] == nil {
		c.byPhase[s.Component] = map[string]float64{}
	}
	for i, span := range c.spans {
		if share := overlap(c.spans[i:i+1], p.last.At, s.At); share > 0 {
			c.byPhase[s.Component][span.Name] += used * share
		}
	}
	p.last = s
	m := c.memory[s.Component]
	if m == nil {
		m = &memoryUse{}
		c.memory[s.Component] = m
	}
	m.add(s)
	if c.phases.contains(s.At) {
		c.inWindow[s.Component]++
	}
}

// overlap is the share of the time between two samples that lies in the phases; CPU time between them is taken as even.
func overlap(phases []results.PhaseSpan, from, to results.Instant) float64 {
	if to <= from {
		return 0
	}
	var ns int64
	for _, p := range phases {
		ns += max(0, min(to, p.End)-max(from, p.Begin))
	}
	return float64(ns) / float64(to-from)
}

func (m *memoryUse) add(s results.ProcessSample) {
	m.samples++
	m.rssPeak = max(m.rssPeak, s.RSS)
	m.rssSum += float64(s.RSS)
	if s.PSS > 0 {
		m.pssSamples++
		m.pssPeak = max(m.pssPeak, s.PSS)
		m.pssSum += float64(s.PSS)
	}
}

// rows are the figures of every component, by name.
func (c *components) rows() []results.ComponentUse {
	rows := []results.ComponentUse{}
	for _, name := range slices.Sorted(maps.Keys(c.memory)) {
		m := c.memory[name]
		r := results.ComponentUse{Name: name, Samples: m.samples, CPUByPhase: c.byPhase[name], Memory: "rss", PeakBytes: m.rssPeak, MeanBytes: m.rssSum / float64(m.samples)}
		if m.pssSamples > 0 {
			r.Memory, r.PeakBytes, r.MeanBytes = "pss", m.pssPeak, m.pssSum/float64(m.pssSamples)
		}
		for _, p := range c.of(name) {
			r.CPUSeconds += p.measured
			r.CPUTotal += p.last.CPUSeconds - p.former
		}
		rows = append(rows, r)
	}
	return rows
}

// of are the processes of a component, in a fixed order: a sum of floating-point numbers depends on it.
func (c *components) of(component string) []*processUse {
	var all []*processUse
	for _, k := range slices.SortedFunc(maps.Keys(c.processes), func(a, b processKey) int { return cmp.Compare(a.pid, b.pid) }) {
		if k.component == component {
			all = append(all, c.processes[k])
		}
	}
	return all
}

// inOrder puts samples in order of time, in which add must see them.
func inOrder(samples []results.ProcessSample) {
	slices.SortFunc(samples, func(a, b results.ProcessSample) int {
		return cmp.Or(cmp.Compare(a.At, b.At), strings.Compare(a.Component, b.Component), cmp.Compare(a.PID, b.PID), cmp.Compare(a.CPUSeconds, b.CPUSeconds))
	})
}

// share is the part of the machine's CPU time in the measured phases that a component took, and from how many samples
// that is known.
func (c *components) share(component string, cores int) (share float64, n int64) {
	var cpu float64
	for _, p := range c.of(component) {
		cpu += p.measured
	}
	if all := c.phases.seconds() * float64(cores); all > 0 {
		share = cpu / all
	}
	return share, c.inWindow[component]
}
