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

// failedSteps says how many steps of a test failed; empty when none did, or there was no test.
func failedSteps(test *results.ClusterLoader) string {
	if test == nil {
		return ""
	}
	failed := 0
	for _, step := range test.Steps {
		if step.Verdict == results.Fail {
			failed++
		}
	}
	if failed == 0 {
		return ""
	}
	return fmt.Sprintf("%d of %d steps failed; summary.json says how", failed, len(test.Steps))
}
