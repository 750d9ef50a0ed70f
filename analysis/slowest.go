package analysis

import (
	"cmp"
	"slices"
	"strings"

	"windtunnel/results"
)

// slowestKept is how many of the slowest requests a study shows.
const slowestKept = 50

// slowest keeps the requests of the measured phases that took longest from their planned instant to their answer or their
// failure. Whatever the order in which they come, it keeps the same ones.
type slowest struct {
	phases window
	kept   []results.Request // in no order while it is being filled
	bar    results.Instant   // what a request must reach to be looked at, once enough are kept
}

func (s *slowest) add(r *results.Request) {
	took := answered(*r) - r.Planned
	if r.Sent == 0 || answered(*r) == 0 || took < s.bar {
		return
	}
	if _, measured := s.phases.phase(r.Phase); !measured {
		return
	}
	kept := *r
	kept.Object = strings.Clone(r.Object)
	s.kept = append(s.kept, kept)
	if len(s.kept) >= 4*slowestKept {
		s.cut()
	}
}

// cut leaves the slowest ones.
func (s *slowest) cut() {
	slices.SortFunc(s.kept, func(a, b results.Request) int {
		return cmp.Or(cmp.Compare(answered(b)-b.Planned, answered(a)-a.Planned), cmp.Compare(a.Planned, b.Planned), cmp.Compare(a.Sent, b.Sent),
			strings.Compare(a.Verb, b.Verb), strings.Compare(a.Resource, b.Resource), strings.Compare(a.Object, b.Object), cmp.Compare(a.ResourceVersion, b.ResourceVersion))
	})
	s.kept = s.kept[:min(len(s.kept), slowestKept)]
	if len(s.kept) == slowestKept {
		last := s.kept[slowestKept-1]
		s.bar = answered(last) - last.Planned
	}
}

func (s *slowest) finish() []results.Request {
	s.cut()
	return s.kept
}
