// Package light runs light hollow nodes: a state machine of our own for the life of nodes and pods, thousands of nodes in one
// process, at two levels of fidelity. See hollow/light/kubelet and hollow/light/minimal.
package light

import (
	"context"

	"windtunnel/hollow"
	"windtunnel/hollow/light/behaviour"
	"windtunnel/hollow/light/kubelet"
	"windtunnel/hollow/light/minimal"
)

// Run starts a shard's nodes and serves its control socket until ctx ends, which is no error. What happens to pods is up to life; nil for
// the built-in containers.
func Run(ctx context.Context, config hollow.ShardConfig, life behaviour.Behaviour) error {
	if config.Minimal() {
		return minimal.Run(ctx, config, life)
	}
	return kubelet.Run(ctx, config, life)
}
