package kind

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	kindcluster "sigs.k8s.io/kind/pkg/cluster"
	kindexec "sigs.k8s.io/kind/pkg/exec"
)

// Serve is the process that owns a cluster: it makes the one that the task describes, narrates on out, stays until the
// context ends, and then collects the logs and deletes the cluster, if it made it and is not to keep it. It is a process of
// its own so that the supervisor ends the cluster however the harness dies.
func Serve(ctx context.Context, taskFile string, out io.Writer) error {
	var task Task
	if err := readJSON(taskFile, &task); err != nil {
		return fmt.Errorf("read the task: %w", err)
	}
	engine, err := NewEngine(task.Engine)
	if err != nil {
		return err
	}
	o := &owner{task: task, engine: engine, log: &logger{out: out}, began: time.Now()}
	o.log.stage = func(text string) { o.report(state{Stage: text}) }
	o.kind = engine.provider(kindcluster.ProviderWithLogger(o.log))
	return o.own(ctx)
}

// owner is that process.
type owner struct {
	task   Task
	engine Engine
	kind   *kindcluster.Provider
	log    *logger
	began  time.Time
}

func (o *owner) own(ctx context.Context) error {
	if err := o.make(ctx); err != nil {
		if ctx.Err() == nil {
			o.log.Error(err.Error())
			o.collect(ctx)
			o.report(state{Stage: "failed", Error: err.Error()})
		}
		// Not kept even when it was to be: it is of no use.
		return errors.Join(err, o.delete(o.task.Config != ""))
	}
	o.report(state{Stage: "the nodes run", Made: true})
	<-ctx.Done()
	o.collect(ctx)
	return o.delete(o.task.ours())
}

// make makes the cluster. kind knows no contexts, so when ours ends, its nodes are deleted under it until it gives up.
func (o *owner) make(ctx context.Context) error {
	if o.task.Config == "" {
		return nil
	}
	done := make(chan error, 1)
	go func() {
		// It is kept when it fails, for its logs.
		done <- o.kind.Create(o.task.Name, kindcluster.CreateWithRawConfig([]byte(o.task.Config)), kindcluster.CreateWithRetain(true),
			kindcluster.CreateWithKubeconfigPath(o.task.State+".kubeconfig"))
	}()
	select {
	case err := <-done:
		if err != nil {
			return o.explain(err)
		}
		return o.share(ctx)
	case <-ctx.Done():
	}
	o.collect(ctx) // whoever gave up will want to know what it hung on
	for {
		_ = o.delete(true) // what it leaves is deleted after that
		select {
		case <-done:
			return context.Cause(ctx)
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// nodeShares is how many processes' share of a busy CPU a node has: as many as the embedded control plane has processes of its own, the
// hollow nodes' among them. Without it the engine gives all processes of a node together what one process beside it has, so that any
// of them could starve the control plane.
const nodeShares = 5

func (o *owner) share(ctx context.Context) error {
	nodes, err := sortedNodes(o.kind, o.task.Name)
	if err != nil {
		return err
	}
	for _, n := range nodes {
		if err := o.engine.share(ctx, n.String(), nodeShares); err != nil {
			return err
		}
	}
	return nil
}

// explain adds to an error of kind what the command that failed had printed.
func (o *owner) explain(err error) error {
	if err == nil {
		return nil
	}
	if failed := kindexec.RunErrorForError(err); failed != nil {
		o.log.Error(string(failed.Output))
		if line := lastLine(string(failed.Output)); line != "" {
			return fmt.Errorf("%w: %s", err, line)
		}
	}
	return err
}

// report says where it is; the one who asked may be gone, with the directory of the file.
func (o *owner) report(s state) { _ = s.write(o.task.State) }

// collect writes the components' logs. That some cannot be had costs only those.
func (o *owner) collect(ctx context.Context) {
	bound, cancel := context.WithTimeout(context.WithoutCancel(ctx), collectTime)
	defer cancel()
	nodes, err := sortedNodes(o.kind, o.task.Name)
	if err == nil {
		err = collectLogs(bound, nodes, o.task.Logs, o.since())
	}
	if err != nil {
		o.log.Error(fmt.Sprintf("collect logs: %v", err))
	}
}

// since is the instant before which logs are not ours.
func (o *owner) since() time.Time {
	if o.task.Config == "" {
		return o.began
	}
	return time.Time{}
}

func (o *owner) delete(really bool) error {
	if !really {
		return nil
	}
	if err := o.kind.Delete(o.task.Name, o.task.State+".kubeconfig"); err != nil {
		return fmt.Errorf("delete the cluster %s: %w", o.task.Name, err)
	}
	return nil
}
