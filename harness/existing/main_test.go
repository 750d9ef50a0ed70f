package existing

import (
	"os"
	"testing"

	"windtunnel/harness/harnesstest"
)

// suite is the control plane that the tests share, as somebody else's cluster.
var suite harnesstest.Suite

func TestMain(m *testing.M) { os.Exit(suite.Run(m, os.Stdin, os.Stdout, os.Stderr)) }
