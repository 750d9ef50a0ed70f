package run

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"windtunnel/profiles"
)

// wait carries out a wait step.
func (s *session) wait(ctx context.Context, w profiles.Wait) error {
	timeout := time.Duration(w.Timeout)
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, fmt.Errorf("wait: %w after %v", ErrTimeout, timeout))
	defer cancel()
	var err error
	switch {
	case w.NodesReady != 0:
		want := w.NodesReady
		if want < 0 {
			want = s.plan.Profile.HollowNodes.Count
		}
		err = s.watches.nodes.WaitReady(ctx, want)
		err = explain(ctx, err, func() string { return fmt.Sprintf("%d of %d nodes are Ready", s.watches.nodes.Ready(), want) })
	case w.PodsGone:
		err = s.watches.pods.WaitGone(ctx, w.Object)
		err = explain(ctx, err, func() string {
			return fmt.Sprintf("%d pods of %s are left", s.watches.pods.Present(w.Object), w.Object)
		})
	case w.PodsRunning != 0:
		want := w.PodsRunning
		if want < 0 {
			want = s.load.podsOf(w.Object)
		}
		err = s.watches.pods.WaitRunning(ctx, w.Object, want)
		err = explain(ctx, err, func() string {
			return fmt.Sprintf("%d of %d pods of %s run", s.watches.pods.Running(w.Object), want, w.Object)
		})
	}
	return err
}

// explain adds to a time-out how far the condition had come.
func explain(ctx context.Context, err error, state func() string) error {
	if cause := context.Cause(ctx); err != nil && errors.Is(cause, ErrTimeout) {
		return fmt.Errorf("%w: %s", cause, state())
	}
	return err
}

// fault carries out a fault step and notes what was done, for it explains what the records show.
func (s *session) fault(ctx context.Context, at place, f profiles.Fault) error {
	switch {
	case f.Nodes != nil:
		return s.nodeFault(ctx, at, *f.Nodes)
	case f.NodesDown > 0:
		return s.nodesDown(ctx, f.NodesDown)
	case f.NodesUp != 0:
		return s.nodesUp(ctx, f.NodesUp)
	case f.Kill != "":
		s.event("fault: %s is killed", f.Kill)
		return s.cluster.Kill(ctx, f.Kill)
	}
	s.event("fault: %s is started again", f.Restart)
	if err := s.cluster.Restart(ctx, f.Restart); err != nil {
		return err
	}
	s.event("%s serves again", f.Restart)
	s.components()
	return nil
}

// nodesDown cuts nodes off that are up, chosen from the seed.
func (s *session) nodesDown(ctx context.Context, n int) error {
	s.faults.Lock()
	up := slices.DeleteFunc(slices.Clone(s.pack.Names()), func(name string) bool { return slices.Contains(s.down, name) || s.broken[name] })
	random := rand.New(rand.NewPCG(s.plan.Profile.Seed, uint64(len(s.down))))
	random.Shuffle(len(up), func(i, j int) { up[i], up[j] = up[j], up[i] })
	chosen := up[:min(n, len(up))]
	s.down = append(s.down, chosen...)
	s.faults.Unlock()
	s.event("fault: %d nodes go down: %v", len(chosen), chosen)
	s.nodeEvents(chosen, "broken", profiles.FaultDown)
	return s.pack.Down(ctx, chosen)
}

// nodesUp connects the nodes again that went down first; n < 0 means all.
func (s *session) nodesUp(ctx context.Context, n int) error {
	s.faults.Lock()
	if n < 0 || n > len(s.down) {
		n = len(s.down)
	}
	chosen := slices.Clone(s.down[:n])
	s.down = slices.Delete(s.down, 0, n)
	s.faults.Unlock()
	s.event("fault: %d nodes come up: %v", len(chosen), chosen)
	err := s.pack.Up(ctx, chosen)
	s.nodeEvents(chosen, "mended", profiles.FaultDown)
	return err
}
