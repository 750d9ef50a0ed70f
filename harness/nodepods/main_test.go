package nodepods_test

import (
	"fmt"
	"os"
	"testing"

	"windtunnel/harness/harnesstest"
)

// suite shares a control plane.
var suite harnesstest.Suite

func TestMain(m *testing.M) {
	code := suite.Run(m, os.Stdin, os.Stdout, os.Stderr)
	if err := shared.close(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}
