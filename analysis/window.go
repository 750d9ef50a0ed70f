package analysis

import (
	"slices"

	"windtunnel/results"
)

// window is the measured part of a run: its measured phases, in order.
type window []results.PhaseSpan

// longestRun is longer than any run takes. Instants beyond it are damage, and loops from one instant to another end.
const longestRun = results.Instant(100 * 24 * 3600 * 1e9)

// believable are the phases of a run within 0 and longestRun, and whether they were.
func believable(phases []results.PhaseSpan) (all []results.PhaseSpan, were bool) {
	within := func(at results.Instant) results.Instant { return min(max(at, 0), longestRun) }
	all, were = slices.Clone(phases), true
	for i, p := range phases {
		all[i].Begin, all[i].End = within(p.Begin), within(p.End)
		were = were && all[i].Begin == p.Begin && all[i].End == p.End
	}
	return all, were
}

// measuredWindow takes the measured phases of a run. A phase that has no end, because the run was killed in it, ends with
// the last instant that anything was recorded at.
func measuredWindow(run results.Run, last results.Instant) window {
	var w window
	for _, p := range run.Phases {
		if !p.Measured {
			continue
		}
		if p.End == 0 {
			p.End = max(min(last, longestRun), p.Begin)
		}
		w = append(w, p)
	}
	return w
}

func (w window) contains(at results.Instant) bool {
	for _, p := range w {
		if p.Begin <= at && at <= p.End {
			return true
		}
	}
	return false
}

// at returns the measured phase that an instant lies in; at the edge of two, the later one.
func (w window) at(at results.Instant) (results.PhaseSpan, bool) {
	for i := len(w) - 1; i >= 0; i-- {
		if w[i].Begin <= at && at <= w[i].End {
			return w[i], true
		}
	}
	return results.PhaseSpan{}, false
}

// both returns the measured phase that two instants lie in.
func (w window) both(a, b results.Instant) (results.PhaseSpan, bool) {
	for i := range w {
		if one := w[i : i+1]; one.contains(a) && one.contains(b) {
			return w[i], true
		}
	}
	return results.PhaseSpan{}, false
}

// phase returns the measured phase of that name.
func (w window) phase(name string) (results.PhaseSpan, bool) {
	for _, p := range w {
		if p.Name == name {
			return p, true
		}
	}
	return results.PhaseSpan{}, false
}

// begin and end are the edges of the whole window, 0 for an empty one.
func (w window) begin() results.Instant {
	if len(w) == 0 {
		return 0
	}
	return w[0].Begin
}

func (w window) end() results.Instant {
	if len(w) == 0 {
		return 0
	}
	return w[len(w)-1].End
}

// seconds is the length of the measured phases together.
func (w window) seconds() float64 {
	var ns int64
	for _, p := range w {
		ns += p.End - p.Begin
	}
	return seconds(ns)
}
