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
	others    *results.Writer[results.Request]     // of the bystander; nil where there is none
	objects   *results.Writer[results.ObjectEvent] // of a script; nil where there is none
	all       []stream                             // those above
	looking   sync.Mutex                           // keeps the values of one look together
	phase     atomic.Pointer[string]               // the phase under way, for records that name it
	sent      atomic.Int64                         // how many requests were recorded
	closed    chan struct{}
}

// stream is one of them, whatever its records are.
type stream interface {
	Failed() <-chan struct{}
	Err() error
	Close() error
}

// openRecords makes the files; shared is whether the run has a bystander, scripted whether it has a script.
func openRecords(dir *results.Dir, clock results.Clock, shared, scripted bool) (*records, error) {
	r := &records{closed: make(chan struct{})}
	r.setPhase("boot")
	err := errors.Join(
		open(r, &r.requests, dir.Path(results.RequestsFile), clock),
		open(r, &r.pods, dir.Path(results.PodsFile), clock),
		open(r, &r.nodes, dir.Path(results.NodesFile), clock),
		open(r, &r.processes, dir.Path(results.ProcessesFile), clock),
		open(r, &r.scrapes, dir.Path(results.ScrapesFile), clock),
		open(r, &r.watches, dir.Path(results.WatchesFile), clock),
		open(r, &r.looks, dir.Path(results.MetricsFile), clock),
	)
	if shared {
		err = errors.Join(err, open(r, &r.others, dir.Path(results.BystanderFile), clock))
	}
	if scripted {
		err = errors.Join(err, open(r, &r.objects, dir.Path(results.ObjectsFile), clock))
	}
	return r, err
}

// open makes one of the files.
func open[T results.Record](r *records, w **results.Writer[T], path string, clock results.Clock) (err error) {
	if *w, err = results.NewWriter[T](path, results.WithClock(clock)); err == nil {
		r.all = append(r.all, *w)
	}
	return err
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
	for _, one := range r.all {
		go func() {
			select {
			case <-r.closed:
			case <-one.Failed():
				fail(fmt.Errorf("%w: %w", errRecords, one.Err()))
			}
		}()
	}
}

// close writes what is buffered.
func (r *records) close() error {
	close(r.closed)
	var err error
	for _, one := range r.all {
		err = errors.Join(err, one.Close())
	}
	if err != nil {
		return fmt.Errorf("%w: %w", errRecords, err)
	}
	return nil
}
