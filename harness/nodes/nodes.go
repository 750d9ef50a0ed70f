// Package nodes puts hollow nodes around a control plane: it checks that the machine can carry them, gives every node
// an identity of its own, spreads them over processes (shards) under the supervisor and waits until all are Ready. What
// a node is made of is the business of windtunnel/hollow.
package nodes

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"windtunnel/harness/cluster"
	"windtunnel/harness/controlplane"
	"windtunnel/harness/supervise"
	"windtunnel/profiles"
	"windtunnel/results"
)

// Names and groups that Kubernetes gives meaning to.
const (
	nodeUserPrefix = "system:node:"
	nodesGroup     = "system:nodes"
	proxyUser      = "system:kube-proxy"
	// sharedUser is the user of all nodes of fidelity minimal, and the one that writes what stages say of pods and no kubelet may write. In the nodes' group priority and fairness treats its requests as those
	// of nodes, all as one flow; without a node's name the Node authorizer leaves it to RBAC.
	sharedUser = "windtunnel:light-nodes"
	usersGroup = cluster.UsersGroup
	zoneLabel  = "topology.kubernetes.io/zone"
)

// What a profile leaves open.
const (
	defaultPrefix  = "hollow-"
	defaultMaxPods = 110
	readyBase      = 30 * time.Second
	readyPerNode   = 250 * time.Millisecond
)

// shardPrefix begins the name of every shard; a number follows.
const shardPrefix = "hollow-"

// stopGrace is how long a shard has to end: it only has to close its sample file.
const stopGrace = 3 * time.Second

// unwindTime bounds the stopping of what a failed start had started.
const unwindTime = 20 * time.Second

// Options say what to start.
type Options struct {
	// Spec is the profile's part.
	Spec profiles.HollowNodes
	// ExpectedPods is the most pods at one time on all nodes together, for the memory they need.
	ExpectedPods int
	// Seed decides what the pods' stages leave to chance.
	Seed uint64
	// KubeBinary is the windtunnel-kube executable.
	KubeBinary string
	// LogDir takes a log of each shard.
	LogDir string
	// SamplesDir takes each shard's pod events, hollow-0.arrows and so on. Default: none are recorded.
	SamplesDir string
	// Clock is the run's.
	Clock results.Clock
	// Labels are set on every node besides those of the profile, which win.
	Labels map[string]string
	// Progress is told how many nodes are Ready whenever that changes. Default: nobody is.
	Progress func(ready, total int)
}

// Start starts the nodes and returns when all are Ready. When the machine cannot carry them, it starts nothing and
// returns a *LimitError; a shard that dies or nodes that do not become Ready give a *supervise.ComponentError. What was
// started is stopped again then.
func Start(ctx context.Context, sup *supervise.Supervisor, cluster *controlplane.Cluster, opts Options) (*Pack, error) {
	opts = withDefaults(opts)
	p := &Pack{sup: sup, opts: opts, home: map[string]*shard{}}
	if opts.Spec.Count == 0 {
		return p, nil
	}
	if err := p.demand().checkHere(); err != nil {
		return nil, err
	}
	if err := p.compose(cluster); err != nil {
		return nil, fmt.Errorf("prepare hollow nodes: %w", err)
	}
	if err := p.run(ctx, cluster); err != nil {
		unwind, cancel := context.WithTimeout(context.WithoutCancel(ctx), unwindTime)
		defer cancel()
		return nil, errors.Join(fmt.Errorf("start hollow nodes: %w", err), p.Stop(unwind))
	}
	return p, nil
}

// Check tells whether the machine can carry the nodes, without starting anything; it returns a *LimitError when not.
func Check(spec profiles.HollowNodes, expectedPods int) error {
	p := Pack{opts: withDefaults(Options{Spec: spec, ExpectedPods: expectedPods})}
	return p.demand().checkHere()
}

func withDefaults(opts Options) Options {
	s := &opts.Spec
	if s.PerProcess <= 0 {
		s.PerProcess = s.DefaultPerProcess()
	}
	if s.NamePrefix == "" {
		s.NamePrefix = defaultPrefix
	}
	if s.MaxPods <= 0 {
		s.MaxPods = defaultMaxPods
	}
	if s.Zones <= 0 {
		s.Zones = 1
	}
	if s.ReadyTimeout <= 0 {
		s.ReadyTimeout = profiles.Duration(readyBase + time.Duration(s.Count)*readyPerNode)
	}
	s.Capacity = maps.Clone(s.Capacity)
	if s.Capacity == nil {
		s.Capacity = map[string]string{}
	}
	for name, quantity := range map[string]string{"cpu": "32", "memory": "256Gi"} {
		if _, ok := s.Capacity[name]; !ok {
			s.Capacity[name] = quantity
		}
	}
	if opts.Progress == nil {
		opts.Progress = func(int, int) {}
	}
	return opts
}

func (p *Pack) demand() demand {
	spec := p.opts.Spec
	return demand{nodes: spec.Count, pods: p.opts.ExpectedPods, perProcess: spec.PerProcess, proxy: spec.WithProxy(), light: spec.Light(), minimal: spec.Minimal()}
}

// checkHere checks the demand against this machine.
func (d demand) checkHere() error {
	m, err := readMachine("/")
	if err != nil {
		return fmt.Errorf("check the machine's limits: %w", err)
	}
	return d.check(m)
}

// Defaults fills in what a profile leaves open about hollow nodes.
func Defaults(spec profiles.HollowNodes) profiles.HollowNodes {
	return withDefaults(Options{Spec: spec}).Spec
}
