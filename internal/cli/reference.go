package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"windtunnel/analysis/compare"
	"windtunnel/results"
)

func (a *app) referenceCommand() *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:   "reference RUN|FOLDER… --out DIR",
		Short: "Keep of runs what a comparison needs, small enough to be committed",
		Long: `Write reduced copies of runs below DIR: run.json, summary.json and the distributions of the latencies in place of the records, some tens of
kilobytes a run. compare and history read them like other runs. Invalid runs prove nothing and are refused.`,
		Example: `  windtunnel reference results/runs/smoke-* --out results/reference/smoke
  windtunnel compare results/reference/smoke results/runs/new`,
		Args: usage(cobra.MinimumNArgs(1)),
		RunE: func(_ *cobra.Command, args []string) error {
			if out == "" {
				return usageError{errors.New("where to? Give --out DIR")}
			}
			dirs, err := openRuns(args)
			if err != nil {
				return usageError{err}
			}
			if err := allValid(dirs); err != nil {
				return err
			}
			for _, d := range dirs {
				if err := compare.Reduce(d, out); err != nil {
					return err
				}
				fmt.Fprintf(a.err, "kept %s\n", d.ID())
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "the folder to write to, as in results/reference/smoke")
	return cmd
}

// allValid names the runs that cannot be held against anything; then nothing is written.
func allValid(dirs []*results.Dir) error {
	var bad []string
	for _, r := range readRuns(dirs) {
		if len(r.Invalid) > 0 {
			bad = append(bad, compare.LeftOut{ID: r.ID, Reasons: r.Invalid}.String())
		}
	}
	if len(bad) == 0 {
		return nil
	}
	return noDataError{fmt.Errorf("no reference of invalid runs:\n  %s", strings.Join(bad, "\n  "))}
}
