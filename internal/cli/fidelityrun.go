package cli

import (
	"context"
	"errors"
	"fmt"

	"windtunnel/analysis/report"
	"windtunnel/harness/run"
	"windtunnel/profiles"
	"windtunnel/results"
)

// fidelityRun runs the script for one side and leaves its report. A run that did not come to its end is no side.
func (a *app) fidelityRun(ctx context.Context, root string, plan *profiles.Plan) (*results.Dir, error) {
	options, err := a.options(root)
	if err != nil {
		return nil, err
	}
	options.Plan = plan
	ctx, stop := a.signals(ctx)
	defer stop()
	dir, runErr := run.Run(ctx, options)
	if dir == nil {
		return nil, runErr
	}
	fmt.Fprintf(a.err, "run %s\n", dir.Path())
	study, err := examine(dir)
	if err != nil {
		return nil, errors.Join(runErr, err)
	}
	a.warn(report.Files(dir, study))
	return dir, runErr
}
