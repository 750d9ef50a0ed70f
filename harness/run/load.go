package run

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"time"

	"windtunnel/harness/cluster"
	"windtunnel/harness/load"
	"windtunnel/profiles"
)

// loader carries out the steps that send requests: it holds the users' identities and knows which instances of each
// template there are.
type loader struct {
	session *session

	mu         sync.Mutex
	identities []cluster.Identity
	pools      map[string]profiles.Pool
	wanted     map[string]int // instances that the latest reconcile of a template asks for, for the narration
}

func newLoader(s *session) *loader {
	return &loader{session: s, pools: map[string]profiles.Pool{}, wanted: map[string]int{}}
}

// reconcile carries out a reconcile step.
func (l *loader) reconcile(ctx context.Context, at place, step profiles.Reconcile) error {
	client, err := l.dial(ctx, 1, 1)
	if err != nil {
		return err
	}
	defer client.Close()
	l.mu.Lock()
	l.wanted[step.Object] = step.Count
	l.mu.Unlock()
	plan := l.session.plan
	outcome, err := client.Reconcile(ctx, load.Reconcile{
		Phase: at.phase, Track: at.track,
		Template: plan.Objects[step.Object], Pool: l.snapshot()[step.Object], Count: step.Count,
		Arrivals: step.Arrivals, MaxInFlight: step.MaxInFlight,
		Seed: profiles.StreamSeed(plan.Profile.Seed, at.phase, at.track, at.step),
	})
	l.merge(outcome.Pools)
	return err
}

// requests carries out a requests step.
func (l *loader) requests(ctx context.Context, at place, step profiles.Requests) error {
	client, err := l.dial(ctx, step.Identities, step.Connections)
	if err != nil {
		return err
	}
	defer client.Close()
	plan, before := l.session.plan, l.snapshot()
	outcome, err := client.Stream(ctx, load.Stream{
		Phase: at.phase, Track: at.track, Requests: step, Objects: plan.Objects, Pools: before, Nodes: l.session.nodeNames(),
		Seed: profiles.StreamSeed(plan.Profile.Seed, at.phase, at.track, at.step),
	})
	// Only what this step changed: other tracks may have changed other templates meanwhile.
	maps.DeleteFunc(outcome.Pools, func(name string, pool profiles.Pool) bool { return pool == before[name] })
	l.merge(outcome.Pools)
	if n := client.Reconnects(); n > 0 {
		l.session.note("%s: %d connections of track %s broke and were made again", at.phase, n, at.track)
	}
	return err
}

// watch carries out a watch step.
func (l *loader) watch(ctx context.Context, at place, step profiles.Watch) error {
	client, err := l.dial(ctx, step.Identities, step.ConnectionCount())
	if err != nil {
		return err
	}
	defer client.Close()
	w := load.Watch{Phase: at.phase, Track: at.track, Watch: step, Record: l.session.records.watches.Append}
	if step.Object != "" {
		template := l.session.plan.Objects[step.Object]
		w.Template = &template
	}
	during, cancel := ctx, context.CancelFunc(func() {})
	if step.For > 0 {
		during, cancel = context.WithTimeout(ctx, time.Duration(step.For))
	}
	defer cancel()
	if err := client.Watch(during, w); err != nil {
		return err
	}
	return ctx.Err()
}

// dial opens the connections of a step, spread over the identities.
func (l *loader) dial(ctx context.Context, identities, connections int) (*load.Client, error) {
	users, err := l.users(ctx, max(identities, 1))
	if err != nil {
		return nil, err
	}
	s := l.session
	var route cluster.Route
	if routed, ok := s.cluster.(cluster.Routed); ok {
		route = routed.Route()
	}
	client, err := load.Dial(ctx, load.Options{
		Server: s.cluster.Server(), CA: s.cluster.CA(), Route: route, Identities: users, Allowed: s.allowed,
		Connections: max(1, (connections+len(users)-1)/len(users)), // the profile's number is that of all identities together
		Run:         s.id, Clock: s.clock, Record: s.records.request,
	})
	if err != nil {
		return nil, fmt.Errorf("connect to the API server: %w", err)
	}
	return client, nil
}

// users gives the first n users; each is made once a run.
func (l *loader) users(ctx context.Context, n int) ([]cluster.Identity, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.identities) < n {
		user, err := l.session.cluster.User(ctx, len(l.identities))
		if err != nil {
			return nil, fmt.Errorf("make user %d: %w", len(l.identities), err)
		}
		l.identities = append(l.identities, user)
	}
	return l.identities[:n:n], nil
}

func (l *loader) snapshot() map[string]profiles.Pool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.pools)
}

func (l *loader) merge(pools map[string]profiles.Pool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	maps.Copy(l.pools, pools)
}

// wantedPods is how many pods of a template there are to be, as far as any step has asked yet.
func (l *loader) wantedPods(object string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.wanted[object] * l.session.plan.Objects[object].Pods
}

// podsOf is how many pods the instances of a template ask for.
func (l *loader) podsOf(object string) int {
	return l.snapshot()[object].Size() * l.session.plan.Objects[object].Pods
}
