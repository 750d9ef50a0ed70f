package cli

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"windtunnel/harness/run"
	"windtunnel/harness/supervise"
)

// defaultUp is the profile whose control plane and nodes `up` boots when none is named: the smallest.
const defaultUp = "smoke"

const defaultKubeconfig = "windtunnel.kubeconfig"

func (a *app) upCommand() *cobra.Command {
	var flags profileFlags
	var kubeconfig string
	cmd := &cobra.Command{
		Use:   "up [PROFILE]",
		Short: "Boot a control plane with hollow nodes that stays, and write its kubeconfig",
		Long: `Boot the control plane and the hollow nodes of a profile (default: ` + defaultUp + `) without its load, and leave them running. The
kubeconfig works with plain kubectl; windtunnel down with the same file ends everything. Several can run side by side,
each with a kubeconfig of its own.`,
		Example: `  windtunnel up --set hollowNodes.count=20
  kubectl --kubeconfig ` + defaultKubeconfig + ` get nodes
  windtunnel down`,
		Args:              usage(cobra.MaximumNArgs(1)),
		ValidArgsFunction: completeProfiles,
		RunE: func(cmd *cobra.Command, args []string) error {
			if flags.file == "" && len(args) == 0 {
				args = []string{defaultUp}
			}
			plan, err := a.load(cmd, &flags, args)
			if err != nil {
				return err
			}
			if _, err := os.Stat(stateFile(kubeconfig)); err == nil {
				return usageError{fmt.Errorf("%s belongs to a control plane that is up; end it with windtunnel down --kubeconfig %s, or choose another file", kubeconfig, kubeconfig)}
			}
			options, err := a.options("")
			if err != nil {
				return err
			}
			options.Plan = plan
			ctx, stop := a.signals(cmd.Context())
			defer stop()
			up, err := run.Up(ctx, options, kubeconfig, stateFile(kubeconfig))
			if err != nil {
				return err
			}
			fmt.Fprintf(a.out, "Kubernetes %s with %d hollow nodes at %s\nkubectl --kubeconfig %s get nodes\nlogs: %s\nend it: windtunnel down --kubeconfig %s\n",
				up.Version, up.Nodes, up.Server, kubeconfig, up.Logs, kubeconfig)
			return nil
		},
	}
	flags.register(cmd)
	kubeconfigFlag(cmd, &kubeconfig)
	return cmd
}

func (a *app) downCommand() *cobra.Command {
	var kubeconfig, kindName string
	cmd := &cobra.Command{
		Use:   "down",
		Short: "End what up left running, and remove every trace of it",
		Args:  usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, stop := a.signals(cmd.Context())
			defer stop()
			if kindName != "" {
				return a.downKind(ctx, kindName)
			}
			err := supervise.Down(ctx, stateFile(kubeconfig))
			if errors.Is(err, os.ErrNotExist) {
				if hint := leftHint(ctx); hint != "" {
					return usageError{fmt.Errorf("nothing is up for %s; %s", kubeconfig, hint)}
				}
				return usageError{fmt.Errorf("nothing is up for %s", kubeconfig)}
			}
			if err != nil {
				return &run.EnvironmentError{Err: err}
			}
			if err := os.Remove(kubeconfig); err != nil && !errors.Is(err, os.ErrNotExist) {
				return fmt.Errorf("remove the kubeconfig: %w", err)
			}
			fmt.Fprintln(a.out, "down")
			return nil
		},
	}
	cmd.Flags().StringVar(&kindName, "kind", "", "remove the kind cluster `NAME` instead, which a run kept or left when everything was killed")
	kubeconfigFlag(cmd, &kubeconfig)
	return cmd
}

func kubeconfigFlag(cmd *cobra.Command, path *string) {
	cmd.Flags().StringVar(path, "kubeconfig", defaultKubeconfig, "the `FILE` that holds the kubeconfig and names what is up")
}

// stateFile lies beside the kubeconfig and names the supervisor.
func stateFile(kubeconfig string) string { return kubeconfig + ".state.json" }
