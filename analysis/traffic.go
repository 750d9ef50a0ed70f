package analysis

import (
	"cmp"
	"maps"
	"math"
	"math/bits"
	"slices"
	"strings"

	"windtunnel/analysis/stats"
	"windtunnel/results"
)

// Traffic is what the requests of a run looked like over time, all phases included.
type Traffic struct {
	// Planned, Sent and Answered are requests a second that the plan or a loop gives an instant: at these instants, and at those that
	// they were sent and answered at.
	Planned, Sent, Answered Curve
	// Following are the requests a second that follow another at once, at the instants that they were sent at; FollowingBy counts
	// what they are.
	Following   Curve
	FollowingBy Following
	// Judged are those of Planned in the measured phases that could be sent, as the checks of the run count them.
	Judged int64
	Failed Curve   // failures a second, of both, at the instants that they failed at
	Errors []Curve // the same by class
	// Latency of answered requests, at the instants that they were planned for. Requests that could not be sent in time count
	// where they were due. Watches and the generator's own looks for targets are not in it.
	Latency LatencyGrid
	// P50 and P99 are in seconds, read off the grid, within 4 %. A point takes in as many places as it takes for the least number
	// of requests that the quantile needs (stats.LeastFor), and stands in their middle. None takes in places of two phases: too few
	// at the end of a phase make no point, and NaN stands at the edge.
	P50, P99 Curve
	Rows     []RowCurve // the kinds of requests of Latency, the most frequent first
	Outside  int64      // requests whose instants lie outside of the run; they are in no curve
}

// Following counts sent requests that follow another at once.
type Following struct {
	Parts    int64 // further pages of a LIST, and the write of a read-modify-write after its GET
	Attempts int64 // attempts after the first
	Targets  int64 // the generator's looks for targets
	Watches  int64
}

// LatencyGrid counts answered requests: Count[i][j] of them were planned between Time[i] and Time[i+1], and took between
// Edge[j] and Edge[j+1] seconds. What took less or more than the edges is in the outermost cells.
type LatencyGrid struct {
	Time  []float64 // seconds since the start of the run
	Edge  []float64 // seconds
	Count [][]int64
	N     int64
}

// RowCurve is one kind of request over time.
type RowCurve struct {
	Verb, Path, Scope string
	N                 int64
	P50, P99          Curve // as of Traffic
}

// requestKind is what curves of requests are drawn by.
type requestKind struct{ verb, group, resource, subresource, scope string }

// kindCells are the latencies of one kind at each place; nil where it had none.
type kindCells struct {
	requestKind
	n  int64
	at []*cells
}

// traffic gathers Traffic.
type traffic struct {
	time                                       timeline
	phase                                      []int // by place: how many phases have ended before it
	edges                                      [gridCells]results.Instant
	starts                                     [64]int // first cell to look at, by the number of bits of a latency
	planned, sent, answered, following, failed []int64
	followingBy                                Following
	errors                                     map[string][]int64
	kinds                                      []*kindCells
	outside                                    int64
}

func newTraffic(t timeline, phases []results.PhaseSpan) *traffic {
	n := t.places()
	a := &traffic{time: t, phase: make([]int, n), edges: gridEdges(), planned: make([]int64, n), sent: make([]int64, n), answered: make([]int64, n), following: make([]int64, n),
		failed: make([]int64, n), errors: map[string][]int64{}}
	for i := range a.phase {
		for _, p := range phases {
			if p.End != 0 && seconds(p.End) <= t.middle(i) {
				a.phase[i]++
			}
		}
	}
	cell := 0
	for b := range a.starts {
		for cell+1 < gridCells && a.edges[cell+1] < results.Instant(1)<<max(b-1, 0) {
			cell++
		}
		a.starts[b] = cell
	}
	return a
}

func (a *traffic) add(r *results.Request) {
	due, ok := a.time.place(r.Planned)
	if !ok {
		a.outside++
		return
	}
	own := scheduled(*r)
	if own {
		a.planned[due]++
		a.count(a.sent, r.Sent)
	} else if r.Sent != 0 {
		a.follow(r)
	}
	if r.Error != "" {
		a.fail(r)
		return
	}
	if r.Code < 200 || r.Code >= 300 {
		return
	}
	done := answered(*r)
	if own {
		a.count(a.answered, done)
	}
	if r.Verb == "WATCH" || r.Verb == "WATCHLIST" || r.Variant == "targets" {
		return
	}
	k := a.kind(r)
	k.n++
	if k.at[due] == nil {
		k.at[due] = new(cells)
	}
	k.at[due][a.cell(done-r.Planned)]++
}

// follow counts a request that is not scheduled.
func (a *traffic) follow(r *results.Request) {
	a.count(a.following, r.Sent)
	switch by := &a.followingBy; {
	case r.Verb == "WATCH" || r.Verb == "WATCHLIST":
		by.Watches++
	case r.Variant == "targets":
		by.Targets++
	case r.Attempt > 1:
		by.Attempts++
	default:
		by.Parts++
	}
}

// count counts an instant that came to be.
func (a *traffic) count(places []int64, at results.Instant) {
	if at == 0 {
		return
	}
	if i, ok := a.time.place(at); ok {
		places[i]++
	}
}

func (a *traffic) fail(r *results.Request) {
	at := r.Done
	if at == 0 {
		at = r.Planned
	}
	i, ok := a.time.place(at)
	if !ok {
		return
	}
	a.failed[i]++
	if a.errors[r.Error] == nil {
		a.errors[r.Error] = make([]int64, a.time.places())
	}
	a.errors[r.Error][i]++
}

// cell is where a latency lies.
func (a *traffic) cell(latency results.Instant) int {
	if latency <= 0 {
		return 0
	}
	i := a.starts[bits.Len64(uint64(latency))]
	for i+1 < gridCells && a.edges[i+1] <= latency {
		i++
	}
	return i
}

// kind finds the kind of a request. There are some tens of kinds; those that come again and again are near the front.
func (a *traffic) kind(r *results.Request) *kindCells {
	for i, k := range a.kinds {
		if k.verb == r.Verb && k.resource == r.Resource && k.scope == r.Scope && k.subresource == r.Subresource && k.group == r.Group {
			if i > 0 && k.n > a.kinds[i-1].n {
				a.kinds[i-1], a.kinds[i] = k, a.kinds[i-1]
			}
			return k
		}
	}
	k := &kindCells{requestKind: requestKind{r.Verb, r.Group, r.Resource, r.Subresource, r.Scope}, at: make([]*cells, a.time.places())}
	a.kinds = append(a.kinds, k)
	return k
}

func (a *traffic) finish() Traffic {
	t := Traffic{Planned: a.rate("planned", a.planned), Sent: a.rate("sent", a.sent), Answered: a.rate("answered", a.answered),
		Following: a.rate("follow-ups", a.following), FollowingBy: a.followingBy, Failed: a.rate("failed", a.failed), Outside: a.outside}
	for _, class := range slices.Sorted(maps.Keys(a.errors)) {
		t.Errors = append(t.Errors, a.rate(class, a.errors[class]))
	}
	slices.SortFunc(a.kinds, func(k, l *kindCells) int { return cmp.Or(cmp.Compare(l.n, k.n), k.compare(l.requestKind)) })
	all := make([]cells, a.time.places())
	for _, k := range a.kinds {
		row := RowCurve{Verb: k.verb, Path: call{group: k.group, resource: k.resource, subresource: k.subresource}.path(), Scope: k.scope, N: k.n}
		row.P50, row.P99 = a.quantiles(k.n, func(i int) *cells { return k.at[i] })
		t.Rows = append(t.Rows, row)
		for i, c := range k.at {
			if c != nil {
				all[i].add(c)
			}
		}
	}
	t.Latency = a.grid(all)
	t.P50, t.P99 = a.quantiles(t.Latency.N, func(i int) *cells { return &all[i] })
	return t
}

func (k requestKind) compare(l requestKind) int {
	return cmp.Or(strings.Compare(k.resource, l.resource), strings.Compare(k.subresource, l.subresource), strings.Compare(k.verb, l.verb),
		strings.Compare(k.scope, l.scope), strings.Compare(k.group, l.group))
}

// rate makes a curve of counts a second.
func (a *traffic) rate(name string, counts []int64) Curve {
	values, n := make([]float64, len(counts)), int64(0)
	for i, k := range counts {
		n += k
		values[i] = float64(k) / a.length(i)
	}
	return a.time.curve(name, values, n, a.time.middle)
}

// length of a place in seconds; the last one may be cut short.
func (a *traffic) length(i int) float64 {
	return math.Max(a.time.until(i)-seconds(a.time.step)*float64(i), 1e-9)
}

func (a *traffic) quantiles(n int64, at func(int) *cells) (p50, p99 Curve) {
	return a.quantile("p50", 0.50, n, at), a.quantile("p99", 0.99, n, at)
}

// quantile makes a curve of which every point has enough requests.
func (a *traffic) quantile(name string, q float64, n int64, at func(int) *cells) Curve {
	curve, least := Curve{Name: name, N: n}, stats.LeastFor(q)
	var sum cells
	begin, drawn := 0.0, -1 // drawn is the phase of the last point
	for i := range a.time.places() {
		if i > 0 && a.phase[i] != a.phase[i-1] {
			sum = cells{}
		}
		c := at(i)
		if c == nil {
			continue
		}
		if sum.n() == 0 {
			begin = seconds(a.time.step) * float64(i)
		}
		sum.add(c)
		if sum.n() >= least {
			if drawn >= 0 && drawn != a.phase[i] {
				curve.At, curve.Value = append(curve.At, begin), append(curve.Value, math.NaN())
			}
			drawn = a.phase[i]
			curve.At, curve.Value = append(curve.At, (begin+a.time.until(i))/2), append(curve.Value, sum.quantile(q))
			sum = cells{}
		}
	}
	return curve
}

// grid is the heat map: a third as fine as the cells, of at most 150 columns.
func (a *traffic) grid(all []cells) LatencyGrid {
	const coarser, columns = 3, 150
	wide := (len(all) + columns - 1) / columns
	g := LatencyGrid{}
	for j := 0; j <= gridCells; j += coarser {
		g.Edge = append(g.Edge, gridEdge(j))
	}
	for i := 0; i < len(all); i += wide {
		column := make([]int64, gridCells/coarser)
		for _, c := range all[i:min(i+wide, len(all))] {
			for j, k := range c {
				column[j/coarser] += int64(k)
				g.N += int64(k)
			}
		}
		g.Time = append(g.Time, seconds(a.time.step)*float64(i))
		g.Count = append(g.Count, column)
	}
	g.Time = append(g.Time, a.time.until(len(all)-1))
	return g
}
