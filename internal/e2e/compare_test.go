package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// TestSlowedServerIsCaught makes four runs in turns on each side, of which those of one have an API server that thinks for some
// milliseconds about every ConfigMap that is made, in 10 000 steps of CEL. Four a side are enough for one figure that was named
// beforehand; CPU time it is, because tests run side by side and latency would tell of them. .ci/bench slowed is the whole experiment.
func TestSlowedServerIsCaught(t *testing.T) {
	if os.Getenv("WINDTUNNEL_LONG") == "" {
		t.Skip("eight runs take minutes: make test-long")
	}
	expression := "true"
	for v := range 4 {
		expression = fmt.Sprintf("[0,1,2,3,4,5,6,7,8,9].all(v%d, %s)", v, expression)
	}
	profile := filepath.Join(testdata(t), "policy.yaml")
	var quick, slowed []string
	for range 4 {
		quick = append(quick, windtunnel(t, "run", "-f", profile).run(0).dir())
		slowed = append(slowed, windtunnel(t, "run", "-f", profile, "--set", fmt.Sprintf("objects.slow.manifest.spec.validations[0].expression=%q", expression)).run(0).dir())
	}
	sides := append(append(quick, "--"), slowed...)
	compare := func(code int, flags ...string) *invocation {
		return windtunnel(t, append(append([]string{"compare"}, flags...), sides...)...).run(code)
	}
	compare(2).says("are not alike", "objects.slow.manifest.spec.validations[0].expression", "--differ objects")
	compare(7, "--differ", "objects", "--figures", "component kube-apiserver cpu", "--fail-on", "regression>10%").
		says("✗ REGRESSION", "1 worse")
}
