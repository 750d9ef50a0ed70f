package nodepods

import (
	"context"
	"fmt"
	"time"

	v1 "k8s.io/api/core/v1"

	"windtunnel/harness/observe"
	"windtunnel/harness/supervise"
	manifests "windtunnel/manifests/hollow"
	"windtunnel/results"
)

// statusTime bounds asking about a failure.
const statusTime = 5 * time.Second

// run makes everything and waits until all nodes are Ready.
func (p *Pack) run(ctx context.Context) error {
	ctx, cancel := observe.WithReadyTimeout(ctx, time.Duration(p.opts.Spec.ReadyTimeout))
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
	wait := observe.ReadyWait{Total: len(p.names), Ready: watch.Ready, Progress: p.opts.Progress, Also: p.allListen, Failed: p.failures, Behind: p.behind}
	if err := wait.Await(ctx); err != nil {
		return err
	}
	p.mu.Lock()
	p.ready = true
	p.mu.Unlock()
	p.account()
	return nil
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
func (p *Pack) behind(ctx context.Context, why error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), statusTime)
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
