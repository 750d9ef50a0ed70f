package cli

import (
	"context"
	"errors"
	"fmt"
	"os"

	"windtunnel/harness/existing"
	"windtunnel/harness/run"
)

// clean removes what runs left on a cluster that is not windtunnel's own, and lists it.
func (a *app) clean(ctx context.Context, kubeconfig, contextName string, removal existing.Removal) error {
	target, err := existing.Open(kubeconfig, contextName)
	if err != nil {
		return err
	}
	progress := a.progress()
	progress.Begin("remove")
	removal.Progress = progress.Status
	things, err := target.Remove(ctx, removal)
	progress.End(err)
	verb := "removed"
	if removal.DryRun {
		verb = "would remove"
	}
	for _, t := range things {
		of := ""
		if t.Run != "" {
			of = " of " + t.Run
		}
		fmt.Fprintf(a.out, "%s %s%s\n", verb, t, of)
	}
	if err != nil {
		return environment(err)
	}
	if len(things) == 0 {
		fmt.Fprintf(a.out, "nothing of windtunnel's is on %s\n", target.Server())
	}
	return nil
}

// environment makes an error of a cluster one of the surroundings, but for one that says that the cluster is not to be used.
func environment(err error) error { return &run.EnvironmentError{Err: err} }

// isUp tells whether a kubeconfig was written by up, for something that it ends.
func isUp(kubeconfig string) bool {
	_, err := os.Stat(stateFile(kubeconfig))
	return !errors.Is(err, os.ErrNotExist)
}
