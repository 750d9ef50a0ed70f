package e2e

import (
	"path/filepath"
	"slices"
	"testing"

	"windtunnel/profiles"
	"windtunnel/results"
)

// TestNodeFaults: nodes whose packets vanish are marked, tainted and emptied by the real controllers, in this order, their pods run
// elsewhere, and they are Ready again when the partition ends; nodes that are slow or gone for seconds keep their pods. That holds for
// both tiers, whose nodes have connections of their own.
func TestNodeFaults(t *testing.T) {
	for _, tier := range []string{profiles.TierKubelet, profiles.TierLight} { // one after another: the grace is short for a busy machine
		t.Run(tier, func(t *testing.T) { nodeFaults(t, tier) })
	}
}

func nodeFaults(t *testing.T, tier string) {
	const grace, renewal = 12, 10 // seconds: of the profile, and between two renewals of a lease
	w := windtunnel(t, "run", "-f", filepath.Join(testdata(t), "node-faults.yaml"), "--set", "hollowNodes.tier="+tier).run(0)
	summary := w.summary()
	rows := map[string]results.NodeFaultRow{}
	for _, r := range summary.NodeFaults {
		rows[r.Kind] = r
	}
	p := rows["partition"]
	if p.Faults != 2 || p.Pods == 0 || p.Evicted != p.Pods || p.Replaced != p.Evicted {
		t.Errorf("partition: %+v", p)
	}
	before := 0.0
	for _, name := range []string{"to_not_ready", "to_taint", "to_first_eviction", "to_last_eviction", "to_replacement_running"} {
		q := p.Times[name]
		if want := map[bool]int64{true: p.Evicted, false: p.Faults}[name == "to_replacement_running"]; q.N != want {
			t.Errorf("%s: n %d, want %d", name, q.N, want)
		}
		if q.P100.Value < before {
			t.Errorf("%s came after %g s, before what comes before it at %g s", name, q.P100.Value, before)
		}
		before = q.P100.Value
	}
	// The last lease was renewed at most one renewal before the partition, and holds for the grace period.
	if q := p.Times["to_not_ready"]; q.P50.Value < grace-renewal {
		t.Errorf("a partitioned node was NotReady after %g s", q.P50.Value)
	}
	if q := p.Times["to_ready"]; q.N != p.Faults || q.P100.Value <= 0 {
		t.Errorf("Ready again: %+v", q)
	}
	if r := rows["slow"]; r.Faults != 1 || r.Evicted != 0 {
		t.Errorf("slow: %+v", r)
	}
	if r := rows["flapping"]; r.Faults != 3 || r.Evicted != 0 || r.Times["to_not_ready"].N != 0 {
		t.Errorf("flapping: %+v", r)
	}
	w.says("fault: partition for 45s: 2 nodes (hollow-", "Faults of nodes", "replacement running")

	// Which nodes broke is in the records, and it is those of the zone.
	var broken []string
	for e, err := range results.Read[results.NodeEvent](filepath.Join(w.dir(), results.NodesFile)) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Event == "broken" && e.Detail == "partition" {
			broken = append(broken, e.Name)
		}
	}
	if slices.Sort(broken); len(broken) != 2 || slices.ContainsFunc(broken, func(name string) bool { return !slices.Contains([]string{"hollow-0", "hollow-2", "hollow-4"}, name) }) {
		t.Errorf("broken nodes %v: want two of zone-0, which has 0, 2 and 4", broken)
	}
}
