package run

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"windtunnel/profiles"
)

// tracks runs the tracks of a phase side by side. The phase ends when its foreground tracks have ended; the background
// tracks are stopped then. The first error stops all.
func (s *session) tracks(ctx context.Context, p profiles.Phase) error {
	timeout := time.Duration(p.Timeout)
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, fmt.Errorf("%w after %v", ErrTimeout, timeout))
	defer cancel()
	s.watches.mark(ctx, p.Name, "begin")
	// The closing look at the metrics is worth having whatever happened, so it does not end with the phase.
	defer s.watches.mark(context.WithoutCancel(ctx), p.Name, "end")

	group, ctx := errgroup.WithContext(ctx)
	background, stop := context.WithCancel(ctx)
	defer stop()
	group.Go(func() error {
		s.narrate(background)
		return nil
	})
	var foreground sync.WaitGroup
	for _, t := range p.Tracks {
		if !t.Background {
			foreground.Add(1)
			group.Go(func() error {
				defer foreground.Done()
				return s.track(ctx, p, t)
			})
			continue
		}
		group.Go(func() error {
			err := s.track(background, p, t)
			if ctx.Err() == nil && errors.Is(err, context.Canceled) {
				return nil // it was stopped because the phase is over
			}
			return err
		})
	}
	group.Go(func() error {
		foreground.Wait()
		stop()
		return nil
	})
	err := group.Wait()
	if cause := context.Cause(ctx); cause != nil && errors.Is(err, context.Canceled) {
		return cause
	}
	return err
}

// track runs the steps of a track one after another.
func (s *session) track(ctx context.Context, p profiles.Phase, t profiles.Track) error {
	for i, step := range t.Steps {
		if err := s.step(ctx, place{phase: p.Name, track: t.Name, step: i}, step); err != nil {
			return fmt.Errorf("track %s, step %d: %w", t.Name, i, err)
		}
	}
	return nil
}

// place is where in the plan a step stands; its random choices are seeded from it.
type place struct {
	phase, track string
	step         int
}

// step carries out one step. A step has exactly one action; profiles.Load has made sure of that.
func (s *session) step(ctx context.Context, at place, step profiles.Step) error {
	switch {
	case step.Reconcile != nil:
		return s.load.reconcile(ctx, at, *step.Reconcile)
	case step.Requests != nil:
		return s.load.requests(ctx, at, *step.Requests)
	case step.Watch != nil:
		return s.load.watch(ctx, at, *step.Watch)
	case step.Wait != nil:
		return s.wait(ctx, *step.Wait)
	case step.Fault != nil:
		return s.fault(ctx, at, *step.Fault)
	}
	return pause(ctx, time.Duration(step.Pause))
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
