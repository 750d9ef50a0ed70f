package analysis

import (
	"fmt"

	"windtunnel/results"
)

// piece is the part of the measured window through which one process of the API server lived: its first and its last
// scrape, reduced to the SLI. What happened between the last scrape of a process and its end is lost.
type piece struct {
	start       float64 // of the process, Unix seconds
	first, last []byte
	firstIsZero bool // the process began within the window, with all counters at 0
}

// scrapes goes through the scrapes of a run in order and keeps what the SLI of the measured window needs.
type scrapes struct {
	phases    window
	begun     bool
	beginMark bool // the first scrape is the one at the begin of the first measured phase
	endMark   bool // the last one is the one at the end of the last measured phase
	pieces    []piece
	n         int
}

func newScrapes(w window) *scrapes { return &scrapes{phases: w} }

func (s *scrapes) add(r results.Scrape) {
	if len(s.phases) == 0 || s.endMark && r.Component == apiServer {
		return
	}
	firstPhase, lastPhase := s.phases[0].Name, s.phases[len(s.phases)-1].Name
	if _, ok := s.phases.phase(r.Phase); !ok && (!s.begun || !s.between(r.At)) {
		return
	}
	if r.Component != apiServer {
		return
	}
	if !s.begun {
		s.begun = true
		s.beginMark = r.Phase == firstPhase && r.Mark == "begin"
	}
	s.keep(r)
	s.endMark = r.Phase == lastPhase && r.Mark == "end"
}

// between reports whether an instant lies in an unmeasured phase between measured ones.
func (s *scrapes) between(at results.Instant) bool {
	return s.phases.begin() <= at && at <= s.phases.end()
}

func (s *scrapes) keep(r results.Scrape) {
	s.n++
	start, sli := processStart(r.Body), only(r.Body, sliMetric)
	if n := len(s.pieces); n > 0 && s.pieces[n-1].start == start {
		s.pieces[n-1].last = sli
		return
	}
	s.pieces = append(s.pieces, piece{start: start, first: sli, last: sli, firstIsZero: len(s.pieces) > 0})
}

// calls sums the pieces up, with notes about what is missing from the sum.
func (s *scrapes) calls() (calls, []string) {
	total := calls{}
	var notes []string
	if len(s.phases) > 0 && s.begun && !s.beginMark {
		notes = append(notes, "API server figures: the scrape at the begin of the measured phases is missing, they count from the first that there is")
	}
	if len(s.phases) > 0 && s.begun && !s.endMark {
		notes = append(notes, "API server figures: the scrape at the end of the measured phases is missing, they count up to the last that there is")
	}
	for i, p := range s.pieces {
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
	later, err := parseCalls(p.last)
	if err != nil {
		return nil, []string{"API server figures: a scrape cannot be read and is left out: " + err.Error()}
	}
	earlier := calls{}
	if !p.firstIsZero {
		if earlier, err = parseCalls(p.first); err != nil {
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
