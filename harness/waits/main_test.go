package waits

import (
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"

	"windtunnel/harness/harnesstest"
)

// suite is the control plane that the tests share. It has no nodes: the tests say themselves what becomes of pods.
var suite harnesstest.Suite

func TestMain(m *testing.M) {
	code := suite.Run(m, os.Stdin, os.Stdout, os.Stderr)
	if err := goleak.Find(); code == 0 && err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}
