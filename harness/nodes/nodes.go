// Package nodes puts hollow nodes around a control plane: it checks that the machine can carry them, gives every node
// an identity of its own, spreads them over processes (shards) under the supervisor and waits until all are Ready. What
// a node is made of is the business of windtunnel/hollow.
package nodes

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"windtunnel/harness/controlplane"
	"windtunnel/harness/supervise"
	"windtunnel/hollow"
	"windtunnel/profiles"
	"windtunnel/results"
)

// Names and groups that Kubernetes gives meaning to.
const (
	nodeUserPrefix = "system:node:"
	nodesGroup     = "system:nodes"
	proxyUser      = "system:kube-proxy"
	zoneLabel      = "topology.kubernetes.io/zone"
)

// What a profile leaves open.
const (
	defaultPerProcess = 250
	defaultPrefix     = "hollow-"
	defaultMaxPods    = 110
	readyBase         = 30 * time.Second
	readyPerNode      = 250 * time.Millisecond
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

// Pack is all hollow nodes of a run.
type Pack struct {
	sup    *supervise.Supervisor
	opts   Options
	names  []string
	shards []*shard
	home   map[string]*shard // by the name of a node
}

// shard is one process with some of the nodes.
type shard struct {
	config  hollow.ShardConfig
	argv    []string
	log     string
	pid     int
	control *hollow.Client
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
		s.PerProcess = defaultPerProcess
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

// withProxy is whether every node has a hollow kube-proxy; by default it does.
func (p *Pack) withProxy() bool { return p.opts.Spec.Proxy == nil || *p.opts.Spec.Proxy }

func (p *Pack) demand() demand {
	return demand{nodes: p.opts.Spec.Count, pods: p.opts.ExpectedPods, perProcess: p.opts.Spec.PerProcess, proxy: p.withProxy()}
}

// checkHere checks the demand against this machine.
func (d demand) checkHere() error {
	m, err := readMachine("/")
	if err != nil {
		return fmt.Errorf("check the machine's limits: %w", err)
	}
	return d.check(m)
}

// compose makes the identities and the shards' descriptions.
func (p *Pack) compose(cluster *controlplane.Cluster) error {
	var proxy hollow.Identity
	if p.withProxy() {
		id, err := cluster.Issue(proxyUser)
		if err != nil {
			return err
		}
		proxy = hollow.Identity(id)
	}
	for i, size := range spread(p.opts.Spec.Count, p.demand().shards()) {
		s, err := p.newShard(cluster, i)
		if err != nil {
			return err
		}
		for range size {
			index := len(p.names)
			name := p.opts.Spec.NamePrefix + strconv.Itoa(index)
			id, err := cluster.Issue(nodeUserPrefix+name, nodesGroup)
			if err != nil {
				return err
			}
			s.config.Nodes = append(s.config.Nodes, hollow.Node{
				Name: name, Index: index, Kubelet: hollow.Identity(id), Proxy: proxy,
				Labels: map[string]string{zoneLabel: "zone-" + strconv.Itoa(index%p.opts.Spec.Zones)},
			})
			p.names = append(p.names, name)
			p.home[name] = s
		}
		s.config.ExpectedPods = divideUp(p.opts.ExpectedPods*size, p.opts.Spec.Count)
		p.shards = append(p.shards, s)
	}
	return nil
}

// newShard describes a shard without its nodes.
func (p *Pack) newShard(cluster *controlplane.Cluster, i int) (*shard, error) {
	spec, name := p.opts.Spec, shardPrefix+strconv.Itoa(i)
	labels := maps.Clone(p.opts.Labels)
	if labels == nil {
		labels = map[string]string{}
	}
	maps.Copy(labels, spec.Labels)
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
	return &shard{
		log:     log,
		control: hollow.NewClient(socket),
		config: hollow.ShardConfig{
			Name: name, Server: cluster.Server(), CA: cluster.CA(), ClockBase: p.opts.Clock.Base(),
			RootDir: root, Samples: samples, Socket: socket,
			MaxPods: spec.MaxPods, Capacity: spec.Capacity, Labels: labels, Taints: spec.Taints,
			PaddingBytes: spec.PaddingBytes, QPS: spec.QPS, Burst: spec.Burst, Proxy: p.withProxy(),
			SandboxStart:   time.Duration(spec.Runtime.SandboxStart),
			ContainerStart: time.Duration(spec.Runtime.ContainerStart),
			ContainerStop:  time.Duration(spec.Runtime.ContainerStop),
		},
	}, nil
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

// launch starts a shard's process.
func (p *Pack) launch(ctx context.Context, s *shard) error {
	file := filepath.Join(p.sup.Dirs().Memory, s.config.Name+".json")
	if err := s.config.Write(file); err != nil {
		return err
	}
	s.argv = []string{p.opts.KubeBinary, "hollow-nodes", "--config", file}
	process, err := p.sup.Launch(ctx, supervise.Spec{Name: s.config.Name, Argv: s.argv, Log: s.log, Grace: stopGrace, Group: "hollow"})
	if err != nil {
		return err
	}
	s.pid = process.PID
	return nil
}

// Names are the nodes' names, in the order of their numbers.
func (p *Pack) Names() []string { return p.names }

// Down cuts nodes off from the control plane, as a broken network would.
func (p *Pack) Down(ctx context.Context, names []string) error {
	return p.each(names, func(c *hollow.Client, names []string) error { return c.Down(ctx, names) })
}

// Up connects nodes again.
func (p *Pack) Up(ctx context.Context, names []string) error {
	return p.each(names, func(c *hollow.Client, names []string) error { return c.Up(ctx, names) })
}

// each hands every shard the names that are its own, all at the same time.
func (p *Pack) each(names []string, do func(*hollow.Client, []string) error) error {
	byShard := map[*shard][]string{}
	for _, name := range names {
		s := p.home[name]
		if s == nil {
			return fmt.Errorf("there is no hollow node %q", name)
		}
		byShard[s] = append(byShard[s], name)
	}
	var wg sync.WaitGroup
	errs := make([]error, len(p.shards))
	for i, s := range p.shards {
		if names := byShard[s]; len(names) > 0 {
			wg.Go(func() { errs[i] = do(s.control, names) })
		}
	}
	wg.Wait()
	return errors.Join(errs...)
}

// Components are the shards' processes.
func (p *Pack) Components() []results.Component {
	list := make([]results.Component, 0, len(p.shards))
	for _, s := range p.shards {
		r := results.Component{Name: s.config.Name, PID: s.pid, Args: s.argv,
			Log: filepath.Join(filepath.Base(filepath.Dir(s.log)), filepath.Base(s.log))}
		if exit, ok := p.sup.Exited(s.config.Name); ok {
			r.Exit = exit.String()
		}
		list = append(list, r)
	}
	return list
}

// Stop ends all nodes and gives back the memory that their directories take.
func (p *Pack) Stop(ctx context.Context) error {
	var wg sync.WaitGroup
	errs := make([]error, len(p.shards))
	for i, s := range p.shards {
		wg.Go(func() {
			errs[i] = errors.Join(p.sup.Stop(ctx, s.config.Name), os.RemoveAll(s.config.RootDir))
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}
