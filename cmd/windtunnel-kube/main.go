// Command windtunnel-kube holds the control plane and the hollow nodes that windtunnel starts.
package main

import (
	"os"

	"windtunnel/internal/kube"
)

func main() {
	os.Exit(kube.Main(os.Args[1:], os.Stdout, os.Stderr))
}
