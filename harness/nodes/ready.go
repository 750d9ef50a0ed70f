package nodes

import (
	"context"
	"fmt"
	"time"

	"windtunnel/harness/controlplane"
	"windtunnel/harness/observe"
	"windtunnel/harness/supervise"
	"windtunnel/results"
)

// statusTime bounds asking a shard how far it is.
const statusTime = 2 * time.Second

// run launches the shards and waits until all nodes are Ready.
func (p *Pack) run(ctx context.Context, cluster *controlplane.Cluster) error {
	ctx, cancel := observe.WithReadyTimeout(ctx, time.Duration(p.opts.Spec.ReadyTimeout))
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

	failed := make(chan error, len(p.shards))
	for _, s := range p.shards {
		if err := p.launch(ctx, s); err != nil {
			return err
		}
		go func() {
			if exit, err := p.sup.Wait(ctx, s.config.Name); err == nil {
				failed <- exit.Failure()
			}
		}()
	}
	return observe.ReadyWait{Total: len(p.names), Ready: watch.Ready, Progress: p.opts.Progress, Failed: failed, Behind: p.behind}.Await(ctx)
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
