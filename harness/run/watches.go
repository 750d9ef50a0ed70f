package run

import (
	"context"
	"errors"
	"fmt"
	"time"

	"windtunnel/harness/observe"
	"windtunnel/results"
)

const (
	// processesEvery is the interval of the samples of CPU and memory.
	processesEvery = time.Second
	// scrapesEvery is the interval of the scrapes of all metrics. A scrape costs the API server tens of milliseconds of
	// CPU time, so it is not taken every second.
	scrapesEvery = 10 * time.Second
	// markTimeout bounds the scrape at the edge of a phase.
	markTimeout = 20 * time.Second
)

// watches are the eyes of a run, open from the boot to the end.
type watches struct {
	pods      *observe.PodWatch
	nodes     *observe.NodeWatch
	processes *observe.Sampler
	scraper   *observe.Scraper
}

// observe opens them. They look as system:masters, which priority and fairness exempts: observation must neither queue
// behind the load nor push it aside.
func (s *session) observe(ctx context.Context) (w *watches, err error) {
	config, err := s.cluster.RESTConfig("windtunnel:observer", "system:masters")
	if err != nil {
		return nil, fmt.Errorf("make the observer's identity: %w", err)
	}
	w = &watches{}
	if w.pods, err = observe.Pods(ctx, config, s.clock, s.records.podEvent); err != nil {
		return nil, fmt.Errorf("watch pods: %w", err)
	}
	if w.nodes, err = observe.Nodes(ctx, config, s.plan.Profile.HollowNodes.NamePrefix, s.clock, s.records.nodes.Append); err != nil {
		return nil, errors.Join(fmt.Errorf("watch nodes: %w", err), w.stop())
	}
	w.processes = observe.Processes(ctx, s.pids, s.clock, processesEvery, s.records.processes.Append)
	var targets []observe.Target
	for _, t := range s.cluster.MetricsTargets() {
		targets = append(targets, observe.Target(t))
	}
	w.scraper = observe.Scrapes(ctx, targets, scrapesEvery, s.clock, s.records.scrape)
	return w, nil
}

// mark looks at everything at the edge of a phase.
func (w *watches) mark(ctx context.Context, phase, edge string) {
	ctx, cancel := context.WithTimeout(ctx, markTimeout)
	defer cancel()
	w.processes.Mark(ctx)
	w.scraper.Mark(ctx, phase, edge)
}

// stop closes them and says what they missed.
func (w *watches) stop() error {
	var missed []error
	if w.pods != nil {
		w.pods.Close()
		missed = append(missed, interruptions("pods", w.pods.Interruptions())...)
	}
	if w.nodes != nil {
		w.nodes.Close()
		missed = append(missed, interruptions("nodes", w.nodes.Interruptions())...)
	}
	if w.processes != nil {
		w.processes.Close()
	}
	if w.scraper != nil {
		w.scraper.Close()
		for component, failures := range w.scraper.Failures() {
			missed = append(missed, fmt.Errorf("%d scrapes of %s failed, the last: %w", failures.Count, component, failures.Last))
		}
	}
	return errors.Join(missed...)
}

func interruptions(what string, list []observe.Interruption) (missed []error) {
	for _, i := range list {
		missed = append(missed, fmt.Errorf("watch of %s: %s", what, i))
	}
	return missed
}

// scrape appends a scrape with the phase in which it was taken.
func (r *records) scrape(scrape results.Scrape) {
	if scrape.Phase == "" {
		scrape.Phase = r.currentPhase()
	}
	r.scrapes.Append(scrape)
}
