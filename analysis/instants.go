package analysis

import (
	"fmt"

	"windtunnel/results"
)

// mostInstant is the largest instant that is believed, a year from the start of the run: arithmetic with larger ones, which
// only damage can make, would overflow, and curves over them never end.
const mostInstant results.Instant = 366 * 86400 * 1e9

func believed(instants ...results.Instant) bool {
	for _, at := range instants {
		if at > mostInstant || at < -mostInstant {
			return false
		}
	}
	return true
}

// dropPhases takes the phases whose instants cannot be believed out of the run, and names them.
func (e *evidence) dropPhases() {
	var phases []results.PhaseSpan
	for _, p := range e.run.Phases {
		if !believed(p.Begin, p.End) {
			e.damage = append(e.damage, fmt.Sprintf("%s: phase %s from %d to %d ns: more than a year from the start of the run", results.RunFile, p.Name, p.Begin, p.End))
			continue
		}
		phases = append(phases, p)
	}
	e.run.Phases = phases
}

// timely says that the instants of a record, which is given by its address, can be believed.
func timely(record any) bool {
	switch r := record.(type) {
	case *results.Request:
		return believed(r.Planned, r.Sent, r.FirstByte, r.Done)
	case *results.WatchEvent:
		return believed(r.At)
	case *results.PodEvent:
		return believed(r.At)
	case *results.NodeEvent:
		return believed(r.At)
	case *results.ProcessSample:
		return believed(r.At)
	case *results.Scrape:
		return believed(r.At)
	case *results.Metric:
		return believed(r.At)
	}
	return true
}
