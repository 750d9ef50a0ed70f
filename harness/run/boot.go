package run

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"windtunnel/harness/cluster"
	"windtunnel/harness/nodes"
	"windtunnel/harness/supervise"
	"windtunnel/profiles"
	"windtunnel/results"
)

// boot starts the supervisor, the control plane and the watches.
func (s *session) boot(ctx context.Context) (err error) {
	// What the machine cannot carry is refused before anything is started. The nodes of a cluster that is there are on its own machines.
	if foreign := s.plan.Profile.ControlPlane.Provider == profiles.ProviderExisting; foreign {
		for _, field := range s.plan.Profile.ControlPlane.Unapplied() {
			s.note("%s is not applied: the control plane was there before, with settings of its own", field)
		}
	} else if err := nodes.Check(s.plan.Profile.HollowNodes, s.plan.Estimate().Pods); err != nil {
		return err
	}
	s.supervisor, err = supervise.Start(ctx, supervise.Options{Executable: s.options.Executable, Log: s.dir.Path("logs", "supervisor.log")})
	if err != nil {
		return fmt.Errorf("start the supervisor: %w", err)
	}
	go s.exits()
	if s.provider, err = provide(s.options, s.supervisor, s); err != nil {
		return err
	}
	if s.cluster, err = s.provider.boot(ctx, s.dir.Path("logs")); err != nil {
		return err
	}
	s.components()
	s.update(func(r *results.Run) {
		r.Versions["kubernetes"] = s.cluster.Version()
		maps.Copy(r.Limits, s.cluster.Limits())
	})
	s.load = newLoader(s)
	if shared, ok := s.cluster.(cluster.Shared); ok {
		s.share(ctx, shared)
	}
	if s.watches, err = s.observe(ctx); err != nil {
		return err
	}
	s.options.Progress.Status(fmt.Sprintf("Kubernetes %s at %s", s.cluster.Version(), s.cluster.Server()))
	return nil
}

// hollow starts the hollow nodes and waits until they are Ready.
func (s *session) hollow(ctx context.Context) error {
	estimate := s.plan.Estimate()
	pack, err := s.provider.surround(ctx, nodes.Options{
		Spec: s.plan.Profile.HollowNodes, ExpectedPods: estimate.Pods, Seed: s.plan.Profile.Seed, KubeBinary: s.options.KubeBinary,
		LogDir: s.dir.Path("logs"), SamplesDir: s.dir.Path("samples"), Clock: s.clock, Labels: map[string]string{"windtunnel/run": s.id}, Progress: ready(s.options.Progress),
	})
	if err != nil {
		return err
	}
	s.pack = pack
	s.components()
	return s.breakable()
}

// exits ends the run when a component ends that nobody asked to.
func (s *session) exits() {
	for exit := range s.supervisor.Exits() {
		at := s.clock.Now()
		s.update(func(r *results.Run) {
			for i := range r.Components {
				if r.Components[i].PID == exit.PID {
					r.Components[i].Exit = exit.String()
				}
			}
			if !exit.Asked {
				r.Events = append(r.Events, results.Event{At: at, Text: exit.Name + ": " + exit.String()})
			}
		})
		if !exit.Asked {
			s.fail(exit.Failure())
		}
	}
}

// components writes down all processes with their flags; one that was started again is a further entry.
func (s *session) components() {
	all := s.cluster.Components()
	if s.pack != nil {
		all = append(all, s.pack.Components()...)
	}
	s.update(func(r *results.Run) {
		for _, c := range all {
			known := false
			for _, old := range r.Components {
				known = known || old.PID == c.PID && old.Name == c.Name
			}
			if !known {
				if inside, err := filepath.Rel(s.dir.Path(), c.Log); err == nil {
					c.Log = inside
				}
				r.Components = append(r.Components, c)
			}
		}
	})
}

// pids are the processes to account for, by component.
func (s *session) pids() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	pids := map[string]int{"windtunnel": os.Getpid()}
	for _, c := range s.info.Components {
		if c.Exit == "" && c.PID != 0 {
			pids[c.Name] = c.PID
		}
	}
	return pids
}

// statusEvery is how often a phase says where it is.
const statusEvery = 500 * time.Millisecond

// narrate says now and then how many pods run, until the context ends.
func (s *session) narrate(ctx context.Context) {
	ticker := time.NewTicker(statusEvery)
	defer ticker.Stop()
	for {
		s.options.Progress.Status(s.state())
		select {
		case <-ticker.C:
		case <-ctx.Done():
			s.options.Progress.Status(s.state())
			return
		}
	}
}

// state is one line about what there is.
func (s *session) state() string {
	if s.plan.Script != nil {
		return s.stateOfScript()
	}
	text := fmt.Sprintf("%d requests", s.records.sent.Load())
	for _, name := range slices.Sorted(maps.Keys(s.plan.Objects)) {
		if want := s.load.wantedPods(name); want > 0 && s.plan.Objects[name].Scheduled {
			text += fmt.Sprintf(", %d of %d pods of %s run", s.watches.pods.Running(name), want, name)
		}
	}
	return text
}
