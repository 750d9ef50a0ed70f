package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"windtunnel/profiles"
	"windtunnel/profiles/cl2"
	"windtunnel/results"
)

// errNotAProfile is what verbs say that take profiles and no tests.
var errNotAProfile = errors.New("run, plan and validate take it")

// runCL2 runs tests one after another, each with a cluster and a run directory of its own, after all of them have been compiled. The first
// that does not pass decides the exit code; one that is interrupted is the last.
func (a *app) runCL2(cmd *cobra.Command, f *profileFlags, tests []*cl2.Test, root, output string) error {
	plans, err := compileCL2(tests, f.settings(cmd))
	if err != nil {
		return err
	}
	options, err := a.options(root)
	if err != nil {
		return err
	}
	var first error
	for i, plan := range plans {
		if len(plans) > 1 {
			fmt.Fprintf(a.err, "%s (%d of %d)\n", testName(tests[i]), i+1, len(plans))
		}
		options.Plan = plan
		err := a.runAndReport(cmd.Context(), options, output)
		if first == nil {
			first = err
		}
		if code := exitCode(err); code == codeInterrupted || code == codeInternal {
			break
		}
	}
	return first
}

// compileCL2 compiles tests for the cluster that the sets describe. The error has what is wrong with all of them.
func compileCL2(tests []*cl2.Test, sets []string) ([]*profiles.Plan, error) {
	cluster, err := cl2.Cluster(sets)
	if err != nil {
		return nil, err
	}
	if name := cluster.ControlPlane.Provider; name != profiles.ProviderEmbedded && name != "" {
		return nil, usageError{fmt.Errorf("tests of ClusterLoader2's run on the embedded control plane, not on the provider %s", name)}
	}
	if err := resolveStages("--set", cluster); err != nil {
		return nil, err
	}
	var plans []*profiles.Plan
	var all error
	for _, test := range tests {
		plan, err := test.Compile(cluster)
		all = errors.Join(all, err)
		plans = append(plans, plan)
	}
	return plans, all
}

// failedSteps says how many steps of a script failed; nil when there is no script, or none did.
func failedSteps(dir *results.Dir) error {
	info, err := dir.ReadRun()
	if err != nil {
		return err
	}
	failed := 0
	for _, step := range info.Steps {
		if step.Error != "" {
			failed++
		}
	}
	if failed == 0 {
		return nil
	}
	return fmt.Errorf("%d of %d steps failed; run.json says how", failed, len(info.Steps))
}
