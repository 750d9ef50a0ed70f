package pod

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sync/errgroup"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"windtunnel/hollow"
)

// Options say which pod this is.
type Options struct {
	// Cluster is how the pod reaches its cluster with its own account.
	Cluster *rest.Config
	// Namespace and ConfigMap name the description of all hollow nodes.
	Namespace, ConfigMap string
	// Pod is the pod's own name.
	Pod string
	// Dir is an existing directory for the nodes' own files, best in memory.
	Dir string
	// Address is where the pod answers a kubelet's probes and a harness.
	Address string
	// Launch runs a shard until the context ends.
	Launch func(context.Context, hollow.ShardConfig) error
}

// Run runs the nodes that fall to a pod until ctx ends, which is no error. What is not there yet, a description or a certificate, is waited
// for, and the pod's readiness says so.
func Run(ctx context.Context, o Options) error {
	client, err := kubernetes.NewForConfig(unlimited(o.Cluster))
	if err != nil {
		return fmt.Errorf("hollow nodes of pod %s: %w", o.Pod, err)
	}
	m := &members{pod: o.Pod, client: client, control: hollow.NewClient(filepath.Join(o.Dir, "control.sock")), tokenFile: o.Cluster.BearerTokenFile,
		have: map[string]*member{}, described: make(chan Config, 1)}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return serve(ctx, o.Address, handler(m)) })
	group.Go(func() error { return follow(ctx, client, o.Namespace, o.ConfigMap, m) })
	group.Go(func() error { return o.launch(ctx, m) })
	if err := group.Wait(); err != nil {
		return fmt.Errorf("hollow nodes of pod %s: %w", o.Pod, err)
	}
	return nil
}

// launch starts the shard, without nodes, as soon as there is a description, and has it filled.
func (o Options) launch(ctx context.Context, m *members) error {
	var c Config
	select {
	case c = <-m.described:
	case <-ctx.Done():
		return nil
	}
	described, err := describe(c, o.Pod, o.Dir, o.Cluster)
	if err != nil {
		return err
	}
	m.shared = described.Minimal()
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return o.Launch(ctx, described) })
	group.Go(func() error {
		if err := m.awaitShard(ctx); err != nil {
			return nil // the pod ends, or the shard's own error says why
		}
		m.begin(ctx)
		return nil
	})
	return group.Wait()
}

// describe is a pod's shard without its nodes: its paths below dir, and how it reaches the cluster.
func describe(c Config, pod, dir string, cluster *rest.Config) (hollow.ShardConfig, error) {
	s := c.Shard
	s.Name, s.Nodes, s.Server = pod, nil, cluster.Host
	s.RootDir, s.Socket = filepath.Join(dir, "nodes"), filepath.Join(dir, "control.sock")
	if s.Minimal() || len(s.Stages) > 0 {
		s.Shared = hollow.Identity{TokenFile: cluster.BearerTokenFile}
	}
	if s.CA = cluster.CAData; s.CA == nil {
		var err error
		if s.CA, err = os.ReadFile(cluster.CAFile); err != nil {
			return hollow.ShardConfig{}, fmt.Errorf("read the cluster's authority: %w", err)
		}
	}
	// A container that is started again finds what the one before it left in the pod's volume: a socket that nobody serves, and nodes'
	// directories of pods that are played no more.
	for _, old := range []string{s.Socket, s.RootDir} {
		if err := os.RemoveAll(old); err != nil {
			return hollow.ShardConfig{}, err
		}
	}
	if err := os.MkdirAll(s.RootDir, 0o700); err != nil {
		return hollow.ShardConfig{}, err
	}
	return s, s.Validate()
}

// unlimited is a client's configuration without a limit of its own: the pod asks for no more than the number of its nodes.
func unlimited(cluster *rest.Config) *rest.Config {
	config := rest.CopyConfig(cluster)
	config.QPS = -1
	return config
}
