package analysis

import (
	"math"
	"slices"

	"windtunnel/results"
)

// never is the instant of what did not happen; 0 is a valid instant.
const never results.Instant = math.MinInt64

// podLife is what was seen of one pod, joined by its UID from the harness' watch and the nodes' runtimes.
type podLife struct {
	object, namespace, node                        string
	created, scheduled, running, deleting, deleted results.Instant
	started                                        []results.Instant // of its containers, by the runtime
}

// gone is when the pod began to end, or never.
func (p *podLife) gone() results.Instant {
	if p.deleting != never {
		return p.deleting
	}
	return p.deleted
}

// lives are the pods of a run by UID.
type lives map[string]*podLife

func (l lives) add(e results.PodEvent) {
	p := l[e.UID]
	if p == nil {
		p = &podLife{created: never, scheduled: never, running: never, deleting: never, deleted: never}
		l[e.UID] = p
	}
	setOnce(&p.namespace, e.Namespace)
	setOnce(&p.object, e.Object)
	setOnce(&p.node, e.Node)
	if e.Source == "runtime" {
		if e.Event == "started" {
			p.started = append(p.started, e.At)
		}
		return
	}
	switch e.Event {
	case "created":
		first(&p.created, e.At)
	case "scheduled":
		first(&p.scheduled, e.At)
	case "running":
		first(&p.running, e.At)
	case "deleting":
		first(&p.deleting, e.At)
	case "deleted":
		first(&p.deleted, e.At)
	}
}

func setOnce(s *string, v string) {
	if *s == "" {
		*s = v
	}
}

// first keeps the earlier instant, so that the order in which records are read does not matter.
func first(at *results.Instant, v results.Instant) {
	if *at == never || v < *at {
		*at = v
	}
}

// lastStart is when the last of the pod's containers was started for the first time, as far as that can be told: the
// last start that the runtime recorded up to the moment in which the pod was seen running. Later ones are restarts, except
// that the watch of one process can outrun the record of another; then the earliest counts. never without such records.
func (p *podLife) lastStart() results.Instant {
	if len(p.started) == 0 {
		return never
	}
	last := never
	for _, at := range p.started {
		if at <= p.running && at > last {
			last = at
		}
	}
	if last == never {
		return slices.Min(p.started)
	}
	return last
}

// startup is the start-up of the pods that were created in the measured phases.
type startup struct {
	stages map[string]timedSample
	// judged holds the time from created to running of every pod that ran, as measured, and one without end of those that did
	// not run though they had more than the SLO's 5 s for it: they are failed. early are those that were deleted, and late
	// those whose window ended, before that.
	judged              timedSample
	failed, early, late int
	gone                int // of failed and early, those that were deleted before they ran
	unseen              int // that were seen running but never created or scheduled, for want of a watch event
}

// The stages of a pod's start-up.
const (
	stageSchedule = "create_to_schedule"
	stageRun      = "schedule_to_run"
	stageObserve  = "run_to_observe"
	stageTotal    = "total"
)

// startupOf joins the start-up stages of the pods of a template, of all templates when object is "".
func startupOf(pods lives, object string, w window) startup {
	s := startup{stages: map[string]timedSample{}}
	for _, p := range pods {
		if p.object == "" || (object != "" && p.object != object) {
			continue
		}
		if p.created == never {
			if w.contains(p.running) {
				s.unseen++
			}
			continue
		}
		if w.contains(p.created) {
			s.add(p, w.end())
		}
	}
	return s
}

func (s *startup) add(p *podLife, end results.Instant) {
	if p.running == never {
		s.addNotRunning(p, end)
		return
	}
	s.stage(stageTotal, p.created, p.running)
	s.judged = append(s.judged, timed{p.created, seconds(p.running - p.created)})
	if p.scheduled == never {
		s.unseen++
		return
	}
	s.stage(stageSchedule, p.created, p.scheduled)
	start := p.lastStart()
	if start == never {
		s.stage(stageRun, p.scheduled, p.running)
		return
	}
	s.stage(stageRun, p.scheduled, start)
	s.stage(stageObserve, start, p.running)
}

// addNotRunning counts a pod that was never seen running. It has failed when it had more than the time that the SLO
// allows, before it was deleted or the window ended; otherwise nothing can be said about it.
func (s *startup) addNotRunning(p *podLife, end results.Instant) {
	until, deleted := end, false
	if gone := p.gone(); gone != never && gone < end {
		until, deleted = gone, true
		s.gone++
	}
	switch {
	case seconds(until-p.created) > podStartupSeconds:
		s.failed++
		s.judged = append(s.judged, timed{p.created, math.Inf(1)})
	case deleted:
		s.early++
	default:
		s.late++
	}
}

func (s *startup) stage(name string, from, to results.Instant) {
	s.stages[name] = append(s.stages[name], timed{from, seconds(to - from)})
}

// quantiles sums up every stage.
func (s *startup) quantiles() map[string]results.StageQuantiles {
	q := map[string]results.StageQuantiles{}
	for _, name := range []string{stageSchedule, stageRun, stageObserve, stageTotal} {
		q[name] = stageQuantiles(slices.Clone(s.stages[name]))
	}
	total := q[stageTotal]
	total.NeverRan = int64(s.failed)
	q[stageTotal] = total
	return q
}

// startupByPhase sums up the pods of the profile's start-up SLO by the measured phase in which they were created; nil when
// there is only one.
func (e *evidence) startupByPhase() map[string]map[string]results.StageQuantiles {
	if len(e.phases) < 2 {
		return nil
	}
	by := map[string]map[string]results.StageQuantiles{}
	for _, phase := range e.phases {
		pods := startupOf(e.pods, e.profile.SLO.PodStartup, window{phase})
		by[phase.Name] = pods.quantiles()
	}
	return by
}
