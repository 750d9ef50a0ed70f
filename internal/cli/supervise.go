package cli

import (
	"github.com/spf13/cobra"

	"windtunnel/harness/supervise"
)

// superviseCommand is the process that owns all children of a run. It is started by run and up, not by people.
func (a *app) superviseCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "supervise",
		Short:  "Own the child processes of a run (started by run and up)",
		Hidden: true,
		Args:   usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return supervise.Serve(cmd.Context(), a.in, a.out)
		},
	}
}
