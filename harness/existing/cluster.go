package existing

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"windtunnel/harness/cluster"
	"windtunnel/profiles"
)

// Options say who joins a cluster, and for what.
type Options struct {
	// Plan is what is to be done there.
	Plan *profiles.Plan
	// Run is the run's id, by which all that is made is found again. It is a label's value.
	Run string
	// Load is whether the plan's load is to be sent; without it nothing is made on the cluster and the administrator observes.
	Load bool
	// Shares are the concurrency shares of the load's priority level. Default DefaultShares.
	Shares int
	// Progress hears where things are. Default: nobody does.
	Progress func(string)
	// Failed is told what ends the cluster's use: a token that cannot be renewed. Default: nobody is.
	Failed func(error)
}

// Cluster is a cluster that was there before, joined for a run.
type Cluster struct {
	target  *Target
	options Options
	version string
	notes   []string

	accounts accounts
	observer *account
	others   *account // the bystander
	storage  *account // who provides hollow volumes; nil where nothing asks for them
	users    []*account
	schemas  map[string]string // UIDs by name
	metrics  []cluster.Target
	nodes    []string // hollow nodes that were put on it

	end     context.CancelFunc
	running sync.WaitGroup
}

// unwindTime bounds the removal of what a failed Join had made.
const unwindTime = 2 * time.Minute

// Join asks the cluster's owner's consent and makes what the run needs: identities, their rights, and a priority level for the load.
// A cluster that does not agree, or that another run uses, gives a *cluster.RefusedError before anything is made. When Join fails
// later, what it made is removed again.
func Join(ctx context.Context, target *Target, o Options) (*Cluster, error) {
	if o.Progress == nil {
		o.Progress = func(string) {}
	}
	if o.Failed == nil {
		o.Failed = func(error) {}
	}
	if o.Shares == 0 {
		o.Shares = DefaultShares
	}
	c := &Cluster{target: target, options: o, schemas: map[string]string{}, end: func() {}}
	c.accounts = accounts{target: target, life: max(leastLife, time.Duration(o.Plan.Profile.Timeout)+spareLife)}
	var err error
	if c.version, err = target.version(); err != nil {
		return nil, err
	}
	if err := target.agreed(ctx, o.Plan); err != nil {
		return nil, err
	}
	if !o.Load {
		c.metrics = c.apiServerMetrics(target.config)
		return c, nil
	}
	if err := c.claim(ctx); err != nil {
		return nil, err
	}
	if err := c.enter(ctx); err != nil {
		unwind, cancel := context.WithTimeout(context.WithoutCancel(ctx), unwindTime)
		defer cancel()
		return nil, errors.Join(fmt.Errorf("join the cluster: %w", err), c.Stop(unwind))
	}
	return c, nil
}

// enter makes what the run needs and waits until it is in force.
func (c *Cluster) enter(ctx context.Context) error {
	if err := c.makeAccounts(ctx); err != nil {
		return err
	}
	if err := c.makeRights(ctx); err != nil {
		return err
	}
	var names []string
	for _, u := range c.users {
		names = append(names, u.name)
	}
	if c.storage != nil {
		names = append(names, c.storage.name)
	}
	if err := c.levels(ctx, names); err != nil {
		return err
	}
	c.options.Progress("waiting until identities and priority level are in force")
	for _, check := range []struct {
		account *account
		schema  string
	}{{c.observer, prefix + "observer"}, {c.users[0], prefix + "users"}} {
		if err := c.inForce(ctx, check.account, check.schema); err != nil {
			return err
		}
	}
	if err := c.mayObserve(ctx); err != nil {
		return err
	}
	c.findMetrics(ctx)
	keeping, end := context.WithCancel(context.WithoutCancel(ctx)) // it ends with Stop
	c.end = end
	c.running.Go(func() { c.accounts.keep(keeping, c.options.Failed) })
	c.running.Go(func() { c.hold(keeping) })
	return nil
}

func (c *Cluster) makeAccounts(ctx context.Context) (err error) {
	if c.observer, err = c.accounts.make(ctx, c.meta(Namespace, observerAccount)); err != nil {
		return err
	}
	if c.others, err = c.accounts.make(ctx, c.meta(Namespace, bystanderAccount)); err != nil {
		return err
	}
	if s := c.options.Plan.Script; s != nil && s.Claims {
		if c.storage, err = c.accounts.make(ctx, c.meta(Namespace, storageAccount)); err != nil {
			return err
		}
	}
	for i := range usersOf(c.options.Plan) {
		user, err := c.accounts.make(ctx, c.meta(Namespace, userName(i)))
		if err != nil {
			return err
		}
		c.users = append(c.users, user)
	}
	if need := time.Duration(c.options.Plan.Profile.Timeout); time.Until(c.users[0].expires) < need {
		c.notes = append(c.notes, fmt.Sprintf("the API server grants tokens of %v at most; they are renewed while the run goes on", c.users[0].expires.Sub(c.users[0].issued).Round(time.Second)))
	}
	return nil
}

// makeRights gives the users what the plan needs, the observer what it looks at, and the bystander the one object that it reads.
func (c *Cluster) makeRights(ctx context.Context) error {
	var users []string
	for _, u := range c.users {
		users = append(users, u.name)
	}
	if rules := rightsOf(c.options.Plan).rules(); len(rules) > 0 {
		if err := c.role(ctx, "", prefix+"users", rules, users...); err != nil {
			return err
		}
	}
	if c.storage != nil {
		if err := c.role(ctx, "", prefix+"volumes", provisionRights().rules(), storageAccount); err != nil {
			return err
		}
	}
	look, core := []string{"get", "list", "watch"}, []string{""}
	if err := c.role(ctx, "", prefix+"observer", append(viewOf(c.options.Plan).rules(),
		rbacv1.PolicyRule{APIGroups: core, Resources: []string{"namespaces"}, ResourceNames: []string{Namespace}, Verbs: look},
		rbacv1.PolicyRule{NonResourceURLs: []string{"/metrics", "/readyz"}, Verbs: []string{"get"}},
	), observerAccount); err != nil {
		return err
	}
	consent := rbacv1.PolicyRule{APIGroups: core, Resources: []string{"configmaps"}, ResourceNames: []string{ConsentName}, Verbs: look}
	return c.role(ctx, Namespace, prefix+"consent", []rbacv1.PolicyRule{consent}, observerAccount, bystanderAccount)
}

// mayObserve waits until the observer's rights are in force, and the bystander's with them: they were made before.
func (c *Cluster) mayObserve(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, effectTime)
	defer cancel()
	client, err := kubernetes.NewForConfig(c.observer.config(c.target))
	if err != nil {
		return fmt.Errorf("make a client of the observer: %w", err)
	}
	defer closeIdle(client)
	for {
		_, err := client.CoreV1().ConfigMaps(Namespace).Get(ctx, ConsentName, metav1.GetOptions{})
		if err == nil {
			_, err = client.CoreV1().Pods(metav1.NamespaceAll).List(ctx, metav1.ListOptions{Limit: 1})
		}
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait until the observer may look at the cluster: %w", err)
		case <-time.After(pollEvery):
		}
	}
}
