package cli

import (
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"windtunnel/analysis"
	"windtunnel/analysis/render"
	"windtunnel/analysis/slo"
	"windtunnel/profiles"
	"windtunnel/results"
)

func (a *app) sloCommand() *cobra.Command {
	var output, set string
	cmd := &cobra.Command{
		Use:   "slo RUN",
		Short: "Judge a stored run again, by the official SLOs or by one's own",
		Long: `Judge a stored run again by a set of service level objectives: a built-in one (` + strings.Join(slo.Builtins(), ", ") + `) or a file.
The run directory is left as it is. The verdict is the exit code. docs/slo.md describes the language.`,
		Example: `  windtunnel slo results/runs/RUN
  windtunnel slo results/runs/RUN --slo mine.yaml -o markdown
  windtunnel slo show official > mine.yaml`,
		Args: usage(cobra.ExactArgs(1)),
		RunE: func(_ *cobra.Command, args []string) error {
			file, err := a.readSLO(set)
			if err != nil {
				return err
			}
			dir, err := results.Open(args[0])
			if err != nil {
				return usageError{err}
			}
			report, err := analysis.Judge(dir, file)
			if err != nil {
				return err
			}
			if err := a.printObjectives(output, report); err != nil {
				return err
			}
			if code := verdictCode(report.Verdict); code != codePass {
				return silent{code}
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&set, "slo", "official", "judge by `FILE` (- for standard input), or by a built-in set: "+strings.Join(slo.Builtins(), ", "))
	outputFlag(cmd, &output, outputFormats()...)
	// The flag was registered two lines above, so this cannot fail.
	_ = cmd.RegisterFlagCompletionFunc("slo", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return slo.Builtins(), cobra.ShellCompDirectiveDefault
	})
	cmd.AddCommand(a.sloListCommand(), a.sloShowCommand())
	return cmd
}

func (a *app) sloListCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the built-in sets of SLOs",
		Args:  usage(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			w := tabwriter.NewWriter(a.out, 0, 8, 2, ' ', 0)
			for _, name := range slo.Builtins() {
				file, err := a.readSLO(name)
				if err != nil {
					return err
				}
				fmt.Fprintf(w, "%s\t%s\n", name, firstLine(file.Description))
			}
			return w.Flush()
		},
	}
}

func (a *app) sloShowCommand() *cobra.Command {
	return &cobra.Command{
		Use:               "show NAME",
		Short:             "Print a built-in set of SLOs, to start one's own from",
		Args:              usage(cobra.ExactArgs(1)),
		ValidArgsFunction: cobra.FixedCompletions(slo.Builtins(), cobra.ShellCompDirectiveNoFileComp),
		RunE: func(_ *cobra.Command, args []string) error {
			data, ok := slo.Builtin(args[0])
			if !ok {
				return usageError{fmt.Errorf("there is no built-in set of SLOs %q (%s)", args[0], profiles.Suggest(args[0], slo.Builtins()))}
			}
			_, err := a.out.Write(data)
			return err
		},
	}
}

// readSLO reads a built-in set or a file. A file that is called like a set is given with its directory, as in ./official.
func (a *app) readSLO(set string) (*slo.File, error) {
	if data, ok := slo.Builtin(set); ok {
		return slo.Read(set+".yaml", data)
	}
	name, data, err := a.read(set)
	if err != nil {
		if !strings.ContainsAny(set, "./") && !slices.Contains(slo.Builtins(), set) {
			return nil, usageError{fmt.Errorf("--slo %s is neither a file nor a built-in set (%s)", set, profiles.Suggest(set, slo.Builtins()))}
		}
		return nil, err
	}
	return slo.Read(name, data)
}

func (a *app) printObjectives(output string, report slo.Report) error {
	switch output {
	case "json":
		return writeJSON(a.out, report)
	case "csv":
		return render.ObjectivesCSV(a.out, report)
	case "markdown":
		return render.ObjectivesMarkdown(a.out, report)
	}
	return render.Objectives(a.out, report, render.Style{Color: a.color, Width: a.width()})
}
