package cli

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"windtunnel/harness/existing"
)

// consentFlags are the limits that an owner sets.
type consentFlags struct {
	kubeconfig, context string
	until               string
	nodes               int
	requests            float64
}

func (a *app) consentCommand() *cobra.Command {
	var flags consentFlags
	cmd := &cobra.Command{
		Use:   "consent [on|off|show]",
		Short: "For the owner of a cluster: allow load on it, forbid it, or show what is allowed",
		Long: `Write or show the consent of a cluster: the ConfigMap ` + existing.Namespace + `/` + existing.ConsentName + `, without which windtunnel sends no load there. A run looks
at it all the time: when it is switched off, or deleted, all load stops within a second. Nothing but this verb writes it.`,
		Example: `  windtunnel consent on --kubeconfig lab.kubeconfig --for 2h --max-nodes 500
  windtunnel consent off --kubeconfig lab.kubeconfig`,
		Args:      usage(cobra.MatchAll(cobra.MaximumNArgs(1), cobra.OnlyValidArgs)),
		ValidArgs: []string{"on", "off", "show"},
		RunE: func(cmd *cobra.Command, args []string) error {
			what := "show"
			if len(args) > 0 {
				what = args[0]
			}
			return a.consent(cmd, what, flags)
		},
	}
	cmd.Flags().StringVar(&flags.kubeconfig, "kubeconfig", "", "the `FILE` that says where the cluster is; it has to be named")
	cmd.Flags().StringVar(&flags.context, "context", "", "the `CONTEXT` of that file (default: its current one)")
	cmd.Flags().StringVar(&flags.until, "for", "", "with on: how long the consent holds, as in 2h (default: until it is switched off)")
	cmd.Flags().IntVar(&flags.nodes, "max-nodes", 0, "with on: the most hollow nodes (default: no limit)")
	cmd.Flags().Float64Var(&flags.requests, "max-requests-per-second", 0, "with on: the most requests that a plan may send in any second (default: no limit)")
	return cmd
}

func (a *app) consent(cmd *cobra.Command, what string, flags consentFlags) error {
	for _, name := range []string{"for", "max-nodes", "max-requests-per-second"} {
		if cmd.Flags().Changed(name) && what != "on" {
			return usageError{fmt.Errorf("--%s goes with on", name)}
		}
	}
	if flags.kubeconfig == "" {
		return usageError{errors.New("which cluster? Give --kubeconfig FILE")}
	}
	target, err := existing.Open(flags.kubeconfig, flags.context)
	if err != nil {
		return err
	}
	if what != "show" {
		consent, err := flags.consent(what == "on")
		if err != nil {
			return err
		}
		if err := target.SetConsent(cmd.Context(), consent); err != nil {
			return environment(err)
		}
	}
	consent, found, err := target.Consent(cmd.Context())
	if err != nil {
		return environment(err)
	}
	if !found {
		fmt.Fprintf(a.out, "%s has not agreed to load: there is no ConfigMap %s/%s\n", target.Server(), existing.Namespace, existing.ConsentName)
		return nil
	}
	fmt.Fprintf(a.out, "%s: %s\n", target.Server(), consent)
	return nil
}

// consent is what the flags allow.
func (f consentFlags) consent(on bool) (existing.Consent, error) {
	c := existing.Consent{Load: on, MaxNodes: f.nodes, MaxRequestsPerSecond: f.requests}
	if f.nodes < 0 || f.requests < 0 {
		return c, usageError{fmt.Errorf("a limit is a number above 0")}
	}
	if f.until != "" {
		length, err := time.ParseDuration(f.until)
		if err != nil || length <= 0 {
			return c, usageError{fmt.Errorf("--for %s is no length of time: write it as in 90m or 2h", f.until)}
		}
		c.Until = time.Now().Add(length)
	}
	return c, nil
}
