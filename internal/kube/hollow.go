package kube

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"

	"windtunnel/hollow"
	"windtunnel/hollow/cri"
	"windtunnel/hollow/light"
	"windtunnel/hollow/pod"
	"windtunnel/hollow/shard"
)

func hollowNodesCommand() *cobra.Command {
	var path string
	cmd := &cobra.Command{
		Use:   "hollow-nodes --config FILE",
		Short: "A shard of hollow nodes: real kubelets and kube-proxies over a container runtime in memory, or light nodes",
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
			return untilSignalled(cmd.Context(), func(ctx context.Context) error { return runShard(ctx, cmd.ErrOrStderr(), config) })
		},
	}
	required(cmd, &path, "shard description, JSON")
	return cmd
}

func hollowPodCommand() *cobra.Command {
	var path, dir, address string
	cmd := &cobra.Command{
		Use:   "hollow-pod --config FILE",
		Short: "The hollow nodes of one pod of a StatefulSet",
		Long: `Runs the hollow nodes that fall to a pod by the number at the end of its name (POD_NAME), until SIGTERM or SIGINT. FILE is a
pod.Config as JSON and holds no secret: every node gets a certificate that the cluster signs. The pod is ready when all of its nodes have
been Ready.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			config, err := pod.ReadConfig(path)
			if err != nil {
				return err
			}
			cluster, err := rest.InClusterConfig()
			if err != nil {
				return err
			}
			return untilSignalled(cmd.Context(), func(ctx context.Context) error {
				described, err := pod.Shard(ctx, config, os.Getenv("POD_NAME"), dir, cluster)
				if err != nil {
					return err
				}
				group, ctx := errgroup.WithContext(ctx)
				group.Go(func() error { return runShard(ctx, cmd.ErrOrStderr(), described) })
				group.Go(func() error { return pod.ServeReady(ctx, address, hollow.NewClient(described.Socket).Status) })
				return group.Wait()
			})
		},
	}
	required(cmd, &path, "description of all hollow nodes, JSON")
	cmd.Flags().StringVar(&dir, "dir", "/tmp", "an existing directory for the nodes' own files, best in memory")
	cmd.Flags().StringVar(&address, "ready", ":8080", "address on which readiness is served")
	return cmd
}

// runShard runs a shard with its log on w.
func runShard(ctx context.Context, w io.Writer, config hollow.ShardConfig) error {
	if config.Light() {
		return light.Run(ctx, config, nil)
	}
	reports := cri.NewReports()
	logger := shard.NewLogger(w, reports.Reported)
	klog.SetLoggerWithOptions(logger, klog.ContextualLogger(true))
	return shard.Run(klog.NewContext(ctx, logger), config, reports)
}

func untilSignalled(ctx context.Context, do func(context.Context) error) error {
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	return do(ctx)
}

// required adds the flag --config.
func required(cmd *cobra.Command, path *string, what string) {
	cmd.Flags().StringVar(path, "config", "", what)
	if err := cmd.MarkFlagRequired("config"); err != nil {
		panic(err) // no such flag
	}
}
