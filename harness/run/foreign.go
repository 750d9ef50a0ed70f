package run

import (
	"context"
	"errors"
	"fmt"
	"time"

	"windtunnel/harness/cluster"
	"windtunnel/harness/existing"
	"windtunnel/harness/nodes"
	"windtunnel/harness/observe"
	"windtunnel/results"
)

// foreign is a cluster that was there before and that somebody else answers for.
type foreign struct {
	options Options
	run     string // value of the label windtunnel/run on everything that is made
	load    bool
	failed  func(error)
	cluster *existing.Cluster
}

func (f *foreign) boot(ctx context.Context, _ string) (cluster.Cluster, error) {
	spec := f.options.Plan.Profile.ControlPlane
	ctx, cancel := context.WithTimeoutCause(ctx, time.Duration(spec.ReadyTimeout), fmt.Errorf("join the cluster: %w after %v", ErrTimeout, time.Duration(spec.ReadyTimeout)))
	defer cancel()
	target, err := existing.Open(spec.Existing.Kubeconfig, spec.Existing.Context)
	if err != nil {
		return nil, err
	}
	f.cluster, err = existing.Join(ctx, target, existing.Options{
		Plan: f.options.Plan, Run: f.run, Load: f.load, Shares: spec.Existing.Shares, Progress: f.options.Progress.Status, Failed: f.failed,
	})
	if err != nil {
		return nil, err // an interface must not hold a nil cluster
	}
	return f.cluster, nil
}

func (f *foreign) surround(context.Context, nodes.Options) (cluster.Pack, error) {
	return nil, errors.New("hollow nodes as pods are not there yet")
}

// share gives a run its place on a cluster that others use as well: what a reader must know of it, and the end of all load as soon as
// the owner wants it.
func (s *session) share(ctx context.Context, shared cluster.Shared) {
	for _, text := range shared.Notes() {
		s.note("%s", text)
	}
	go func() {
		if why := shared.Guard(ctx); why != nil {
			err := fmt.Errorf("%w: %w", ErrInterrupted, why)
			s.forbid(err) // before anything else: what is written about it can wait
			s.event("all load has stopped: %v", why)
			s.fail(err)
		}
	}()
}

// baseline looks at the cluster before anything is put on it, so that what its own users see under load has something to be compared
// with.
func (s *session) baseline(ctx context.Context, shared cluster.Shared) error {
	length := time.Duration(s.plan.Profile.ControlPlane.Existing.Baseline)
	s.options.Progress.Status(fmt.Sprintf("the cluster as it is, for %v", length))
	config, path := shared.Bystander()
	var err error
	if s.bystander, err = observe.Bystand(ctx, config, path, s.clock, s.records.bystander); err != nil {
		return err
	}
	s.update(func(r *results.Run) { r.Shared = &results.Shared{Level: shared.Level(), Baseline: baselinePhase} })
	s.watches.mark(ctx, baselinePhase, "begin")
	err = pause(ctx, length)
	s.watches.mark(context.WithoutCancel(ctx), baselinePhase, "end")
	return err
}

// baselinePhase is the phase before the load of a run on a cluster that others use.
const baselinePhase = "baseline"
