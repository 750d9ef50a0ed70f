package controlplane_test

import (
	"os"
	"testing"

	"windtunnel/harness/harnesstest"
)

// suite holds the control plane that the tests share.
var suite harnesstest.Suite

func TestMain(m *testing.M) { os.Exit(suite.Run(m, os.Stdin, os.Stdout, os.Stderr)) }
