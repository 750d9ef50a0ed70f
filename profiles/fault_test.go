package profiles

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// TestPick: a fault breaks as many nodes as it says, of those that are whole and where it says, and the same ones for the same seed.
func TestPick(t *testing.T) {
	const nodes, zones = 10, 3 // zone-0 has 0, 3, 6 and 9
	whole := func(int) bool { return false }
	pick := func(f NodeFault, broken func(int) bool, seed uint64) []int {
		return f.Pick(nodes, zones, broken, rand.New(rand.NewPCG(seed, 0)))
	}
	for _, c := range []struct {
		fault NodeFault
		want  int
	}{
		{NodeFault{Count: 3}, 3}, {NodeFault{Fraction: 0.25}, 3}, {NodeFault{Fraction: 0.3}, 3}, {NodeFault{Fraction: 1}, 10}, {NodeFault{Count: 11}, 10},
		{NodeFault{Zone: "zone-0"}, 4}, {NodeFault{Zone: "zone-1"}, 3}, {NodeFault{Zone: "zone-0", Fraction: 0.5}, 2}, {NodeFault{Zone: "zone-2", Count: 1}, 1},
	} {
		got := pick(c.fault, whole, 7)
		if len(got) != c.want || !slices.IsSorted(got) || len(slices.Compact(slices.Clone(got))) != len(got) {
			t.Errorf("%+v: %v, want %d nodes", c.fault, got, c.want)
		}
		for _, n := range got {
			if c.fault.Zone != "" && ZoneOf(n, zones) != c.fault.Zone {
				t.Errorf("%+v: node %d is in %s", c.fault, n, ZoneOf(n, zones))
			}
		}
		if again := pick(c.fault, whole, 7); !slices.Equal(got, again) {
			t.Errorf("%+v: %v and %v of one seed", c.fault, got, again)
		}
	}
	if got := pick(NodeFault{Numbers: []int{8, 2}}, whole, 1); !slices.Equal(got, []int{2, 8}) {
		t.Errorf("numbers: %v", got)
	}
	if got := pick(NodeFault{Fraction: 1}, func(n int) bool { return n != 4 }, 1); !slices.Equal(got, []int{4}) {
		t.Errorf("only node 4 is whole: %v", got)
	}
	seen, zone := map[int]bool{}, map[string]bool{}
	for seed := range uint64(60) {
		seen[pick(NodeFault{Count: 1}, whole, seed)[0]] = true
		got := pick(NodeFault{Zone: AnyZone}, whole, seed)
		zone[ZoneOf(got[0], zones)] = true
		for _, n := range got {
			if ZoneOf(n, zones) != ZoneOf(got[0], zones) {
				t.Errorf("any zone: %v is of several", got)
			}
		}
	}
	if len(seen) != nodes || len(zone) != zones {
		t.Errorf("60 seeds chose only %d nodes and %d zones", len(seen), len(zone))
	}
}

// TestFaultLength: a stream of faults takes as long as its last; one without an end goes on to the end of the phase.
func TestFaultLength(t *testing.T) {
	once := NodeFault{For: Duration(30 * time.Second)}
	stream, endless := once, once
	stream.Arrivals = &Arrivals{Rate: 1, For: Duration(time.Minute)}
	endless.Arrivals = &Arrivals{Rate: 1}
	if once.Length() != 30*time.Second || stream.Length() != 90*time.Second || endless.Length() != 0 {
		t.Errorf("%v %v %v", once.Length(), stream.Length(), endless.Length())
	}
}

// TestClockSkewNeedsLightNodes: only light nodes of fidelity kubelet have a clock that can be wrong.
func TestClockSkewNeedsLightNodes(t *testing.T) {
	const text = `
apiVersion: windtunnel/v1alpha1
kind: Profile
name: clock
hollowNodes: {count: 2}
phases:
  - name: wrong
    tracks:
      - name: clock
        steps:
          - fault: {nodes: {kind: clockSkew, count: 1, for: 10s, offset: -30s}}
slo: {judged: false}
`
	for _, c := range []struct {
		tier, fidelity string
		allowed        bool
	}{{"kubelet", "kubelet", false}, {"light", "minimal", false}, {"light", "kubelet", true}} {
		_, err := Load("clock.yaml", []byte(text), []string{"hollowNodes.tier=" + c.tier, "hollowNodes.fidelity=" + c.fidelity})
		if allowed := err == nil; allowed != c.allowed {
			t.Errorf("%s, %s: %v", c.tier, c.fidelity, err)
		}
	}
}
