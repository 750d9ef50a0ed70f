package kind_test

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"testing"

	"windtunnel/harness/harnesstest"
	"windtunnel/harness/kind"
)

var suite harnesstest.Suite

// TestMain runs the tests, or is one of the processes that windtunnel's hidden subcommands are.
func TestMain(m *testing.M) {
	if len(os.Args) == 4 && os.Args[1] == "kind-cluster" {
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
		err := kind.Serve(ctx, os.Args[3], os.Stdout)
		stop()
		if err != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(suite.Run(m, os.Stdin, os.Stdout, os.Stderr))
}
