package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"windtunnel/harness/run"
)

// commit is the git commit of the build, set by the linker; "unknown" when it was not.
var commit = "unknown"

// release is the version of windtunnel itself.
const release = "0.1.0"

// build says what this program was made of.
func build() run.Build {
	b := run.Build{Version: release, Commit: commit, Go: runtime.Version()}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range info.Deps {
			if m.Path == "k8s.io/client-go" {
				b.ClientGo = m.Version
				if m.Replace != nil {
					b.ClientGo = m.Replace.Version
				}
			}
		}
	}
	return b
}

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the versions of windtunnel and of what it was built with",
		Args:  usage(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			b := build()
			fmt.Fprintf(a.out, "windtunnel %s (commit %s, %s, client-go %s)\n", b.Version, b.Commit, b.Go, b.ClientGo)
			return nil
		},
	}
}
