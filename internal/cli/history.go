package cli

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"windtunnel/analysis/compare"
	"windtunnel/analysis/render"
)

func (a *app) historyCommand() *cobra.Command {
	var output string
	var figures []string
	var level float64
	cmd := &cobra.Command{
		Use:   "history RUN|FOLDER…",
		Short: "Find from which run on a figure changed, over runs in the order in which they were made",
		Long: `Sort runs into histories of like ones (the same profile, provider and machine; versions may change) and search every figure of each for
change points. A change must last for three runs: fewer are outliers.`,
		Example: `  windtunnel history results/runs
  windtunnel history results/runs/smoke-* --figures 'client *p99'`,
		Args: usage(cobra.MinimumNArgs(1)),
		RunE: func(_ *cobra.Command, args []string) error {
			if !(level > 0 && level < 1) {
				return usageError{fmt.Errorf("--level %g: must be between 0 and 1, such as 0.05", level)}
			}
			dirs, err := openRuns(args)
			if err != nil {
				return usageError{err}
			}
			if err := notTwice(dirs); err != nil {
				return usageError{err}
			}
			runs := readRuns(dirs)
			var patterns []compare.Pattern
			for _, f := range figures {
				patterns = append(patterns, compare.ParsePattern(f))
			}
			if len(figures) > 0 && !anyFigure(runs, patterns) {
				return usageError{noFigure(figures, runs)}
			}
			return a.printHistories(output, compare.Histories(runs, patterns, level))
		},
	}
	outputFlag(cmd, &output, "text", "json", "csv", "markdown")
	cmd.Flags().StringArrayVar(&figures, "figures", nil, "search only figures whose names match `PATTERN`, as in 'client * p99'; may be given several times")
	cmd.Flags().Float64Var(&level, "level", 0.05, "probability of showing a change in any figure of a history in which nothing changed")
	return cmd
}

// anyFigure tells whether a run has a figure that a pattern means.
func anyFigure(runs []compare.Run, patterns []compare.Pattern) bool {
	return slices.ContainsFunc(runs, func(r compare.Run) bool {
		return slices.ContainsFunc(r.Readings, func(reading compare.Reading) bool {
			return slices.ContainsFunc(patterns, func(p compare.Pattern) bool { return p.Match(reading.Figure) })
		})
	})
}

func (a *app) printHistories(output string, hs []compare.History) error {
	switch output {
	case "json":
		return writeJSON(a.out, hs)
	case "csv":
		return render.HistoriesCSV(a.out, hs)
	case "markdown":
		return render.HistoriesMarkdown(a.out, hs)
	}
	return render.Histories(a.out, hs, render.Style{Color: a.color, Width: a.width()})
}
