package paper

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"windtunnel/analysis"
	"windtunnel/analysis/stats"
	"windtunnel/profiles"
	"windtunnel/results"
)

// Experiment is one run as the paper sees it.
type Experiment struct {
	Name    string // how the paper calls it, such as "density" or "load 2"
	Run     results.Run
	Profile profiles.Profile
	Summary results.Summary
	Pods    []analysis.PodStartup // in order of their creation
	Calls   map[Call]*Sample

	own    map[Call]int64 // what the harness itself sent to make or delete what the profile asks for
	follow int64          // of the requests those that follow another at once: pages, the PUT after its GET
	strata []stratum
}

// Call is one kind of request of the harness' users. The forms of a verb (paged, from the cache, metadata only and so on) are
// one kind, as in the source, which knows only verbs.
type Call struct {
	Verb     string // GET LIST POST PUT PATCH DELETE DELETECOLLECTION
	Resource string // with .GROUP where there is one and /SUBRESOURCE, as in deployments.apps/scale
	Scope    string // resource | namespace | cluster
}

func (c Call) compare(d Call) int {
	return cmp.Or(strings.Compare(c.Resource, d.Resource), strings.Compare(c.Verb, d.Verb), strings.Compare(c.Scope, d.Scope))
}

// Sample is the requests of one kind that went out, in order of their planned instants.
type Sample struct {
	Requests []Request
	Forms    map[string]int64 // answers by form of the verb; "" is the usual one

	known   map[float64]*results.Bounds // quantiles that were asked for before
	weights map[bool]weighted           // likewise, by whether strata are left out
}

// Request is one request.
type Request struct {
	At      results.Instant // planned
	Latency float64         // seconds from the planned instant; +Inf for one without an answer with a 2xx code
}

func (r Request) answered() bool { return !math.IsInf(r.Latency, 1) }

func (r Request) compare(s Request) int {
	return cmp.Or(cmp.Compare(r.At, s.At), cmp.Compare(r.Latency, s.Latency))
}

// sent is the number of requests of a sample, nil included.
func (s *Sample) sent() int64 {
	if s == nil {
		return 0
	}
	return int64(len(s.Requests))
}

// answers are the requests that were answered, in order of their planned instants.
func (s *Sample) answers() []Request {
	if s == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(s.Requests), func(r Request) bool { return !r.answered() })
}

// Read reads a run directory. The directory must have a readable run.json; everything else that is missing or damaged is
// named by the summary.
func Read(d *results.Dir) (*Experiment, error) {
	run, err := d.ReadRun()
	if err != nil {
		return nil, fmt.Errorf("read experiment: %w", err)
	}
	e := &Experiment{Run: run, Calls: map[Call]*Sample{}, own: map[Call]int64{}}
	if err := json.Unmarshal(run.Profile, &e.Profile); err != nil {
		return nil, fmt.Errorf("read experiment %s: the profile cannot be read: %w", run.ID, err)
	}
	e.strata = strata(run, e.Profile)
	if e.Summary, err = analysis.Summarize(d); err != nil {
		return nil, fmt.Errorf("read experiment: %w", err)
	}
	if e.Pods, err = analysis.PodStartups(d); err != nil {
		return nil, fmt.Errorf("read experiment: %w", err)
	}
	requests, err := analysis.MeasuredRequests(d)
	if err != nil {
		return nil, fmt.Errorf("read experiment: %w", err)
	}
	own := reconciled(e.Profile)
	for r := range requests {
		e.add(r, own[track{r.Phase, r.Track}])
	}
	for _, s := range e.Calls {
		slices.SortFunc(s.Requests, Request.compare)
	}
	return e, nil
}

// track is a track of a phase, by names.
type track struct{ phase, name string }

// reconciled are the tracks in which the harness brings objects to their number and users send nothing.
func reconciled(p profiles.Profile) map[track]bool {
	own := map[track]bool{}
	for _, phase := range p.Phases {
		for _, t := range phase.Tracks {
			users := slices.ContainsFunc(t.Steps, func(s profiles.Step) bool { return s.Requests != nil })
			own[track{phase.Name, t.Name}] = !users && slices.ContainsFunc(t.Steps, func(s profiles.Step) bool { return s.Reconcile != nil })
		}
	}
	return own
}

// add counts a request. Left out are those that have no latency by definition (watches), that count from another instant (closed
// loops), that the generator made for itself (looks for targets, and what brings objects to their number), and that never went out.
func (e *Experiment) add(r analysis.MeasuredRequest, own bool) {
	if r.Verb == "WATCH" || r.Verb == "WATCHLIST" || r.ClosedLoop || r.Variant == "targets" || r.Sent == 0 || r.Error == "canceled" {
		return
	}
	c := Call{r.Verb, results.ResourcePath(r.Group, r.Resource, r.Subresource), r.Scope}
	if own {
		e.own[c]++
		return
	}
	if r.Part > 0 {
		e.follow++
	}
	s := e.Calls[c]
	if s == nil {
		s = &Sample{Forms: map[string]int64{}}
		e.Calls[c] = s
	}
	latency := math.Inf(1)
	if r.Answered {
		latency = r.Latency
		s.Forms[r.Variant]++
	}
	s.Requests = append(s.Requests, Request{r.Planned, latency})
}

// calls are the kinds of requests for which keep holds, in order of resource, verb and scope.
func (e *Experiment) calls(keep func(Call) bool) []Call {
	all := slices.SortedFunc(maps.Keys(e.Calls), Call.compare)
	return slices.DeleteFunc(all, func(c Call) bool { return !keep(c) })
}

// onPods are the calls on pods themselves, which figures 4 and 7 are about.
func onPods(c Call) bool { return c.Resource == "pods" }

// bounds is the q-quantile of the latency of a kind of call in seconds with its interval; nil when the answers are too few for it.
func (e *Experiment) bounds(c Call, q float64) *results.Bounds {
	s := e.Calls[c]
	if s == nil {
		return nil
	}
	if b, ok := s.known[q]; ok {
		return b
	}
	var inTime []float64
	for _, r := range s.answers() {
		inTime = append(inTime, r.Latency)
	}
	if s.known == nil {
		s.known = map[float64]*results.Bounds{}
	}
	s.known[q] = quantile(inTime, q)
	return s.known[q]
}

// startup is the q-quantile of the pods' start-up in seconds; nil when they are too few for it.
func (e *Experiment) startup(q float64) *results.Bounds {
	inTime := make([]float64, len(e.Pods))
	for i, p := range e.Pods {
		inTime[i] = p.Total
	}
	return quantile(inTime, q)
}

// quantile is the q-quantile of a sample in order of time; nil when it is too small for it.
func quantile(inTime []float64, q float64) *results.Bounds {
	if len(inTime) == 0 {
		return nil
	}
	b := analysis.QuantileBounds(inTime, slices.Sorted(slices.Values(inTime)), q)
	if b.Least > 0 {
		return nil
	}
	return &b
}

// share is the share of requests, in order of time, within a limit in seconds, with its interval; nil for none.
func share(inTime []Request, limit float64) *results.Bounds {
	if len(inTime) == 0 {
		return nil
	}
	latencies, k := make([]float64, len(inTime)), int64(0)
	for i, r := range inTime {
		if latencies[i] = r.Latency; r.Latency <= limit {
			k++
		}
	}
	n := int64(len(inTime))
	low, high := stats.EffectiveProportion(k, n, stats.DependenceAt(latencies, limit).Effective)
	return &results.Bounds{Value: float64(k) / float64(n), Low: &low, High: &high}
}

// server is the row of the API server's own histogram for a kind of call, of all callers; nil when there is none.
func (e *Experiment) server(c Call) *results.ServerRow {
	for i, r := range e.Summary.Server {
		if r.Verb == c.Verb && r.Scope == c.Scope && results.ResourcePath(r.Group, r.Resource, r.Subresource) == c.Resource {
			return &e.Summary.Server[i]
		}
	}
	return nil
}

// podsPerNode is how many pods of the measured start-ups there are per node on average; 0 without nodes.
func (e *Experiment) podsPerNode() float64 {
	if e.Summary.Run.Nodes == 0 {
		return 0
	}
	return float64(len(e.Pods)) / float64(e.Summary.Run.Nodes)
}

// mostPodsPerNode is the largest number of pods that were on one node at a time; empty when it is not known.
func (e *Experiment) mostPodsPerNode() string {
	for _, c := range e.Summary.Conditions {
		if c.Name == "pods_per_node" {
			return positive(c.Measured)
		}
	}
	return ""
}

// measuredSeconds is the length of the measured phases.
func (e *Experiment) measuredSeconds() float64 { return results.MeasuredSeconds(e.Run.Phases) }
