package analysis

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"windtunnel/profiles"
	"windtunnel/results"
)

// Error classes that are no failure of the system under test.
const (
	noTarget = "no_target" // the plan had a request but there was no object to send it to
	canceled = "canceled"  // the stream that it belonged to ended while it was under way
	dropped  = "dropped"   // the stream ended before it was sent
)

// Error classes that are no failure where a script only wants objects to be there, or to be gone.
const (
	alreadyExists = "already_exists"
	notFound      = "not_found"
)

// kind is what requests are grouped by.
type kind struct {
	verb, group, resource, subresource, scope, variant string
	phase                                              string // empty: all measured phases together
	loop                                               string // closed, or empty: their latencies count from different instants
}

func (k kind) compare(l kind) int {
	return cmp.Or(strings.Compare(k.resource, l.resource), strings.Compare(k.subresource, l.subresource), strings.Compare(k.verb, l.verb),
		strings.Compare(k.scope, l.scope), strings.Compare(k.variant, l.variant), strings.Compare(k.group, l.group), strings.Compare(k.loop, l.loop),
		strings.Compare(k.phase, l.phase))
}

// requestSample is what is kept of the requests of one kind.
type requestSample struct {
	latency timedSample // from planned to done, of answers with a 2xx code
	errors  map[string]int64
	n       int64
}

// requests gathers the requests of the measured phases.
type requests struct {
	phases window
	maxLag float64 // seconds, of the profile
	closed map[stream]bool
	script bool // the run is that of a script
	kinds  map[kind]*requestSample

	planned  int64             // by an open loop, that were to be sent and could be
	kept     int64             // of those, that were sent
	loops    int64             // that were sent by closed loops
	sent     int64             // by both
	cut      int64             // that the end of their stream took the time from; not in planned
	failed   int64             // of sent
	lag      []float64         // seconds from planned to sent, of kept
	failedBy map[string]int64  // by class
	byClass  map[string]int64  // every record with a class, sent or not
	disorder int64             // records whose instants contradict each other
	at       []results.Instant // when each was sent, for the churn

	last   map[stream]results.Instant // planned instant of the last request of each stream
	unsent map[stream][]results.Instant
}

// stream is a track of a phase.
type stream struct{ phase, track string }

// closedLoops are the streams of a profile, or of a script's steps, whose requests are those of users who wait for their answers. Profiles keep them
// in tracks of their own.
func closedLoops(p profiles.Profile, steps []results.StepSpan) map[stream]bool {
	closed := map[stream]bool{}
	for _, step := range steps { // of a script, which has the profile's only phase
		for _, track := range step.ClosedLoops {
			closed[stream{p.Phases[0].Name, track}] = true
		}
	}
	for _, phase := range p.Phases {
		for _, track := range phase.Tracks {
			loops, planned := false, false
			for _, step := range track.Steps {
				loops = loops || step.Requests != nil && step.Requests.ClosedLoop != nil || step.Reconcile != nil && step.Reconcile.Arrivals == nil
				planned = planned || step.Requests != nil && step.Requests.Arrivals != nil || step.Reconcile != nil && step.Reconcile.Arrivals != nil
			}
			if loops && !planned {
				closed[stream{phase.Name, track.Name}] = true
			}
		}
	}
	return closed
}

func newRequests(w window, maxLag float64, closed map[stream]bool, script bool) *requests {
	return &requests{phases: w, maxLag: maxLag, closed: closed, script: script, kinds: map[kind]*requestSample{}, byClass: map[string]int64{}, failedBy: map[string]int64{},
		last: map[stream]results.Instant{}, unsent: map[stream][]results.Instant{}}
}

func (rs *requests) add(r results.Request) {
	if _, ok := rs.phases.phase(r.Phase); !ok {
		return
	}
	k := rs.kindOf(r)
	s := rs.kinds[k]
	if s == nil {
		s = &requestSample{errors: map[string]int64{}}
		rs.kinds[k] = s
	}
	s.n++
	if r.Error != "" {
		s.errors[r.Error]++
		rs.byClass[r.Error]++
	}
	if r.Error == "" && r.Code >= 200 && r.Code < 300 {
		s.latency = append(s.latency, timed{r.Planned, seconds(answered(r) - r.Planned)})
	}
	rs.judge(r)
}

// kindOf is the kind of a request.
func (rs *requests) kindOf(r results.Request) kind {
	k := kind{r.Verb, r.Group, r.Resource, r.Subresource, r.Scope, r.Variant, r.Phase, ""}
	if rs.closed[stream{r.Phase, r.Track}] {
		k.loop = "closed"
	}
	return k
}

// answered is when a request had its answer: a watch when it was open, all others when the answer was complete.
func answered(r results.Request) results.Instant {
	if r.Verb == "WATCH" {
		return r.FirstByte
	}
	return r.Done
}

// judge counts what the validity of the run depends on. A request for which there was no target was never possible. One of
// a closed loop is planned when it is sent, so that it can neither be late nor left out.
func (rs *requests) judge(r results.Request) {
	if r.Error == noTarget {
		return
	}
	of := stream{r.Phase, r.Track}
	if rs.closed[of] {
		if r.Sent != 0 {
			rs.loops++
			rs.judgeSent(r)
		}
		return
	}
	if !scheduled(r) {
		if r.Sent != 0 {
			rs.judgeSent(r)
		}
		return
	}
	rs.last[of] = max(rs.last[of], r.Planned)
	if r.Sent == 0 && (r.Error == canceled || r.Error == dropped) {
		rs.unsent[of] = append(rs.unsent[of], r.Planned)
		return
	}
	rs.planned++
	if r.Sent == 0 {
		return
	}
	rs.kept++
	rs.lag = append(rs.lag, seconds(r.Sent-r.Planned))
	rs.judgeSent(r)
}

// scheduled tells the requests that the plan gives an instant from those that follow another at once: further pages, the PUT after
// its GET, attempts after the first, looks for targets, and watches. They can be neither late nor left out.
func scheduled(r results.Request) bool {
	return r.Part == 0 && r.Attempt <= 1 && r.Variant != "targets" && r.Verb != "WATCH" && r.Verb != "WATCHLIST"
}

// judgeSent counts what every request tells that was sent.
func (rs *requests) judgeSent(r results.Request) {
	rs.sent++
	rs.at = append(rs.at, r.Sent)
	if r.Error != "" && r.Error != canceled && !rs.asGood(r) {
		rs.failed++
		rs.failedBy[r.Error]++
	}
	if r.Sent < r.Planned || r.FirstByte != 0 && r.FirstByte < r.Sent || r.Done != 0 && r.Done < max(r.Sent, r.FirstByte) {
		rs.disorder++
	}
}

// asGood tells the answers that the batches of a script's steps take for a success: to a POST that the object is there already, as when
// the answer to an earlier attempt was lost, and to a DELETE that it is not. They are in tracks step-N and step-N.M.
func (rs *requests) asGood(r results.Request) bool {
	if !rs.script || !strings.HasPrefix(r.Track, "step-") {
		return false
	}
	return r.Verb == profiles.VerbPost && r.Error == alreadyExists || r.Verb == profiles.VerbDelete && r.Error == notFound
}

// finish is called after the last request. Of those that the end of their stream left unsent, the ones that were not yet
// late by the profile's own limit say nothing about the generator: streams end somewhere. A stream's end is taken to be
// the planned instant of its last request, since nothing is planned beyond it; the phase may last longer.
func (rs *requests) finish() {
	for of, planned := range rs.unsent {
		for _, at := range planned {
			if seconds(rs.last[of]-at) <= rs.maxLag {
				rs.cut++
			} else {
				rs.planned++
			}
		}
	}
	rs.unsent = nil
}

// rows are the client's figures over all measured phases, in order of resource, verb, scope and variant.
func (rs *requests) rows() []results.RequestRow {
	all := map[kind][]*requestSample{}
	for k, s := range rs.kinds {
		k.phase = ""
		all[k] = append(all[k], s)
	}
	rows := []results.RequestRow{}
	for _, k := range slices.SortedFunc(maps.Keys(all), kind.compare) {
		rows = append(rows, requestRow(k, all[k]))
	}
	return rows
}

// pooled are the same figures of each call that came in more than one variant or loop, all of them together: what the API server
// tells of a call is of all of them.
func (rs *requests) pooled() []results.RequestRow {
	all, variants := map[kind][]*requestSample{}, map[kind]map[kind]bool{}
	for k, s := range rs.kinds {
		k.phase = ""
		of := k
		of.variant, of.loop = "", ""
		if variants[of] == nil {
			variants[of] = map[kind]bool{}
		}
		variants[of][k] = true
		all[of] = append(all[of], s)
	}
	rows := []results.RequestRow{}
	for _, k := range slices.SortedFunc(maps.Keys(all), kind.compare) {
		if len(variants[k]) > 1 {
			rows = append(rows, requestRow(k, all[k]))
		}
	}
	return rows
}

// rowsByPhase are the same figures for each measured phase, phase after phase; none when there is only one.
func (rs *requests) rowsByPhase() []results.RequestRow {
	if len(rs.phases) < 2 {
		return nil
	}
	var rows []results.RequestRow
	kinds := slices.SortedFunc(maps.Keys(rs.kinds), kind.compare)
	for _, phase := range rs.phases {
		for _, k := range kinds {
			if k.phase == phase.Name {
				rows = append(rows, requestRow(k, []*requestSample{rs.kinds[k]}))
			}
		}
	}
	return rows
}

// requestRow sums up requests of one kind, in any order.
func requestRow(k kind, samples []*requestSample) results.RequestRow {
	row := results.RequestRow{Phase: k.phase, Verb: k.verb, Group: k.group, Resource: k.resource, Subresource: k.subresource, Scope: k.scope,
		Variant: k.variant, ClosedLoop: k.loop != ""}
	latency := samples[0].latency
	for i, s := range samples {
		row.N += s.n
		for class, n := range s.errors {
			row.Errors += n
			if row.ErrorsBy == nil {
				row.ErrorsBy = map[string]int64{}
			}
			row.ErrorsBy[class] += n
		}
		if i > 0 {
			latency = append(latency[:len(latency):len(latency)], s.latency...) // a copy: the samples stay as they are
		}
	}
	row.Answered = int64(len(latency))
	row.P50, row.P90, row.P99, row.Max = latencyOf(latency)
	return row
}
