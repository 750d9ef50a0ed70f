package run

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"windtunnel/results"
)

// records are the streams of a run's raw records.
type records struct {
	requests  *results.Writer[results.Request]
	watches   *results.Writer[results.WatchEvent]
	pods      *results.Writer[results.PodEvent]
	nodes     *results.Writer[results.NodeEvent]
	processes *results.Writer[results.ProcessSample]
	scrapes   *results.Writer[results.Scrape]
	looks     *results.Writer[results.Metric]
	others    *results.Writer[results.Request] // of the bystander; nil where there is none
	looking   sync.Mutex                       // keeps the values of one look together
	phase     atomic.Pointer[string]           // the phase under way, for records that name it
	sent      atomic.Int64                     // how many requests were recorded
	closed    chan struct{}
}

// openRecords makes the files; shared is whether the run has a bystander.
func openRecords(dir *results.Dir, clock results.Clock, shared bool) (*records, error) {
	r := &records{closed: make(chan struct{})}
	r.setPhase("boot")
	var errs [8]error
	r.requests, errs[0] = results.NewWriter[results.Request](dir.Path(results.RequestsFile), results.WithClock(clock))
	r.pods, errs[1] = results.NewWriter[results.PodEvent](dir.Path(results.PodsFile), results.WithClock(clock))
	r.nodes, errs[2] = results.NewWriter[results.NodeEvent](dir.Path(results.NodesFile), results.WithClock(clock))
	r.processes, errs[3] = results.NewWriter[results.ProcessSample](dir.Path(results.ProcessesFile), results.WithClock(clock))
	r.scrapes, errs[4] = results.NewWriter[results.Scrape](dir.Path(results.ScrapesFile), results.WithClock(clock))
	r.watches, errs[5] = results.NewWriter[results.WatchEvent](dir.Path(results.WatchesFile), results.WithClock(clock))
	r.looks, errs[6] = results.NewWriter[results.Metric](dir.Path(results.MetricsFile), results.WithClock(clock))
	if shared {
		r.others, errs[7] = results.NewWriter[results.Request](dir.Path(results.BystanderFile), results.WithClock(clock))
	}
	return r, errors.Join(errs[:]...)
}

func (r *records) setPhase(name string) { r.phase.Store(&name) }

func (r *records) currentPhase() string { return *r.phase.Load() }

// request appends a request.
func (r *records) request(q results.Request) {
	r.sent.Add(1)
	r.requests.Append(q)
}

// bystander appends a request of the bystander, with the phase in which it was planned or a later one.
func (r *records) bystander(q results.Request) {
	q.Phase = r.currentPhase()
	r.others.Append(q)
}

// podEvent appends a pod's transition with the phase in which it was received.
func (r *records) podEvent(e results.PodEvent) {
	e.Phase = r.currentPhase()
	r.pods.Append(e)
}

// metrics appends the chosen values of one look at a component.
func (r *records) metrics(look []results.Metric) {
	r.looking.Lock()
	defer r.looking.Unlock()
	for _, m := range look {
		r.looks.Append(m)
	}
}

// watch ends the run as soon as a record cannot be written: a run without its records is worth nothing.
func (r *records) watch(fail context.CancelCauseFunc) {
	var err error
	var others <-chan struct{} // of nobody
	if r.others != nil {
		others = r.others.Failed()
	}
	select {
	case <-others:
		err = r.others.Err()
	case <-r.closed:
	case <-r.requests.Failed():
		err = r.requests.Err()
	case <-r.watches.Failed():
		err = r.watches.Err()
	case <-r.pods.Failed():
		err = r.pods.Err()
	case <-r.nodes.Failed():
		err = r.nodes.Err()
	case <-r.processes.Failed():
		err = r.processes.Err()
	case <-r.scrapes.Failed():
		err = r.scrapes.Err()
	case <-r.looks.Failed():
		err = r.looks.Err()
	}
	if err != nil {
		fail(fmt.Errorf("%w: %w", errRecords, err))
	}
}

// close writes what is buffered.
func (r *records) close() error {
	close(r.closed)
	var others error
	if r.others != nil {
		others = r.others.Close()
	}
	err := errors.Join(others, r.requests.Close(), r.watches.Close(), r.pods.Close(), r.nodes.Close(), r.processes.Close(), r.scrapes.Close(), r.looks.Close())
	if err != nil {
		return fmt.Errorf("%w: %w", errRecords, err)
	}
	return nil
}
