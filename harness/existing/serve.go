package existing

import (
	"context"
	"errors"
	"fmt"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"windtunnel/harness/cluster"
	"windtunnel/results"
)

var _ cluster.Shared = (*Cluster)(nil)

// Guard watches the owner's switch with a client that priority and fairness exempts. It returns why the load has to stop, as soon as it
// has to: the switch is off or gone, its limits no longer allow the plan, or it has not been seen for BlindTime. It returns nil when the
// context ends first.
func (c *Cluster) Guard(ctx context.Context) error {
	client, err := kubernetes.NewForConfig(c.observer.config(c.target))
	if err != nil {
		return fmt.Errorf("make a client that watches the cluster's consent: %w", err)
	}
	defer closeIdle(client)
	g := &guard{client: client, plan: c.options.Plan, seen: make(chan sight)}
	return g.watch(ctx)
}

// Bystander is the configuration of a client like any of the cluster's own: outside of the load's priority level, of no privilege. It may
// read what is at the path.
func (c *Cluster) Bystander() (config *rest.Config, path string) {
	return c.others.config(c.target), "/api/v1/namespaces/" + Namespace + "/configmaps/" + ConsentName
}

// Level implements cluster.Shared.
func (c *Cluster) Level() string { return Level }

// Notes are what a reader of the run must know of the cluster.
func (c *Cluster) Notes() []string { return c.notes }

// Server implements cluster.Cluster.
func (c *Cluster) Server() string { return c.target.server }

// CA implements cluster.Cluster. It is empty where the system's authorities vouch for the server.
func (c *Cluster) CA() []byte { return c.target.ca }

// Route implements cluster.Routed.
func (c *Cluster) Route() cluster.Route { return c.target.route }

// Version implements cluster.Cluster.
func (c *Cluster) Version() string { return c.version }

// User implements cluster.Cluster. There are as many as the plan's steps are spread over.
func (c *Cluster) User(_ context.Context, number int) (cluster.Identity, error) {
	if number >= len(c.users) {
		return cluster.Identity{}, fmt.Errorf("there is no user %d: the plan has %d", number, len(c.users))
	}
	return c.users[number].identity(), nil
}

// Observer implements cluster.Cluster.
func (c *Cluster) Observer(context.Context) (*rest.Config, error) {
	if c.observer == nil {
		return c.target.config, nil
	}
	return c.observer.config(c.target), nil
}

// Provisioner implements cluster.Cluster. There is one where the plan has a script with claims.
func (c *Cluster) Provisioner(context.Context) (*rest.Config, error) {
	if c.storage == nil {
		return nil, errors.New("the plan has no claims, so that nobody was made to provide volumes")
	}
	return c.storage.config(c.target), nil
}

// Kubeconfig implements cluster.Cluster.
func (c *Cluster) Kubeconfig(ctx context.Context) ([]byte, error) { return c.target.Kubeconfig(ctx) }

// Components implements cluster.Cluster: nothing is known of the processes but that there is an API server.
func (c *Cluster) Components() []results.Component {
	var all []results.Component
	for _, t := range c.metrics {
		all = append(all, results.Component{Name: t.Component})
	}
	return all
}

// MetricsTargets implements cluster.Cluster.
func (c *Cluster) MetricsTargets() []cluster.Target { return c.metrics }

// Limits implements cluster.Cluster: no flag of a component can be seen.
func (c *Cluster) Limits() map[string]float64 {
	return map[string]float64{"priority level " + Level + " shares": float64(c.options.Shares)}
}

var errForeign = errors.New("the control plane belongs to somebody else: its components are not killed and not restarted")

// Kill implements cluster.Cluster; it refuses.
func (c *Cluster) Kill(context.Context, string) error { return errForeign }

// Restart implements cluster.Cluster; it refuses.
func (c *Cluster) Restart(context.Context, string) error { return errForeign }

// Administrator is the configuration of a client of the kubeconfig's user.
func (c *Cluster) Administrator() *rest.Config { return rest.CopyConfig(c.target.config) }

// Surrounded tells the cluster which hollow nodes are on it. They have to be gone before Stop.
func (c *Cluster) Surrounded(nodes []string) { c.nodes = nodes }

// Clear implements cluster.Shared.
func (c *Cluster) Clear(ctx context.Context, dead []string) error {
	_, err := c.target.Remove(ctx, Removal{Run: c.options.Run, PlanOnly: true, Dead: dead, Progress: c.options.Progress})
	return err
}

// Stop removes everything of this run from the cluster and returns when it is gone.
func (c *Cluster) Stop(ctx context.Context) error {
	c.end()
	c.running.Wait()
	if !c.options.Load {
		return nil
	}
	_, err := c.target.Remove(ctx, Removal{Run: c.options.Run, nodes: c.nodes, Progress: c.options.Progress})
	return err
}
