package paper

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"windtunnel/analysis"
	"windtunnel/profiles"
	"windtunnel/results"
)

// Experiment is one run as the paper sees it.
type Experiment struct {
	Name    string // how the paper calls it, such as "density" or "load 2"
	Run     results.Run
	Profile profiles.Profile
	Summary results.Summary
	Pods    []analysis.PodStartup // in order of their totals
	Calls   map[Call]*Sample
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

// Sample is what is kept of the requests of one kind.
type Sample struct {
	Sent    int64 // requests that went out, answered or not
	Answers []Answer
	Forms   map[string]int64 // answers by form of the verb; "" is the usual one
}

// Answer is one request that was answered with a 2xx code.
type Answer struct {
	Phase   string
	At      results.Instant // planned
	Latency float64         // seconds from the planned instant
}

// Read reads a run directory. The directory must have a readable run.json; everything else that is missing or damaged is
// named by the summary.
func Read(d *results.Dir) (*Experiment, error) {
	run, err := d.ReadRun()
	if err != nil {
		return nil, fmt.Errorf("read experiment: %w", err)
	}
	e := &Experiment{Run: run, Calls: map[Call]*Sample{}}
	if err := json.Unmarshal(run.Profile, &e.Profile); err != nil {
		return nil, fmt.Errorf("read experiment %s: the profile cannot be read: %w", run.ID, err)
	}
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
	for r := range requests {
		e.add(r)
	}
	for _, s := range e.Calls {
		slices.SortFunc(s.Answers, func(a, b Answer) int { return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Latency, b.Latency)) })
	}
	return e, nil
}

// add counts a request. Left out are those that have no latency by definition (watches), that count from another instant (closed
// loops), that the generator made for itself (looks for targets), and that never went out.
func (e *Experiment) add(r analysis.MeasuredRequest) {
	if r.Verb == "WATCH" || r.Verb == "WATCHLIST" || r.ClosedLoop || r.Variant == "targets" || r.Sent == 0 || r.Error == "canceled" {
		return
	}
	c := Call{r.Verb, path(r.Group, r.Resource, r.Subresource), r.Scope}
	s := e.Calls[c]
	if s == nil {
		s = &Sample{Forms: map[string]int64{}}
		e.Calls[c] = s
	}
	s.Sent++
	if r.Answered {
		s.Answers = append(s.Answers, Answer{r.Phase, r.Planned, r.Latency})
		s.Forms[r.Variant]++
	}
}

// path is a resource with its group and subresource, as in deployments.apps/scale.
func path(group, resource, subresource string) string {
	if group != "" {
		resource += "." + group
	}
	if subresource != "" {
		resource += "/" + subresource
	}
	return resource
}

// calls are the kinds of requests for which keep holds, in order of resource, verb and scope.
func (e *Experiment) calls(keep func(Call) bool) []Call {
	all := slices.SortedFunc(maps.Keys(e.Calls), Call.compare)
	return slices.DeleteFunc(all, func(c Call) bool { return !keep(c) })
}

// onPods are the calls on pods themselves, which figures 4 and 7 are about.
func onPods(c Call) bool { return c.Resource == "pods" }

// latencies are the latencies of a kind of call in ascending order; empty when there are none.
func (e *Experiment) latencies(c Call) []float64 {
	s := e.Calls[c]
	if s == nil {
		return nil
	}
	sorted := make([]float64, len(s.Answers))
	for i, a := range s.Answers {
		sorted[i] = a.Latency
	}
	slices.Sort(sorted)
	return sorted
}

// server is the row of the API server's own histogram for a kind of call, of all callers; nil when there is none.
func (e *Experiment) server(c Call) *results.ServerRow {
	for i, r := range e.Summary.Server {
		if r.Verb == c.Verb && r.Scope == c.Scope && path(r.Group, r.Resource, r.Subresource) == c.Resource {
			return &e.Summary.Server[i]
		}
	}
	return nil
}

// podsPerNode is how many pods of the measured start-ups there are a node; 0 without nodes.
func (e *Experiment) podsPerNode() float64 {
	if e.Summary.Run.Nodes == 0 {
		return 0
	}
	return float64(len(e.Pods)) / float64(e.Summary.Run.Nodes)
}

// measuredSeconds is the length of the measured phases.
func (e *Experiment) measuredSeconds() float64 {
	var ns int64
	for _, p := range e.Run.Phases {
		if p.Measured && p.End > p.Begin {
			ns += p.End - p.Begin
		}
	}
	return float64(ns) / 1e9
}
