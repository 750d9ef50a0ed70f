package analysis

import (
	"cmp"
	"fmt"
	"iter"
	"slices"

	"windtunnel/results"
)

// PodStartup is the start-up of one pod: when it was created, and in seconds the stages, which add up to the total.
type PodStartup struct {
	Created                                              results.Instant
	CreateToSchedule, ScheduleToRun, RunToObserve, Total float64
}

// PodStartups are the start-ups of the pods that the summary's figures of the start-up are over, of which every stage is known:
// those of the profile's template for it (of all templates when it names none) that were created in a measured phase and seen
// running. They are in order of their creation, then of the total, so that the order of the records does not show. What cannot be
// read is left out; Summarize names it.
func PodStartups(d *results.Dir) ([]PodStartup, error) {
	e, err := evidenceOf(d)
	if err != nil {
		return nil, err
	}
	pods, last := lives{}, results.Instant(0)
	for _, file := range append([]string{results.PodsFile}, d.HollowFiles()...) {
		each(e, d, file, func(r results.PodEvent) {
			pods.add(r)
			last = max(last, r.At)
		})
	}
	w := measuredWindow(e.run, last)
	var starts []PodStartup
	for _, p := range pods {
		of := p.object != "" && (e.profile.SLO.PodStartup == "" || p.object == e.profile.SLO.PodStartup)
		started := p.lastStart()
		if !of || p.created == never || p.scheduled == never || p.running == never || started == never || !w.contains(p.created) {
			continue
		}
		starts = append(starts, PodStartup{Created: p.created, CreateToSchedule: seconds(p.scheduled - p.created), ScheduleToRun: seconds(started - p.scheduled),
			RunToObserve: seconds(p.running - started), Total: seconds(p.running - p.created)})
	}
	slices.SortFunc(starts, PodStartup.compare)
	return starts, nil
}

func (p PodStartup) compare(q PodStartup) int {
	return cmp.Or(cmp.Compare(p.Created, q.Created), cmp.Compare(p.Total, q.Total), cmp.Compare(p.CreateToSchedule, q.CreateToSchedule),
		cmp.Compare(p.ScheduleToRun, q.ScheduleToRun))
}

// MeasuredRequest is one request of a measured phase.
type MeasuredRequest struct {
	results.Request
	// ClosedLoop says that its user waits for each answer, so that its latency counts from the instant of sending.
	ClosedLoop bool
	// Answered says that it was answered with a 2xx code; Latency is then the time in seconds from its planned instant to
	// the end of the answer, as in the summary's rows.
	Answered bool
	Latency  float64
}

// MeasuredRequests gives the requests of the measured phases one by one, in the order of the records. What cannot be read is
// left out; Summarize names it.
func MeasuredRequests(d *results.Dir) (iter.Seq[MeasuredRequest], error) {
	e, err := evidenceOf(d)
	if err != nil {
		return nil, err
	}
	w, closed := measuredWindow(e.run, 0), closedLoops(e.profile, e.run.Steps)
	return func(yield func(MeasuredRequest) bool) {
		for r, err := range results.Read[results.Request](d.Path(results.RequestsFile)) {
			if err != nil {
				continue
			}
			if _, ok := w.phase(r.Phase); !ok {
				continue
			}
			m := MeasuredRequest{Request: r, ClosedLoop: closed[stream{r.Phase, r.Track}], Answered: r.Error == "" && r.Code >= 200 && r.Code < 300}
			if m.Answered {
				m.Latency = seconds(answered(r) - r.Planned)
			}
			if !yield(m) {
				return
			}
		}
	}, nil
}

// evidenceOf is a run with its profile and nothing read of its records.
func evidenceOf(d *results.Dir) (*evidence, error) {
	run, err := d.ReadRun()
	if err != nil {
		return nil, fmt.Errorf("read records: %w", err)
	}
	run.Phases, _ = believable(run.Phases)
	e := &evidence{run: run}
	e.readProfile()
	return e, nil
}
