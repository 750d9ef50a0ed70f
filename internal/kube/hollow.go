package kube

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
	"k8s.io/klog/v2"

	"windtunnel/hollow"
	"windtunnel/hollow/cri"
	"windtunnel/hollow/shard"
)

func hollowNodesCommand() *cobra.Command {
	var path string
	cmd := &cobra.Command{
		Use:   "hollow-nodes --config FILE",
		Short: "A shard of hollow nodes: real kubelets and kube-proxies over a container runtime in memory",
		Long: `Runs one shard of hollow nodes until SIGTERM or SIGINT. FILE is a hollow.ShardConfig as JSON; it holds private keys and is
deleted once it is read. The shard answers on the unix socket that FILE names.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			config, err := hollow.ReadShardConfig(path)
			if err != nil {
				return err
			}
			if err := os.Remove(path); err != nil {
				return fmt.Errorf("delete shard configuration: %w", err)
			}
			reports := cri.NewReports()
			logger := shard.NewLogger(cmd.ErrOrStderr(), reports.Reported)
			klog.SetLoggerWithOptions(logger, klog.ContextualLogger(true))
			ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGTERM, syscall.SIGINT)
			defer stop()
			return shard.Run(klog.NewContext(ctx, logger), config, reports)
		},
	}
	cmd.Flags().StringVar(&path, "config", "", "shard description, JSON")
	if err := cmd.MarkFlagRequired("config"); err != nil {
		panic(err) // no such flag
	}
	return cmd
}
