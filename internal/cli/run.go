package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"windtunnel/harness/run"
	"windtunnel/results"
)

func (a *app) runCommand() *cobra.Command {
	var flags profileFlags
	var loader cl2Flags
	var output, root string
	cmd := &cobra.Command{
		Use:   "run [PROFILE]",
		Short: "Boot, load, judge and report",
		Long: `Boot a control plane, attach the hollow nodes, carry out the profile's phases, judge the run and the system, and leave a run
directory with every raw record. The verdict is the exit code.`,
		Example: `  windtunnel run density
  windtunnel run density --set hollowNodes.count=50 --seed 7
  windtunnel run -f my-profile.yaml -o json
  windtunnel run -f perf-tests/clusterloader2/testing/density/config.yaml --set hollowNodes.tier=light`,
		Args:              usage(cobra.MaximumNArgs(1)),
		ValidArgsFunction: completeProfiles,
		RunE: func(cmd *cobra.Command, args []string) error {
			tests, ok, err := a.cl2Tests(cmd, &flags, &loader, args)
			if err != nil {
				return err
			}
			if ok {
				return a.runCL2(cmd, &flags, tests, root, output)
			}
			plan, err := a.load(cmd, &flags, args)
			if err != nil {
				return err
			}
			options, err := a.options(root)
			if err != nil {
				return err
			}
			options.Plan = plan
			return a.runAndReport(cmd.Context(), options, output)
		},
	}
	flags.register(cmd)
	loader.register(cmd, true)
	cmd.Flags().StringVar(&root, "results", filepath.Join("results", "runs"), "keep run directories in `DIR`")
	outputFlag(cmd, &output, outputFormats()...)
	return cmd
}

// options are what every verb that boots something needs.
func (a *app) options(root string) (run.Options, error) {
	self, err := os.Executable()
	if err != nil {
		return run.Options{}, fmt.Errorf("find windtunnel's own file: %w", err)
	}
	kube := os.Getenv("WINDTUNNEL_KUBE")
	if kube == "" {
		kube = filepath.Join(filepath.Dir(self), "windtunnel-kube")
	}
	if _, err := os.Stat(kube); err != nil {
		return run.Options{}, &run.EnvironmentError{Err: fmt.Errorf("the control plane and the hollow nodes are in windtunnel-kube, which is not beside windtunnel (run make build, or set WINDTUNNEL_KUBE): %w", err)}
	}
	return run.Options{
		Results:    root,
		Executable: self,
		KubeBinary: kube,
		Build:      build(),
		Command:    a.args,
		Progress:   a.progress(),
	}, nil
}

// runAndReport runs and then judges whatever records there are, also after an error or an interrupt.
func (a *app) runAndReport(ctx context.Context, options run.Options, output string) error {
	ctx, stop := a.signals(ctx)
	defer stop()
	dir, runErr := run.Run(ctx, options)
	if dir == nil {
		return runErr
	}
	options.Progress.Begin("analyse")
	study, err := examine(dir)
	options.Progress.End(err)
	if err != nil {
		return errors.Join(runErr, err)
	}
	if runErr == nil || output != "text" || begun(study.Summary.Phases) {
		if err := a.print(output, study.Summary, dir); err != nil {
			return errors.Join(runErr, err)
		}
	}
	a.draw(dir, study)
	if runErr != nil {
		fmt.Fprintf(a.err, "windtunnel: %v\nthe records up to there are in %s\n", runErr, dir.Path())
		return silent{exitCode(runErr)}
	}
	if text := failedSteps(study.Summary.ClusterLoader); text != "" {
		fmt.Fprintf(a.err, "windtunnel: %s\n", text)
	}
	if code := verdictCode(study.Summary.Verdict); code != codePass {
		return silent{code}
	}
	return nil
}

// begun says whether a run got as far as its plan's first phase. Of one that did not there is nothing to say but why.
func begun(phases []results.PhaseSpan) bool {
	return slices.ContainsFunc(phases, func(p results.PhaseSpan) bool { return p.Name != "boot" && p.Name != "hollow" })
}
