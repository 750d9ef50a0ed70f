package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"windtunnel/harness/existing"
	"windtunnel/harness/run"
	"windtunnel/harness/supervise"
	"windtunnel/profiles"
)

// defaultUp is the profile whose control plane and nodes `up` boots when none is named. A profile has a phase, which up leaves out.
const defaultUp = `apiVersion: windtunnel/v1alpha1
kind: Profile
name: up
hollowNodes: {count: 5}
phases:
- name: nothing
  tracks: [{name: pause, steps: [{pause: 1s}]}]
slo: {judged: false}
`

const defaultKubeconfig = "windtunnel.kubeconfig"

func (a *app) upCommand() *cobra.Command {
	var flags profileFlags
	var kubeconfig string
	cmd := &cobra.Command{
		Use:   "up [PROFILE]",
		Short: "Boot a control plane with hollow nodes that stays, and write its kubeconfig",
		Long: `Boot the control plane and the hollow nodes of a profile (default: five nodes) without its load, and leave them running. The
kubeconfig works with plain kubectl; windtunnel down with the same file ends everything. Several can run side by side,
each with a kubeconfig of its own.`,
		Example: `  windtunnel up --set hollowNodes.count=20
  kubectl --kubeconfig ` + defaultKubeconfig + ` get nodes
  windtunnel down`,
		Args:              usage(cobra.MaximumNArgs(1)),
		ValidArgsFunction: completeProfiles,
		RunE: func(cmd *cobra.Command, args []string) error {
			if flags.file == "" && len(args) == 0 {
				flags.text = &fileText{"up.yaml", []byte(defaultUp)}
			}
			plan, err := a.load(cmd, &flags, args)
			if err != nil {
				return err
			}
			if k := plan.Profile.ControlPlane.Kind; plan.Profile.ControlPlane.Provider == profiles.ProviderKind && k != nil && k.Reuse != "" {
				return usageError{errors.New("controlPlane.kind.reuse is for runs; to put hollow nodes on a cluster that is there: --provider existing, with what kind get kubeconfig prints")}
			}
			guest := plan.Profile.ControlPlane.Provider == profiles.ProviderExisting
			if guest && cmd.Flags().Changed("kubeconfig") {
				return usageError{errors.New("--kubeconfig names the file that up writes; the cluster that exists is named by controlPlane.existing.kubeconfig")}
			}
			if _, err := os.Stat(stateFile(kubeconfig)); err == nil && !guest {
				return usageError{fmt.Errorf("%s belongs to a control plane that is up; end it with windtunnel down --kubeconfig %s, or choose another file", kubeconfig, kubeconfig)}
			}
			if err := unix.Access(filepath.Dir(kubeconfig), unix.W_OK); err != nil && !guest {
				return usageError{fmt.Errorf("write the kubeconfig %s: %w; --kubeconfig names another file", kubeconfig, err)}
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
			if guest {
				fmt.Fprintf(a.out, "%d hollow nodes on Kubernetes %s at %s\nend it: windtunnel down --kubeconfig %s\n",
					up.Nodes, up.Version, up.Server, plan.Profile.ControlPlane.Existing.Kubeconfig)
				return nil
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
	var kubeconfig, contextName, kindName string
	var dry, force bool
	cmd := &cobra.Command{
		Use:   "down",
		Short: "End what up left running, or take everything of windtunnel's from a cluster, and remove every trace of it",
		Long: `End what windtunnel up left running under a kubeconfig. A kubeconfig of any other cluster means that cluster: everything on it that
has windtunnel's labels is removed, also what a run left there that was killed, and listed. The owner's consent stays, and so does all of a run
that is still under way.`,
		Example: `  windtunnel down
  windtunnel down --kubeconfig lab.kubeconfig --dry-run`,
		Args: usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, stop := a.interrupts(cmd.Context(), "leaving the rest where it is; once more quits at once")
			defer stop()
			if kindName != "" {
				if dry || force || contextName != "" || cmd.Flags().Changed("kubeconfig") {
					return usageError{errors.New("--kind names what goes, all of it: --dry-run, --force, --context and --kubeconfig are for other clusters")}
				}
				return a.downKind(ctx, kindName)
			}
			if _, err := os.Stat(kubeconfig); err == nil && !isUp(kubeconfig) {
				return a.clean(ctx, kubeconfig, contextName, existing.Removal{DryRun: dry, Force: force})
			}
			if dry || force || contextName != "" {
				return usageError{errors.New("--dry-run, --force and --context are for a cluster that up did not make")}
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
	cmd.Flags().BoolVar(&dry, "dry-run", false, "only list what would be removed from a cluster")
	cmd.Flags().BoolVar(&force, "force", false, "remove also what a run that is under way has made")
	cmd.Flags().StringVar(&contextName, "context", "", "the `CONTEXT` of the kubeconfig (default: its current one)")
	kubeconfigFlag(cmd, &kubeconfig)
	return cmd
}

func kubeconfigFlag(cmd *cobra.Command, path *string) {
	cmd.Flags().StringVar(path, "kubeconfig", defaultKubeconfig, "the `FILE` that holds the kubeconfig and names what is up")
}

// stateFile lies beside the kubeconfig and names the supervisor.
func stateFile(kubeconfig string) string { return kubeconfig + ".state.json" }
