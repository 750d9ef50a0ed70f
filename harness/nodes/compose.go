package nodes

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"windtunnel/harness/controlplane"
	"windtunnel/hollow"
	"windtunnel/profiles"
)

// compose makes the identities and the shards' descriptions.
func (p *Pack) compose(cluster *controlplane.Cluster) error {
	var proxy, shared hollow.Identity
	if p.opts.Spec.Minimal() || len(p.opts.Spec.Stages) > 0 {
		id, err := cluster.Issue(sharedUser, nodesGroup, usersGroup)
		if err != nil {
			return err
		}
		shared = hollow.Identity{Cert: id.Cert, Key: id.Key}
	}
	if p.opts.Spec.WithProxy() {
		id, err := cluster.Issue(proxyUser)
		if err != nil {
			return err
		}
		proxy = hollow.Identity{Cert: id.Cert, Key: id.Key}
	}
	for i, size := range spread(p.opts.Spec.Count, p.demand().shards()) {
		s, err := p.newShard(cluster, i)
		if err != nil {
			return err
		}
		for range size {
			index := len(p.names)
			name := p.opts.Spec.NamePrefix + strconv.Itoa(index)
			node := hollow.Node{Name: name, Index: index, Labels: map[string]string{zoneLabel: profiles.ZoneOf(index, p.opts.Spec.Zones)}}
			if !p.opts.Spec.Minimal() {
				id, err := cluster.Issue(nodeUserPrefix+name, nodesGroup)
				if err != nil {
					return err
				}
				node.Kubelet, node.Proxy = hollow.Identity{Cert: id.Cert, Key: id.Key}, proxy
			}
			s.config.Nodes = append(s.config.Nodes, node)
			p.names = append(p.names, name)
			p.home[name] = s
		}
		s.config.Shared = shared
		s.config.ExpectedPods = divideUp(p.opts.ExpectedPods*size, p.opts.Spec.Count)
		p.shards = append(p.shards, s)
	}
	return nil
}

// newShard describes a shard without its nodes.
func (p *Pack) newShard(cluster *controlplane.Cluster, i int) (*shard, error) {
	name := shardPrefix + strconv.Itoa(i)
	memory := p.sup.Dirs().Memory
	root := filepath.Join(memory, name)
	if len(root) > hollow.MaxRootDir {
		return nil, fmt.Errorf("the temporary directory %s is too deep: sockets below it need a path of at most %d bytes; set TMPDIR to a shorter one",
			memory, hollow.MaxRootDir)
	}
	if err := os.MkdirAll(root, 0o700); err != nil {
		return nil, fmt.Errorf("make directory of %s: %w", name, err)
	}
	log, err := filepath.Abs(filepath.Join(p.opts.LogDir, name+".log"))
	if err != nil {
		return nil, err
	}
	samples := ""
	if p.opts.SamplesDir != "" {
		if samples, err = filepath.Abs(filepath.Join(p.opts.SamplesDir, name+".arrows")); err != nil {
			return nil, err
		}
	}
	socket := filepath.Join(memory, name+".sock")
	config := p.opts.Shard()
	config.Name, config.Server, config.CA, config.ClockBase = name, cluster.Server(), cluster.CA(), p.opts.Clock.Base()
	config.RootDir, config.Samples, config.Socket = root, samples, socket
	return &shard{log: log, control: hollow.NewClient(socket), config: config}, nil
}

// Shard describes what the options' nodes are like, and neither which there are nor where and as whom they run.
func (o Options) Shard() hollow.ShardConfig {
	spec, labels := o.Spec, map[string]string{}
	maps.Copy(labels, o.Labels)
	maps.Copy(labels, spec.Labels)
	return hollow.ShardConfig{
		Tier: spec.Tier, Fidelity: spec.Fidelity, MaxPods: spec.MaxPods, Capacity: spec.Capacity, Labels: labels, Taints: spec.Taints,
		PaddingBytes: spec.PaddingBytes, QPS: spec.QPS, Burst: spec.Burst, Proxy: spec.WithProxy(),
		SandboxStart:   time.Duration(spec.Runtime.SandboxStart),
		ContainerStart: time.Duration(spec.Runtime.ContainerStart),
		ContainerStop:  time.Duration(spec.Runtime.ContainerStop),

		SandboxStartP99:   time.Duration(spec.Runtime.SandboxStartP99),
		ContainerStartP99: time.Duration(spec.Runtime.ContainerStartP99),
		ContainerStopP99:  time.Duration(spec.Runtime.ContainerStopP99),
		Stages:            spec.Stages, Usage: spec.Usage, Seed: o.Seed,
	}
}

// spread divides nodes over shards as evenly as it goes.
func spread(nodes, shards int) []int {
	sizes := make([]int, shards)
	for i := range sizes {
		sizes[i] = nodes / shards
		if i < nodes%shards {
			sizes[i]++
		}
	}
	return sizes
}
