package controlplane

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"windtunnel/harness/internal/ports"
	"windtunnel/harness/supervise"
)

const (
	// pollEvery is how often readiness is asked for.
	pollEvery = 25 * time.Millisecond
	// portAttempts is how often a component is started that loses its port to somebody else.
	portAttempts = 5
	// dieTime is how long a component may take to be gone after SIGKILL.
	dieTime = 10 * time.Second
)

// component is one process of the control plane.
type component struct {
	name  string
	argv  []string
	flags flags
	ports map[string]int // by what they are for
	log   string
	pid   int
}

// graces is how long each may take to end by itself. The API server closes its watches first; etcd must not be killed
// while it still writes.
func grace(name string) time.Duration {
	switch name {
	case apiServerName, etcdName:
		return 10 * time.Second
	}
	return 5 * time.Second
}

// start starts a component that is new and waits until it is ready. When somebody took a port in the meantime, it is
// started again with others, unless the profile asks for that port.
func (c *Cluster) start(ctx context.Context, name string) error {
	begin := time.Now()
	for attempt := 1; ; attempt++ {
		k, err := c.compose(name)
		if err != nil {
			return err
		}
		err = c.launch(ctx, k)
		if err == nil {
			c.opts.Progress(fmt.Sprintf("%s ready in %.1f s", name, time.Since(begin).Seconds()))
			return nil
		}
		if !lostPort(err) {
			return err
		}
		if port := c.opts.Spec.Port; name == apiServerName && port > 0 {
			return errors.Join(checkPort(port), err)
		}
		if attempt == portAttempts {
			return err
		}
	}
}

// lostPort reports whether a component died because a port was taken.
func lostPort(err error) bool {
	var failure *supervise.ComponentError
	return errors.As(err, &failure) && strings.Contains(strings.Join(failure.Tail, "\n"), "address already in use")
}

// compose chooses ports for a component and makes its command line.
func (c *Cluster) compose(name string) (*component, error) {
	k := &component{name: name, ports: map[string]int{}, log: filepath.Join(c.opts.LogDir, name+".log")}
	roles := []string{"secure"}
	if name == etcdName {
		roles = []string{"client", "peer", "metrics"}
	}
	for _, role := range roles {
		port, err := ports.Free()
		if err != nil {
			return nil, err
		}
		k.ports[role] = port
	}
	if port := c.opts.Spec.Port; name == apiServerName && port > 0 {
		k.ports["secure"] = port
	}
	switch name {
	case etcdName:
		k.flags = c.etcdFlags(c.opts.Spec.Etcd, k.ports)
	case apiServerName:
		k.flags = c.apiServerFlags(c.opts.Spec.APIServer, k.ports)
	case controllerManagerName:
		k.flags = c.controllerManagerFlags(c.opts.Spec.ControllerManager, k.ports)
	case schedulerName:
		k.flags = c.schedulerFlags(c.opts.Spec.Scheduler, k.ports)
	}
	k.argv = append(c.program(name), k.flags.argv()...)
	return k, nil
}

// program is how a component's program is called.
func (c *Cluster) program(name string) []string {
	if dir := c.opts.Spec.BinDir; dir != "" {
		return []string{filepath.Join(dir, name)}
	}
	return []string{c.opts.KubeBinary, name}
}

// launch starts a component's process and waits until it is ready.
func (c *Cluster) launch(ctx context.Context, k *component) error {
	spec := supervise.Spec{Name: k.name, Argv: k.argv, Log: k.log, Grace: grace(k.name)}
	if k.name == controllerManagerName || k.name == schedulerName {
		spec.Group = "clients"
	}
	p, err := c.sup.Launch(ctx, spec)
	if err != nil {
		return err
	}
	k.pid = p.PID
	c.put(k)
	return c.awaitReady(ctx, k)
}

// put makes the component known in place of an earlier one of its name.
func (c *Cluster) put(k *component) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, old := range c.components {
		if old.name == k.name {
			c.components[i] = k
			return
		}
	}
	c.components = append(c.components, k)
}

// find returns a component by name, nil when it was never started.
func (c *Cluster) find(name string) *component {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, k := range c.components {
		if k.name == name {
			return k
		}
	}
	return nil
}

// port is one of a component's ports, 0 when it was never started.
func (c *Cluster) port(name, role string) int {
	if k := c.find(name); k != nil {
		return k.ports[role]
	}
	return 0
}

// awaitReady asks a component whether it is ready until it says so, it ends, or the context does.
func (c *Cluster) awaitReady(ctx context.Context, k *component) error {
	probe := c.probe(k)
	watch, cancel := context.WithCancel(ctx)
	defer cancel()
	exited := make(chan supervise.Exit, 1)
	go func() {
		if exit, err := c.sup.Wait(watch, k.name); err == nil {
			exited <- exit
		}
	}()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		why := probe(ctx)
		if why == nil {
			return nil
		}
		select {
		case exit := <-exited:
			return exit.Failure()
		case <-ctx.Done():
			if cause := context.Cause(ctx); errors.Is(cause, context.DeadlineExceeded) {
				return &supervise.ComponentError{Name: k.name, Log: k.log, Tail: supervise.Tail(k.log, 0),
					Err: fmt.Errorf("%w (%w)", cause, why)}
			}
			return fmt.Errorf("wait for %s: %w", k.name, context.Cause(ctx))
		case <-tick.C:
		}
	}
}

// Kill ends a component with SIGKILL, as a crash would, and returns when it is gone.
func (c *Cluster) Kill(ctx context.Context, name string) error {
	if c.find(name) == nil {
		return fmt.Errorf("kill %s: no such component", name)
	}
	if err := c.sup.Signal(ctx, name, syscall.SIGKILL); err != nil {
		return fmt.Errorf("kill %s: %w", name, err)
	}
	bound, cancel := context.WithTimeout(ctx, dieTime)
	defer cancel()
	_, err := c.sup.Wait(bound, name)
	return err
}

// Restart starts a component that has ended again, with the same flags and ports, and returns when it is ready.
func (c *Cluster) Restart(ctx context.Context, name string) error {
	old := c.find(name)
	if old == nil {
		return fmt.Errorf("restart %s: no such component", name)
	}
	timeout := time.Duration(c.opts.Spec.ReadyTimeout)
	if timeout <= 0 {
		timeout = defaultReadyTimeout
	}
	bound, cancel := context.WithTimeoutCause(ctx, timeout, notReadyError{timeout})
	defer cancel()
	again := *old
	if err := c.launch(bound, &again); err != nil {
		return fmt.Errorf("restart %s: %w", name, err)
	}
	return nil
}

// Stop ends the control plane: the clients of the API server, the API server, etcd. An API server whose etcd went
// first does not end by itself.
func (c *Cluster) Stop(ctx context.Context) error {
	stop := func(name string) func(context.Context) error {
		return func(ctx context.Context) error { return c.sup.Stop(ctx, name) }
	}
	return errors.Join(
		together(context.WithoutCancel(ctx), stop(schedulerName), stop(controllerManagerName)),
		c.sup.Stop(ctx, apiServerName),
		c.sup.Stop(ctx, etcdName),
	)
}
