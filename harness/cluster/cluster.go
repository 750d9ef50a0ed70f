// Package cluster says what a run needs of a control plane and of the hollow nodes around it, whoever made them: what
// controlplane boots as processes, what kind boots in containers, or what was there before.
package cluster

import (
	"context"
	"net/http"
	"time"

	"k8s.io/client-go/rest"

	"windtunnel/hollow"
	"windtunnel/results"
)

// UsersGroup is the group of users that may do everything and yet, unlike system:masters, pass through priority and
// fairness as any client does.
const UsersGroup = "windtunnel:users"

// UserAgent marks whatever windtunnel itself asks for; the load's requests have the run's id behind it.
const UserAgent = "windtunnel"

// The label by which windtunnel's things are found on a cluster that stays.
const (
	LabelManagedBy = "app.kubernetes.io/managed-by"
	ManagedBy      = "windtunnel"
)

// Cluster is a control plane that serves.
type Cluster interface {
	// Server is the API server's URL, https://HOST:PORT.
	Server() string
	// CA is the authority of the server's certificate, PEM.
	CA() []byte
	// Version is Kubernetes' version as the API server reports it, such as v1.36.3.
	Version() string
	// User makes the load's user of that number, 0 and up. It may do everything that a plan can ask for and passes through
	// priority and fairness as any client does.
	User(ctx context.Context, number int) (Identity, error)
	// Observer is the configuration of a client that may read everything and that priority and fairness exempts, so that it
	// neither queues behind the load nor pushes it aside. It has no rate limit of its own.
	Observer(ctx context.Context) (*rest.Config, error)
	// Provisioner is the configuration of a client that provides volumes for claims. It passes through priority and fairness as the
	// load does.
	Provisioner(ctx context.Context) (*rest.Config, error)
	// Kubeconfig is an administrator's file for kubectl and other clients. It holds a key.
	Kubeconfig(ctx context.Context) ([]byte, error)
	// Components are the components as far as they can be seen, in the order of starting. PID is that of this machine, 0 where
	// there is none.
	Components() []results.Component
	// MetricsTargets are where the components' metrics are read.
	MetricsTargets() []Target
	// Limits are the limits in force that shape the load, such as "kube-controller-manager qps", as far as they are known.
	Limits() map[string]float64
	// Kill ends a component as a crash would, and returns when it is gone.
	Kill(ctx context.Context, component string) error
	// Restart starts a component again that was killed, and returns when it is ready.
	Restart(ctx context.Context, component string) error
	// Stop ends the control plane, or leaves it where it is not windtunnel's own, with nothing of windtunnel's on it.
	Stop(ctx context.Context) error
}

// Pack is the hollow nodes of a run.
type Pack interface {
	// Names are the nodes' names, in the order of their numbers.
	Names() []string
	// Down cuts nodes off from the control plane, as a broken network would, and Up connects them again.
	Down(ctx context.Context, names []string) error
	Up(ctx context.Context, names []string) error
	// Components are the processes that hold the nodes.
	Components() []results.Component
	// Stop ends all nodes.
	Stop(ctx context.Context) error
}

// Breaker is a pack whose nodes can have worse conditions than none at all.
type Breaker interface {
	// Break gives nodes conditions instead of those that they had. A node that was taken down stays so.
	Break(ctx context.Context, names []string, c hollow.Conditions) error
	// Mend gives nodes good connections and right clocks again.
	Mend(ctx context.Context, names []string) error
}

// Renewer is a pack that counts the renewals of its nodes' leases.
type Renewer interface {
	// Renewals are how many there were, and the longest time between two of one node, or since its last.
	Renewals(ctx context.Context) (n int64, largestGap time.Duration, err error)
}

// Identity is how a client proves who it is: a certificate with its key, both PEM, or a bearer token.
type Identity struct {
	// Name is the user's name as the API server sees it.
	Name      string
	Cert, Key []byte
	// Token gives the bearer token that is valid now; nil for an identity with a certificate. It is called for every request, from
	// many goroutines, and must be quick.
	Token func() string
}

// Target is where a component's metrics are read.
type Target struct {
	// Component is its name, as in profiles and records.
	Component string
	// URL is that of /metrics.
	URL string
	// Client trusts the component and is authorised. The component must not have to ask the API server about it more than
	// about any other client, and reading must not disturb the load.
	Client *http.Client
}

// RefusedError is a cluster that is not to be used: a kubeconfig that leads to none, or an owner who has not agreed. Nothing was made on
// it and nothing was sent to it but questions.
type RefusedError struct{ Err error }

func (e *RefusedError) Error() string { return e.Err.Error() }

// Unwrap gives why.
func (e *RefusedError) Unwrap() error { return e.Err }
