// Package kindtest tells tests whether kind can be tested here. It is imported by tests only.
package kindtest

import (
	"context"
	"os"
	"os/exec"
	"testing"

	"windtunnel/harness/kind"
)

// kindEnv set to "required" makes a test that needs kind fail where it cannot run, as CI sets it; set to "later" it leaves these
// tests to make test-kind, which runs them one after another.
const kindEnv = "WINDTUNNEL_KIND"

// NodeImage is the node image to test kind with, the one that make node-image makes. Where there is none, or no container
// engine answers, the test is skipped with a line that says so, or fails when kind is required.
func NodeImage(t testing.TB) string {
	t.Helper()
	if os.Getenv(kindEnv) == "later" {
		t.Skip("left to make test-kind")
	}
	why := ""
	engine, err := kind.FindEngine(context.Background())
	if err != nil {
		why = err.Error()
	} else if out, err := exec.Command(engine.Name(), "image", "inspect", "--format", "{{.Id}}", kind.LocalImage).CombinedOutput(); err != nil {
		why = kind.LocalImage + " is not there (make node-image): " + string(out)
	}
	switch {
	case why == "":
		return kind.LocalImage
	case os.Getenv(kindEnv) == "required":
		t.Fatalf("KIND CANNOT BE TESTED, and %s=required: %s", kindEnv, why)
	default:
		t.Skipf("KIND WAS NOT TESTED: %s", why)
	}
	return ""
}
