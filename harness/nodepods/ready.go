package nodepods

import (
	"context"
	"errors"
	"fmt"
	"time"

	v1 "k8s.io/api/core/v1"

	"windtunnel/harness/observe"
	"windtunnel/harness/supervise"
	manifests "windtunnel/manifests/hollow"
	"windtunnel/results"
)

const (
	// stallTime is how long no further node may become Ready before the start is given up.
	stallTime = time.Minute
	// lookEvery is how often the number of Ready nodes is looked at; the watch itself is pushed.
	lookEvery = 100 * time.Millisecond
	// statusTime bounds asking about a failure.
	statusTime = 5 * time.Second
)

// run makes everything and waits until all nodes are Ready.
func (p *Pack) run(ctx context.Context) error {
	timeout := time.Duration(p.opts.Spec.ReadyTimeout)
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, slowError{timeout})
	defer cancel()
	watch, err := observe.Nodes(ctx, p.config, p.opts.Spec.NamePrefix, p.opts.Clock, func(results.NodeEvent) {})
	if err != nil {
		return err
	}
	defer watch.Close()
	objects, err := p.opts.objects()
	if err != nil {
		return err
	}
	if err := p.apply(ctx, objects); err != nil {
		return err
	}
	p.watchPods()
	if err := p.await(ctx, watch.Ready); err != nil {
		return err
	}
	p.mu.Lock()
	p.ready = true
	p.mu.Unlock()
	p.account()
	return nil
}

// slowError is why the wait ends when it took too long. It is a context.DeadlineExceeded.
type slowError struct{ timeout time.Duration }

func (e slowError) Error() string        { return fmt.Sprintf("not all are Ready within %v", e.timeout) }
func (e slowError) Is(target error) bool { return target == context.DeadlineExceeded }

// await waits until as many nodes as there are are Ready and all pods are listened to; a pod's failure, a stall or the context's end make it
// fail.
func (p *Pack) await(ctx context.Context, ready func() int) error {
	total, last, most := len(p.names), -1, 0
	stall := time.NewTimer(stallTime)
	defer stall.Stop()
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for {
		if now := ready(); now != last {
			if now > most { // a node that comes and goes is no progress
				most = now
				stall.Reset(stallTime)
			}
			last = now
			p.opts.Progress(now, total)
		}
		if last >= total && p.allListen() {
			return nil
		}
		select {
		case <-look.C:
		case <-p.heard:
		case err := <-p.failures:
			return err
		case <-stall.C:
			return p.behind(fmt.Errorf("%d of %d nodes are Ready and no other became so for %v", last, total, stallTime))
		case <-ctx.Done():
			if cause := context.Cause(ctx); errors.Is(cause, context.DeadlineExceeded) {
				return p.behind(fmt.Errorf("%d of %d nodes are Ready: %w", last, total, cause))
			}
			return context.Cause(ctx)
		}
	}
}

// allListen says whether what the runtimes see is recorded from now on, where it is to be and can be.
func (p *Pack) allListen() bool {
	if p.opts.SamplesDir == "" {
		return true
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.listens) == p.described.Pods()
}

// behind blames the pod that is furthest behind, with what it and the cluster say of it.
func (p *Pack) behind(why error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(p.follow), statusTime)
	defer cancel()
	p.mu.Lock()
	now := map[int]*v1.Pod{}
	for n, one := range p.now {
		now[n] = one
	}
	p.mu.Unlock()
	var worst *v1.Pod
	says, missing := "", -1
	for n := range p.described.Pods() {
		one := now[n]
		if one == nil {
			err := fmt.Errorf("%w; pod %s is not there", why, podName(n))
			for _, text := range p.warnings(ctx, "StatefulSet", manifests.Name) {
				err = fmt.Errorf("%w; %s", err, text)
			}
			return &supervise.ComponentError{Name: manifests.Name, Err: err}
		}
		if text := held(one); text != "" {
			return p.blame(one, fmt.Errorf("%w; %s", why, text))
		}
		lacks, text := p.lacking(ctx, one.Name)
		if lacks > missing {
			worst, says, missing = one, text, lacks
		}
	}
	return p.blame(worst, fmt.Errorf("%w (%s)", why, says))
}

// lacking is how many nodes of a pod have not been Ready, and what it says of them.
func (p *Pack) lacking(ctx context.Context, name string) (int, string) {
	s, err := p.status(ctx, name)
	if err != nil {
		return p.described.PerPod, err.Error()
	}
	text := fmt.Sprintf("of %d nodes %d have their identity, %d are started, %d Ready", s.Wanted, s.Nodes, s.Started, s.Ready)
	for _, more := range []string{s.Problem, s.Error} {
		if more != "" {
			text += "; " + more
		}
	}
	return s.Wanted - s.Ready, text
}
