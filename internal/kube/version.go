package kube

import (
	"fmt"
	"runtime/debug"
	"strings"
	_ "unsafe" // go:linkname

	"github.com/spf13/cobra"
	clientversion "k8s.io/client-go/pkg/version"
	"k8s.io/component-base/version"
)

// Kubernetes learns its version from linker flags (hack/lib/version.sh in its tree). `make build` passes the same ones; a
// plain `go build` does not, and then every component would call itself v0.0.0-master and the API server would say so at
// /version. There is no function to set them, so they are reached by name.

//go:linkname gitVersion k8s.io/component-base/version.gitVersion
var gitVersion string

//go:linkname gitMajor k8s.io/component-base/version.gitMajor
var gitMajor string

//go:linkname gitMinor k8s.io/component-base/version.gitMinor
var gitMinor string

//go:linkname gitCommit k8s.io/component-base/version.gitCommit
var gitCommit string

//go:linkname clientGitVersion k8s.io/client-go/pkg/version.gitVersion
var clientGitVersion string

//go:linkname clientGitCommit k8s.io/client-go/pkg/version.gitCommit
var clientGitCommit string

const (
	kubernetesModule = "k8s.io/kubernetes"
	// unset begins the values that no linker flag has replaced.
	unsetVersion = "v0.0.0-master"
	unsetCommit  = "$Format:"
)

// setVersion gives the components the version of the k8s.io/kubernetes module that this program was built with, where linker
// flags have not. The commit is not known from a module.
func setVersion(info *debug.BuildInfo) {
	module := moduleVersion(info, kubernetesModule)
	if module == "" {
		return
	}
	if strings.HasPrefix(gitVersion, unsetVersion) {
		gitVersion = module
		parts := strings.SplitN(strings.TrimPrefix(module, "v"), ".", 3)
		if len(parts) == 3 {
			gitMajor, gitMinor = parts[0], parts[1]
		}
		// What is read at run time is a copy; this is the one way to renew it, and it takes nothing but gitVersion.
		if err := version.SetDynamicVersion(gitVersion); err != nil {
			panic(err)
		}
	}
	if strings.HasPrefix(clientGitVersion, unsetVersion) {
		clientGitVersion = gitVersion
	}
	for _, commit := range []*string{&gitCommit, &clientGitCommit} {
		if strings.HasPrefix(*commit, unsetCommit) {
			*commit = ""
		}
	}
}

// moduleVersion returns the version of a module that the program was built with; empty for none.
func moduleVersion(info *debug.BuildInfo, path string) string {
	for _, module := range info.Deps {
		if module.Path == path {
			if module.Replace != nil {
				return module.Replace.Version
			}
			return module.Version
		}
	}
	return ""
}

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the versions of what this program holds",
		Args:  cobra.NoArgs,
		Run: func(cmd *cobra.Command, _ []string) {
			fmt.Fprintf(cmd.OutOrStdout(), "kubernetes %s\nclient-go for %s\n", version.Get(), clientversion.Get())
			if info, ok := debug.ReadBuildInfo(); ok {
				fmt.Fprintf(cmd.OutOrStdout(), "etcd %s\n", moduleVersion(info, "go.etcd.io/etcd/server/v3"))
			}
		},
	}
}
