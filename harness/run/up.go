package run

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"windtunnel/harness/cluster"
	"windtunnel/harness/nodes"
	"windtunnel/harness/supervise"
	"windtunnel/results"
)

// Running is a control plane with hollow nodes that was left running.
type Running struct {
	Server, Version string
	Nodes           int
	Logs            string // directory
}

// Up boots the control plane and the hollow nodes of a plan, writes an administrator's kubeconfig, and leaves everything
// running under a supervisor that supervise.Down ends by the state file. On error nothing is left.
func Up(ctx context.Context, o Options, kubeconfig, stateFile string) (up Running, err error) {
	sup, err := supervise.Start(ctx, supervise.Options{Executable: o.Executable})
	if err != nil {
		return up, &EnvironmentError{fmt.Errorf("start the supervisor: %w", err)}
	}
	defer func() {
		if err != nil {
			closing, done := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
			defer done()
			err = errors.Join(err, sup.Close(closing))
		}
	}()
	up.Logs = filepath.Join(sup.Dirs().Disk, "logs")
	if err := os.MkdirAll(up.Logs, 0o755); err != nil {
		return up, &EnvironmentError{fmt.Errorf("make the log directory: %w", err)}
	}

	o.Progress.Begin("boot")
	var cluster cluster.Cluster
	provider, err := provide(o, sup, nil)
	if err == nil {
		cluster, err = provider.boot(ctx, up.Logs)
	}
	o.Progress.End(err)
	if err != nil {
		return up, cause(ctx, &EnvironmentError{err})
	}
	up.Server, up.Version = cluster.Server(), cluster.Version()

	if spec := o.Plan.Profile.HollowNodes; spec.Count > 0 {
		o.Progress.Begin("hollow")
		pack, err := provider.surround(ctx, nodes.Options{
			Spec: spec, KubeBinary: o.KubeBinary, LogDir: up.Logs, Clock: results.NewClock(), Progress: ready(o.Progress)})
		o.Progress.End(err)
		if err != nil {
			return up, cause(ctx, &EnvironmentError{err})
		}
		up.Nodes = len(pack.Names())
	}

	admin, err := cluster.Kubeconfig(ctx)
	if err != nil {
		return up, fmt.Errorf("make the kubeconfig: %w", err)
	}
	if err := os.WriteFile(kubeconfig, admin, 0o600); err != nil {
		return up, &EnvironmentError{fmt.Errorf("write the kubeconfig: %w", err)}
	}
	if err := sup.Detach(ctx, stateFile, map[string]string{"server": up.Server, "kubeconfig": kubeconfig}); err != nil {
		return up, errors.Join(fmt.Errorf("leave the supervisor running: %w", err), os.Remove(kubeconfig))
	}
	return up, nil
}

// cause is why the context ended, or the error when it has not.
func cause(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// ready narrates how many nodes are Ready.
func ready(p Progress) func(ready, total int) {
	return func(ready, total int) { p.Status(fmt.Sprintf("%d of %d nodes are Ready", ready, total)) }
}
