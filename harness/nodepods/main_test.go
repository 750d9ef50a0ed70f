package nodepods_test

import (
	"os"
	"testing"

	"windtunnel/harness/harnesstest"
)

// suite shares a control plane.
var suite harnesstest.Suite

func TestMain(m *testing.M) { os.Exit(suite.Run(m, os.Stdin, os.Stdout, os.Stderr)) }
