package cli

import (
	"github.com/spf13/cobra"
)

func (a *app) planCommand() *cobra.Command {
	var flags profileFlags
	var output string
	cmd := &cobra.Command{
		Use:               "plan [PROFILE]",
		Short:             "Say what run would do: phases, objects, requests by verb, rates, time and memory; touches nothing",
		Args:              usage(cobra.MaximumNArgs(1)),
		ValidArgsFunction: completeProfiles,
		RunE: func(cmd *cobra.Command, args []string) error {
			plan, err := a.load(cmd, &flags, args)
			if err != nil {
				return err
			}
			if output == "json" {
				return writeJSON(a.out, plan)
			}
			return writePlan(a.out, plan)
		},
	}
	flags.register(cmd)
	outputFlag(cmd, &output, "text", "json")
	return cmd
}
