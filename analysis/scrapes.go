package analysis

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"

	"windtunnel/results"
)

// piece is the part of a measured phase through which one process of the API server lived: its first and its last
// scrape, reduced to the SLI. What happened between the last scrape of a process and its end is lost.
type piece struct {
	start       float64 // of the process, Unix seconds
	first, last edge
	firstIsZero bool // the process began within the phase, with all counters at 0
}

// edge is a scrape at the edge of a piece.
type edge struct {
	at         results.Instant
	begin, end bool // it is the one at the begin of the phase, or at its end
	sli        []byte
}

// before orders scrapes by time; the marked ones enclose all others, which may have been asked for while they were.
func (e edge) before(o edge) bool {
	if e.begin != o.begin {
		return e.begin
	}
	if e.end != o.end {
		return o.end
	}
	return e.at < o.at || e.at == o.at && bytes.Compare(e.sli, o.sli) < 0
}

// scrapes takes the scrapes of a run in any order and keeps what the SLI of the measured phases needs. What happened between two of
// them is not measured, so that every phase stands alone.
type scrapes struct {
	phases []*phaseScrapes
	n      int
}

// phaseScrapes are those of one measured phase.
type phaseScrapes struct {
	name  string
	parts map[float64]*piece // by the start of the process
	n     int
}

func newScrapes(w window) *scrapes {
	s := &scrapes{}
	for _, p := range w {
		s.phases = append(s.phases, &phaseScrapes{name: p.Name, parts: map[float64]*piece{}})
	}
	return s
}

func (s *scrapes) add(r results.Scrape) {
	if r.Component != apiServer {
		return
	}
	for _, p := range s.phases {
		if p.name == r.Phase {
			s.n++
			p.add(r)
			return
		}
	}
}

func (s *phaseScrapes) add(r results.Scrape) {
	s.n++
	start := processStart(r.Body)
	e := edge{at: r.At, begin: r.Mark == "begin", end: r.Mark == "end", sli: only(r.Body, sliMetric)}
	p := s.parts[start]
	if p == nil {
		s.parts[start] = &piece{start: start, first: e, last: e}
		return
	}
	if e.before(p.first) {
		p.first = e
	}
	if p.last.before(e) {
		p.last = e
	}
}

// pieces are the parts in order of time, up to the one that holds the end mark.
func (s *phaseScrapes) pieces() []piece {
	var all []piece
	for _, p := range s.parts {
		all = append(all, *p)
	}
	slices.SortFunc(all, func(a, b piece) int {
		return cmp.Or(cmp.Compare(a.first.at, b.first.at), cmp.Compare(a.start, b.start))
	})
	for i := range all {
		all[i].firstIsZero = i > 0
		if all[i].last.end {
			return all[:i+1]
		}
	}
	return all
}

// marked tells whether the scrapes at the edges of every phase are there.
func (s *scrapes) marked() bool {
	return !slices.ContainsFunc(s.phases, func(p *phaseScrapes) bool { return !p.beginMark() || !p.endMark() })
}

func (s *phaseScrapes) beginMark() bool {
	all := s.pieces()
	return len(all) > 0 && all[0].first.begin
}

func (s *phaseScrapes) endMark() bool {
	all := s.pieces()
	return len(all) > 0 && all[len(all)-1].last.end
}

// calls sums the phases up, with notes about what is missing from the sum.
func (s *scrapes) calls() (calls, []string) {
	total := calls{}
	var notes []string
	for _, p := range s.phases {
		d, more := p.calls()
		notes = append(notes, more...)
		total.add(d)
		if s.n > 0 && p.n == 0 {
			notes = append(notes, fmt.Sprintf("API server figures: there is no scrape in phase %s, which they lack", p.name))
		}
	}
	return total, notes
}

func (cs calls) add(more calls) {
	for c, h := range more {
		sum := cs[c]
		sum.add(h, 1)
		cs[c] = sum
	}
}

// calls sums the pieces of one phase up, with notes.
func (s *phaseScrapes) calls() (calls, []string) {
	total := calls{}
	var notes []string
	if s.n > 0 && !s.beginMark() {
		notes = append(notes, fmt.Sprintf("API server figures: the scrape at the begin of phase %s is missing, they count from the first that there is", s.name))
	}
	if s.n > 0 && !s.endMark() {
		notes = append(notes, fmt.Sprintf("API server figures: the scrape at the end of phase %s is missing, they count up to the last that there is", s.name))
	}
	for i, p := range s.pieces() {
		if i > 0 {
			notes = append(notes, fmt.Sprintf("kube-apiserver was restarted in phase %s (%d): its requests between the last scrape and the restart are not counted", s.name, i))
		}
		d, more := p.calls()
		notes = append(notes, more...)
		total.add(d)
	}
	return total, notes
}

func (p piece) calls() (calls, []string) {
	later, err := parseCalls(p.last.sli)
	if err != nil {
		return nil, []string{"API server figures: a scrape cannot be read and is left out: " + err.Error()}
	}
	earlier := calls{}
	if !p.firstIsZero {
		if earlier, err = parseCalls(p.first.sli); err != nil {
			return nil, []string{"API server figures: a scrape cannot be read and is left out: " + err.Error()}
		}
	}
	d, reset := difference(earlier, later)
	var notes []string
	for _, c := range reset {
		notes = append(notes, fmt.Sprintf("API server figures: the counter of %s %s (%s) was reset within a measured phase; it counts from there", c.verb, c.path(), c.scope))
	}
	return d, notes
}
