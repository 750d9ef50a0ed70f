package run

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"windtunnel/harness/observe"
	"windtunnel/profiles"
	"windtunnel/results"
)

// probePhase is the phase of the records of probes. It is none of the run's, so that the figures of the load are without them.
const probePhase = "probe"

// probes ask the API server whether it answers.
type probes struct {
	mu  sync.Mutex
	all map[string]*observe.Bystander
}

// do begins a probe, or ends it.
func (p *probes) do(ctx context.Context, s *session, key string, act profiles.ProbeAct) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	one := p.all[key]
	if act.Moment != profiles.MomentStart {
		if one == nil {
			return errors.New("it has not been started")
		}
		one.Close()
		delete(p.all, key)
		return nil
	}
	if one != nil {
		return nil
	}
	config, err := s.cluster.Observer(ctx)
	if err != nil {
		return fmt.Errorf("make the observer's identity: %w", err)
	}
	path, _, _ := strings.Cut(act.Path, "?")
	one, err = observe.Poll(ctx, config, observe.Polling{
		Path: act.Path, Every: act.Every, Timeout: act.Timeout,
		As: results.Request{Phase: probePhase, Track: key, Verb: profiles.VerbGet, Object: path},
	}, s.clock, s.records.request)
	if err != nil {
		return err
	}
	if p.all == nil {
		p.all = map[string]*observe.Bystander{}
	}
	p.all[key] = one
	return nil
}

// close ends all probes.
func (p *probes) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, one := range p.all {
		one.Close()
	}
}
