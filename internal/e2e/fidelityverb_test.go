package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"windtunnel/analysis/fidelity"
	"windtunnel/results"
)

// reference is a file of results/reference/fidelity, such as what the hollow nodes of tier kubelet sent when it was recorded.
func reference(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("..", "..", "results", "reference", "fidelity", name))
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// TestFidelityVerb runs a shorter script on hollow nodes and holds what they send against the reference, row by row and in both
// directions; and what one changed node sends is found and named. Latencies are the machine's, and are not held to anything here.
func TestFidelityVerb(t *testing.T) {
	t.Parallel()
	w := windtunnel(t, "fidelity", "--reference", reference(t, "kubelet-v1.36.3.json"), "--b", "hollowNodes.zones=2", "--require", "calls,bodies,order,watches", "-o", "json",
		"--set", "phases[1].tracks[0].steps[0].pause=20s", "--set", "phases[2].tracks[0].steps[0].reconcile.count=20",
		"--set", "phases[3].tracks[0].steps[0].requests.arrivals.for=10s")
	w.run(0)
	var c fidelity.Comparison
	if err := json.Unmarshal(w.stdout.Bytes(), &c); err != nil {
		t.Fatal(err)
	}
	if c.Verdict != results.Pass || len(c.Calls) < 45 || len(c.Watches) < 50 || len(c.Sequences) < 5 {
		t.Errorf("%s of %d counts, %d watches and %d orders", c.Verdict, len(c.Calls), len(c.Watches), len(c.Sequences))
	}

	// The same run, of which node 3 keeps its tokens to itself.
	log := filepath.Join(w.dir(), results.AuditFile)
	text, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	lines := slices.DeleteFunc(strings.SplitAfter(string(text), "\n"), func(line string) bool {
		return strings.Contains(line, `"username":"system:node:hollow-3"`) && strings.Contains(line, `"subresource":"token"`)
	})
	if err := os.WriteFile(log, []byte(strings.Join(lines, "")), 0o600); err != nil {
		t.Fatal(err)
	}
	without := windtunnel(t, "fidelity", "--reference", reference(t, "kubelet-v1.36.3.json"), w.dir(), "--require", "calls").run(3)
	without.says("✗  pod-start   kubelet  POST serviceaccounts/token", "DIFFERS FROM")
}

// TestLightNodesLost holds light nodes that are lost and come back against hollow ones, as no real node's loss is recorded: they send the same
// but for their proxies, which watch their Nodes as a real one does. What is before the loss is short; in it the two tiers differ as is known.
func TestLightNodesLost(t *testing.T) {
	t.Parallel()
	w := windtunnel(t, "fidelity", "--reference", reference(t, "kubelet-v1.36.3.json"), "--b", "hollowNodes.tier=light", "--require", "calls", "-o", "json",
		"--set", "phases[1].tracks[0].steps[0].pause=1s", "--set", "phases[2].tracks[0].steps[0].reconcile.count=1", "--set", "phases[2].tracks[0].steps[2].pause=1s",
		"--set", "phases[3].tracks[0].steps[0].requests.arrivals.for=1s", "--set", "phases[3].tracks[0].steps[1].pause=1s", "--set", "phases[4].tracks[0].steps[2].pause=1s")
	w.run(3)
	var c fidelity.Comparison
	if err := json.Unmarshal(w.stdout.Bytes(), &c); err != nil {
		t.Fatal(err)
	}
	const stage = "node-loss"
	matched := 0
	for _, r := range slices.Concat(c.Calls, c.Watches) {
		own := r.Who == fidelity.Proxy && r.Resource == "nodes"
		switch {
		case r.Stage != stage:
		case own && r.A == 0 && r.B == 1, !own && r.Verdict == results.Pass && r.Bodies != results.Fail:
			matched++
		default:
			t.Errorf("%s %s: %.2f of hollow nodes, %.2f of light ones, within %.2f; bodies %s", r.Who, r.Kind, r.A, r.B, r.Within, r.Bodies)
		}
	}
	for _, r := range c.Order {
		if r.Stage == stage {
			t.Errorf("%s before %s always on %s, %d of %d on the other", r.Before, r.After, r.Always, r.Held, r.Both)
		}
	}
	if matched < 20 {
		t.Errorf("only %d counts and open watches were compared", matched)
	}
}
