package nodes

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"windtunnel/harness/supervise"
	"windtunnel/hollow"
	"windtunnel/results"
)

// Pack is all hollow nodes of a run.
type Pack struct {
	sup    *supervise.Supervisor
	opts   Options
	names  []string
	shards []*shard
	home   map[string]*shard // by the name of a node
}

// shard is one process with some of the nodes.
type shard struct {
	config  hollow.ShardConfig
	argv    []string
	log     string
	pid     int
	control *hollow.Client
}

// launch starts a shard's process.
func (p *Pack) launch(ctx context.Context, s *shard) error {
	file := p.configFile(s)
	if err := os.RemoveAll(file); err != nil { // of a shard that died before it read it
		return fmt.Errorf("start %s: %w", s.config.Name, err)
	}
	if err := s.config.Write(file); err != nil {
		return err
	}
	s.argv = []string{p.opts.KubeBinary, "hollow-nodes", "--config", file}
	process, err := p.sup.Launch(ctx, supervise.Spec{Name: s.config.Name, Argv: s.argv, Env: s.config.Environment(), Log: s.log, Grace: stopGrace, Group: "hollow"})
	if err != nil {
		return err
	}
	s.pid = process.PID
	return nil
}

// configFile is where a shard reads its description; the shard deletes it then, as it holds keys.
func (p *Pack) configFile(s *shard) string {
	return filepath.Join(p.sup.Dirs().Memory, s.config.Name+".json")
}

// Names are the nodes' names, in the order of their numbers.
func (p *Pack) Names() []string { return p.names }

// Down cuts nodes off from the control plane, as a broken network would.
func (p *Pack) Down(ctx context.Context, names []string) error {
	return p.each(names, func(c *hollow.Client, names []string) error { return c.Down(ctx, names) })
}

// Up connects nodes again.
func (p *Pack) Up(ctx context.Context, names []string) error {
	return p.each(names, func(c *hollow.Client, names []string) error { return c.Up(ctx, names) })
}

// Break gives nodes conditions instead of those that they had. A node that was taken down stays so.
func (p *Pack) Break(ctx context.Context, names []string, c hollow.Conditions) error {
	return p.each(names, func(client *hollow.Client, names []string) error { return client.Break(ctx, names, c) })
}

// Mend gives nodes good connections and right clocks again.
func (p *Pack) Mend(ctx context.Context, names []string) error {
	return p.each(names, func(c *hollow.Client, names []string) error { return c.Mend(ctx, names) })
}

// each hands every shard the names that are its own, all at the same time.
func (p *Pack) each(names []string, do func(*hollow.Client, []string) error) error {
	byShard := map[*shard][]string{}
	for _, name := range names {
		s := p.home[name]
		if s == nil {
			return fmt.Errorf("there is no hollow node %q", name)
		}
		byShard[s] = append(byShard[s], name)
	}
	var wg sync.WaitGroup
	errs := make([]error, len(p.shards))
	for i, s := range p.shards {
		if names := byShard[s]; len(names) > 0 {
			wg.Go(func() { errs[i] = do(s.control, names) })
		}
	}
	wg.Wait()
	return errors.Join(errs...)
}

// Renewals are how often the nodes renewed their leases, and the longest time between two renewals of one, or since the last of one; 0 for
// a tier that does not count them.
func (p *Pack) Renewals(ctx context.Context) (n int64, largestGap time.Duration, err error) {
	for _, s := range p.shards {
		status, err := s.control.Status(ctx)
		if err != nil {
			return 0, 0, fmt.Errorf("ask for the renewals of leases: %w", err)
		}
		n += status.Renewals
		largestGap = max(largestGap, time.Duration(status.LargestRenewalGap*float64(time.Second)))
	}
	return n, largestGap, nil
}

// Components are the shards' processes.
func (p *Pack) Components() []results.Component {
	list := make([]results.Component, 0, len(p.shards))
	for _, s := range p.shards {
		r := results.Component{Name: s.config.Name, PID: s.pid, Args: s.argv,
			Log: filepath.Join(filepath.Base(filepath.Dir(s.log)), filepath.Base(s.log))}
		if exit, ok := p.sup.Exited(s.config.Name); ok {
			r.Exit = exit.String()
		}
		list = append(list, r)
	}
	return list
}

// Stop ends all nodes and gives back the memory that their directories take.
func (p *Pack) Stop(ctx context.Context) error {
	var wg sync.WaitGroup
	errs := make([]error, len(p.shards))
	for i, s := range p.shards {
		wg.Go(func() {
			// A shard that was killed leaves its socket, on which the next one of its name could not listen.
			errs[i] = errors.Join(p.sup.Stop(ctx, s.config.Name), os.RemoveAll(s.config.RootDir), os.RemoveAll(p.configFile(s)), os.RemoveAll(s.config.Socket))
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}
