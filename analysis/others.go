package analysis

import (
	"maps"
	"slices"
	"strings"

	"windtunnel/results"
)

// flowPrefix begins the names of priority and fairness' metrics.
const flowPrefix = "apiserver_flowcontrol_"

// others gathers what the other users of a shared cluster saw.
type others struct {
	level          string
	before         window
	looks          *looks // of priority and fairness, before the load
	earlier, later bystanding
}

// bystanding is the bystander's requests of one time.
type bystanding struct {
	n, errors int64
	latency   timedSample
}

// newOthers is nil for a run that had its cluster to itself.
func newOthers(run results.Run) *others {
	if run.Shared == nil {
		return nil
	}
	o := &others{level: run.Shared.Level}
	for _, p := range run.Phases {
		// The first of that name: a profile may have a phase that is called so, too.
		if p.Name == run.Shared.Baseline && p.End > p.Begin && len(o.before) == 0 {
			o.before = window{p}
		}
	}
	o.looks = newLooks(o.before)
	return o
}

// metric takes a chosen metric.
func (o *others) metric(m results.Metric) {
	if m.Component == apiServer && (strings.HasPrefix(m.Name, flowPrefix) || m.Name == startMetric) {
		o.looks.add(m)
	}
}

// request takes a request of the bystander; during are the measured phases.
func (o *others) request(r results.Request, during window) {
	switch {
	case o.before.contains(r.Planned):
		o.earlier.add(r)
	case during.contains(r.Planned):
		o.later.add(r)
	}
}

func (b *bystanding) add(r results.Request) {
	b.n++
	if r.Error != "" {
		b.errors++
		return
	}
	b.latency = append(b.latency, timed{r.Planned, seconds(r.Done - r.Planned)})
}

func (b *bystanding) figures() results.BystanderTime {
	t := results.BystanderTime{N: b.n, Errors: b.errors}
	t.P50, t.P90, t.P99, t.Max = latencyOf(b.latency)
	return t
}

// summary puts the two times side by side; during are the looks of the measured phases.
func (o *others) summary(during *looks) *results.Others {
	if o == nil {
		return nil
	}
	o.looks.finish()
	s := &results.Others{Level: o.level, BeforeSeconds: o.before.seconds(), DuringSeconds: during.phases.seconds(), Levels: []results.OtherLevel{},
		Bystander: results.Bystander{Before: o.earlier.figures(), During: o.later.figures()}}
	before, now := byName(o.looks.priorityLevels()), byName(during.priorityLevels())
	names := slices.Collect(maps.Keys(before))
	for name := range now {
		if before[name] == nil {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		if name != o.level {
			s.Levels = append(s.Levels, results.OtherLevel{Name: name, Before: before[name], During: now[name]})
		}
	}
	return s
}

func byName(levels []results.PriorityLevel) map[string]*results.PriorityLevel {
	by := map[string]*results.PriorityLevel{}
	for i := range levels {
		by[levels[i].Name] = &levels[i]
	}
	return by
}
