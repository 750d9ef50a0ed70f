package analysis

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"

	"windtunnel/results"
)

// piece is the part of the measured window through which one process of the API server lived: its first and its last
// scrape, reduced to the SLI. What happened between the last scrape of a process and its end is lost.
type piece struct {
	start       float64 // of the process, Unix seconds
	first, last edge
	firstIsZero bool // the process began within the window, with all counters at 0
}

// edge is a scrape at the edge of a piece.
type edge struct {
	at         results.Instant
	begin, end bool // it is the one at the begin of the first measured phase, or at the end of the last
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

// scrapes takes the scrapes of a run in any order and keeps what the SLI of the measured window needs.
type scrapes struct {
	phases window
	parts  map[float64]*piece // by the start of the process
	n      int
}

func newScrapes(w window) *scrapes { return &scrapes{phases: w, parts: map[float64]*piece{}} }

func (s *scrapes) add(r results.Scrape) {
	if len(s.phases) == 0 || r.Component != apiServer {
		return
	}
	if _, ok := s.phases.phase(r.Phase); !ok && !s.between(r.At) {
		return
	}
	s.n++
	start := processStart(r.Body)
	e := edge{at: r.At, begin: r.Phase == s.phases[0].Name && r.Mark == "begin", end: r.Phase == s.phases[len(s.phases)-1].Name && r.Mark == "end"}
	e.sli = only(r.Body, sliMetric)
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

// between reports whether an instant lies in an unmeasured phase between measured ones.
func (s *scrapes) between(at results.Instant) bool {
	return s.phases.begin() <= at && at <= s.phases.end()
}

// pieces are the parts in order of time, up to the one that holds the end mark.
func (s *scrapes) pieces() []piece {
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

// beginMark and endMark tell whether the scrapes at the edges of the window are there.
func (s *scrapes) beginMark() bool {
	all := s.pieces()
	return len(all) > 0 && all[0].first.begin
}

func (s *scrapes) endMark() bool {
	all := s.pieces()
	return len(all) > 0 && all[len(all)-1].last.end
}

// calls sums the pieces up, with notes about what is missing from the sum.
func (s *scrapes) calls() (calls, []string) {
	total := calls{}
	var notes []string
	if s.n > 0 && !s.beginMark() {
		notes = append(notes, "API server figures: the scrape at the begin of the measured phases is missing, they count from the first that there is")
	}
	if s.n > 0 && !s.endMark() {
		notes = append(notes, "API server figures: the scrape at the end of the measured phases is missing, they count up to the last that there is")
	}
	for i, p := range s.pieces() {
		if i > 0 {
			notes = append(notes, fmt.Sprintf("kube-apiserver was restarted in the measured phases (%d): its requests between the last scrape and the restart are not counted", i))
		}
		d, more := p.calls()
		notes = append(notes, more...)
		for c, h := range d {
			sum := total[c]
			sum.add(h, 1)
			total[c] = sum
		}
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
		notes = append(notes, fmt.Sprintf("API server figures: the counter of %s %s (%s) was reset in the measured phases; it counts from there", c.verb, c.path(), c.scope))
	}
	return d, notes
}
