// Package run executes a plan: it boots the control plane, surrounds it with hollow nodes, carries out the plan's phases
// and keeps every record. It knows phases, tracks and steps, and nothing of any particular workload.
package run

import (
	"context"
	"errors"
	"fmt"
	"time"

	"windtunnel/harness/cluster"
	"windtunnel/harness/supervise"
	"windtunnel/profiles"
	"windtunnel/results"
)

// ErrInterrupted is the cause of a run that its user ended.
var ErrInterrupted = errors.New("interrupted")

// ErrTimeout is the cause of a run, a phase or a wait that took longer than its profile allows.
var ErrTimeout = errors.New("timed out")

// EnvironmentError is a run that the surroundings did not let finish: a component that did not start or died, a limit of
// the machine, a full disk.
type EnvironmentError struct{ Err error }

func (e *EnvironmentError) Error() string { return e.Err.Error() }

// Unwrap gives what went wrong.
func (e *EnvironmentError) Unwrap() error { return e.Err }

// Progress hears how a run goes.
type Progress interface {
	Begin(phase string) // a phase begins
	Status(text string) // where it is; often
	Note(text string)   // something that a reader must know
	End(err error)      // the phase that began last has ended
}

// Build says what the instrument was made of.
type Build struct{ Version, Commit, Go, ClientGo string }

// Options are what a run needs beside its plan.
type Options struct {
	Plan       *profiles.Plan
	Results    string // directory that holds the run directories
	Executable string // windtunnel itself, which is also the supervisor
	KubeBinary string // windtunnel-kube
	Build      Build
	Command    []string // the user's command line, for the record
	Progress   Progress
}

// Run executes the plan. The run directory exists from the first second and is complete and readable however the run
// ends; it is nil only when it could not be made or when the cluster refused the run (*cluster.RefusedError), of which no
// directory is kept. Nothing that was started is left when Run returns.
func Run(ctx context.Context, o Options) (*results.Dir, error) {
	profile := &o.Plan.Profile
	dir, err := results.Create(o.Results, profile.Name, time.Now())
	if err != nil {
		return nil, &EnvironmentError{fmt.Errorf("make the run directory: %w", err)}
	}
	ctx, cancel := context.WithTimeoutCause(ctx, time.Duration(profile.Timeout), fmt.Errorf("the run: %w after %v", ErrTimeout, time.Duration(profile.Timeout)))
	defer cancel()
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)

	s, err := newSession(dir, o, stop)
	if err == nil {
		err = s.execute(ctx)
		// What was started is stopped even when the run was interrupted, so not under its context.
		closing, done := context.WithTimeout(context.WithoutCancel(ctx), s.closeTime())
		defer done()
		err = errors.Join(err, s.close(closing))
		err = errors.Join(err, s.finish(err))
	}
	var refused *cluster.RefusedError
	if errors.As(err, &refused) {
		return nil, errors.Join(err, dir.Discard())
	}
	return dir, classify(err)
}

// execute goes through the phases.
func (s *session) execute(ctx context.Context) error {
	if err := s.phase(ctx, "boot", false, s.boot); err != nil {
		return &EnvironmentError{err}
	}
	if err := s.served(ctx); err != nil {
		return err
	}
	if shared, ok := s.cluster.(cluster.Shared); ok {
		if err := s.phase(ctx, baselinePhase, false, func(ctx context.Context) error { return s.baseline(ctx, shared) }); err != nil {
			return &EnvironmentError{err}
		}
	}
	if s.plan.Profile.HollowNodes.Count > 0 {
		if err := s.phase(ctx, "hollow", false, s.hollow); err != nil {
			return &EnvironmentError{err}
		}
	}
	if s.plan.Script != nil {
		return s.script(ctx, s.plan.Phases[0])
	}
	for _, p := range s.plan.Phases {
		if err := s.phase(ctx, p.Name, p.Measured, func(ctx context.Context) error { return s.tracks(ctx, p) }); err != nil {
			return err
		}
	}
	return nil
}

// closeTime bounds the end of everything that was started. Of a cluster that stays, all that a plan made has to be removed.
func (s *session) closeTime() time.Duration {
	if s.stays() != nil {
		return 15 * time.Minute
	}
	return time.Minute
}

// phase runs one phase, records its span and narrates it. When the context has ended, its cause is the error.
func (s *session) phase(ctx context.Context, name string, measured bool, do func(context.Context) error) error {
	s.options.Progress.Begin(name)
	s.beginPhase(name, measured)
	err := do(ctx)
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if err != nil && !errors.Is(err, ErrInterrupted) {
		err = fmt.Errorf("%s: %w", name, err)
	}
	s.endPhase(err)
	s.options.Progress.End(err)
	return err
}

// classify makes the errors of components and of the disk environment errors, wherever they came up.
func classify(err error) error {
	var component *supervise.ComponentError
	if errors.As(err, &component) || errors.Is(err, errRecords) {
		return &EnvironmentError{err}
	}
	return err
}
