package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"windtunnel/harness/existing"
	"windtunnel/harness/nodes"
	"windtunnel/profiles"
)

func (a *app) doctorCommand() *cobra.Command {
	var kubeconfig, contextName string
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Check whether this machine, or a cluster, can be used by windtunnel, and how many hollow nodes fit; starts nothing",
		Args:  usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			bad := false
			checks := a.checks(cmd.Context())
			if kubeconfig != "" {
				var err error
				if checks, err = checkCluster(cmd.Context(), kubeconfig, contextName); err != nil {
					return err
				}
			}
			for _, check := range checks {
				mark := "✓"
				if !check.ok {
					mark, bad = "✗", true
				}
				fmt.Fprintf(a.out, "%s %-14s %s\n", mark, check.name, check.text)
			}
			if bad {
				return silent{codeEnvironment}
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&kubeconfig, "kubeconfig", "", "look at the cluster of this `FILE` instead, for the provider existing")
	cmd.Flags().StringVar(&contextName, "context", "", "the `CONTEXT` of that file (default: its current one)")
	return cmd
}

// checkCluster looks at a cluster that exists.
func checkCluster(ctx context.Context, kubeconfig, contextName string) ([]checked, error) {
	target, err := existing.Open(kubeconfig, contextName)
	if err != nil {
		return nil, err
	}
	var all []checked
	for _, f := range target.Examine(ctx) {
		all = append(all, checked{f.Name, f.Text, f.OK})
	}
	return all, nil
}

// checked is one thing that a run needs.
type checked struct {
	name, text string
	ok         bool
}

func (a *app) checks(ctx context.Context) []checked {
	return []checked{a.checkKube(ctx), checkCPU(), checkFiles(), checkMemoryDir(), checkNodes(), checkKind(ctx)}
}

func (a *app) checkKube(ctx context.Context) checked {
	options, err := a.options("")
	if err != nil {
		return checked{"windtunnel-kube", err.Error(), false}
	}
	out, err := exec.CommandContext(ctx, options.KubeBinary, "version").Output()
	if err != nil {
		return checked{"windtunnel-kube", fmt.Sprintf("%s does not run: %v", options.KubeBinary, err), false}
	}
	return checked{"windtunnel-kube", strings.Join(strings.Fields(string(out)), " "), true}
}

func checkCPU() checked {
	return checked{"processors", fmt.Sprintf("%d (control plane, hollow nodes and load share them; 2 carry 100 nodes)", runtime.NumCPU()), runtime.NumCPU() >= 2}
}

func checkFiles() checked {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return checked{"open files", err.Error(), false}
	}
	return checked{"open files", fmt.Sprintf("%d a process (ulimit -Hn)", limit.Max), limit.Max >= 1024}
}

// checkMemoryDir is advice, not a condition: without tmpfs the hollow nodes' volumes are made on the disk.
func checkMemoryDir() checked {
	if unix.Access("/dev/shm", unix.W_OK) != nil {
		return checked{"/dev/shm", "not usable: volumes of hollow nodes will be on " + os.TempDir() + ", which costs CPU time", true}
	}
	return checked{"/dev/shm", "usable for the volumes of hollow nodes", true}
}

// checkNodes finds how many nodes with 30 pods each this machine carries, up to Kubernetes' own limit of 5 000.
func checkNodes() checked {
	const most, pods = 5000, 30
	var limit *nodes.LimitError
	proxy := true
	err := nodes.Check(profiles.HollowNodes{Count: most, Proxy: &proxy}, most*pods)
	if errors.As(err, &limit) {
		return checked{"hollow nodes", fmt.Sprintf("%d of tier kubelet fit, with %d pods each; %d do not: %s", limit.Fit, pods, most, strings.Join(limit.Reasons, "; ")), limit.Fit > 0}
	}
	if err != nil {
		return checked{"hollow nodes", err.Error(), false}
	}
	return checked{"hollow nodes", fmt.Sprintf("%d and more of tier kubelet fit, with %d pods each", most, pods), true}
}
