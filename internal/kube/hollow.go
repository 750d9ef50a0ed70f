package kube

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"syscall"

	"github.com/spf13/cobra"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"

	"windtunnel/hollow"
	"windtunnel/hollow/cri"
	"windtunnel/hollow/light"
	"windtunnel/hollow/light/staged"
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
			return untilSignalled(cmd.Context(), func(ctx context.Context) error { return runShard(ctx, newLog(cmd.ErrOrStderr()), config) })
		},
	}
	required(cmd, &path, "shard description, JSON")
	return cmd
}

func hollowPodCommand() *cobra.Command {
	var kubeconfig string
	o := pod.Options{Pod: os.Getenv("POD_NAME"), Namespace: os.Getenv("POD_NAMESPACE")}
	cmd := &cobra.Command{
		Use:   "hollow-pod",
		Short: "The hollow nodes of one pod of a StatefulSet",
		Long: `Runs the hollow nodes that fall to a pod by the number at the end of its name (POD_NAME), until SIGTERM or SIGINT. A ConfigMap in the
pod's namespace (POD_NAMESPACE) says which there are and which of them are cut off; it holds no secret and is watched. Every node gets a
certificate that the cluster signs; those of tier light at fidelity minimal share the pod's own account. The pod is ready when all of its nodes
have been Ready.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var err error
			// The cluster's own account for the pod, unless a file names another.
			if o.Cluster, err = clientcmd.BuildConfigFromFlags("", kubeconfig); err != nil {
				return fmt.Errorf("find the cluster: %w", err)
			}
			o.Cluster.UserAgent = "windtunnel-hollow-pod"
			log := newLog(cmd.ErrOrStderr())
			o.Launch = func(ctx context.Context, described hollow.ShardConfig) error { return runShard(ctx, log, described) }
			return untilSignalled(cmd.Context(), func(ctx context.Context) error { return pod.Run(ctx, o) })
		},
	}
	cmd.Flags().StringVar(&o.ConfigMap, "config-map", "hollow-nodes", "name of the ConfigMap that describes all hollow nodes")
	cmd.Flags().StringVar(&o.Dir, "dir", "/tmp", "an existing directory for the nodes' own files, best in memory")
	cmd.Flags().StringVar(&o.Address, "serve", fmt.Sprintf(":%d", pod.Port), "address on which readiness, status, samples and metrics are served")
	cmd.Flags().StringVar(&kubeconfig, "kubeconfig", "", "reach the cluster by this `FILE`, not by the account of the pod")
	return cmd
}

// shardLog is a shard's log, and what hears the kubelets through it.
type shardLog struct {
	io.Writer
	logger  klog.Logger
	reports *cri.Reports
}

// newLog makes w the log of the process.
func newLog(w io.Writer) shardLog {
	l := shardLog{Writer: w, reports: cri.NewReports()}
	l.logger = shard.NewLogger(w, l.reports.Reported)
	klog.SetLoggerWithOptions(l.logger, klog.ContextualLogger(true))
	return l
}

// runShard runs a shard.
func runShard(ctx context.Context, log shardLog, config hollow.ShardConfig) error {
	if !config.Light() {
		return shard.Run(klog.NewContext(ctx, log.logger), config, log.reports)
	}
	runtime.GOMAXPROCS(config.Processors(runtime.NumCPU()))
	life, err := staged.Life(config, func(err error) { fmt.Fprintln(log, err) })
	if err != nil {
		return err
	}
	return light.Run(ctx, config, life)
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
