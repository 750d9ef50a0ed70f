package cli

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"
	"k8s.io/client-go/tools/clientcmd"

	"windtunnel/harness/existing"
	"windtunnel/harness/nodepods"
	"windtunnel/harness/run"
)

func (a *app) scaleCommand() *cobra.Command {
	var kubeconfig string
	var drain bool
	cmd := &cobra.Command{
		Use:   "scale N",
		Short: "Make the hollow nodes of a cluster more or fewer, step by step",
		Long: `Make the hollow nodes that run as pods of a cluster N, in steps that the server bears: of one that up left running with --provider kind or
existing, or where kubectl apply -k manifests/hollow made them. Nodes that go, those with the highest numbers, are drained first, within what
disruption budgets allow; with --drain=false they vanish, as machines do that burn. They become more only within the consent of the cluster's
owner, where there is one or up needed one.`,
		Example: `  windtunnel up --provider kind --set hollowNodes.count=50
  windtunnel scale 200
  windtunnel scale 20 --drain=false`,
		Args: usage(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			count, err := strconv.Atoi(args[0])
			if err != nil || count < 0 {
				return usageError{fmt.Errorf("%q is not a number of nodes", args[0])}
			}
			config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
			if err != nil {
				return usageError{fmt.Errorf("read the kubeconfig: %w", err)}
			}
			target, err := existing.Of(config)
			if err != nil {
				return usageError{fmt.Errorf("read the kubeconfig: %w", err)}
			}
			ctx, stop := a.interrupts(cmd.Context(), "what is done stays")
			defer stop()
			progress := a.progress()
			progress.Begin("scale")
			err = nodepods.Scale(ctx, config, nodepods.Scaling{
				Count: count, Drain: drain,
				Allow: func(ctx context.Context) error { return target.AllowNodes(ctx, count) },
				Progress: func(text string) {
					if !a.terminal { // a line each: there is no live line
						progress.Note(text)
					}
					progress.Status(text)
				},
			})
			progress.End(err)
			switch {
			case ctx.Err() != nil:
				return run.ErrInterrupted
			case errors.Is(err, nodepods.ErrNone):
				return usageError{fmt.Errorf("%w; those of an embedded control plane are as many as up made", err)}
			case err != nil:
				return &run.EnvironmentError{Err: err}
			}
			fmt.Fprintf(a.out, "%d hollow nodes\n", count)
			return nil
		},
	}
	kubeconfigFlag(cmd, &kubeconfig)
	cmd.Flags().BoolVar(&drain, "drain", true, "evict the pods of nodes that go before they go")
	return cmd
}
