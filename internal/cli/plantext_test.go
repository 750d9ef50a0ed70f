package cli

import (
	"strings"
	"testing"

	"windtunnel/profiles"
)

// planText is what the plan of a profile says.
func planText(t *testing.T, text string, sets ...string) string {
	t.Helper()
	profile, err := profiles.Load("profile.yaml", []byte(text), sets)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := profiles.Compile(profile)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := writePlan(&out, plan); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// TestPlanDrawsShapes looks at the drawing of a stream that ramps up, holds, spikes and goes through a day, beside users of
// whose requests the plan can only say that they come.
func TestPlanDrawsShapes(t *testing.T) {
	const text = `
apiVersion: windtunnel/v1alpha1
kind: Profile
name: shapes
phases:
  - name: workload
    tracks:
      - name: stream
        steps:
          - requests:
              arrivals:
                stages:
                  - {for: 1m, shape: linear, rate: 60}
                  - {for: 1m, rate: 60}
                  - {for: 1m, rate: 120}
                  - {for: 2m, shape: sine, rate: 60, amplitude: 60}
              mix: [{verb: LIST, resource: nodes}]
      - name: people
        background: true
        steps:
          - requests: {closedLoop: {users: 20, thinkTime: 1s}, mix: [{verb: LIST, resource: nodes}]}
slo: {judged: false}
`
	out := planText(t, text)
	for _, want := range []string{
		"1 kinds of requests, constant, 4 stages over 5m, at most 120/s, 2 connections, 1 identities\n",
		"1 kinds of requests, closed loop, 20 users, think 1s, 2 connections, 1 identities\n",
		"▁▁▁▂▂▂▃▃▃▄▄▄▅▅▅▅▅▅▅▅▅▅▅▅████████████▁▁▁▂▃▄▅▆▇██████▇▆▅▄▃▂▁▁▁  0 … 120/s over 5m00s\n",
		" 19800 LIST nodes\n  and as many of the closed loops as the system answers\n",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("the plan does not have %q:\n%s", want, out)
		}
	}
}

// TestPlanSaysWhenNodesAreLost: a fault that is shorter than the controllers' patience changes nothing, so a plan with faults states it.
func TestPlanSaysWhenNodesAreLost(t *testing.T) {
	for _, c := range []struct {
		profile string
		sets    []string
		want    string
	}{
		{"node-failures", nil, "nodes: lost after 20s"},
		{"node-failures", []string{"controlPlane.controllerManager.args={}"}, "nodes: lost after 50s, Kubernetes' default"},
		{"smoke", nil, ""},
	} {
		data, _ := profiles.Builtin(c.profile)
		out := planText(t, string(data), c.sets...)
		if said := strings.Contains(out, "nodes: lost after"); said != (c.want != "") || !strings.Contains(out, c.want) {
			t.Errorf("%s %v: want %q in\n%s", c.profile, c.sets, c.want, out)
		}
	}
}
