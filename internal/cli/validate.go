package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"windtunnel/analysis/slo"
)

func (a *app) validateCommand() *cobra.Command {
	var sets []string
	cmd := &cobra.Command{
		Use:   "validate FILE…",
		Short: "Report every problem of profiles and sets of SLOs at once, with its place; touches nothing",
		Args:  usage(cobra.MinimumNArgs(1)),
		RunE: func(_ *cobra.Command, files []string) error {
			var all error
			for _, path := range files {
				name, data, err := a.read(path)
				switch {
				case err != nil:
				case slo.IsFile(data):
					_, err = slo.Read(name, data)
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
	cmd.Flags().StringArrayVar(&sets, "set", nil, "set a field before checking, as in hollowNodes.count=10")
	return cmd
}
