package controlplane_test

import (
	"context"
	"fmt"
	"os"
	"testing"

	"windtunnel/harness/supervise"
)

// asSupervisor makes the test binary the supervisor, as windtunnel's hidden subcommand is.
const asSupervisor = "WINDTUNNEL_TEST_SUPERVISE"

func TestMain(m *testing.M) {
	if os.Getenv(asSupervisor) != "" {
		if err := supervise.Serve(context.Background(), os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}
