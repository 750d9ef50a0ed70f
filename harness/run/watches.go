package run

import (
	"context"
	"fmt"
	"time"

	"windtunnel/harness/observe"
	"windtunnel/results"
)

const (
	// processesEvery is the interval of the samples of CPU and memory.
	processesEvery = time.Second
	// scrapesEvery is the interval of the scrapes that are kept whole, and of the API server's chosen metrics.
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

// metricsEvery is how often a component's chosen metrics are read. What that costs in CPU time, the component's and ours, is
// measured by BenchmarkScrape in harness/observe and stated in docs/performance.md: 70 to 90 ms a time for the API server
// just booted, 14 to 20 ms for the controller manager, 6 to 10 ms for the others. The whole scrapes are among them. With these
// intervals that is about 2 % of one core; once a second it would be 3 to 4 % without the API server, and 7 to 9 % more with it.
func metricsEvery(component string) time.Duration {
	switch component {
	case "etcd", "kube-scheduler":
		return 2 * time.Second
	case "kube-controller-manager":
		return 5 * time.Second
	}
	return scrapesEvery
}

// observe opens them. They look as system:masters, which priority and fairness exempts: observation must neither queue
// behind the load nor push it aside.
func (s *session) observe(ctx context.Context) (w *watches, err error) {
	config, err := s.cluster.Observer(ctx)
	if err != nil {
		return nil, fmt.Errorf("make the observer's identity: %w", err)
	}
	w = &watches{}
	if w.pods, err = observe.Pods(ctx, config, s.clock, s.records.podEvent); err != nil {
		return nil, fmt.Errorf("watch pods: %w", err)
	}
	if w.nodes, err = observe.Nodes(ctx, config, s.plan.Profile.HollowNodes.NamePrefix, s.clock, s.records.nodes.Append); err != nil {
		w.stop()
		return nil, fmt.Errorf("watch nodes: %w", err)
	}
	s.distant = observe.NewDistant(s.cluster.Components())
	w.processes = observe.Processes(ctx, s.pids, s.clock, processesEvery, s.records.processes.Append)
	var targets []observe.Target
	for _, t := range s.cluster.MetricsTargets() {
		targets = append(targets, observe.Target{Component: t.Component, URL: t.URL, Client: t.Client, Every: metricsEvery(t.Component)})
	}
	w.scraper = observe.Scrapes(ctx, targets, scrapesEvery, s.clock, observe.Sink{Scrape: s.records.scrape, Metrics: s.looked})
	return w, nil
}

// looked takes the chosen values of one look at a component. Of one whose process is not of this machine they have the CPU time and
// the memory.
func (s *session) looked(look []results.Metric) {
	s.records.metrics(look)
	if one, ok := s.distant.Sample(look); ok {
		s.records.processes.Append(one)
	}
}

// mark looks at everything at the edge of a phase.
func (w *watches) mark(ctx context.Context, phase, edge string) {
	ctx, cancel := context.WithTimeout(ctx, markTimeout)
	defer cancel()
	w.processes.Mark(ctx)
	w.scraper.Mark(ctx, phase, edge)
}

// stop closes them. It returns what a reader must know, a sentence each, and how often events were missed.
func (w *watches) stop() (notes []string, gaps int) {
	look := func(what string, interruptions []observe.Interruption) {
		for _, i := range interruptions {
			notes = append(notes, fmt.Sprintf("the watch of %s was %s", what, i))
			if i.Missed > 0 {
				gaps++
			}
		}
	}
	if w.pods != nil {
		w.pods.Close()
		look("pods", w.pods.Interruptions())
	}
	if w.nodes != nil {
		w.nodes.Close()
		look("nodes", w.nodes.Interruptions())
	}
	if w.processes != nil {
		w.processes.Close()
	}
	if w.scraper != nil {
		w.scraper.Close()
		for component, failures := range w.scraper.Failures() {
			notes = append(notes, fmt.Sprintf("%d scrapes of %s failed, the last: %v", failures.Count, component, failures.Last))
		}
	}
	return notes, gaps
}

// scrape appends a scrape with the phase in which it was taken.
func (r *records) scrape(scrape results.Scrape) {
	if scrape.Phase == "" {
		scrape.Phase = r.currentPhase()
	}
	r.scrapes.Append(scrape)
}
