package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"windtunnel/analysis/slo"
	"windtunnel/hollow/stages"
	"windtunnel/profiles/cl2"
)

func (a *app) validateCommand() *cobra.Command {
	var sets []string
	var flags cl2Flags
	var strict bool
	cmd := &cobra.Command{
		Use:   "validate FILE…",
		Short: "Report every problem of profiles, sets of SLOs, stages and ClusterLoader2 configs at once, with its place; touches nothing",
		Args:  usage(cobra.MinimumNArgs(1)),
		RunE: func(_ *cobra.Command, files []string) error {
			var all error
			for _, path := range files {
				name, data, err := a.read(path)
				format := cl2.Recognize(data)
				switch {
				case err != nil:
				case format != cl2.NoFormat:
					var tests []*cl2.Test
					if tests, err = a.readCL2(name, data, format, &flags, sets); err == nil {
						err = a.validateCL2(tests, strict)
					}
					all = errors.Join(all, err)
					continue
				case slo.IsFile(data):
					_, err = slo.Read(name, data)
				case stages.IsFile(data):
					err = a.validateStages(name, data)
				default:
					_, err = compile(name, data, sets)
				}
				if err == nil {
					fmt.Fprintf(a.out, "%s: ok\n", name)
				}
				all = errors.Join(all, err)
			}
			return all
		},
	}
	flags.register(cmd, false)
	cmd.Flags().BoolVar(&strict, "strict", false, "of ClusterLoader2's configs: let warnings count as problems")
	cmd.Flags().StringArrayVar(&sets, "set", nil, "set a field before checking, as in hollowNodes.count=10")
	return cmd
}

// validateStages checks a file of stages and tells what in it does nothing.
func (a *app) validateStages(name string, data []byte) error {
	all, err := stages.Parse(name, data)
	if err != nil {
		return err
	}
	a.note(all)
	_, err = stages.NewSet(all...)
	return err
}
