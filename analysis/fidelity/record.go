package fidelity

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"windtunnel/analysis"
	"windtunnel/analysis/audit"
	"windtunnel/analysis/stats"
	"windtunnel/profiles"
	"windtunnel/results"
)

// ErrNoData is a run that no recording can be made of: it has no audit log, or none of the chosen nodes sent anything.
var ErrNoData = errors.New("no data")

// Options say what is recorded.
type Options struct {
	// Nodes are patterns of the names of nodes whose calls count, as in path.Match; a node is known by the name of its user,
	// system:node:NAME. None: the run's hollow nodes.
	Nodes []string
	// Note is kept with the recording.
	Note string
}

// Record makes a recording of a run's directory. The error is ErrNoData when there is nothing to record.
func Record(d *results.Dir, o Options) (Recording, error) {
	fail := func(err error) (Recording, error) { return Recording{}, fmt.Errorf("record %s: %w", d.ID(), err) }
	run, err := d.ReadRun()
	if err != nil {
		return fail(err)
	}
	var profile profiles.Profile
	if err := json.Unmarshal(run.Profile, &profile); err != nil {
		return fail(fmt.Errorf("read its profile: %w", err))
	}
	prefix := profile.HollowNodes.NamePrefix
	if len(o.Nodes) == 0 {
		o.Nodes = []string{prefix + "*"}
	}
	for _, pattern := range o.Nodes {
		if _, err := path.Match(pattern, ""); err != nil {
			return fail(fmt.Errorf("%q is no pattern: %w", pattern, err))
		}
	}
	c := &collector{nodes: o.Nodes, stages: spans(run), bodies: bodies(profile), namespaces: map[string]bool{},
		seen: map[string]bool{}, named: map[string]bool{}, others: map[string]bool{}, firstCall: map[string]time.Duration{}, watches: map[string]*watched{}}
	if c.base, err = time.Parse(time.RFC3339, run.Started); err != nil {
		return fail(fmt.Errorf("its start: %w", err))
	}
	if len(c.stages) == 0 {
		return fail(fmt.Errorf("%w: it came to no phase of its profile", ErrNoData))
	}
	lives, err := podsOf(d, c.namespaces)
	if err != nil {
		return fail(err)
	}
	c.proxies = true // until it is known which nodes were chosen
	c.whole, c.sharedUser = choosesAll(c, profile.HollowNodes), sharedUserOf(run.Provider, profile.HollowNodes)
	reading, err := readLog(d, c)
	if err != nil {
		return fail(err)
	}
	if len(c.seen) == 0 {
		return fail(fmt.Errorf("%w: no node that is called %s sent anything%s", ErrNoData, strings.Join(o.Nodes, " or "), known(c.others)))
	}
	c.proxies = slices.ContainsFunc(slices.Collect(maps.Keys(c.seen)), func(n string) bool { return strings.HasPrefix(n, prefix) })

	r := Recording{Format: FormatVersion, Source: source(d, run, profile, o, len(c.seen))}
	r.Stages = c.stagesOf(lives.counts(c), profile.HollowNodes.Count)
	r.Metrics = c.metrics()
	startup, err := startupMetrics(d)
	if err != nil {
		return fail(err)
	}
	r.Metrics = append(r.Metrics, startup...)
	r.Notes = c.notes(run.Provider)
	if run.Outcome != "completed" {
		r.Notes = append(r.Notes, fmt.Sprintf("run %s did not complete: %s", d.ID(), run.Outcome))
	}
	if reading.Bad > 0 {
		r.Notes = append(r.Notes, fmt.Sprintf("%d of %d lines of the audit log cannot be read and are left out, the first: %s", reading.Bad, reading.Lines, reading.FirstBad))
	}
	return r, nil
}

// choosesAll says whether all hollow nodes of a run are chosen.
func choosesAll(c *collector, h profiles.HollowNodes) bool {
	for i := range h.Count {
		if !c.chooses(fmt.Sprint(h.NamePrefix, i)) {
			return false
		}
	}
	return h.Count > 0
}

// sharedUserOf is the user that a run's light nodes share. In pods others than nodes of fidelity minimal act as the pods' account as well,
// such as proxies, and are not told apart.
func sharedUserOf(provider string, h profiles.HollowNodes) string {
	if provider != profiles.ProviderEmbedded && h.Minimal() {
		return podsAccount
	}
	return lightNodes
}

func known(others map[string]bool) string {
	if len(others) == 0 {
		return ""
	}
	names := slices.Sorted(maps.Keys(others))
	return " (these did: " + strings.Join(names[:min(len(names), 5)], ", ") + ")"
}

func bodies(p profiles.Profile) bool { return Source{Audit: p.ControlPlane.APIServer.Audit}.Bodies() }

func source(d *results.Dir, run results.Run, p profiles.Profile, o Options, chosen int) Source {
	return Source{Runs: []string{d.ID()}, Script: run.Name, Provider: run.Provider, Tier: p.HollowNodes.Tier, Kubernetes: run.Versions["kubernetes"],
		Windtunnel: run.Versions["windtunnel"], Nodes: o.Nodes, Chosen: chosen, Audit: p.ControlPlane.APIServer.Audit, Note: o.Note}
}

// spans are the phases of the profile; those that every run has by itself are none of the script.
func spans(run results.Run) []span {
	var all []span
	for _, p := range run.Phases {
		if p.Name != "boot" && p.Name != "hollow" {
			all = append(all, span{p.Name, time.Duration(p.Begin), time.Duration(max(p.End, p.Begin))})
		}
	}
	return all
}

func readLog(d *results.Dir, c *collector) (audit.Reading, error) {
	f, err := os.Open(d.Path(results.AuditFile))
	if errors.Is(err, fs.ErrNotExist) {
		return audit.Reading{}, fmt.Errorf("%w: it has no %s; controlPlane.apiServer.audit asks for one", ErrNoData, results.AuditFile)
	}
	if err != nil {
		return audit.Reading{}, err
	}
	defer f.Close()
	reading, err := audit.Read(f, c.event)
	if err != nil {
		return reading, fmt.Errorf("read %s: %w", results.AuditFile, err)
	}
	return reading, nil
}

// life is from when to when one pod of the script was there, and where.
type life struct {
	node       string
	begin, end time.Duration
	gone       bool
}

type podLives map[string]*life

// podsOf are the pods of the script's templates, by UID; their namespaces are noted.
func podsOf(d *results.Dir, namespaces map[string]bool) (podLives, error) {
	all := podLives{}
	for e, err := range results.Read[results.PodEvent](d.Path(results.PodsFile)) {
		var damage *results.Damage
		if errors.As(err, &damage) || errors.Is(err, fs.ErrNotExist) {
			continue // what can be read counts, and what the audit log shows does not need it
		}
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", results.PodsFile, err)
		}
		if e.Object == "" {
			continue
		}
		namespaces[e.Namespace] = true
		p := all[e.UID]
		if p == nil {
			p = &life{begin: time.Duration(e.At)}
			all[e.UID] = p
		}
		if e.Node != "" {
			p.node = e.Node
		}
		if e.Event == "deleted" {
			p.gone, p.end = true, time.Duration(e.At)
		}
	}
	return all, nil
}

// counts are the pods on chosen nodes in each stage.
func (l podLives) counts(c *collector) []int {
	n := make([]int, len(c.stages))
	for _, p := range l {
		for i := range c.stages {
			if c.chooses(p.node) && p.begin < c.endOf(i) && (!p.gone || p.end >= c.stages[i].begin) {
				n[i]++
			}
		}
	}
	return n
}

// metrics are the percentiles of everybody's requests, where there are enough of them.
func (c *collector) metrics() []Metric {
	values := map[string][]float64{}
	for _, r := range c.requests {
		name := r.call.Verb + " " + resource(r.call.Group, r.call.Resource, r.call.Subresource) + ", scope " + r.call.Scope
		values[name] = append(values[name], r.seconds)
	}
	var all []Metric
	for _, name := range slices.Sorted(maps.Keys(values)) {
		all = append(all, percentiles(API, name, values[name])...)
	}
	return all
}

func percentiles(group, name string, values []float64) []Metric {
	slices.Sort(values)
	var all []Metric
	for _, q := range []float64{0.5, 0.9, 0.99} {
		if len(values) >= stats.LeastFor(q) {
			all = append(all, Metric{Group: group, Name: fmt.Sprintf("%s p%.0f", name, q*100), Seconds: stats.Quantile(values, q), N: int64(len(values)), Runs: 1})
		}
	}
	return all
}

func startupMetrics(d *results.Dir) ([]Metric, error) {
	starts, err := analysis.PodStartups(d)
	if err != nil {
		return nil, err
	}
	var total, run, observe []float64
	for _, s := range starts {
		total, run, observe = append(total, s.Total), append(run, s.ScheduleToRun), append(observe, s.RunToObserve)
	}
	return slices.Concat(percentiles(Startup, "create to observed", total), percentiles(Startup, "schedule to run", run), percentiles(Startup, "run to observed", observe)), nil
}
