package analysis

import (
	"fmt"
	"strings"

	"windtunnel/analysis/clusterloader"
	"windtunnel/profiles"
	"windtunnel/results"
)

// Study is a run's answer together with what its pictures are drawn from. Curves have at most 300 places: over a run of up
// to five minutes a place is a second, over a longer one Step says how long it is. Times are seconds since the start of the
// run. Neither the order of the records nor how they came in batches changes any of it.
type Study struct {
	Run     results.Run
	Profile profiles.Profile
	Summary results.Summary
	Step    float64 // seconds of a place
	End     float64 // of the run, in seconds
	Traffic Traffic
	Pods    []Curve // pods in each state at the end of a place
	Startup []Distribution
	CPU     []Curve // cores by component
	Memory  []Curve // bytes by component
	Server  ServerCurves
	Nodes   []Curve // ready hollow nodes at the end of a place
	// NotReady are the times in which hollow nodes that had been ready were not.
	NotReady []Outage
	Lives    []Life // of the components' processes
	Slowest  []results.Request
	// Pooled are the client's figures over the measured phases of every call that has more than one row in the summary.
	Pooled []results.RequestRow
	// Test is what a test of ClusterLoader2 found, with the files that it leaves; nil for runs that were none.
	Test *clusterloader.Outcome
}

// Curve is a figure over time. A Value that is NaN is not known.
type Curve struct {
	Name  string
	At    []float64 // seconds since the start of the run, ascending
	Value []float64
	N     int64 // observations that it comes from
}

// Distribution is an empirical distribution function: Share of the N values are at or below Value. Of more than 400 values
// it has every 400th part, the smallest and the largest; a Share is exact where it stands.
type Distribution struct {
	Name  string
	N     int64
	Value []float64 // ascending
	Share []float64 // 0 … 1
}

// Life is the time in which one process of a component was seen: from its first sample to its last.
type Life struct {
	Component   string
	PID         int32
	From, Until float64 // seconds since the start of the run
}

// Outage is a time in which at least one hollow node was not ready that had been so before, and how many at most.
type Outage struct {
	From, Until float64 // seconds since the start of the run
	Nodes       int
}

// Examine works out a run's Study from its directory alone, in one reading. What Summarize says of missing and damaged
// records holds here too.
func Examine(d *results.Dir) (Study, error) {
	run, err := d.ReadRun()
	if err != nil {
		return Study{}, fmt.Errorf("examine run: %w", err)
	}
	e := gather(d, run)
	e.test = clusterloader.Examine(d, e.run)
	p := e.pictures
	s := Study{Test: e.test, Run: run, Profile: e.profile, Summary: e.summary(), Step: seconds(p.time.step), End: seconds(p.time.end)}
	s.Traffic = p.traffic.finish()
	s.Traffic.Judged = e.requests.planned + e.requests.loops
	s.Slowest = p.slowest.finish()
	s.Pods = podStates(e.pods, p.time)
	s.Startup = startupCurves(e.pods, e.profile.SLO.PodStartup, e.phases)
	s.CPU, s.Memory, s.Lives = p.usage.finish(p.time)
	s.Nodes, s.NotReady = p.nodes.finish(p.time), p.nodes.outages(p.time)
	s.Pooled = e.requests.pooled()
	s.Server = p.history.finish(p.time)
	return s, nil
}

// pictures is what is gathered for the pictures while the records go by.
type pictures struct {
	time    timeline
	traffic *traffic
	slowest *slowest
	usage   *usage
	nodes   *readiness
	history *metricHistory
}

func newPictures() *pictures {
	return &pictures{usage: newUsage(), nodes: newReadiness(), history: newMetricHistory()}
}

// begin is called when it is known when the run ended, before the requests are read.
func (p *pictures) begin(e *evidence, last results.Instant) {
	for _, phase := range e.run.Phases {
		last = max(last, phase.Begin, phase.End)
	}
	p.time = newTimeline(last)
	p.traffic = newTraffic(p.time, e.run.Phases)
	p.slowest = &slowest{phases: e.phases}
	p.nodes.prefix = e.profile.HollowNodes.NamePrefix
}

// component is the name that the processes of one part of the system go by: the shards of hollow nodes are one.
func component(name string) string {
	if strings.HasPrefix(name, "hollow-") {
		return "hollow nodes"
	}
	return name
}
