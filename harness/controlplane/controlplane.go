// Package controlplane boots a real Kubernetes control plane on loopback: etcd, kube-apiserver,
// kube-controller-manager and kube-scheduler as children of a supervisor, with an authority of their own, TLS between
// all of them, RBAC and the Node authorizer, and priority and fairness on.
package controlplane

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"windtunnel/harness/cluster"
	"windtunnel/harness/supervise"
	"windtunnel/profiles"
	"windtunnel/results"
)

// The components by name, as in profiles, logs and records.
const (
	etcdName              = "etcd"
	apiServerName         = "kube-apiserver"
	controllerManagerName = "kube-controller-manager"
	schedulerName         = "kube-scheduler"
)

// masters is the group that no limit applies to: for what must not disturb or be disturbed by the load.
const masters = "system:masters"

// defaultReadyTimeout bounds the boot when the profile does not.
const defaultReadyTimeout = time.Minute

// unwindTime bounds the stopping of what a failed boot had started.
const unwindTime = 20 * time.Second

// Options say what to boot.
type Options struct {
	// Spec is the profile's part.
	Spec profiles.ControlPlane
	// KubeBinary is the windtunnel-kube executable, which has the components as subcommands. Not used with
	// Spec.BinDir.
	KubeBinary string
	// LogDir takes a log of each component and the audit log.
	LogDir string
	// Progress is told what has become ready and how long it took. Default: nobody is.
	Progress func(string)
}

// Cluster is a control plane that runs.
type Cluster struct {
	sup   *supervise.Supervisor
	opts  Options
	pki   *pki
	audit string // path of the audit log or ""

	admin   *http.Client // of the group system:masters
	plain   *http.Client // without TLS, for etcd's health and metrics
	version string

	mu         sync.Mutex
	components []*component // in the order of starting
}

// Boot starts a control plane and returns when it is ready: all components are healthy and the default namespace has
// its service account. When it cannot, what was started is stopped again. A component that dies or is not ready in
// time gives a *supervise.ComponentError, a port that is not free a *PortTakenError.
func Boot(ctx context.Context, sup *supervise.Supervisor, opts Options) (*Cluster, error) {
	if opts.Progress == nil {
		opts.Progress = func(string) {}
	}
	timeout := time.Duration(opts.Spec.ReadyTimeout)
	if timeout <= 0 {
		timeout = defaultReadyTimeout
	}
	bound, cancel := context.WithTimeoutCause(ctx, timeout, notReadyError{timeout})
	defer cancel()

	c := &Cluster{sup: sup, opts: opts, plain: &http.Client{Transport: &http.Transport{}}}
	if err := c.boot(bound); err != nil {
		unwind, cancel := context.WithTimeout(context.WithoutCancel(ctx), unwindTime)
		defer cancel()
		return nil, errors.Join(fmt.Errorf("boot control plane: %w", err), c.Stop(unwind))
	}
	return c, nil
}

// notReadyError is why the boot's context ends when it took too long. It is a context.DeadlineExceeded.
type notReadyError struct{ timeout time.Duration }

func (e notReadyError) Error() string        { return fmt.Sprintf("not ready within %v", e.timeout) }
func (e notReadyError) Is(target error) bool { return target == context.DeadlineExceeded }

func (c *Cluster) boot(ctx context.Context) error {
	begin := time.Now()
	if err := checkArgs(c.opts.Spec); err != nil {
		return err
	}
	if port := c.opts.Spec.Port; port > 0 {
		if err := checkPort(port); err != nil {
			return err
		}
	}
	if err := c.prepare(); err != nil {
		return err
	}
	for _, name := range []string{etcdName, apiServerName} {
		if err := c.start(ctx, name); err != nil {
			return err
		}
	}
	if err := c.readVersion(ctx); err != nil {
		return err
	}
	if err := c.startClients(ctx); err != nil {
		return err
	}
	c.opts.Progress(fmt.Sprintf("control plane %s ready in %.1f s at %s", c.version, time.Since(begin).Seconds(), c.Server()))
	return nil
}

// prepare makes keys, directories and files.
func (c *Cluster) prepare() error {
	logs, err := filepath.Abs(c.opts.LogDir)
	if err != nil {
		return fmt.Errorf("find log directory: %w", err)
	}
	c.opts.LogDir = logs
	for _, dir := range []string{logs, c.memory("flex-volume-plugins")} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("make directory: %w", err)
		}
	}
	if c.pki, err = newPKI(c.memory("pki")); err != nil {
		return err
	}
	if c.admin, err = c.newAdmin(); err != nil {
		return err
	}
	return c.writeAuditPolicy()
}

// readVersion asks the API server what it is.
func (c *Cluster) readVersion(ctx context.Context) error {
	var v struct {
		GitVersion string `json:"gitVersion"`
	}
	if err := c.getJSON(ctx, "/version", &v); err != nil {
		return fmt.Errorf("read version: %w", err)
	}
	c.version = v.GitVersion
	return nil
}

// startClients starts the two clients of the API server side by side and prepares the cluster meanwhile.
func (c *Cluster) startClients(ctx context.Context) error {
	for _, name := range []string{controllerManagerName, schedulerName} {
		if err := c.writeKubeconfig(name); err != nil {
			return err
		}
	}
	return together(ctx,
		func(ctx context.Context) error {
			if err := c.seedServiceAccounts(ctx); err != nil {
				return err
			}
			return c.start(ctx, controllerManagerName)
		},
		func(ctx context.Context) error { return c.start(ctx, schedulerName) },
		c.bindUsers,
		c.awaitDefaults,
	)
}

// together runs functions side by side and returns the first error, after all have ended; it cancels the others.
func together(ctx context.Context, funcs ...func(context.Context) error) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, f := range funcs {
		group.Go(func() error { return f(ctx) })
	}
	return group.Wait()
}

// Server is the API server's URL.
func (c *Cluster) Server() string { return loopback("https", c.port(apiServerName, "secure")) }

// CA is the certificate of the cluster's authority, PEM.
func (c *Cluster) CA() []byte { return c.pki.cluster.PEM() }

// Version is Kubernetes' version as the API server reports it, such as v1.36.3.
func (c *Cluster) Version() string { return c.version }

// AuditLog is the path of the audit log, or "" when the profile wants none.
func (c *Cluster) AuditLog() string { return c.audit }

// Issue makes a client certificate for a user.
func (c *Cluster) Issue(user string, groups ...string) (cluster.Identity, error) {
	return c.pki.cluster.Client(user, groups...)
}

// Components are the processes with every flag they were given, in the order of starting.
func (c *Cluster) Components() []results.Component {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := make([]results.Component, 0, len(c.components))
	for _, k := range c.components {
		r := results.Component{Name: k.name, PID: k.pid, Args: k.argv,
			Log: filepath.Join(filepath.Base(c.opts.LogDir), filepath.Base(k.log))}
		if exit, ok := c.sup.Exited(k.name); ok && exit.PID == k.pid {
			r.Exit = exit.String()
		}
		list = append(list, r)
	}
	return list
}

// memory and disk are paths in the supervisor's directories.
func (c *Cluster) memory(name string) string { return filepath.Join(c.sup.Dirs().Memory, name) }
func (c *Cluster) disk(name string) string   { return filepath.Join(c.sup.Dirs().Disk, name) }
