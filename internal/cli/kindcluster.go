package cli

import (
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"windtunnel/harness/kind"
)

// kindClusterCommand is the process that owns a kind cluster and deletes it in the end. It is started by run and up, not by people.
func (a *app) kindClusterCommand() *cobra.Command {
	var task string
	cmd := &cobra.Command{
		Use:    "kind-cluster",
		Short:  "Own a kind cluster (started by run and up)",
		Hidden: true,
		Args:   usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
			defer stop()
			return kind.Serve(ctx, task, a.out)
		},
	}
	cmd.Flags().StringVar(&task, "task", "", "the `FILE` that says which")
	return cmd
}
