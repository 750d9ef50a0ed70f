package nodes

import (
	"context"
	"errors"
	"fmt"
	"time"

	"windtunnel/harness/controlplane"
	"windtunnel/harness/observe"
	"windtunnel/harness/supervise"
	"windtunnel/results"
)

const (
	// stallTime is how long no further node may become Ready before the start is given up.
	stallTime = time.Minute
	// lookEvery is how often the number of Ready nodes is looked at; the watch itself is pushed.
	lookEvery = 100 * time.Millisecond
	// statusTime bounds asking a shard how far it is.
	statusTime = 2 * time.Second
)

// run launches the shards and waits until all nodes are Ready.
func (p *Pack) run(ctx context.Context, cluster *controlplane.Cluster) error {
	timeout := time.Duration(p.opts.Spec.ReadyTimeout)
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, slowError{timeout})
	defer cancel()

	config, err := cluster.RESTConfig("windtunnel:nodes", "system:masters") // exempt: it must not wait for what it watches
	if err != nil {
		return err
	}
	watch, err := observe.Nodes(ctx, config, p.opts.Spec.NamePrefix, p.opts.Clock, func(results.NodeEvent) {})
	if err != nil {
		return err
	}
	defer watch.Close()

	exits := make(chan supervise.Exit, len(p.shards))
	for _, s := range p.shards {
		if err := p.launch(ctx, s); err != nil {
			return err
		}
		go func() {
			if exit, err := p.sup.Wait(ctx, s.config.Name); err == nil {
				exits <- exit
			}
		}()
	}
	return p.await(ctx, watch.Ready, exits)
}

// slowError is why the wait ends when it took too long. It is a context.DeadlineExceeded.
type slowError struct{ timeout time.Duration }

func (e slowError) Error() string        { return fmt.Sprintf("not all are Ready within %v", e.timeout) }
func (e slowError) Is(target error) bool { return target == context.DeadlineExceeded }

// await waits until as many nodes as there are are Ready; a shard's end, a stall or the context's end make it fail.
func (p *Pack) await(ctx context.Context, ready func() int, exits <-chan supervise.Exit) error {
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
		if last >= total {
			return nil
		}
		select {
		case <-look.C:
		case exit := <-exits:
			return exit.Failure()
		case <-stall.C:
			return p.behind(ctx, fmt.Errorf("%d of %d nodes are Ready and no other became so for %v", last, total, stallTime))
		case <-ctx.Done():
			if cause := context.Cause(ctx); errors.Is(cause, context.DeadlineExceeded) {
				return p.behind(ctx, fmt.Errorf("%d of %d nodes are Ready: %w", last, total, cause))
			}
			return context.Cause(ctx)
		}
	}
}

// behind blames the shard that is furthest behind, with what it says of itself.
func (p *Pack) behind(ctx context.Context, why error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), statusTime)
	defer cancel()
	var worst *shard
	var says string
	missing := -1
	for _, s := range p.shards {
		status, err := s.control.Status(ctx)
		lacks := status.Nodes - status.Ready
		text := fmt.Sprintf("%d of %d nodes started, %d Ready", status.Started, status.Nodes, status.Ready)
		if status.Error != "" {
			text += ", first error: " + status.Error
		}
		if err != nil {
			lacks, text = len(s.config.Nodes), err.Error()
		}
		if lacks > missing {
			worst, says, missing = s, text, lacks
		}
	}
	return &supervise.ComponentError{Name: worst.config.Name, Log: worst.log, Tail: supervise.Tail(worst.log, 0),
		Err: fmt.Errorf("%w (%s: %s)", why, worst.config.Name, says)}
}
