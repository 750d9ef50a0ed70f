package paper

import (
	"cmp"
	"slices"
	"time"

	"windtunnel/profiles"
	"windtunnel/results"
)

// stratum is a measured phase or, where the profile's arrivals have stages, the part of one in which no stage begins or ends. What is
// planned in it is of one kind, so that its blocks stand for each other.
type stratum struct {
	begin, end results.Instant
	rate       float64 // mean of the planned requests a second; 0 where the profile plans none
	steady     bool    // the rate is held
}

func (s stratum) seconds() float64 { return float64(s.end-s.begin) / 1e9 }

// stream is an open loop of a phase: its arrivals and how long after the phase's begin it starts.
type stream struct {
	begin    time.Duration
	arrivals profiles.Arrivals
}

// strata cuts the measured phases of a run where the stages of its profile begin. A step begins when the one before it has ended, which
// is a few milliseconds later than planned.
func strata(run results.Run, p profiles.Profile) []stratum {
	var all []stratum
	for _, span := range run.Phases {
		if !span.Measured || span.End <= span.Begin {
			continue
		}
		planned := streams(p, span.Name)
		edges := []time.Duration{0}
		length := time.Duration(span.End - span.Begin)
		for _, s := range planned {
			edges = append(edges, s.edges(length)...)
		}
		slices.Sort(edges)
		edges = slices.Compact(edges)
		edges = slices.DeleteFunc(edges, func(at time.Duration) bool { return at >= length })
		for i, from := range edges {
			to := length
			if i+1 < len(edges) {
				to = edges[i+1]
			}
			all = append(all, between(span, planned, from, to))
		}
	}
	return all
}

// streams are the open loops of a phase whose begin is known: before them in their track are pauses and streams that end by themselves.
func streams(p profiles.Profile, phase string) []stream {
	var all []stream
	for _, ph := range p.Phases {
		if ph.Name != phase {
			continue
		}
		for _, track := range ph.Tracks {
			at := time.Duration(0)
			for _, step := range track.Steps {
				length := time.Duration(step.Pause)
				if step.Requests != nil {
					length = step.Requests.Length()
					if step.Requests.Arrivals != nil {
						all = append(all, stream{at, *step.Requests.Arrivals})
					}
				}
				if length <= 0 {
					break
				}
				at += length
			}
		}
	}
	return all
}

// edges are the begins of the stages, from the begin of the phase, and the end of the last where much of the phase's length comes after it.
func (s stream) edges(length time.Duration) []time.Duration {
	var all []time.Duration
	at := s.begin
	for _, stage := range s.arrivals.Stages {
		all = append(all, at)
		at += time.Duration(stage.For)
	}
	if len(all) > 0 && length-at >= blockSeconds*time.Second {
		all = append(all, at)
	}
	return all
}

// holds tells whether the stream keeps its rate from an edge on.
func (s stream) holds(edge time.Duration) bool {
	at := s.begin
	for _, stage := range s.arrivals.Stages {
		if at += time.Duration(stage.For); edge < at {
			return stage.Shape == profiles.ShapeHold || stage.Shape == ""
		}
	}
	return true
}

// between is the stratum of a phase from one edge to the next.
func between(span results.PhaseSpan, planned []stream, from, to time.Duration) stratum {
	s := stratum{begin: span.Begin + results.Instant(from), end: span.Begin + results.Instant(to), steady: len(planned) > 0}
	expected := 0.0
	for _, p := range planned {
		expected += p.arrivals.Expected(max(to-p.begin, 0)) - p.arrivals.Expected(max(from-p.begin, 0))
		s.steady = s.steady && p.holds(from)
	}
	s.rate = expected / s.seconds()
	return s
}

// usual is the planned rate that a run holds for the longest time, of equals the highest, and for how many seconds; 0 where none is held.
func usual(all []stratum) (rate, seconds float64) {
	for _, s := range all {
		if !s.steady || s.rate == 0 {
			continue
		}
		sum := 0.0
		for _, other := range all {
			if other.steady && !above(other.rate, s.rate) && !above(s.rate, other.rate) {
				sum += other.seconds()
			}
		}
		if cmp.Or(cmp.Compare(sum, seconds), cmp.Compare(s.rate, rate)) > 0 {
			rate, seconds = s.rate, sum
		}
	}
	return rate, seconds
}

// above tells whether a planned rate is higher than another by more than the end of the phase, which no plan knows, can make it.
func above(a, b float64) bool { return a > b*1.02 }

// peak tells whether more is planned in a stratum than at the rate that the run holds for the longest time.
func (e *Experiment) peak(s stratum) bool {
	rate, _ := usual(e.strata)
	return rate > 0 && above(s.rate, rate)
}

// busiest is the stratum of the highest planned rate above the usual one; false where there is none.
func (e *Experiment) busiest() (stratum, bool) {
	peaks := slices.DeleteFunc(slices.Clone(e.strata), func(s stratum) bool { return !e.peak(s) })
	if len(peaks) == 0 {
		return stratum{}, false
	}
	return slices.MaxFunc(peaks, func(a, b stratum) int { return cmp.Compare(a.rate, b.rate) }), true
}

// share is the part of the users' requests that were planned in strata.
func (e *Experiment) share(keep func(stratum) bool) float64 {
	within, sent := 0, 0
	kept := make([]bool, len(e.strata))
	for i, s := range e.strata {
		kept[i] = keep(s)
	}
	for _, sample := range e.Calls {
		for _, r := range sample.Requests {
			sent++
			for i := len(e.strata) - 1; i >= 0; i-- {
				if r.At >= e.strata[i].begin {
					if kept[i] {
						within++
					}
					break
				}
			}
		}
	}
	if sent == 0 {
		return 0
	}
	return float64(within) / float64(sent)
}
