package pod

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"windtunnel/hollow"
)

// Shard composes a pod's shard: its nodes with their identities, asked for with the pod's own credentials, and its paths below dir, which
// must exist. The proxies authenticate with the pod's token.
func Shard(ctx context.Context, c Config, pod, dir string, cluster *rest.Config) (hollow.ShardConfig, error) {
	fail := func(err error) (hollow.ShardConfig, error) {
		return hollow.ShardConfig{}, fmt.Errorf("prepare hollow nodes of pod %s: %w", pod, err)
	}
	nodes, err := c.Nodes(pod)
	if err != nil {
		return fail(err)
	}
	asker := rest.CopyConfig(cluster)
	asker.QPS = -1 // so few requests are not to be held back
	client, err := kubernetes.NewForConfig(asker)
	if err != nil {
		return fail(err)
	}
	if err := Identities(ctx, client, nodes); err != nil {
		return fail(err)
	}
	for i := range nodes {
		nodes[i].Proxy = hollow.Identity{TokenFile: cluster.BearerTokenFile}
	}
	s := c.Shard
	s.Name, s.Nodes, s.Server = pod, nodes, cluster.Host
	s.RootDir, s.Socket = filepath.Join(dir, "nodes"), filepath.Join(dir, "control.sock")
	if s.CA = cluster.CAData; s.CA == nil {
		if s.CA, err = os.ReadFile(cluster.CAFile); err != nil {
			return fail(err)
		}
	}
	if err := os.MkdirAll(s.RootDir, 0o700); err != nil {
		return fail(err)
	}
	if err := s.Validate(); err != nil {
		return fail(err)
	}
	return s, nil
}
