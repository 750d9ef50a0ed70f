// Package kube is the command tree of windtunnel-kube, the program that holds what is simulated and tested: etcd, the three
// components of the control plane, and the hollow nodes. Every part runs as a process of its own, started by a subcommand that
// takes the part's own flags, so that it has its own CPU and memory account, profile and log, and can be killed.
package kube

import (
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	_ "time/tzdata" // time zones of CronJobs, as in kube-controller-manager's own main

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/metrics/prometheus/clientgo" // the components' client metrics
	_ "k8s.io/component-base/metrics/prometheus/version"  // the components' build metrics
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	manager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
)

// Main runs windtunnel-kube with the given arguments (without the program's name) and returns its exit code: 0, or 1 after an
// error, which is on stderr.
func Main(args []string, stdout, stderr io.Writer) int {
	if info, ok := debug.ReadBuildInfo(); ok {
		setVersion(info)
	}
	root := newRoot()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	if err := root.Execute(); err != nil {
		if !errors.Is(err, errReported) {
			fmt.Fprintf(stderr, "windtunnel-kube: %v\n", err)
		}
		return 1
	}
	return 0
}

// errReported is an error that a component has printed itself.
var errReported = errors.New("the component has failed")

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:           "windtunnel-kube",
		Short:         "The control plane and the hollow nodes that windtunnel starts",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.CompletionOptions.DisableDefaultCmd = true
	root.AddCommand(
		etcdCommand(),
		component("kube-apiserver", "Kubernetes' API server", apiserver.NewAPIServerCommand),
		component("kube-controller-manager", "Kubernetes' controllers", manager.NewControllerManagerCommand),
		component("kube-scheduler", "Kubernetes' scheduler", func() *cobra.Command { return scheduler.NewSchedulerCommand() }),
		hollowNodesCommand(),
		hollowPodCommand(),
		versionCommand(),
	)
	return root
}

// component wraps a component's own command. It is made only when it is run: they share globals such as the handler of
// signals, which is installed once a process.
func component(name, short string, make func() *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use:                name + " [flags]",
		Short:              short,
		DisableFlagParsing: true, // the flags are the component's, --help included
		RunE: func(_ *cobra.Command, args []string) error {
			command := make()
			command.SetArgs(args)
			if cli.Run(command) != 0 {
				return errReported
			}
			return nil
		},
	}
}

func etcdCommand() *cobra.Command {
	return &cobra.Command{
		Use:                "etcd [flags]",
		Short:              "etcd, the control plane's store",
		DisableFlagParsing: true,
		Run: func(_ *cobra.Command, args []string) {
			etcdmain.Main(append([]string{"etcd"}, args...)) // ends the process when it fails
		},
	}
}
