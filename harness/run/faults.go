package run

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"windtunnel/harness/cluster"
	"windtunnel/hollow"
	"windtunnel/profiles"
	"windtunnel/results"
)

// errOver ends a fault whose time is over.
var errOver = errors.New("the fault is over")

// mendTimeout bounds mending nodes, which is done even when the run has been interrupted.
const mendTimeout = 20 * time.Second

// faultStream keeps the random choices of a fault's nodes apart from those of its instants.
const faultStream = 3

// nodeFault carries out a fault of nodes: one, or a stream of them. It returns when the last has been mended.
func (s *session) nodeFault(ctx context.Context, at place, f profiles.NodeFault) error {
	seed := profiles.StreamSeed(s.plan.Profile.Seed, at.phase, at.track, at.step)
	if f.Arrivals == nil {
		return s.oneFault(ctx, f, seed, 0)
	}
	began := time.Now()
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		number := uint64(0)
		for due := range profiles.Schedule(*f.Arrivals, seed) {
			if err := pause(ctx, time.Until(began.Add(due))); err != nil {
				return err
			}
			mine := number
			group.Go(func() error { return s.oneFault(ctx, f, seed, mine) })
			number++
		}
		return nil
	})
	return group.Wait()
}

// oneFault breaks nodes, waits, and mends them, also when the run ends before.
func (s *session) oneFault(ctx context.Context, f profiles.NodeFault, seed, number uint64) (err error) {
	names := s.takeWhole(f, rand.New(rand.NewPCG(seed, faultStream+number)))
	if len(names) == 0 {
		s.event("fault: %s: no node is left that is whole", f.Kind)
		return nil
	}
	defer s.giveBack(names)
	s.event("fault: %s for %s: %s", f.Kind, f.For, someNames(names))
	s.nodeEvents(names, "broken", f.Kind)
	defer func() {
		mending, done := context.WithTimeout(context.WithoutCancel(ctx), mendTimeout)
		defer done()
		if merr := s.mend(mending, f, names); merr != nil && err == nil {
			err = merr
		}
		s.nodeEvents(names, "mended", f.Kind)
		s.event("fault: %s is over: %s", f.Kind, someNames(names))
	}()
	if f.Kind == profiles.FaultFlapping {
		return s.flap(ctx, f, names)
	}
	if err := s.breakNodes(ctx, f, names, seed+number); err != nil {
		return err
	}
	return pause(ctx, time.Duration(f.For))
}

// breakNodes begins a fault.
func (s *session) breakNodes(ctx context.Context, f profiles.NodeFault, names []string, seed uint64) error {
	if f.Kind == profiles.FaultDown {
		return s.pack.Down(ctx, names)
	}
	pack, err := s.breaker(f)
	if err != nil {
		return err
	}
	return pack.Break(ctx, names, conditions(f, seed))
}

// breaker is the pack as one whose nodes can have the conditions of a fault.
func (s *session) breaker(f profiles.NodeFault) (cluster.Breaker, error) {
	pack, ok := s.pack.(cluster.Breaker)
	if !ok {
		return nil, fmt.Errorf("the hollow nodes of this provider can be down or flap, but not have the fault %s", f.Kind)
	}
	return pack, nil
}

// breakable checks, before anything is done, that the nodes can have all faults of the plan.
func (s *session) breakable() error {
	for _, phase := range s.plan.Phases {
		for _, track := range phase.Tracks {
			for _, step := range track.Steps {
				if step.Fault == nil || step.Fault.Nodes == nil || cuts(step.Fault.Nodes.Kind) {
					continue
				}
				if _, err := s.breaker(*step.Fault.Nodes); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// cuts says that a kind of fault is made by cutting nodes off and letting them back.
func cuts(kind string) bool { return kind == profiles.FaultDown || kind == profiles.FaultFlapping }

// conditions are what a fault makes of a node's connection and clock.
func conditions(f profiles.NodeFault, seed uint64) hollow.Conditions {
	return hollow.Conditions{Partitioned: f.Kind == profiles.FaultPartition, Latency: time.Duration(f.Latency), Jitter: time.Duration(f.Jitter),
		Bandwidth: f.Bandwidth, ClockOffset: time.Duration(f.Offset), Seed: seed}
}

// mend ends a fault.
func (s *session) mend(ctx context.Context, f profiles.NodeFault, names []string) error {
	if cuts(f.Kind) {
		return s.pack.Up(ctx, names)
	}
	pack, err := s.breaker(f)
	if err != nil {
		return err
	}
	return pack.Mend(ctx, names)
}

// flap takes nodes down and up in turn until the fault's time is over; it may leave them down.
func (s *session) flap(ctx context.Context, f profiles.NodeFault, names []string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, time.Duration(f.For), errOver)
	defer cancel()
	for {
		for _, turn := range []struct {
			do   func(context.Context, []string) error
			stay time.Duration
		}{{s.pack.Down, time.Duration(f.Down)}, {s.pack.Up, time.Duration(f.Up)}} {
			err := turn.do(ctx, names)
			if err == nil {
				err = pause(ctx, turn.stay)
			}
			if context.Cause(ctx) == errOver {
				return nil
			}
			if err != nil {
				return err
			}
		}
	}
}

// takeWhole chooses nodes for a fault and marks them as broken.
func (s *session) takeWhole(f profiles.NodeFault, random *rand.Rand) []string {
	s.faults.Lock()
	defer s.faults.Unlock()
	all := s.pack.Names()
	broken := func(n int) bool { return s.broken[all[n]] || slices.Contains(s.down, all[n]) }
	var names []string
	for _, n := range f.Pick(len(all), s.plan.Profile.HollowNodes.Zones, broken, random) {
		names = append(names, all[n])
		s.broken[all[n]] = true
	}
	return names
}

func (s *session) giveBack(names []string) {
	s.faults.Lock()
	defer s.faults.Unlock()
	for _, name := range names {
		delete(s.broken, name)
	}
}

// nodeEvents records what a fault does to nodes at this moment.
func (s *session) nodeEvents(names []string, event, kind string) {
	now := s.clock.Now()
	for _, name := range names {
		s.records.nodes.Append(results.NodeEvent{At: now, Name: name, Event: event, Detail: kind})
	}
}

// someNames are a few names, and how many there are.
func someNames(names []string) string {
	const few = 5
	noun := "nodes"
	if len(names) == 1 {
		noun = "node"
	}
	text := fmt.Sprintf("%d %s (%s", len(names), noun, strings.Join(names[:min(few, len(names))], ", "))
	if len(names) > few {
		text += ", …"
	}
	return text + ")"
}
