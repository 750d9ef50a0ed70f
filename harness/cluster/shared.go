package cluster

import (
	"context"

	"k8s.io/client-go/rest"
)

// Shared is a cluster that others use as well, and whose owner may end the run's use of it at any time.
type Shared interface {
	Cluster
	// Guard returns why all load has to stop, as soon as it has to; nil when the context ends first.
	Guard(ctx context.Context) error
	// Bystander is the configuration of a client like any of the cluster's own, which the load must not slow down, and the path of
	// a small object that it may read.
	Bystander() (config *rest.Config, path string)
	// Level is the priority level of priority and fairness that the load goes through.
	Level() string
	// Clear removes what the plan's steps made. It comes before the hollow nodes are stopped, and Stop after. dead are nodes that do not
	// end their pods any more.
	Clear(ctx context.Context, dead []string) error
	// Notes are what a reader of the run must know of the cluster.
	Notes() []string
}
