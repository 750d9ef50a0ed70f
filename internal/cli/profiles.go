package cli

import (
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"windtunnel/profiles"
)

func (a *app) profilesCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "profiles",
		Short: "The built-in profiles",
		Args:  usage(cobra.NoArgs),
	}
	list := &cobra.Command{
		Use:   "list",
		Short: "List the built-in profiles",
		Args:  usage(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			w := tabwriter.NewWriter(a.out, 0, 8, 2, ' ', 0)
			for _, name := range profiles.Builtins() {
				data, err := builtin(name)
				if err != nil {
					return err
				}
				profile, err := profiles.Load(name+".yaml", data, nil)
				if err != nil {
					return err
				}
				fmt.Fprintf(w, "%s\t%s\n", name, firstLine(profile.Description))
			}
			return w.Flush()
		},
	}
	show := &cobra.Command{
		Use:               "show NAME",
		Short:             "Print a built-in profile, to start one's own from",
		Args:              usage(cobra.ExactArgs(1)),
		ValidArgsFunction: completeProfiles,
		RunE: func(_ *cobra.Command, args []string) error {
			data, err := builtin(args[0])
			if err != nil {
				return err
			}
			_, err = a.out.Write(data)
			return err
		},
	}
	cmd.AddCommand(list, show)
	return cmd
}

func completeProfiles(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return profiles.Builtins(), cobra.ShellCompDirectiveNoFileComp
}
