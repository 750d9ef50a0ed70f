// Package kind makes a cluster whose nodes are containers of this machine, with kind, or uses one that is there. A process of
// its own, a child of the supervisor, owns the cluster (Serve); the rest is the harness' side of it.
package kind

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"sigs.k8s.io/kind/pkg/apis/config/v1alpha4"
	kindcluster "sigs.k8s.io/kind/pkg/cluster"
	kindnodes "sigs.k8s.io/kind/pkg/cluster/nodes"
	"sigs.k8s.io/yaml"

	"windtunnel/harness/internal/audit"
	"windtunnel/harness/internal/authority"
	"windtunnel/harness/internal/ports"
	"windtunnel/harness/supervise"
	"windtunnel/profiles"
)

// childName is the name of the process that owns the cluster, as the supervisor knows it and as of its log.
const childName = "kind"

const (
	// pollEvery is how often it is looked how far the cluster is.
	pollEvery = 100 * time.Millisecond
	// unwindTime bounds the stopping of what a failed boot had started.
	unwindTime = Grace + 5*time.Second
)

// Options say what to make.
type Options struct {
	// Spec is the profile's part.
	Spec profiles.ControlPlane
	// Executable is windtunnel itself, whose hidden subcommand kind-cluster calls Serve.
	Executable string
	// Version is the version of Kubernetes whose official node image is used where the profile names none, such as v1.36.3.
	Version string
	// LogDir takes the logs of all components and the audit log.
	LogDir string
	// HollowNodes says that there will be hollow nodes.
	HollowNodes bool
	// Progress is told what is being done. Default: nobody is.
	Progress func(string)
	// Failed is told once when, after Boot, a component of the control plane ends that nobody asked to. Default: nobody is.
	Failed func(error)
	// Note is told what a reader of the run must know, a sentence each. Default: nobody is.
	Note func(string)
}

// Cluster is a kind cluster that serves.
type Cluster struct {
	sup    *supervise.Supervisor
	opts   Options
	engine Engine
	kind   *kindcluster.Provider
	name   string
	nodes  []kindnodes.Node // those with a control plane first
	ports  map[string]int   // of this machine's loopback: metrics, by component; empty for a cluster that was there

	access    *access
	authority *authority.Authority
	version   string
	bound     bool // the users' role was given here and was not there before

	ownerPID int // of the process that owns the cluster

	unwatch context.CancelFunc // nil when nobody watches the components

	mu         sync.Mutex
	components []component
}

// Boot makes a cluster, or finds the one that the profile names, and returns when all its nodes are Ready. When it cannot, what
// was started is stopped again.
func Boot(ctx context.Context, sup *supervise.Supervisor, opts Options) (*Cluster, error) {
	if opts.Progress == nil {
		opts.Progress = func(string) {}
	}
	if opts.Note == nil {
		opts.Note = func(string) {}
	}
	timeout := time.Duration(opts.Spec.ReadyTimeout)
	bound, cancel := context.WithTimeoutCause(ctx, timeout, notReadyError{timeout})
	defer cancel()
	c := &Cluster{sup: sup, opts: opts}
	if err := c.boot(bound); err != nil {
		unwind, cancel := context.WithTimeout(context.WithoutCancel(ctx), unwindTime)
		defer cancel()
		return nil, errors.Join(fmt.Errorf("boot kind cluster: %w", err), c.Stop(unwind))
	}
	if opts.Failed != nil {
		watch, stop := context.WithCancel(context.WithoutCancel(ctx))
		c.unwatch = stop
		go c.watch(watch)
	}
	return c, nil
}

// notReadyError is why the boot's context ends when it took too long. It is a context.DeadlineExceeded.
type notReadyError struct{ timeout time.Duration }

func (e notReadyError) Error() string        { return fmt.Sprintf("not ready within %v", e.timeout) }
func (e notReadyError) Is(target error) bool { return target == context.DeadlineExceeded }

func (c *Cluster) boot(ctx context.Context) (err error) {
	begin := time.Now()
	if c.engine, err = FindEngine(ctx); err != nil {
		return err
	}
	if c.opts.LogDir, err = filepath.Abs(c.opts.LogDir); err != nil {
		return fmt.Errorf("find log directory: %w", err)
	}
	if err := os.MkdirAll(c.opts.LogDir, 0o755); err != nil {
		return fmt.Errorf("make directory: %w", err)
	}
	c.kind = c.engine.provider()
	task := Task{Engine: c.engine.Name(), Keep: c.opts.Spec.Kind.Keep, Logs: c.opts.LogDir, State: c.memory("state.json")}
	if c.name = c.opts.Spec.Kind.Reuse; c.name == "" {
		if task.Config, err = c.configure(ctx); err != nil {
			return err
		}
	}
	task.Name = c.name
	if err := c.own(ctx, task); err != nil {
		return err
	}
	if err := c.connect(ctx); err != nil {
		return err
	}
	c.opts.Progress(fmt.Sprintf("kind cluster %s (%s) ready in %.1f s at %s", c.name, c.version, time.Since(begin).Seconds(), c.Server()))
	return nil
}

// configure chooses name and ports, has the image fetched, and writes the cluster's configuration.
func (c *Cluster) configure(ctx context.Context) (string, error) {
	spec := c.opts.Spec
	base, err := readBase(spec.Kind.Config)
	if err != nil {
		return "", err
	}
	// Never the file's own name: a cluster that has it already would be taken for ours and deleted.
	s := settings{name: newName(c.sup), image: spec.Kind.NodeImage, logs: c.opts.LogDir, ports: map[string]int{}}
	if base.Name != "" {
		c.opts.Note(fmt.Sprintf("the name %s of %s is not used: the cluster is %s, as windtunnel's own are named so that nobody else's is touched", base.Name, spec.Kind.Config, s.name))
	}
	if s.image == "" {
		s.image = OfficialImage(c.opts.Version)
	}
	if err := c.images(ctx, base, &s); err != nil {
		return "", err
	}
	s.image = c.engine.localName(ctx, s.image)
	if s.cgroup1, err = c.engine.cgroup1(ctx); err != nil {
		return "", err
	}
	for _, component := range []string{etcdName, controllerManagerName, schedulerName} {
		if s.ports[component], err = ports.Free(); err != nil {
			return "", err
		}
	}
	policy, err := audit.Policy(spec.APIServer.Audit)
	if err != nil {
		return "", err
	}
	s.audit = policy != nil
	config, err := compose(spec, base, s)
	if err != nil {
		return "", err
	}
	if err := nodeFiles(config, policy); err != nil {
		return "", err
	}
	c.name, c.ports = s.name, s.ports
	text, err := yaml.Marshal(config)
	if err != nil {
		return "", fmt.Errorf("write kind's configuration: %w", err)
	}
	return string(text), nil
}

// images has the images of all nodes fetched and learns what kubeadm has to know of the control plane's.
func (c *Cluster) images(ctx context.Context, base v1alpha4.Cluster, s *settings) error {
	control := ""
	for _, n := range nodesOf(*c.opts.Spec.Kind, base, *s) {
		if err := c.engine.ensure(ctx, n.Image, c.opts.Progress); err != nil {
			return err
		}
		if control == "" && n.Role != v1alpha4.WorkerRole {
			control = n.Image
		}
	}
	var err error
	s.dns, err = c.engine.hasDNS(ctx, control)
	return err
}

// nodeFiles makes the directories for the audit logs of a configuration and puts there what the nodes read: patches, and the policy, if
// there is one.
func nodeFiles(config *v1alpha4.Cluster, policy []byte) error {
	for _, n := range config.Nodes {
		for _, m := range n.ExtraMounts {
			if m.ContainerPath != nodeLogs {
				continue
			}
			if err := os.MkdirAll(m.HostPath, 0o755); err != nil {
				return fmt.Errorf("make directory: %w", err)
			}
			if err := writeShares(m.HostPath); err != nil {
				return err
			}
			if policy == nil {
				continue
			}
			if err := os.WriteFile(filepath.Join(m.HostPath, auditPolicyFile), policy, 0o644); err != nil {
				return fmt.Errorf("write audit policy: %w", err)
			}
		}
	}
	return nil
}

// own starts the process that owns the cluster and waits until the nodes run.
func (c *Cluster) own(ctx context.Context, task Task) error {
	if err := os.MkdirAll(c.memory(""), 0o700); err != nil {
		return fmt.Errorf("make directory: %w", err)
	}
	file := c.memory("task.json")
	if err := writeJSON(file, task); err != nil {
		return err
	}
	p, err := c.sup.Launch(ctx, supervise.Spec{
		Name: childName, Argv: []string{c.opts.Executable, "kind-cluster", "--task", file}, Log: filepath.Join(task.Logs, childName+".log"),
		Grace: Grace, DeathSignal: deathSignal,
	})
	if err != nil {
		return err
	}
	c.ownerPID = p.PID
	return c.awaitMade(ctx, task)
}

// awaitMade narrates how far the cluster is until its nodes run.
func (c *Cluster) awaitMade(ctx context.Context, task Task) error {
	watch, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		exit, err := c.sup.Wait(watch, childName)
		if err == nil {
			err = c.failure(task, exit.Failure())
		}
		ended <- err
	}()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	var now state
	for {
		last := now
		// Until the first state is written there is no file, which leaves the state as it is.
		if _ = readJSON(task.State, &now); now.Made {
			return nil
		}
		if now.Stage != last.Stage {
			c.opts.Progress(now.Stage)
		}
		select {
		case <-ctx.Done():
			return c.late(ctx, now.Stage)
		case err := <-ended:
			return err
		case <-tick.C:
		}
	}
}

// failure is why the process that owns the cluster ended: what it said itself, where it did.
func (c *Cluster) failure(task Task, failure *supervise.ComponentError) error {
	var last state
	if readJSON(task.State, &last) == nil && last.Error != "" {
		failure.Err = errors.New(last.Error)
		failure.Tail = nil
	}
	return failure
}

// late is the error of a context that ended while something was being done.
func (c *Cluster) late(ctx context.Context, stage string) error {
	cause := context.Cause(ctx)
	if !errors.Is(cause, context.DeadlineExceeded) {
		return cause
	}
	log := filepath.Join(c.opts.LogDir, childName+".log")
	return &supervise.ComponentError{Name: childName, Log: log, Tail: supervise.Tail(log, 0), Err: fmt.Errorf("%w (%s)", cause, strings.ToLower(stage))}
}

// Stop ends the cluster, or leaves one that was there or is to be kept without what windtunnel put into it.
func (c *Cluster) Stop(ctx context.Context) error {
	if c.unwatch != nil {
		c.unwatch()
	}
	err := c.withdraw(ctx)
	err = errors.Join(err, c.sup.Stop(ctx, childName))
	if c.kind == nil || c.name == "" || c.opts.Spec.Kind.Reuse != "" || c.opts.Spec.Kind.Keep {
		return err
	}
	// The process that owns the cluster may have been killed.
	if left, lerr := c.kind.ListNodes(c.name); lerr == nil && len(left) > 0 {
		err = errors.Join(err, Delete(ctx, c.engine, c.name))
	}
	return err
}

// Name is the cluster's name, as kind knows it.
func (c *Cluster) Name() string { return c.name }

// memory is a path in the supervisor's directory for this.
func (c *Cluster) memory(name string) string {
	return filepath.Join(c.sup.Dirs().Memory, "kind-cluster", name)
}
