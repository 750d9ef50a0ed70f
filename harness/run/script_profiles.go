package run

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"windtunnel/profiles"
)

// profileTimeout bounds taking one profile: that of the CPU takes 30 s by itself.
const profileTimeout = time.Minute

// profilers take profiles of components while a script runs.
type profilers struct {
	mu  sync.Mutex
	all map[string]*profiler
}

// profiler takes those of one component.
type profiler struct {
	session *session
	act     profiles.ProfileAct
	name    string // of the measurement
	first   sync.WaitGroup
	stop    context.CancelFunc
	done    chan struct{}
}

// do begins to take profiles, or ends it.
func (p *profilers) do(ctx context.Context, s *session, key string, act profiles.ProfileAct) error {
	p.mu.Lock()
	one := p.all[key]
	switch {
	case act.Moment != profiles.MomentStart:
		delete(p.all, key)
	case one == nil:
		if p.all == nil {
			p.all = map[string]*profiler{}
		}
		name, _, _ := strings.Cut(key, "/")
		p.all[key] = profile(ctx, s, name, act)
	}
	p.mu.Unlock()
	switch {
	case act.Moment == profiles.MomentStart:
		return nil
	case one == nil:
		return errors.New("it has not been started")
	}
	one.gather(ctx)
	return nil
}

// close ends all of them.
func (p *profilers) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, one := range p.all {
		one.stop()
		<-one.done
	}
}

// profile begins: a profile that takes its time is begun at once, and all are taken again and again.
func profile(ctx context.Context, s *session, name string, act profiles.ProfileAct) *profiler {
	ctx, stop := context.WithCancel(ctx)
	p := &profiler{session: s, act: act, name: name, stop: stop, done: make(chan struct{})}
	p.first.Add(1)
	go func() {
		defer close(p.done)
		if act.Kind == profiles.ProfileCPU {
			p.take(ctx)
		}
		p.first.Done()
		for pause(ctx, act.Every) == nil {
			p.take(ctx)
		}
	}()
	return p
}

// gather takes the last one, or waits for the first, so that a short test has one, too.
func (p *profiler) gather(ctx context.Context) {
	p.first.Wait()
	p.stop()
	<-p.done
	if p.act.Kind != profiles.ProfileCPU {
		p.take(ctx)
	}
}

// take takes one profile into the run directory. That there is none is a note, as in ClusterLoader2.
func (p *profiler) take(ctx context.Context) {
	if err := p.fetch(ctx); err != nil && ctx.Err() == nil {
		p.session.note("%s of %s: %v", p.name, p.act.Component, err)
	}
}

func (p *profiler) fetch(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, profileTimeout)
	defer cancel()
	for _, target := range p.session.cluster.MetricsTargets() {
		if target.Component != p.act.Component {
			continue
		}
		at, err := url.Parse(strings.TrimSuffix(target.URL, "/metrics") + "/debug/pprof/" + p.act.Kind)
		if err != nil {
			return err
		}
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, at.String(), nil)
		if err != nil {
			return err
		}
		answer, err := target.Client.Do(request)
		if err != nil {
			return err
		}
		defer answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			return fmt.Errorf("it answers %s", answer.Status)
		}
		data, err := io.ReadAll(answer.Body)
		if err != nil {
			return err
		}
		prefix := fmt.Sprintf("%s_%s_%s", at.Hostname(), p.act.Component, p.name)
		return p.session.dir.WriteFile("profiles/"+p.session.testFile(prefix, time.Now(), "pprof"), data)
	}
	return errors.New("its metrics are not read, and so no profiles")
}

// testFile is the name of a file that the run's test leaves.
func (s *session) testFile(what string, at time.Time, extension string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.info.TestFile(what, at, extension)
}
